"""Every refusal is the envelope with a sentence that names the parameter, shows the value and says what is right.

And nothing is stored. The table is the specification of bad input: a call, and what its answer must say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.snapshot import stored_rows
from tests.world import Api, World

pytestmark = pytest.mark.database

SHA = "541a8b28d08405aa961f9de1d7c8fcd5c3da3218"
OTHER_SHA = "2c823f9d52ef900f4228e9881d9c04846d6434db"
AT = "2021-05-25T16:20:00Z"

RELEASES = "releases"
DEFECTS = "critical_defects"
IMPORTS = "imports"
REPORTS = "reports"
AUDITS = "audits"
FIGURES = (REPORTS, AUDITS, "developers")
INTROSPECTIONS = "segment_introspections"


@dataclass(frozen=True)
class Row:
    """One bad call. `{entity}`, `{organization}`, `{repo}` and `{stranger}` in values stand for real paths."""

    path: str
    given: Mapping[str, object]
    says: tuple[str, ...]
    status: int = 400
    response_em: str = "response_invalid_params"


def release(says: tuple[str, ...], **given: object) -> Row:
    """A release that would be good but for what is given; None takes a parameter out."""
    return Row(
        RELEASES, _without_none({"resource_path": "{repo}", "release_sha": SHA, "released_at": AT, **given}), says
    )


def defect(says: tuple[str, ...], **given: object) -> Row:
    """A defect that would be good but for what is given."""
    good = {"resource_path": "{repo}", "defect_key": "BANANA-123", "detected_at": AT}
    return Row(DEFECTS, _without_none({**good, **given}), says)


def lost(row: Row) -> Row:
    """The same, answered as a thing that is not there."""
    return Row(row.path, row.given, row.says, 404, "response_not_found")


def _without_none(given: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in given.items() if value is not None}


BAD_PATHS = (
    "",
    "/",
    "a b",
    "a/b/c/d",
    "é/b",
    "{entity}//shop",
    "../etc",
    "a/..",
    "a/.git",
    "x" * 101,
    "-a",
    "a/b.git",
)
BAD_SHAS = (
    "",
    "12345",
    "xyz",
    SHA + "0",
    SHA[:39] + "g",
    "HEAD",
    "main",
    "541a8b28 d08405aa",
    "0x541a8b28",
    "--output=x",
)
BAD_DATES = (
    ("", ()),
    ("now", ("_now",)),
    ("2 hours ago", ("_now",)),
    ("3/4/2021", ("3 April", "4 March")),
    ("2021-02-30", ()),
    ("2021-13-01", ()),
    ("May 25", ()),
    ("4:20pm", ()),
    ("14:40pm", ()),
    ("2021", ()),
    ("Feb 2021", ()),
    ("2021-05-25T16:20:00 IST", ("IST",)),
    ("Monday, May 25, 2021", ("Tuesday",)),
    ("2021-05-25T25:00:00Z", ()),
    ("2021-05-25T16:61:00Z", ()),
    ("2021-05-25T16:20:00+25:00", ()),
    ("2999-01-01", ()),
    ("1969-12-31", ()),
    ("2021-05-25T16:20:00Z and more", ()),
    ("٢٠٢١-٠٥-٢٥", ()),
    ("2021-05-25\t16:20\x07", ()),
    ("x" * 101, ()),
    ("25.05", ()),
    ("Wed Feb 3 14:40:15 XYZ 2021", ("XYZ",)),
)
BAD_FLAGS = ("yes", "1", "0", "", "TRUE!", "on", "null", "truefalse")
BAD_NUMBERS = ("", "two", "1.5", "1e3", "2147483648", "-2147483649", "0x10", "१", "9" * 400, "NaN", "1 2")

ROWS: tuple[Row, ...] = (
    # What is missing.
    Row(RELEASES, {}, ("resource_path", "is missing")),
    Row(DEFECTS, {}, ("defect_key", "is missing")),
    Row(IMPORTS, {}, ("resource_path", "is missing")),
    Row(DEFECTS, {"defect_key": "K"}, ("resource_path", "is missing")),
    release(("released_at", "release_now", "release_sha", "head_long"), release_sha=None, released_at=None),
    release(("released_at", "release_now"), release_sha=None, released_at=None, release_now="false"),
    release(("release_sha", "no git remote"), release_sha=None),
    release(("released_at", "no git remote"), released_at=None),
    release(("release_sha", "no git remote"), release_sha=None, released_at=None, release_now="true"),
    defect(("detected_at", "detected_now", "BANANA-123"), detected_at=None),
    defect(("detected_at", "detected_now"), detected_at=None, detected_now="false"),
    defect(("detected_at",), detected_at=None, fix_released_at=AT),
    defect(("detected_at",), detected_at=None, description="first heard of", severity="1"),
    # Paths.
    *(release(("resource_path",), resource_path=path) for path in BAD_PATHS if path),
    *(defect(("resource_path",), resource_path=path) for path in BAD_PATHS if path),
    release(("resource_path", "names an entity", "entity/organization/repo"), resource_path="{entity}"),
    release(("resource_path", "names an organization"), resource_path="{organization}"),
    defect(("resource_path", "names an entity", "fix_released_at"), resource_path="{entity}", fix_released_at=AT),
    defect(("resource_path", "names an organization"), resource_path="{organization}", fix_released_now="true"),
    defect(("resource_path", "names an entity"), resource_path="{entity}", fix_released_sha=SHA),
    lost(release(("resource_path",), resource_path="{entity}/acme/nowhere")),
    lost(release(("resource_path",), resource_path="{entity}/nobody/shop")),
    lost(release(("resource_path",), resource_path="{stranger}")),
    lost(release(("resource_path",), resource_path="no-such-entity/acme/shop")),
    lost(defect(("resource_path",), resource_path="{stranger}")),
    lost(defect(("resource_path",), resource_path="no-such-entity")),
    lost(defect(("resource_path",), resource_path="{entity}/nobody")),
    # Commits.
    *(release(("release_sha",), release_sha=sha) for sha in BAD_SHAS),
    *(release(("head_long",), release_sha=None, head_long=sha) for sha in BAD_SHAS),
    *(defect(("fix_released_sha",), fix_released_sha=sha, fix_released_at=AT) for sha in BAD_SHAS),
    release(("head_long", "release_sha"), head_long=OTHER_SHA),
    release(("release_sha", "abbreviated", "40"), release_sha=SHA[:7]),
    defect(("fix_released_sha", "no git remote", "fix_released_at"), fix_released_sha=SHA),
    # Dates.
    *(release(("released_at", *said), released_at=text) for text, said in BAD_DATES),
    *(defect(("detected_at", *said), detected_at=text) for text, said in BAD_DATES),
    *(defect(("fix_released_at", *said), fix_released_at=text) for text, said in BAD_DATES),
    release(("released_at", "_now"), released_at="yesterday"),
    defect(("fix_released_at", "before the detection"), fix_released_at="2021-05-25T16:19:59Z"),
    # Booleans.
    *(release(("release_now", "true or false"), release_now=word) for word in BAD_FLAGS),
    *(defect(("detected_now", "true or false"), detected_now=word) for word in BAD_FLAGS),
    *(defect(("fix_released_now", "true or false"), fix_released_now=word) for word in BAD_FLAGS),
    release(("dry_run", "true or false"), dry_run="maybe"),
    # Numbers, words and lengths.
    *(defect(("severity", "whole number"), severity=text) for text in BAD_NUMBERS),
    release(("status", "succeeded, failed, cancelled"), status="done"),
    release(("status",), status=""),
    release(("name", "250"), name="n" * 251),
    release(("name", "empty"), name=""),
    release(("name", "unprintable"), name="v1\u200e\u0007"),
    release(("environment",), environment=""),
    release(("environment", "100"), environment="e" * 101),
    release(("issue_keys_resolved",), issue_keys_resolved="K" * 101),
    release(("issue_keys_resolved", "501"), issue_keys_resolved=",".join(f"K-{n}" for n in range(501))),
    defect(("defect_key", "empty"), defect_key="  "),
    defect(("defect_key", "200"), defect_key="K" * 201),
    defect(("defect_key", "unprintable"), defect_key="a\nb"),
    *(defect(("defect_key", "between slashes"), defect_key=key) for key in ("..", " . ", "./q", "../../x?y", "a/..")),
    release(("issue_keys_resolved", "between slashes"), issue_keys_resolved="A-1,../x"),
    defect(("description", "20000"), description="d" * 20_001),
    # Repositories.
    Row(IMPORTS, {"resource_path": "{repo}", "repo_path": "/etc"}, ("repo_path",)),
    Row(IMPORTS, {"resource_path": "{repo}", "repo_path": "file:///etc"}, ("repo_path",)),
    Row(IMPORTS, {"resource_path": "{repo}", "repo_path": "ext::sh -c id"}, ("repo_path",)),
    Row(IMPORTS, {"resource_path": "{repo}", "repo_path": "--upload-pack=id"}, ("repo_path",)),
    Row(IMPORTS, {"resource_path": "{repo}", "repo_path": "http://example.org/a.git"}, ("repo_path", "https")),
    Row(IMPORTS, {"resource_path": "{repo}", "repo_path": "git://example.org/a.git"}, ("repo_path",)),
    Row(IMPORTS, {"resource_path": "{repo}", "repo_path": "https://127.0.0.1/a.git"}, ("repo_path", "loopback")),
    Row(IMPORTS, {"resource_path": "{repo}", "repo_path": "https://[::1]/a.git"}, ("repo_path",)),
    Row(IMPORTS, {"resource_path": "{repo}", "repo_path": "https://169.254.169.254/a.git"}, ("repo_path",)),
    Row(IMPORTS, {"resource_path": "{repo}", "repo_path": "ssh://git@10.0.0.1/a.git"}, ("repo_path",)),
    Row(IMPORTS, {"resource_path": "{repo}", "repo_path": "git@192.168.0.1:a.git"}, ("repo_path",)),
    Row(IMPORTS, {"resource_path": "{repo}", "repo_path": "https://2130706433/a.git"}, ("repo_path",)),
    Row(IMPORTS, {"resource_path": "{repo}"}, ("repo_path", "is missing")),
    lost(Row(IMPORTS, {"resource_path": "{stranger}", "repo_path": "https://example.org/a.git"}, ("resource_path",))),
)


def names(world: World, stranger: World) -> dict[str, str]:
    """The real paths behind a row's placeholders."""
    return {
        "{entity}": str(world.path),
        "{organization}": f"{world.path}/acme",
        "{repo}": str(world.repo().path),
        "{stranger}": str(stranger.repo().path),
    }


