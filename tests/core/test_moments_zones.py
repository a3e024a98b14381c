"""Zones by name."""

from __future__ import annotations

from zoneinfo import available_timezones

import pytest

from shipmend.core.moments import UnreadableMoment, open_zone


def test_a_zone_opens_by_its_name_in_any_case() -> None:
    for name in available_timezones() - {"localtime", "Factory"}:
        assert open_zone(f" {name.upper()} ").key == name


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Europe/Berlim", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("America/NewYork", "America/New_York"),
        ("PST", "Europe/Berlin or America/New_York"),
        ("", "Europe/Berlin or America/New_York"),
        ("../etc/passwd", "Europe/Berlin or America/New_York"),
        ("localtime", "Europe/Berlin or America/New_York"),
        ("x" * 10_000, "Europe/Berlin or America/New_York"),
    ],
)
def test_an_unknown_zone_is_refused_with_near_names(name: str, near: str) -> None:
    with pytest.raises(UnreadableMoment, match="IANA") as refusal:
        open_zone(name)
    assert near in refusal.value.mend
