"""The defect browser: what its address asks for, sums by repo, pictures, and what it costs."""

from __future__ import annotations

import re

import pytest

from shipmend.core.moments import iso
from shipmend.core.values import Role
from shipmend.delivery.defect_browser import LATEST
from tests.delivery.blame import HOUR, NOON, Scene
from tests.gitworld import GitRepo
from tests.questions import asked
from tests.web.cast import Person, Seen, words_of
from tests.world import World

pytestmark = pytest.mark.database

DAY = 24 * HOUR


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


@pytest.fixture
def reader(world: World) -> Person:
    return Person.of(world, Role.VIEWER)


def look(reader: Person, scene: Scene, place: str = "", **query: str) -> Seen:
    middle = f"/{place}" if place.count("/") == 1 else f"/{place}/-" if place else "/-"
    seen = reader.get(f"/entities/{scene.world.path}{middle}/defects", **query)
    assert seen.status == 200
    return seen


def section(seen: Seen, name: str) -> str:
    found = re.search(rf'<section id="{name}".*?</section>', seen.html, re.DOTALL)
    return words_of(found.group()) if found else ""


def keys(seen: Seen) -> list[str]:
    """The defects of the list, in its order."""
    return re.findall(r"D-\d+", section(seen, "defects"))


@pytest.fixture
def shown(scene: Scene) -> Scene:
    """Four defects: D-1 mended twice in the shop, D-2 mended in the till, D-3 open there, D-4 open, of no repo yet."""
    shop, till = scene.world.repo().path, scene.world.repo("till").path
    scene.release(till, NOON + DAY)
    scene.defect(shop, NOON, "D-1", severity=2, fix_released_at=iso(NOON + 2 * HOUR))
    scene.defect(shop, NOON, "D-1", fix_released_at=iso(NOON + 6 * HOUR))
    scene.defect(till, NOON + DAY, "D-2", severity=1, fix_released_at=iso(NOON + DAY + HOUR))
    scene.defect(till, NOON + 2 * DAY, "D-3")
    scene.defect(scene.world.path, NOON + 3 * DAY, "D-4", severity=10)
    return scene


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["D-4", "D-3", "D-2", "D-1"]),
        ({"state": "open"}, ["D-4", "D-3"]),
        ({"state": "resolved"}, ["D-2", "D-1"]),
        ({"repo": "acme/shop"}, ["D-1"]),
        ({"repo": "acme/till", "state": "open"}, ["D-3"]),
        ({"severity": "1"}, ["D-2"]),
        ({"cause": "guess"}, ["D-3", "D-2"]),
        ({"cause": "unattributed"}, ["D-4", "D-1"]),
        ({"cause": "named"}, []),
        ({"sort": "detected"}, ["D-1", "D-2", "D-3", "D-4"]),
        ({"sort": "-took"}, ["D-1", "D-2", "D-4", "D-3"]),
        ({"sort": "took"}, ["D-2", "D-1", "D-4", "D-3"]),
        ({"sort": "severity"}, ["D-2", "D-1", "D-4", "D-3"]),
        ({"sort": "-severity"}, ["D-4", "D-1", "D-2", "D-3"]),
        ({"sort": "-key"}, ["D-4", "D-3", "D-2", "D-1"]),
        ({"sort": "no-such"}, ["D-4", "D-3", "D-2", "D-1"]),
        ({"severity": "x"}, ["D-4", "D-3", "D-2", "D-1"]),
        ({"repo": "acme/none"}, ["D-4", "D-3", "D-2", "D-1"]),
        ({"cause": "moon"}, ["D-4", "D-3", "D-2", "D-1"]),
    ],
)
def test_the_address_says_which_defects_and_in_what_order(
    shown: Scene, reader: Person, query: dict[str, str], expected: list[str]
) -> None:
    seen = look(reader, shown, **query)
    assert keys(seen) == expected
    assert "No defect matches the filter." in seen.text or expected


def test_a_window_is_of_days_on_the_entity_s_clocks(shown: Scene, reader: Person) -> None:
    day = iso(NOON + DAY)[:10]
    assert keys(look(reader, shown, start_date=day, end_date=day)) == ["D-2"]


def test_each_level_shows_what_is_there(shown: Scene, reader: Person) -> None:
    assert keys(look(reader, shown, "acme")) == ["D-3", "D-2", "D-1"]
    assert keys(look(reader, shown, "acme/till")) == ["D-3", "D-2"]


def test_sums_by_repo_follow_the_filter(shown: Scene, reader: Person) -> None:
    told = section(look(reader, shown), "by-repo")
    assert "acme/till 1 1 1 h 1 0" in told
    assert "acme/shop 0 1 6 h 2 1" in told
    assert "no repo concerned yet 1 0 0 0" in told
    assert "shop" not in section(look(reader, shown, state="open"), "by-repo")


def test_headings_sort_and_turn_the_order_about_and_keep_the_filter(shown: Scene, reader: Person) -> None:
    html = look(reader, shown, state="resolved", page="1").html
    assert 'aria-sort="none"><a href="?state=resolved&amp;sort=-severity#defects">Severity' in html
    html = look(reader, shown, sort="-severity").html
    assert 'aria-sort="descending"><a href="?sort=severity#defects">Severity' in html
    assert '<input type="hidden" name="sort" value="-severity">' in html


def test_pictures_set_severity_against_times(shown: Scene, reader: Person, git_repo: GitRepo) -> None:
    sha = git_repo.commit("Mend it", at=NOON + HOUR)
    depot = shown.world.repo("depot", git_repo).path
    shown.defect(depot, NOON, "D-5", severity=3, fix_released_sha=sha, fix_released_at=iso(NOON + 4 * HOUR))
    html = look(reader, shown).html
    took, lead = (
        re.search(rf'<figure class="figure" id="{name}".*?</figure>', html, re.DOTALL) for name in ("took", "lead")
    )
    assert took
    assert lead
    assert set(re.findall(r">(D-\d)</a>", took.group())) == {"D-1", "D-2", "D-3", "D-4", "D-5"}
    assert re.findall(r">(D-\d)</a></td><td[^>]*>(\d)</td><td[^>]*>([^<]*)<", lead.group()) == [("D-5", "3", "3 h")]
    assert "still open" in took.group()
    assert 'id="lead"' not in look(reader, shown, state="open").html


def test_an_empty_place_says_how_to_begin(scene: Scene, reader: Person) -> None:
    assert "tell it with a key of your own choice" in section(look(reader, scene), "defects")


def test_a_page_past_the_last_leads_back(shown: Scene, reader: Person) -> None:
    assert "past the last defect" in section(look(reader, shown, page="9"), "defects")


def test_pictures_are_of_the_latest_where_there_are_too_many(scene: Scene, reader: Person) -> None:
    path = scene.world.repo().path
    for n in range(LATEST + 5):
        scene.defect(path, NOON + n, f"D-{n}")
    seen = look(reader, scene)
    assert f"The latest {LATEST} of {LATEST + 5} defects." in seen.text
    assert seen.html.count('class="dot') == LATEST


def test_the_browser_costs_as_many_questions_with_many_defects_as_with_few(scene: Scene, reader: Person) -> None:
    counts = []
    for n in (2, 30):
        for each in range(n):
            path = scene.world.repo(f"repo-{each % 5}").path
            scene.release(path, NOON + each)
            scene.defect(path, NOON + each, f"D-{each}", fix_released_at=iso(NOON + each + 60))
        with asked() as questions:
            look(reader, scene)
        counts.append(questions.count)
    assert counts[0] == counts[1] <= 20