def put_names(value: object, real: Mapping[str, str]) -> object:
    if isinstance(value, str):
        for name, path in real.items():
            value = value.replace(name, path)
    return value


@pytest.fixture(scope="module")
def scene(instance: object) -> tuple[World, Api, dict[str, str]]:
    """One entity for the whole table: if nothing is ever stored, the rows can share it."""
    world, stranger = World.make(), World.make()
    return world, world.api(), names(world, stranger)


def test_the_table_is_as_long_as_promised() -> None:
    assert len(ROWS) >= 150


@pytest.mark.parametrize("as_json", [False, True], ids=["form", "json"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.path}-{list(row.given.items())[-1:]}"[:70])
def test_a_bad_call_is_refused_in_words_and_stores_nothing(
    row: Row, as_json: bool, scene: tuple[World, Api, dict[str, str]]
) -> None:
    world, api, real = scene
    given = {name: put_names(value, real) for name, value in row.given.items()}
    before = stored_rows(world.tenant.id)
    reply = api.post_json(row.path, given) if as_json else api.post(row.path, given)
    assert reply.words == (row.status, row.response_em), reply.json
    detail = reply.json["response_detail"]
    for words in row.says:
        assert words in detail, detail
    assert set(reply.json) == {"action_em", "response_em", "response_detail"}
    assert stored_rows(world.tenant.id) == before


JSON_BODIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("{", ("not JSON",)),
    ("[]", ("a list", "one object")),
    ('"text"', ("one object",)),
    ("null", ("one object",)),
    ("12", ("one object",)),
    ('{"severity": NaN}', ("NaN",)),
    ('{"severity": Infinity}', ("Infinity",)),
    ('{"a": 1, "a": 2}', ("a", "twice")),
    ("[" * 100_000, ("nested",)),
    ('{"a":' * 100_000, ("nested",)),
    ('{"other": ' + "[" * 500 + "]" * 500 + "}", ("other", "nested")),
    ('{"name": ' + '{"a":' * 500 + "1" + "}" * 500 + "}", ("name", "nested")),
    ('{"\\ud800": 1, "\\ud800": 2}', ("twice",)),
    ('{"name": "\\ud800"}', ("name", "surrogate")),
    ('{"name": "a\\u0000b"}', ("name", "NUL")),
    ('{"other": {"n": -' + "9" * 1001 + "}}", ("A number has 1001 digits: at most 1000 are read",)),
    ('{"severity": ' + "9" * 10_000 + "}", ("A number has 10000 digits: at most 1000 are read",)),
    ('{"resource_path": ["a"]}', ("resource_path", "not a text")),
    ('{"resource_path": {"a": 1}}', ("resource_path", "not a text")),
    ('{"resource_path": 1.5}', ("resource_path", "not a text")),
    ('{"resource_path": true}', ("resource_path", "not a text")),
    ("{'resource_path': 'a'}", ("not JSON",)),
)


