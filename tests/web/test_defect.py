"""The page of a defect: what it tells, and what members do there."""

from __future__ import annotations

import re

import pytest

from shipmend.core.moments import iso
from shipmend.core.values import Role
from shipmend.delivery.defect_page import read_defect_page
from shipmend.web.markdown import as_html
from shipmend.web.stage_bars import WIDTH, draw
from tests.delivery.blame import HOUR, NOON, Scene
from tests.gitworld import GitRepo
from tests.questions import asked
from tests.snapshot import stored_rows
from tests.web.cast import Person, Seen, words_of
from tests.world import World

pytestmark = pytest.mark.database


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


@pytest.fixture
def member(world: World) -> Person:
    return Person.of(world, Role.MEMBER)


def address(scene: Scene, key: str = "K-1") -> str:
    return f"/entities/{scene.world.path}/-/defects/{key}"


def acts(scene: Scene) -> str:
    """Where the forms of the page of K-1 are sent."""
    return f"/entities/{scene.world.path}/-/change-defect/K-1"


def section(seen: Seen, name: str) -> str:
    """One section of a page, as text."""
    found = re.search(rf'<section id="{name}".*?</section>', seen.html, re.DOTALL)
    assert found, name
    return words_of(found.group())


def stored_fix(scene: Scene) -> str:
    (fix,) = read_defect_page(scene.world.tenant, "K-1").defect.fixes
    return str(fix.id)


def test_the_cause_is_told_with_its_reason_and_changed_by_buttons(scene: Scene, member: Person) -> None:
    path = scene.world.repo().path
    early, late = scene.release(path, NOON, name="v1"), scene.release(path, NOON + HOUR, name="v2")
    scene.defect(path, NOON + 2 * HOUR)
    page = address(scene)
    told = section(member.get(page), "cause")
    assert "guess v2 of acme/shop" in told
    assert "1 h before it." in told
    assert member.post(acts(scene), do="accept", **{"accept-seen": late}).to == page
    assert member.user
    assert f"Cause accepted by user {member.user.email}" in section(member.get(page), "cause")
    member.post(acts(scene), do="name", **{"name-release": early})
    told = section(member.get(page), "cause")
    assert "named v1 of acme/shop" in told
    assert "Otherwise the guess would be v2" in told
    member.post(acts(scene), do="none")
    assert "unattributed Somebody said that no release caused it." in section(member.get(page), "cause")
    member.post(acts(scene), do="clear")
    assert scene.cause().release_id == late


def test_a_release_is_named_by_its_id_too(scene: Scene, member: Person) -> None:
    path = scene.world.repo().path
    made = scene.release(path, NOON, environment="staging")
    scene.defect(path, NOON + HOUR)
    assert member.post(acts(scene), do="name", **{"name-other": made}).status == 302
    assert scene.cause()[:2] == ("named", made)


def test_a_named_release_that_was_deleted_is_told_of(scene: Scene, member: Person) -> None:
    path = scene.world.repo().path
    made = scene.release(path, NOON)
    scene.defect(path, NOON + HOUR)
    member.post(acts(scene), do="name", **{"name-release": made})
    scene.api.delete(f"releases/{made}")
    assert "The release that was named has been deleted." in section(member.get(address(scene)), "cause")


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        ({"do": "name"}, "name-release", "Is missing: choose one."),
        ({"do": "name", "name-other": "x"}, "name-other", "This is not the id of a release."),
        ({"do": "name", "name-release": "x"}, "name-release", "Select a valid choice."),
        ({"do": "detection", "detection-detected_at": "03/04/2021"}, "detection-detected_at", "03/04/2021"),
        ({"do": "detection"}, "detection-detected_at", "This field is required."),
        ({"do": "resolve", "resolve-resource_path": "nowhere/a/b"}, "resolve-resource_path", "names nothing here"),
        ({"do": "resolve", "resolve-resource_path": "{e}"}, "resolve-resource_path", "names no repo"),
        (
            {"do": "resolve", "resolve-resource_path": "{e}/acme/shop", "resolve-fix_released_at": "1999-01-01"},
            "resolve-fix_released_at",
            "lies before the detection",
        ),
        (
            {"do": "resolve", "resolve-resource_path": "{e}/acme/shop", "resolve-fix_released_sha": "xyz"},
            "resolve-fix_released_sha",
            "is not a commit id",
        ),
        ({"do": "cancel", "cancel-reason": " "}, "cancel-reason", "This field is required."),
        ({"do": "notes", "notes-notes": "x" * 50_001}, "notes-notes", "at most 50000 characters"),
    ],
)
def test_what_can_not_be_is_told_at_its_field_with_what_was_typed(
    scene: Scene, member: Person, form: dict[str, str], field: str, words: str
) -> None:
    scene.defect(scene.world.repo().path, NOON)
    filled = {name: value.format(e=scene.world.path) for name, value in form.items()}
    before = stored_rows(scene.world.tenant.id)
    seen = member.post(acts(scene), **filled)
    assert seen.status == 400
    error = re.search(rf'id="id_{field}_error">(.*?)</p>', seen.html, re.DOTALL)
    assert error
    assert words in error.group(1)
    assert seen.html.count('<details class="act" open>') == 1
    assert stored_rows(scene.world.tenant.id) == before
    if len(filled) == 2 and len(filled[field]) < 100 and "release" not in field and filled[field].strip():
        assert filled[field] in seen.html


