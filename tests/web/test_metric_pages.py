"""The overview of a place and the page of a metric: what they say, where they lead, and what they cost."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO

import pytest

from shipmend.core.metrics import INFO, Metric
from shipmend.core.values import Role
from tests.gitworld import ADA, GRACE, GitRepo
from tests.questions import asked
from tests.web.cast import Person, Seen, words_of
from tests.world import World

pytestmark = pytest.mark.database

DAY, HOUR = 86400, 3600
START = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())
JANUARY = {"start_date": "2024-01-01", "end_date": "2024-01-31"}
METRICS = [metric for metric in Metric if metric is not Metric.COMMITS_WAITING]


@pytest.fixture
def reader(world: World) -> Person:
    return Person.of(world, Role.VIEWER)


def release(world: World, repo: str, name: str, at: int, **more: object) -> None:
    form = {"resource_path": str(world.repo_path(repo)), "name": name, "released_at": at,
            "release_sha": f"{at:040x}", **more}  # fmt: skip
    assert world.api().post("releases", form).status == 200


def defect(world: World, repo: str, key: str, at: int, **more: object) -> None:
    form = {"resource_path": str(world.repo_path(repo)), "defect_key": key, "detected_at": at, **more}
    assert world.api().post("critical_defects", form).status == 200


@pytest.fixture
def january(world: World) -> World:
    """Ten releases of a shop, of which one broke and one failed; two of a till, of which one broke."""
    for slug in ("shop", "till"):
        world.repo(slug)
    for n in range(10):
        release(world, "shop", f"shop-{n}", START + n * DAY, status="failed" if n == 5 else "succeeded")
    defect(world, "shop", "SLOW", START + 3 * DAY + HOUR, severity=2, fix_released_at=START + 4 * DAY)
    for n in range(2):
        release(world, "till", f"till-{n}", START + n * 10 * DAY)
    defect(world, "till", "STUCK", START + 10 * DAY + HOUR, severity=1)
    return world


def main(seen: Seen) -> str:
    """What stands on a page below its head."""
    return words_of(seen.html[seen.html.index("<main") :])


def table_rows(seen: Seen, section: str) -> Iterator[list[str]]:
    found = re.search(rf'<section id="{section}".*?</section>', seen.html, re.DOTALL)
    assert found, section
    for row in re.findall(r"<tr.*?</tr>", found.group(), re.DOTALL)[1:]:
        yield [words_of(cell) for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)]


def test_the_overview_tells_the_five_numbers_what_is_open_and_the_latest_releases(
    january: World, reader: Person
) -> None:
    seen = reader.get(f"/entities/{january.path}", **JANUARY)
    text = main(seen)
    for metric in METRICS[:5]:
        assert INFO[metric].name in text
        assert f"/entities/{january.path}/-/metrics/{metric}?start_date=2024-01-01&amp;end_date=2024-01-31" in seen.html
    assert "2.5 a week" in text  # 11 in 31 days
    assert "11 releases in 31 days" in text
    assert "18 %" in text
    assert "2 of 11 releases" in text
    assert "too few data points to say" in text
    assert "12 releases, 2 defects" in text
    assert "Open now 1 " in text
    assert "STUCK" in text
    assert "shop-9" in text


def test_a_figure_is_set_against_the_period_before_unless_there_was_nothing(january: World, reader: Person) -> None:
    page = f"/entities/{january.path}/-/metrics/deployment_frequency"
    assert "better" not in main(reader.get(page, **JANUARY))
    second_half = main(reader.get(page, start_date="2024-01-06", end_date="2024-01-10"))
    assert "↓ worse , 1.2 a day before" in second_half
    assert "4 releases in 5 days" in second_half


def test_an_organization_and_a_repo_have_numbers_of_their_own(january: World, reader: Person) -> None:
    shop = main(reader.get(f"/entities/{january.repo_path('shop')}", **JANUARY))
    assert "1 of 9 releases" in shop
    assert "STUCK" not in shop
    assert "2 of 11 releases" in main(reader.get(f"/entities/{january.path}/acme", **JANUARY))


def test_another_environment_and_other_days_have_numbers_of_their_own(january: World, reader: Person) -> None:
    release(january, "shop", "rc", START, environment="staging")
    staging = main(reader.get(f"/entities/{january.path}", **JANUARY, environment="staging"))
    assert "1 release in 31 days" in staging
    february = main(reader.get(f"/entities/{january.path}", start_date="2024-02-01", end_date="2024-02-29"))
    assert "0 releases in 29 days" in february
    assert "nothing to go by in these days" in february


def test_three_clicks_lead_from_the_overview_to_what_broke(january: World, reader: Person) -> None:
    overview = reader.get(f"/entities/{january.path}", **JANUARY)
    first = re.search(r'href="([^"]*/-/metrics/change_fail_rate\?[^"]*)"', overview.html)
    assert first
    rate = Person.get(reader, first.group(1).replace("&amp;", "&"))
    by_repo = list(table_rows(rate, "by"))
    assert [row[:3] for row in by_repo] == [
        [f"{january.repo_path('till')}", "50 %", "1 of 2 releases few: between 9 % and 91 %"],
        [f"{january.repo_path('shop')}", "11 %", "1 of 9 releases few: between 2 % and 43 %"],
    ]
    second = re.search(rf'href="(/entities/{january.repo_path("till")}/metrics/change_fail_rate\?[^"]*)"', rate.html)
    assert second
    rows = list(table_rows(reader.get(second.group(1).replace("&amp;", "&")), "rows"))
    assert [(row[1], row[3]) for row in rows] == [("till-1", "caused STUCK (guess)")]


@pytest.mark.parametrize("metric", METRICS)
def test_each_metric_tells_its_definition_and_has_as_many_rows_as_data_points(
    january: World, reader: Person, metric: Metric
) -> None:
    page = f"/entities/{january.path}/-/metrics/{metric}"
    seen = reader.get(page, **JANUARY, show="all")
    text = main(seen)
    assert INFO[metric].definition in text
    n = int(re.search(r"([\d,]+) data points \(n\)", text).group(1))  # type: ignore[union-attr]
    counted = [row for row in table_rows(seen, "rows") if row[2] != "left out"] if "tbody" in seen.html else []
    assert len(counted) == n or INFO[metric].rows == "commits"


def test_what_is_left_out_is_counted_with_its_reason_and_listed(january: World, reader: Person) -> None:
    page = f"/entities/{january.path}/-/metrics/deployment_frequency"
    assert "1 release that failed" in main(reader.get(page, **JANUARY))
    (row,) = table_rows(reader.get(page, **JANUARY, show="left_out"), "rows")
    assert row[1:4] == ["shop-5", "left out", "failed, so it changed nothing"]


def test_a_severity_narrows_figure_and_rows_and_can_be_undone(january: World, reader: Person) -> None:
    page = f"/entities/{january.path}/-/metrics/failed_deployment_recovery_time"
    seen = reader.get(page, **JANUARY, by="severity")
    assert [row[0] for row in table_rows(seen, "by")] == ["2"]
    narrowed = reader.get(page, **JANUARY, severity="2")
    assert "severity 2" in main(narrowed)
    assert [row[1] for row in table_rows(narrowed, "rows")] == ["SLOW"]
    assert 'href="?start_date=2024-01-01&amp;end_date=2024-01-31"' in narrowed.html


@pytest.mark.parametrize("show", ["all", "in_numerator", "counted", "left_out"])
def test_the_rows_can_be_taken_along_as_csv_and_as_json_lines(january: World, reader: Person, show: str) -> None:
    release(january, "shop", '=HYPERLINK("x")', START + 20 * DAY)
    page = f"/entities/{january.path}/-/metrics/change_fail_rate"
    shown = list(table_rows(reader.get(page, **JANUARY, show=show), "rows"))
    query = {**JANUARY, "show": show}
    sent = {form: reader.client.get(page, {**query, "format": form}) for form in ("csv", "jsonl")}
    text = {form: b"".join(response.streaming_content).decode() for form, response in sent.items()}  # type: ignore[attr-defined]
    lines = [json.loads(line) for line in text["jsonl"].splitlines()]
    sheet = list(csv.DictReader(StringIO(text["csv"])))
    assert len(shown) == len(lines) == len(sheet) > 0
    assert [line["title"] for line in lines] == [row[1] for row in shown]
    assert [row["id"] for row in sheet] == [line["id"] for line in lines]
    assert {line["verdict"] for line in lines} <= {"in_numerator", "counted", "left_out"}
    assert not any(value.startswith("=") for row in sheet for value in row.values())
    assert sent["csv"].headers["Content-Disposition"].startswith("attachment; filename=")


def test_the_commits_behind_lead_time_are_listed_by_author_and_taken_along(
    world: World, reader: Person, git_repo: GitRepo
) -> None:
    git_repo.commit("Start", at="2023-12-30T00:00:00Z")
    baseline = git_repo.sha("main")
    for n in range(60):
        git_repo.commit(f"Change {n}", at=START + n * HOUR, author=GRACE if n % 3 else ADA)
    git_repo.branch("topic")
    git_repo.merge("topic", at=START + 60 * HOUR)
    world.repo("shop", git_repo)
    release(world, "shop", "v0", START - HOUR, release_sha=baseline)
    release(world, "shop", "v1", START + 61 * HOUR, release_sha=git_repo.sha("main"))
    page = f"/entities/{world.path}/-/metrics/change_lead_time"
    seen = reader.get(page, **JANUARY, by="author")
    text = main(seen)
    assert "60 data points (n)" in text
    assert "1 merge, whose commits count themselves" in text
    assert "All 61" in text
    assert [(row[0], row[2]) for row in table_rows(seen, "by")] == [
        (f"{ADA[0]} <{ADA[1]}>", "of 20 commits"),
        (f"{GRACE[0]} <{GRACE[1]}>", "of 40 commits"),
    ]
    rows = [*table_rows(seen, "rows"), *table_rows(reader.get(page, **JANUARY, page="2"), "rows")]
    assert len(rows) == 61
    assert rows[0][2] == "left out"
    assert rows[1][1:6] == ["Change 59", "counted", "first shipped by v1", "2 h", GRACE[0]]
    own = reader.get(page, **JANUARY, author=ADA[1])
    assert f"Change lead time, {ADA[0]}" in main(own)
    response = reader.client.get(page, {**JANUARY, "author": ADA[1], "format": "jsonl"})
    lines = [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]  # type: ignore[attr-defined]
    assert [line["seconds"] for line in lines if line["verdict"] == "counted"] == [
        (61 - n) * HOUR for n in reversed(range(60)) if n % 3 == 0
    ]


def test_what_waits_has_a_page_of_its_own(january: World, reader: Person) -> None:
    seen = reader.get(f"/entities/{january.path}/-/metrics/commits_waiting")
    assert seen.to == f"/entities/{january.path}/-/waiting"
    assert reader.get(f"/entities/{january.path}/-/metrics/no_such").status == 404


@pytest.mark.parametrize("place", ["{e}", "{e}/acme", "{e}/acme/repo-0"])
@pytest.mark.parametrize("page", ["", "/-/metrics/change_fail_rate", "/-/metrics/failed_deployment_recovery_time"])
def test_a_page_costs_as_many_queries_with_much_as_with_little(world: World, place: str, page: str) -> None:
    reader = Person.of(world, Role.VIEWER)
    page = page.replace("/-", "") if place.count("/") == 2 else page
    path = f"/entities/{place.format(e=world.tenant.slug)}{page}"

    def fill(repos: int, each: int) -> None:
        for r in range(repos):
            world.repo(f"repo-{r}")
            for n in range(each):
                at = START + n * DAY + r
                release(world, f"repo-{r}", f"v{r}.{n}", at)
                defect(world, f"repo-{r}", f"D-{r}-{n}", at + 60, **({"fix_released_at": at + 120} if n % 2 else {}))

    def count() -> int:
        with asked() as questions:
            assert reader.get(path, **JANUARY).status == 200
        return questions.count

    def queries() -> int:
        """The fewest of three: what is new is attributed first, and the thread of an earlier call may be at work."""
        return min(count() for _ in range(3))

    fill(1, 2)
    few = queries()
    fill(4, 6)
    assert queries() == few
    assert few <= 30
