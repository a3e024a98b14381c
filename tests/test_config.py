"""The settings, and the page that lists them."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from shipmend.config import Config, ConfigError

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"


def test_the_page_of_settings_lists_each_of_them_and_no_other() -> None:
    listed = re.findall(r"^\| `([A-Z_]+)`", PAGE.read_text(), re.MULTILINE)
    names = [field.name.upper() for field in fields(Config)]
    assert sorted(listed) == sorted(name if name == "DATABASE_URL" else f"SHIPMEND_{name}" for name in names)


def test_the_defaults_on_the_page_are_the_defaults() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \|", PAGE.read_text(), re.MULTILINE)
    given = {name: "" if value.strip() == "empty" else value.strip(" `") for name, value in rows}
    assert Config.load(given) == Config.load({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SHIPMEND_DEBUG", "perhaps"),
        ("SHIPMEND_ALLOW_PRIVATE_REMOTES", "2"),
        ("SHIPMEND_FETCH_WAIT", "soon"),
        ("SHIPMEND_FETCH_WAIT", "-1"),
        ("SHIPMEND_FETCH_WAIT", "nan"),
        ("SHIPMEND_FETCH_INTERVAL", "1e9"),
        ("SHIPMEND_PUBLIC_URL", "shipmend.example.org"),
        ("SHIPMEND_PUBLIC_URL", "ftp://shipmend.example.org"),
        ("SHIPMEND_PUBLIC_URL", "https://"),
        ("SHIPMEND_PUBLIC_URL", "https://[1"),
        ("SHIPMEND_PUBLIC_URL", "https://ship:mend@example.org"),
        ("SHIPMEND_PUBLIC_URL", "https://example.org:https"),
        ("SHIPMEND_PUBLIC_URL", "https://example.org:99999"),
        ("SHIPMEND_PUBLIC_URL", "https://example.org/shipmend"),
        ("SHIPMEND_PUBLIC_URL", "https://ship mend.example.org"),
        ("SHIPMEND_THREADS", "0"),
        ("SHIPMEND_KEEP_CALLS_DAYS", "1.5"),
        ("SHIPMEND_TRUSTED_PROXIES", "localhost"),
        ("SHIPMEND_METRICS_FROM", "10.0.0.1/8"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name) as refused:
        Config.load({name: value})
    assert repr(value) in str(refused.value)


def test_an_address_of_the_instance_is_taken_as_browsers_write_it() -> None:
    """A capital letter took the mark from cookies that they are for https alone."""
    assert Config.load({"SHIPMEND_PUBLIC_URL": "HTTPS://Ship.example.org:8443/"}).public_url == (
        "https://ship.example.org:8443"
    )
    assert Config.load({"SHIPMEND_PUBLIC_URL": "http://[::1]:8000"}).public_url == "http://[::1]:8000"


def test_an_empty_data_folder_is_the_default_and_not_the_folder_we_are_in() -> None:
    assert Config.load({"SHIPMEND_DATA": ""}).data == Path("data").absolute()


def test_a_part_of_a_second_between_fetches_does_not_turn_them_off() -> None:
    assert Config.load({"SHIPMEND_FETCH_INTERVAL": "0.5"}).fetch_interval == 1


SECRET = "hid@den:word"
NOT_USABLE = [
    "mysql://host/name",
    "postgresql://host",
    "host/name",
    "postgresql:///",
    f"postgresql://ship:{SECRET}/rd@h:6015/x",
    f"postgresql://ship:1/{SECRET}@h:6015/x",
    f"postgresql://ship:1/x?{SECRET}@h:6015/x",
    f"postgresql://ship:1/x#{SECRET}@h:6015/x",
    f"postgresql://ship:{SECRET}@h:abc/x",
    f"postgresql://ship:{SECRET}@h:99999/x",
    f"postgresql://ship:{SECRET}@h:0/x",
    f"postgresql://ship:{SECRET}@[::1/x",
    f"postgresql://ship:{SECRET}@h1:1:2/x",
    f"postgresql://ship:{SECRET}@h/{'x' * 64}",
    f"postgresql://ship:{SECRET}%00@h/x",
    f"postgresql://ship:{SECRET}@h/x%00y",
    f"postgresql://ship:{SECRET}@%ff/x",
    f"postgresql://ship:{SECRET}@h..example.org/x",
    f"postgresql://ship:{SECRET}@/x?host=h,{'h' * 64}",
    f"postgresql://ship:{SECRET}@h/x?pooler=statement",
    f"postgresql://ship:{SECRET}@h/x?isolation_level=3",
    f"postgresql://ship:{SECRET}@h/x?pool=1",
    f"postgresql://ship:{SECRET}@h/x?sslmod=require",
    f"postgresql://ship:{SECRET}@h/x?whatever",
]


@pytest.mark.parametrize("url", NOT_USABLE)
def test_a_database_address_that_is_none_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL") as refused:
        Config.load({"DATABASE_URL": url}).database()
    assert not re.search("hid|den|word=", str(refused.value))


@pytest.mark.parametrize(
    ("places", "host", "port"),
    [
        ("", "", ""),
        ("DB.example.org:", "DB.example.org", ""),
        ("[::1]:5433", "::1", "5433"),
        ("%2Fvar%2FRun%2Fpostgresql", "/var/Run/postgresql", ""),
        ("h1:5432,h2:5433", "h1,h2", "5432,5433"),
        ("h1,h2:5433", "h1,h2", ",5433"),
        ("h1,h2", "h1,h2", ""),
    ],
)
def test_a_database_is_found_on_any_kind_of_host(places: str, host: str, port: str) -> None:
    database = Config.load({"DATABASE_URL": f" postgresql://ship:p@ss@{places}/x\n"}).database()
    assert (database["HOST"], database["PORT"]) == (host, port)
    assert (database["USER"], database["PASSWORD"], database["NAME"]) == ("ship", "p@ss", "x")


def test_a_database_address_is_read_with_its_escapes_and_options() -> None:
    url = "postgresql://a%40b:p%2Fw@db.example.org:5433/ship%20mend?sslmode=require"
    database = Config.load({"DATABASE_URL": url}).database()
    assert {name: database[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")} == {
        "NAME": "ship mend",
        "USER": "a@b",
        "PASSWORD": "p/w",
        "HOST": "db.example.org",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require", "options": "-c lock_timeout=10s"},
    }


def test_what_the_address_says_of_settings_counts_for_more_than_ours() -> None:
    url = "postgresql://db.example.org/ship?options=-c%20lock_timeout%3D1s"
    options = Config.load({"DATABASE_URL": url}).database()["OPTIONS"]
    assert options == {"options": "-c lock_timeout=10s -c lock_timeout=1s"}


def test_a_pooler_of_transactions_gets_no_prepared_statements() -> None:
    url = "postgresql://db.example.org/ship?pooler=transaction&sslmode=require"
    database = Config.load({"DATABASE_URL": url}).database()
    assert database["OPTIONS"] == {"sslmode": "require", "prepare_threshold": None}
    assert database["DISABLE_SERVER_SIDE_CURSORS"] is True


@pytest.mark.parametrize(("given", "prepares"), [("Transaction", False), ("SESSION", True), ("", True)])
def test_a_pooler_is_known_in_any_case_of_letters(given: str, prepares: bool) -> None:
    database: Any = Config.load({"DATABASE_URL": f"postgresql://db.example.org/ship?pooler={given}"}).database()
    assert ("prepare_threshold" not in database["OPTIONS"]) is prepares
    assert ("options" in database["OPTIONS"]) is prepares


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    config = Config.load({"SHIPMEND_DATA": str(tmp_path / "data")})
    config.prepare()
    key = config.secret_key()
    config.prepare()
    assert config.secret_key() == key
    assert len(key) > 50
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