def test_a_guess_that_moved_is_not_accepted(scene: Scene, member: Person) -> None:
    path = scene.world.repo().path
    seen_guess = scene.release(path, NOON)
    scene.defect(path, NOON + 2 * HOUR)
    scene.release(path, NOON + HOUR)
    refused = member.post(acts(scene), do="accept", **{"accept-seen": seen_guess})
    assert refused.status == 400
    assert "is not the guess any more" in section(refused, "cause")


def test_a_fix_is_recorded_corrected_and_removed(scene: Scene, member: Person) -> None:
    shop, till = scene.world.repo().path, scene.world.repo("till").path
    scene.defect(shop, NOON)
    page = address(scene)
    form = {"resolve-resource_path": shop, "resolve-fix_released_at": iso(NOON + HOUR)}
    assert member.post(acts(scene), do="resolve", **form).to == page
    fix = stored_fix(scene)
    seen = member.get(page)
    assert "resolved it" in section(seen, "fixes")
    # What stands in the form, sent as it is, changes nothing.
    shown = dict(re.findall(rf'name="fix-{fix}-(\w+)" value="([^"]*)"', seen.html))
    before = stored_rows(scene.world.tenant.id)
    same = {f"fix-{fix}-{name}": value for name, value in shown.items()}
    assert member.post(acts(scene), do=f"fix {fix}", **same).to == page
    assert stored_rows(scene.world.tenant.id) == before
    moved = {f"fix-{fix}-resource_path": till, f"fix-{fix}-fix_released_at": iso(NOON + 3 * HOUR)}
    member.post(acts(scene), do=f"fix {fix}", **moved)
    assert "till" in section(member.get(page), "fixes")
    wrong = {f"fix-{fix}-resource_path": till, f"fix-{fix}-fix_released_at": iso(NOON - HOUR)}
    refused = member.post(acts(scene), do=f"fix {fix}", **wrong)
    assert f'id="id_fix-{fix}-fix_released_at_error"' in refused.html
    empty = member.post(acts(scene), do=f"fix {fix}", **{f"fix-{fix}-resource_path": till})
    assert "Is missing, and so is the commit" in section(empty, "fixes")
    member.post(acts(scene), do=f"remove {fix}")
    assert "No fix is released yet." in section(member.get(page), "fixes")
    assert member.post(acts(scene), do=f"remove {fix}").status == 404
    assert member.post(acts(scene), do="remove me").status == 404


def test_a_detection_is_corrected_and_stays_as_it_is_shown(scene: Scene, instance: object) -> None:
    world = World.make(time_zone="America/New_York")
    place = Scene(world)
    member = Person.of(world, Role.MEMBER)
    fall_back = 1_604_210_400 + 1800  # 1 November 2020, 01:30 for the second time
    place.defect(world.path, fall_back)
    shown = re.search(r'name="detection-detected_at" value="([^"]*)"', member.get(address(place)).html)
    assert shown
    before = stored_rows(world.tenant.id)
    member.post(acts(place), do="detection", **{"detection-detected_at": shown.group(1)})
    assert stored_rows(world.tenant.id) == before
    member.post(acts(place), do="detection", **{"detection-detected_at": "2020-11-02 08:00"})
    assert place.api.get("critical_defects/K-1").json["defect"]["detected_at"] == "2020-11-02T13:00:00Z"


def test_a_defect_is_cancelled_with_a_reason(scene: Scene, member: Person) -> None:
    scene.defect(scene.world.path, NOON)
    member.post(acts(scene), do="cancel", **{"cancel-reason": "a false alarm"})
    assert member.get(address(scene)).status == 404
    assert scene.last().changes[0].after == "a false alarm"


def test_who_only_reads_sees_no_form_and_changes_nothing(scene: Scene, world: World) -> None:
    reader = Person.of(world, Role.VIEWER)
    scene.defect(world.repo().path, NOON)
    seen = reader.get(address(scene))
    assert 'name="do"' not in seen.html
    before = stored_rows(world.tenant.id)
    for do in ("none", "notes", "cancel", "nothing"):
        assert reader.post(acts(scene), do=do, **{"cancel-reason": "x"}).status == 403
    assert stored_rows(world.tenant.id) == before