@pytest.mark.parametrize(("body", "says"), JSON_BODIES, ids=lambda value: str(value)[:30])
@pytest.mark.parametrize("path", [RELEASES, DEFECTS])
def test_a_json_body_that_means_nothing_is_refused(
    path: str, body: str, says: tuple[str, ...], scene: tuple[World, Api, dict[str, str]]
) -> None:
    world, api, _ = scene
    if path == DEFECTS:
        body = body.replace('"resource_path"', '"defect_key"')
        says = tuple(words.replace("resource_path", "defect_key") for words in says)
    before = stored_rows(world.tenant.id)
    reply = api.post_json(path, body)
    assert reply.words == (400, "response_invalid_params"), reply.json
    for words in says:
        assert words in reply.json["response_detail"], reply.json
    assert stored_rows(world.tenant.id) == before


TYPES: tuple[tuple[str, Any, str], ...] = (
    ("release_now", 1, "release_now"),
    ("release_now", "wahr", "release_now"),
    ("release_now", [True], "release_now"),
    ("released_at", True, "released_at"),
    ("released_at", ["2021-05-25"], "released_at"),
    ("released_at", 1.5, "released_at"),
    ("release_sha", 1234567890, "40"),
    ("name", ["v1"], "name"),
    ("issue_keys_resolved", [["A-1"]], "issue_keys_resolved"),
    ("issue_keys_resolved", {"A": 1}, "issue_keys_resolved"),
    ("status", False, "status"),
)


