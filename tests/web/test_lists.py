"""The lists of releases and of defects, and the pages of one release and one defect."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from shipmend.core.values import ResourcePath, Role
from shipmend.web.listing import SIZE
from tests.gitworld import GitRepo
from tests.questions import asked
from tests.web.cast import Person, Seen, words_of
from tests.world import Api, World

pytestmark = pytest.mark.database

DAY = 86400
START = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())


@pytest.fixture
def reader(world: World) -> Person:
    return Person.of(world, Role.VIEWER)


def release(api: Api, path: ResourcePath, name: str, at: int | str, **more: object) -> str:
    sha = more.pop("sha", f"{abs(hash(name)):040x}"[-40:])
    form = {"resource_path": path, "name": name, "released_at": at, "release_sha": sha, **more}
    reply = api.post("releases", form)
    assert reply.status == 200, reply.json
    return str(reply.json["release"]["id"])


def defect(api: Api, path: ResourcePath, key: str, at: int | str, **more: object) -> None:
    reply = api.post("critical_defects", {"resource_path": path, "defect_key": key, "detected_at": at, **more})
    assert reply.status == 200, reply.json


def releases_at(path: ResourcePath | str) -> str:
    """The page of the releases of a place."""
    return f"/entities/{path}/{'' if str(path).count('/') == 2 else '-/'}releases"


def defects_at(path: ResourcePath | str) -> str:
    """The page of the defects of a place."""
    return f"/entities/{path}/{'' if str(path).count('/') == 2 else '-/'}defects"


def section(seen: Seen, name: str) -> str:
    """One section of a page, as text; empty if it isn't there."""
    found = re.search(rf'<section id="{name}".*?</section>', seen.html, re.DOTALL)
    return words_of(found.group()) if found else ""


def order(text: str, *words: str) -> list[str]:
    """The words in the order in which they stand in the text."""
    return [word for _, word in sorted((text.index(word), word) for word in words)]


def test_releases_stand_newest_first_and_each_leads_to_its_page(world: World, reader: Person) -> None:
    world.repo()
    api, path = world.api(), world.repo_path("shop")
    for name, day in (("v2", 2), ("v3", 3), ("v1", 1)):
        release(api, path, name, START + day * DAY)
    seen = reader.get(releases_at(world.path))
    assert order(section(seen, "releases"), "v1", "v2", "v3") == ["v3", "v2", "v1"]
    link = re.search(r'href="(/entities/[^"]*/releases/[^"]*)"', seen.html)
    assert link
    assert "v3" in reader.get(link.group(1)).text


def test_each_level_shows_what_is_at_it_and_below(world: World, reader: Person) -> None:
    for slug in ("shop", "till"):
        world.repo(slug)
        release(world.api(), world.repo_path(slug), f"{slug}-1", START)
        defect(world.api(), world.repo_path(slug), f"BROKEN-{slug}", START)
    defect(world.api(), world.path, "SOMEWHERE", START)
    places = (str(world.path), f"{world.path}/acme", f"{world.path}/acme/shop")
    for place in places[:2]:
        assert {"shop-1", "till-1"} <= set(section(reader.get(releases_at(place)), "releases").split())
    assert "till" not in section(reader.get(releases_at(places[2])), "releases")
    entity, organization, repo = (section(reader.get(defects_at(place)), "defects") for place in places)
    assert {"BROKEN-shop", "BROKEN-till", "SOMEWHERE"} <= set(entity.split())
    assert {"BROKEN-shop", "BROKEN-till"} <= set(organization.split())
    assert "SOMEWHERE" not in organization
    assert "BROKEN-till" not in repo


def test_open_defects_come_before_the_resolved_with_a_word(world: World, reader: Person) -> None:
    world.repo()
    api, path = world.api(), world.repo_path("shop")
    defect(api, path, "OLD-AND-OPEN", START)
    defect(api, path, "NEW-AND-MENDED", START + 9 * DAY, fix_released_at=str(START + 9 * DAY + 7200))
    seen = reader.get(defects_at(world.path))
    assert order(seen.text, "OLD-AND-OPEN", "NEW-AND-MENDED") == ["OLD-AND-OPEN", "NEW-AND-MENDED"]
    assert "open for" in section(seen, "defects")
    assert "resolved after 2 h" in section(seen, "defects")


def test_each_list_turns_its_own_pages(world: World, reader: Person) -> None:
    world.repo()
    api, path = world.api(), world.repo_path("shop")
    for n in range(SIZE + 2):
        release(api, path, f"v{n:03}", START + n * DAY)
        defect(api, path, f"D-{n:03}", START + n * DAY)
    first, second = reader.get(releases_at(path)), reader.get(releases_at(path), releases_page="2")
    assert f"v{SIZE + 1:03}" in section(first, "releases")
    assert "v001 " not in section(first, "releases")
    assert re.findall(r"v\d{3}", section(second, "releases")) == ["v001", "v000"]
    defects = reader.get(defects_at(path), page="2", sort="")
    assert re.findall(r"D-\d{3}", section(defects, "defects")) == ["D-001", "D-000"]
    assert 'href="?page=1&amp;sort=#defects"' in defects.html


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "1e3", "²", "99999999999999999999"])
def test_a_page_that_is_none_is_the_first(world: World, reader: Person, page: str) -> None:
    world.repo()
    release(world.api(), world.repo_path("shop"), "v1", START)
    assert "v1" in section(reader.get(releases_at(world.path), releases_page=page), "releases")


