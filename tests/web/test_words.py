"""The small parts: times, spans, marks, assets, calls to copy, the brake on guessing."""

from __future__ import annotations

import re
import shlex
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.catalog.models import IndexState
from shipmend.core.defects import DefectState
from shipmend.core.errors import Throttled
from shipmend.core.live import State
from shipmend.core.releases import CommitState, Kind, Status
from shipmend.core.values import ResourcePath
from shipmend.web.amounts import duration, rate
from shipmend.web.evidence import Verdict
from shipmend.web.snippets import check_call, defect_call, fix_call, release_call
from shipmend.web.templatetags.shipmend import SHAPES, STATIC, ago, asset, mark, moment
from shipmend.web.throttle import FailureLimit

ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Asia/Kathmandu")
MINUTE, HOUR, DAY = 60, 3600, 86400


@given(st.integers(0, 4_102_444_799), st.sampled_from(ZONES))
def test_a_time_shows_the_wall_clock_of_its_zone_and_the_instant_behind_it(epoch: int, name: str) -> None:
    shown = moment(epoch, ZoneInfo(name))
    instant = re.search(r'datetime="([^"]+)" title="([^"]+) UTC">([^<]+)<', shown)
    assert instant
    machine, title, clock = instant.groups()
    assert datetime.fromisoformat(machine).timestamp() == epoch
    assert datetime.fromisoformat(title).replace(tzinfo=UTC).timestamp() == epoch
    offset = ZoneInfo(name).utcoffset(datetime.fromtimestamp(epoch, ZoneInfo(name)))
    assert offset is not None
    wall = datetime(1970, 1, 1) + timedelta(seconds=epoch) + offset  # noqa: DTZ001 -- a wall clock, counted by hand
    assert clock == wall.isoformat(sep=" ")[:16]


def test_no_time_shows_as_nothing() -> None:
    assert moment(None) == ago(None) == ""


@given(st.integers(0, 10**9))
def test_a_span_never_says_more_than_it_is_and_misses_less_than_its_last_unit(seconds: int) -> None:
    units = {"s": 1, "min": MINUTE, "h": HOUR, "d": DAY}
    parts = re.findall(r"(\d+) (\w+)", duration(seconds))
    said = sum(int(number) * units[unit] for number, unit in parts)
    finest = MINUTE if seconds >= MINUTE else 1
    finest = HOUR if seconds >= DAY else finest
    finest = DAY if seconds >= 14 * DAY else finest
    assert said <= seconds < said + finest


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3600, "1 h"),
        (3660, "1 h 1 min"),
        (97200, "1 d 3 h"),
        (30 * DAY, "30 d"),
    ],
)
def test_a_span_in_words(seconds: int, words: str) -> None:
    assert duration(seconds) == words


def test_every_state_there_is_has_a_shape_that_the_style_sheet_draws() -> None:
    states = {*Kind, *Status, *State, *CommitState, *DefectState, *Verdict, *IndexState.values} - {
        Status.SUCCEEDED,
        CommitState.KNOWN,
    }
    assert {str(state) for state in states} <= set(SHAPES)
    drawn = set(re.findall(r"\.mark\.(\w+) \{ --shape", (STATIC / "app.css").read_text()))
    assert set(SHAPES.values()) == drawn


def test_a_mark_is_a_word_beside_a_shape_and_escapes_it() -> None:
    assert mark("failed", "<b>") == '<span class="mark bad">&lt;b&gt;</span>'


def test_an_asset_changes_its_address_with_its_content() -> None:
    address = asset("app.css")
    assert re.fullmatch(r"/static/app\.css\?v=[0-9a-f]{12}", address)
    assert asset("mark.svg").partition("=")[2] != address.partition("=")[2]
    assert asset("no-such-file.js") == "/static/no-such-file.js"


def test_every_static_file_named_by_a_template_exists() -> None:
    templates = Path(STATIC).parent / "templates"
    named = {
        name for file in templates.rglob("*.html") for name in re.findall(r'{% asset "([^"]+)" %}', file.read_text())
    }
    assert {"app.css", "app.js", "charts.css", "charts.js", "mark.svg", "vendor/htmx.min.js"} == named
    assert [name for name in named if not name.startswith("vendor/") and not (STATIC / name).exists()] == []


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=200))
def test_a_call_carries_any_key_through_the_shell_unharmed(key: str) -> None:
    words = shlex.split(fix_call("https://ship.example", ResourcePath("e", "o", "r"), key))
    assert words[words.index("--data-urlencode") + 1] == f"defect_key={key}"
    assert words[:2] == ["curl", "https://ship.example/api/v1/critical_defects"]


def test_every_call_names_host_token_and_path() -> None:
    path = ResourcePath("acme", "web", "shop")
    calls = [
        check_call("https://x", "t0k"),
        release_call("https://x", path, "t0k"),
        defect_call("https://x", path, "t0k"),
    ]
    for call in calls:
        assert call.startswith("curl https://x/api/v1/")
        assert "Bearer t0k" in call
    assert all("resource_path=acme/web/shop" in call for call in calls[1:])


def test_failures_are_forgotten_after_their_time_and_by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    limit = FailureLimit(allowed=2, seconds=60)
    for _ in range(2):
        limit.check("ann")
        limit.note("ann")
    with pytest.raises(Throttled) as refused:
        limit.check("ann")
    assert 0 < refused.value.retry_after <= 61
    limit.check("bob")
    clock[0] += 61
    limit.check("ann")
    limit.note("ann")
    limit.check("ann")


def test_the_memory_of_failures_is_bounded() -> None:
    limit = FailureLimit(allowed=1, seconds=60, keys_kept=100)
    for n in range(1000):
        limit.note(f"key-{n}")
    assert len(limit._failures) == 100
    limit.check("key-0")
    with pytest.raises(Throttled):
        limit.check("key-999")


@pytest.mark.parametrize(
    ("releases", "days", "words"),
    [(31, 31, "1 a day"), (11, 31, "2.5 a week"), (2, 31, "2 a month"), (1, 31, "12 a year"), (2, 365, "2 a year"),
     (1, 7, "1 a week"), (1, 10_000, "0.037 a year"), (0, 30, "0 a day")],
)  # fmt: skip
def test_a_rate_is_told_by_the_time_in_which_it_happens_at_all(releases: int, days: int, words: str) -> None:
    assert rate(releases / days) == words