@pytest.mark.parametrize(("name", "value", "says"), TYPES, ids=lambda value: str(value)[:20])
def test_json_of_the_wrong_type_is_refused(
    name: str, value: object, says: str, scene: tuple[World, Api, dict[str, str]]
) -> None:
    world, api, real = scene
    before = stored_rows(world.tenant.id)
    good = {"resource_path": real["{repo}"], "release_sha": SHA, "released_at": AT}
    reply = api.post_json(RELEASES, {**good, name: value})
    assert reply.words == (400, "response_invalid_params"), reply.json
    assert says in reply.json["response_detail"], reply.json
    assert stored_rows(world.tenant.id) == before


def test_one_value_given_twice_with_two_meanings_is_refused(scene: tuple[World, Api, dict[str, str]]) -> None:
    world, api, real = scene
    before = stored_rows(world.tenant.id)
    form = {"resource_path": real["{repo}"], "release_sha": SHA, "released_at": AT}
    url = "/api/v1/releases?released_at=2021-05-26"
    response = api.client.post(url, form, headers={"Authorization": f"Bearer {api.token}"})
    assert response.status_code == 400
    detail = json.loads(response.content)["response_detail"]
    assert f'released_at is given twice with two values, "2021-05-26" and "{AT}"' in detail
    assert stored_rows(world.tenant.id) == before


Refused = tuple[str, dict[str, object], tuple[str, ...], int]
WINDOWS: tuple[tuple[dict[str, object], tuple[str, ...]], ...] = (
    ({"start_date": "soon"}, ("start_date",)),
    ({"end_date": "3/4/2021"}, ("end_date", "3 April", "4 March")),
    ({"start_date": "2021-02-01", "end_date": "2021-01-01"}, ("start_date", "2021-02-01", "after end_date")),
    ({"start_date": "2098-01-01"}, ("start_date", "in the future")),
    ({"start_date": "1970-01-01", "end_date": "2021-01-01"}, ("start_date", "18629 days", "at most 7320")),
    ({"days_ago": "0"}, ("days_ago", '"0"', "from 1 to 7320")),
    ({"days_ago": "1e3"}, ("days_ago", "whole number")),
    ({"days_ago": "7321"}, ("days_ago", "from 1 to 7320")),
    ({"days_ago": "7", "start_date": "2021-01-01"}, ("days_ago", "beside start_date")),
    ({"environment": ""}, ("environment", "empty")),
)
SEGMENTS: tuple[tuple[dict[str, object], tuple[str, ...]], ...] = (
    ({"segment_em": "chnage_fail_rate"}, ("segment_em", "chnage_fail_rate", "perhaps change_fail_rate")),
    ({"segment_em": "open_defects,diff_delta"}, ("segment_em", "diff_delta", "give one of")),
    ({"segment_em": ","}, ("segment_em", "names 0")),
    ({"segment_by": "team"}, ("segment_by", "repo, organization, severity, author")),
    (
        {"segment_by": "severity"},
        ("segment_by", "does not split deployment_frequency", "open_defects", "split by repo or organization"),
    ),
    ({"segment_by": "author", "segment_em": "open_defects"}, ("segment_by", "change_lead_time")),
    ({"interval_em": "hourly"}, ("interval_em", "daily, weekly, monthly, quarterly")),
    ({"interval_em": "daily", "days_ago": "1101"}, ("interval_em", "1101 parts", "at most 1100")),
    ({"generate_summary_stats": "perhaps"}, ("generate_summary_stats", "true or false")),
)
ROWS_ASKED: tuple[tuple[dict[str, object], tuple[str, ...]], ...] = (
    ({}, ("resource_type", "is missing")),
    ({"resource_type": "teams"}, ("resource_type", "commits, releases, defects, tickets")),
    ({"segment_em": "lead_tmie"}, ("segment_em", "perhaps change_lead_time")),
    ({"segment_em": "commits_waiting"}, ("segment_em", "GET waiting")),
    (
        {"segment_em": "change_fail_rate", "resource_type": "defects"},
        ("resource_type", "defects", "give releases"),
    ),
    ({"resource_type": "releases", "severity": "2"}, ("severity", "picks defects")),
    ({"resource_type": "defects", "severity": "bad"}, ("severity", "whole number")),
    ({"resource_type": "defects", "committer_user_name": "a"}, ("committer_user_name", "picks commits")),
    ({"resource_type": "commits", "format": "xml"}, ("format", "json, jsonl, csv")),
    ({"resource_type": "commits", "page": "0"}, ("page",)),
)