def test_a_page_past_the_end_leads_back(world: World, reader: Person) -> None:
    world.repo()
    release(world.api(), world.repo_path("shop"), "v1", START)
    seen = reader.get(releases_at(world.path), releases_page="7")
    assert seen.status == 200
    assert "past the last release" in section(seen, "releases")


def test_the_filter_narrows_by_environment_days_and_state_and_stays_in_the_address(
    world: World, reader: Person
) -> None:
    world.repo()
    api, path = world.api(), world.repo_path("shop")
    release(api, path, "live", START + DAY)
    release(api, path, "tried", START + DAY, environment="staging")
    release(api, path, "later", START + 5 * DAY)
    defect(api, path, "OPEN-1", START + DAY)
    defect(api, path, "MENDED-1", START + DAY, fix_released_at=str(START + 2 * DAY))
    seen = reader.get(releases_at(path), environment="staging", end_date="2024-01-03")
    assert "tried" in section(seen, "releases")
    assert "live" not in section(seen, "releases")
    assert '<option value="staging" selected>' in seen.html
    seen = reader.get(defects_at(path), state="open", end_date="2024-01-03")
    assert "MENDED-1" not in section(seen, "defects")
    assert "OPEN-1" in section(seen, "defects")
    days = reader.get(releases_at(path), start_date="2024-01-06", end_date="2024-01-06")
    assert "later" in section(days, "releases")
    assert "live" not in section(days, "releases")
    assert "No release matches the filter." in section(
        reader.get(releases_at(path), start_date="2031-01-01"), "releases"
    )


def test_days_begin_and_end_on_the_clocks_of_the_entity(instance: object) -> None:
    world = World.make(time_zone="Asia/Kolkata")
    reader = Person.of(world, Role.VIEWER)
    world.repo()
    path = world.repo_path("shop")
    for name, at in (
        ("eve", "2024-03-09T18:29:59Z"),
        ("first", "2024-03-09T18:30:00Z"),
        ("last", "2024-03-10T18:29:59Z"),
        ("morrow", "2024-03-10T18:30:00Z"),
    ):
        release(world.api(), path, name, at)
    seen = section(reader.get(releases_at(path), start_date="2024-03-10", end_date="2024-03-10"), "releases")
    assert [name for name in ("eve", "first", "last", "morrow") if name in seen] == ["first", "last"]
    assert "2024-03-10 00:00" in seen


@pytest.mark.parametrize(
    "query",
    [
        {"start_date": "03/04/2021"},
        {"end_date": "2021-02-30"},
        {"start_date": "0001-01-01"},
        {"end_date": "9999-12-31"},
        {"environment": "no-such"},
        {"state": "half"},
    ],
)
def test_a_filter_that_can_not_be_read_is_told_at_its_field_and_narrows_nothing(
    world: World, reader: Person, query: dict[str, str]
) -> None:
    world.repo()
    path = world.repo_path("shop")
    release(world.api(), path, "v1", START)
    defect(world.api(), path, "D-1", START)
    page = defects_at(path) if "state" in query else releases_at(path)
    seen = reader.get(page, **query)
    assert seen.status == 200
    assert "v1" in section(seen, "releases") or "D-1" in section(seen, "defects")
    shown = "environment" not in query  # with one environment there is nothing to choose, and no field
    assert (f'id="id_{next(iter(query))}_error"' in seen.html) is shown


@pytest.mark.parametrize("page", ["", "/-/releases"])
def test_an_empty_entity_tells_the_next_step_to_each_role(world: World, reader: Person, page: str) -> None:
    owner = Person.of(world, Role.OWNER)
    assert "Add a repo" in section(owner.get(f"/entities/{world.path}{page}"), "releases")
    assert "A member of this entity can add one" in section(reader.get(f"/entities/{world.path}{page}"), "releases")


@pytest.mark.parametrize("page", ["", "/releases"])
def test_an_empty_repo_shows_a_call_with_its_own_path_and_host(world: World, reader: Person, page: str) -> None:
    world.repo()
    text = section(reader.get(f"/entities/{world.repo_path('shop')}{page}"), "releases")
    assert "curl http://testserver/api/v1/releases" in text
    assert f"resource_path={world.repo_path('shop')}" in text