def test_where_forms_are_sent_leads_back_to_the_page(scene: Scene, member: Person) -> None:
    scene.defect(scene.world.path, NOON)
    assert member.get(acts(scene)).to == address(scene)


def test_a_form_that_is_none_of_the_page_is_refused(scene: Scene, member: Person) -> None:
    scene.defect(scene.world.path, NOON)
    for do in ("", "explode", "fix"):
        assert member.post(acts(scene), do=do).status in (400, 404), do


def test_notes_are_shown_as_markdown_and_nothing_in_them_is_run(scene: Scene, member: Person) -> None:
    scene.defect(scene.world.path, NOON)
    evil = "# Why\r\n\r\n<script>x</script> [a](javascript:x) ![i](http://x/y.png) [b](https://b.example) **c**"
    member.post(acts(scene), do="notes", **{"notes-notes": evil})
    told = re.search(r'<div class="prose">(.*?)</div>', member.get(address(scene)).html, re.DOTALL)
    assert told
    assert "<h3>Why</h3>" in told.group(1)
    assert "<strong>c</strong>" in told.group(1)
    assert 'href="https://b.example" rel="nofollow noopener noreferrer"' in told.group(1)
    assert not re.search(r"<script|<img|javascript:x\"", told.group(1))


def test_a_table_in_notes_has_no_style_of_its_own() -> None:
    assert "style" not in as_html("| a | b |\n|:-:|--:|\n| 1 | 2 |")
    assert "<td>2</td>" in as_html("| a | b |\n|:-:|--:|\n| 1 | 2 |")


def test_the_stages_come_from_the_fix_and_from_commits_that_speak_of_the_defect(
    scene: Scene, member: Person, git_repo: GitRepo
) -> None:
    git_repo.commit("BUG-1 is planned", at=NOON - HOUR)
    git_repo.commit("Look into BUG-1", at=NOON + HOUR)
    sha = git_repo.commit("Mend it", at=NOON + 3 * HOUR)
    git_repo.commit("BUG-1: tidy up", at=NOON + 20 * HOUR)
    shop = scene.world.repo(git=git_repo).path
    scene.world.repo("idle")
    till = scene.world.repo("till").path
    scene.defect(scene.world.path, NOON, "BUG-1")
    scene.defect(shop, NOON, "BUG-1", fix_released_sha=sha, fix_released_at=iso(NOON + 4 * HOUR))
    scene.defect(till, NOON, "BUG-1", fix_released_at=iso(NOON + 8 * HOUR))
    told = section(member.get(address(scene, "BUG-1")), "stages")
    assert re.findall(r"(detected|first activity|fix authored) → ([a-z ]+?) \d", told) == [
        ("detected", "first activity"),
        ("first activity", "fix authored"),
        ("fix authored", "fix released"),
        ("detected", "fix released"),
    ]
    assert re.findall(r"(\d+) h\b", told) == ["1", "2", "1", "8"]
    assert "idle" not in told


def test_bars_lie_on_one_scale_and_end_where_the_next_begins(scene: Scene, git_repo: GitRepo) -> None:
    sha = git_repo.commit("Mend K-1", at=NOON + 2 * HOUR)
    shop = scene.world.repo(git=git_repo).path
    scene.defect(shop, NOON, fix_released_sha=sha, fix_released_at=iso(NOON + 4 * HOUR))
    scene.defect(scene.world.repo("till").path, NOON, fix_released_at=iso(NOON + 8 * HOUR))
    page = read_defect_page(scene.world.tenant, "K-1")
    one, two = draw(page.repos, NOON, NOON + 9 * HOUR)
    assert [(bar.x, bar.width) for bar in two.bars] == [(0, WIDTH)]
    assert [bar.x for bar in one.bars] == [0, WIDTH // 4, WIDTH // 4]
    assert one.bars[-1].x + one.bars[-1].width == WIDTH // 2


def test_a_page_costs_as_many_questions_with_many_fixes_as_with_one(scene: Scene, member: Person) -> None:
    counts = []
    for n in (1, 12):
        for each in range(n):
            path = scene.world.repo(f"repo-{each}").path
            scene.release(path, NOON - each - 1)
            scene.defect(scene.world.path, NOON)
            scene.defect(path, NOON, fix_released_at=iso(NOON + each + 1))
        with asked() as questions:
            assert member.get(address(scene)).status == 200
        counts.append(questions.count)
    assert counts[0] == counts[1] <= 30