def _figures() -> Iterator[Refused]:
    """Of what reports, audits and developers are asked."""
    for path in FIGURES:
        yield path, {}, ("resource_path", "missing"), 400
        yield path, {"resource_path": "{stranger}"}, ("resource_path",), 404
        yield path, {"resource_path": "{entity}/nowhere"}, ("resource_path",), 404
    for path, given, says in (
        *((path, *row) for path in FIGURES for row in WINDOWS),
        *((REPORTS, *row) for row in SEGMENTS),
        *((AUDITS, *row) for row in ROWS_ASKED),
    ):
        yield path, {"resource_path": "{entity}", **given}, says, 400


LISTS: tuple[Refused, ...] = (
    (RELEASES, {}, ("resource_path", "missing"), 400),
    (DEFECTS, {}, ("resource_path", "missing"), 400),
    (IMPORTS, {}, ("resource_path", "missing"), 400),
    (RELEASES, {"resource_path": "a b"}, ("resource_path",), 400),
    (RELEASES, {"resource_path": "{stranger}"}, ("resource_path",), 404),
    (DEFECTS, {"resource_path": "{stranger}"}, ("resource_path",), 404),
    (IMPORTS, {"resource_path": "{stranger}"}, ("resource_path",), 404),
    (RELEASES, {"resource_path": "{entity}", "page": "0"}, ("page",), 400),
    (RELEASES, {"resource_path": "{entity}", "page": "two"}, ("page",), 400),
    (DEFECTS, {"resource_path": "{entity}", "page": "-1"}, ("page",), 400),
    (RELEASES, {"resource_path": "{entity}", "start_date": "soon"}, ("start_date",), 400),
    (RELEASES, {"resource_path": "{entity}", "end_date": "3/4/2021"}, ("end_date",), 400),
    (RELEASES, {"resource_path": "{entity}", "start_date": "2021-02-01", "end_date": "2021-01-01"}, ("end_date",), 400),
    (RELEASES, {"resource_path": "{entity}", "start_date": "2021-01-02", "end_date": "2021-01-01"}, ("end_date",), 400),
    *_figures(),
    (INTROSPECTIONS, {"segment_em": "mtbf"}, ("segment_em", "mtbf"), 400),
    (DEFECTS, {"resource_path": "{entity}", "resolved": "perhaps"}, ("resolved",), 400),
    (DEFECTS, {"resource_path": "{entity}", "resolved": "true", "open": "true"}, ("open", "resolved"), 400),
)


@pytest.mark.parametrize(("path", "given", "says", "status"), LISTS, ids=lambda value: str(value)[:40])
def test_a_list_that_makes_no_sense_is_refused(
    path: str, given: dict[str, object], says: tuple[str, ...], status: int, scene: tuple[World, Api, dict[str, str]]
) -> None:
    _, api, real = scene
    reply = api.get(path, **{name: put_names(value, real) for name, value in given.items()})
    assert reply.status == status
    for words in says:
        assert words in reply.json["response_detail"]