def test_what_people_wrote_is_shown_and_never_run(world: World, reader: Person) -> None:
    world.repo()
    api, path = world.api(), world.repo_path("shop")
    evil = '<script>alert("x")</script>'
    release(api, path, evil, START)
    defect(api, path, 'k"><b>&/ü', START, description=evil)
    pages = [f"/entities/{path}", defects_at(path), f"/entities/{world.path}/-/defects/k%22%3E%3Cb%3E&/%C3%BC"]
    for page in pages:
        seen = reader.get(page)
        assert seen.status == 200, page
        assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;" in seen.html
        assert "<script>alert" not in seen.html
        assert "<b>" not in seen.html


def test_a_defects_page_tells_its_facts_fixes_and_history(world: World, reader: Person) -> None:
    world.repo()
    api, path = world.api(), world.repo_path("shop")
    defect(api, path, "BANANA-1", "2024-01-01T10:00:00Z", description="It slips", severity=2)
    defect(api, path, "BANANA-1", "2024-01-01T10:00:00Z", severity=3)
    seen = reader.get(f"/entities/{world.path}/-/defects/BANANA-1")
    assert "open" in seen.text
    assert "fix_released_now=true" in seen.text
    assert "severity: 2 → 3" in seen.text
    defect(api, path, "BANANA-1", "2024-01-01T10:00:00Z", fix_released_at="2024-01-01T13:00:00Z")
    seen = reader.get(f"/entities/{world.path}/-/defects/BANANA-1")
    assert "2024-01-01 13:00 after 3 h" in seen.text
    assert "fix_released_now=true" not in seen.text


def test_a_release_is_found_under_its_own_repo_only(world: World, reader: Person) -> None:
    for slug in ("shop", "till"):
        world.repo(slug)
    made = release(world.api(), world.repo_path("shop"), "v1", START)
    assert reader.get(f"/entities/{world.path}/acme/shop/releases/{made}").status == 200
    assert reader.get(f"/entities/{world.path}/acme/till/releases/{made}").status == 404


def test_what_was_deleted_is_gone_from_the_pages(world: World, reader: Person) -> None:
    world.repo()
    api, path = world.api(), world.repo_path("shop")
    made = release(api, path, "v1-deleted", START)
    defect(api, path, "GONE-1", START)
    api.delete(f"releases/{made}")
    api.delete("critical_defects/GONE-1")
    for page in (f"/entities/{path}", releases_at(path), defects_at(path)):
        seen = reader.get(page)
        assert "v1-deleted" not in seen.text
        assert "GONE-1" not in seen.text
    assert reader.get(f"/entities/{path}/releases/{made}").status == 404
    assert reader.get(f"/entities/{world.path}/-/defects/GONE-1").status == 404


@pytest.mark.parametrize("page", [releases_at, defects_at])
@pytest.mark.parametrize("place", ["{e}", "{e}/acme", "{e}/acme/repo-0"])
def test_a_page_costs_as_many_queries_with_many_rows_as_with_few(
    world: World, place: str, page: Callable[[str], str]
) -> None:
    reader, api = Person.of(world, Role.VIEWER), world.api()
    path = page(place.format(e=world.tenant.slug))

    def fill(repos: int, each: int) -> None:
        for r in range(repos):
            world.repo(f"repo-{r}")
            for n in range(each):
                at = START + (r * each + n) * DAY
                release(api, world.repo_path(f"repo-{r}"), f"v{r}.{n}", at)
                fixed = {"fix_released_at": str(at + 60)} if n % 2 else {}
                defect(api, world.repo_path(f"repo-{r}"), f"D-{r}-{n}", at, **fixed)

    fill(1, 2)
    few = _queries(reader, path)
    fill(5, 12)
    many = _queries(reader, path)
    assert many == few
    assert few <= 20


def _queries(reader: Person, path: str) -> int:
    with asked() as questions:
        assert reader.get(path).status == 200
    return questions.count


def test_a_release_shows_the_first_line_of_its_commit(world: World, reader: Person, git_repo: GitRepo) -> None:
    git_repo.commit("Start")
    sha = git_repo.commit("Mend the till <now>\n\nIt was broken.")
    world.repo("shop", git_repo)
    made = release(world.api(), world.repo_path("shop"), "v1", START + 9 * DAY, sha=sha)
    for page in (releases_at(world.path), f"/entities/{world.path}/acme/shop/releases/{made}"):
        seen = reader.get(page)
        assert "Mend the till &lt;now&gt;" in seen.html, page
        assert "It was broken" not in seen.text


def test_the_overview_shows_the_latest_of_all_times_open_and_resolved(world: World, reader: Person) -> None:
    api, path = world.api(), world.repo().path
    release(api, path, "v1", START)
    defect(api, path, "OLD", START)
    defect(api, path, "OLD", START, fix_released_at=START + DAY)
    defect(api, world.path, "NEWER", START + DAY)
    for place, is_open in ((path, False), (world.path, True)):
        seen = reader.get(f"/entities/{place}")
        assert "v1" in section(seen, "releases")
        assert "OLD" in section(seen, "resolved")
        assert ("NEWER" in section(seen, "open")) is is_open
        assert "No defect is recorded" not in seen.text
