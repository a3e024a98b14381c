"""The settings an operator can make, read once from the environment into one typed value.

`docs/settings.md` lists them; `tests/test_config.py` fails when the two differ.
"""

from __future__ import annotations

import fcntl
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from math import ceil
from pathlib import Path
from urllib.parse import parse_qsl, unquote

from shipmend.core.errors import shown
from shipmend.files import PRIVATE_FOLDER, write_whole

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"", "0", "false", "no", "off"})
LOCK_TIMEOUT = "10s"
"""How long a statement waits for somebody else's lock on PostgreSQL before its call is answered 503."""
SECRET_KEY = "secret_key"  # noqa: S105 -- the name of its file in the data folder


class ConfigError(Exception):
    """A setting can't be used; the message names it and says what would be right."""


@dataclass(frozen=True, slots=True)
class Config:
    """One instance's settings. Every field is `SHIPMEND_<NAME>` in the environment, but for `DATABASE_URL`."""

    data: Path
    """Where the database, the mirrors and the keys live."""
    database_url: str
    """`postgresql://user:password@host:port/name`; empty: SQLite in `data`."""
    public_url: str
    """The address people reach this instance at, for links; empty: taken from each request."""
    trusted_proxies: tuple[str, ...]
    """Addresses of reverse proxies whose X-Forwarded-* headers are believed."""
    allow_private_remotes: bool
    """Whether git remotes on private, loopback or link-local addresses may be mirrored."""
    fetch_wait: float
    """Seconds an API call waits for a fetch when it names a commit not seen yet."""
    fetch_interval: int
    """Seconds between two scheduled fetches of a repo; 0: none are scheduled."""
    threads: int
    """Requests that one web process works on at once; each thread keeps a connection to the database."""
    calls_per_token: int
    """Calls to the API that one token may make in a minute; 0: any number. Counted in each process."""
    calls_per_address: int
    """The same of one address."""
    token_failures: int
    """Calls without a good token that are answered as such to one address in a minute; 0: any number."""
    keep_calls_days: int
    """Days for which noted calls are kept; 0: as long as there is room for them."""
    keep_audit_days: int
    """Days for which the audit trail is kept; 0: for ever."""
    log_format: str
    """`line` for people or `json` for machines."""
    log_requests: bool
    """Whether every request is a line of the log."""
    metrics_from: tuple[str, ...]
    """Addresses and networks that may read /metrics."""
    debug: bool
    """Django's debug pages; never on a reachable instance."""

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Config:
        """Read the environment. Raises ConfigError naming the variable."""
        return cls(
            data=Path(environ.get("SHIPMEND_DATA") or "data").absolute(),
            database_url=environ.get("DATABASE_URL", "").strip(),
            public_url=_address(environ, "SHIPMEND_PUBLIC_URL"),
            trusted_proxies=_networks(environ, "SHIPMEND_TRUSTED_PROXIES", ""),
            allow_private_remotes=_flag(environ, "SHIPMEND_ALLOW_PRIVATE_REMOTES"),
            fetch_wait=_seconds(environ, "SHIPMEND_FETCH_WAIT", 5.0),
            fetch_interval=ceil(_seconds(environ, "SHIPMEND_FETCH_INTERVAL", 300)),
            threads=_count(environ, "SHIPMEND_THREADS", 32, least=1),
            calls_per_token=_count(environ, "SHIPMEND_CALLS_PER_TOKEN", 0),
            calls_per_address=_count(environ, "SHIPMEND_CALLS_PER_ADDRESS", 0),
            token_failures=_count(environ, "SHIPMEND_TOKEN_FAILURES", 50),
            keep_calls_days=_count(environ, "SHIPMEND_KEEP_CALLS_DAYS", 30),
            keep_audit_days=_count(environ, "SHIPMEND_KEEP_AUDIT_DAYS", 0),
            log_format=_choice(environ, "SHIPMEND_LOG_FORMAT", ("line", "json")),
            log_requests=_flag(environ, "SHIPMEND_LOG_REQUESTS"),
            metrics_from=_networks(environ, "SHIPMEND_METRICS_FROM", "127.0.0.1 ::1"),
            debug=_flag(environ, "SHIPMEND_DEBUG"),
        )

    def secret_key(self) -> str:
        """The key that signs sessions: kept in the data folder, or a passing one before the folder exists."""
        kept = self.data / SECRET_KEY
        return (kept.read_text() if kept.exists() else "") or secrets.token_urlsafe(50)

    def prepare(self) -> None:
        """Make the data folder, readable by its owner alone, and the key in it."""
        self.data.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        kept = self.data / SECRET_KEY
        with self.alone():
            # Nothing was ever signed with an empty one, as a full disk once left it.
            if not kept.exists() or not kept.stat().st_size:
                write_whole(kept, secrets.token_urlsafe(50))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One process at a time, of all that share the data folder."""
        with (self.data / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def database(self) -> dict[str, object]:
        """Django's DATABASES entry."""
        return _postgres(self.database_url) if self.database_url else _sqlite(self.data)


def _sqlite(data: Path) -> dict[str, object]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": data / "shipmend.sqlite3",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 5,
            # The driver keeps the statements used most: once its cache is full, new ones push each other out for ever
            # and are compiled at every use. Its own 100 are fewer than the pages and the migrations use.
            "cached_statements": 1000,
            "transaction_mode": "IMMEDIATE",
            # FULL, because an answered success must survive power loss; group commit pays for it (db/writes.py).
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;",
        },
    }


_POSTGRES = re.compile(
    r"(?i:postgres(?:ql)?)://(?:(?P<user>[^:/?#]*)(?::(?P<password>[^/?#]*))?@)?(?P<places>[^@/?#]*)"
    r"/+(?P<name>[^@/?#]+)/*(?:\?(?P<options>[^@#]*))?"
)
"""The parts of an address. What stands before an `@` may be of the password, so none is let into the later parts."""
_PLACE = re.compile(r"(?P<host>\[[^\[\]]+\]|[^:\[\]]*)(?::(?P<port>[0-9]*))?")
_LONGEST_NAME = 63
"""Of a database; PostgreSQL has room for no more."""


def _postgres(url: str) -> dict[str, object]:
    parts = _POSTGRES.fullmatch(url)
    # libpq reads up to a zero byte: a part of a name would be another database.
    if parts is None or "\0" in unquote(url):
        # The value is not shown here nor below: it holds the password, and where that one ends is not known.
        raise ConfigError(
            "DATABASE_URL is not a PostgreSQL address: write postgresql://user:password@host:port/name, and escape"
            " special characters of the password as %XX."
        )
    name = unquote(parts["name"])
    if len(name) > _LONGEST_NAME:
        raise ConfigError(f"DATABASE_URL names a database by more than {_LONGEST_NAME} characters.")
    host, port = _places(parts["places"])
    options = _options(parts["options"] or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts["user"] or ""),
        "PASSWORD": unquote(parts["password"] or ""),
        "HOST": _resolvable(str(options.pop("host", host))),
        "PORT": port,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": "prepare_threshold" in options,
        "OPTIONS": options,
    }


def _places(text: str) -> tuple[str, str]:
    """The hosts and the ports, as libpq takes them: commas between several."""
    places = [_PLACE.fullmatch(place) for place in text.split(",")]
    hosts = [unquote(place["host"]).strip("[]") for place in places if place]
    ports = [place["port"] or "" for place in places if place]
    if not all(places) or not all(0 < int(port) < 1 << 16 for port in ports if port):
        raise ConfigError(
            "DATABASE_URL names a host or port that is none: write host:port with a number up to 65535, and escape"
            " special characters of the password as %XX."
        )
    return ",".join(hosts), ",".join(ports) if any(ports) else ""


def _resolvable(hosts: str) -> str:
    """The same hosts. Python's own look-up of a name breaks on one that can't be a name at all."""
    try:
        for host in hosts.split(","):
            if not host.startswith("/"):
                host.encode("idna")
    except UnicodeError:
        raise ConfigError("DATABASE_URL names a host that is none: write a name, an address or a folder.") from None
    return hosts


def _options(text: str) -> dict[str, object]:
    """What follows the `?`, which is for libpq, but for `pooler`."""
    from psycopg.pq import Conninfo  # noqa: PLC0415 -- takes its time, and an instance on SQLite never needs it

    options = dict(parse_qsl(text, keep_blank_values=True))
    pooler = options.pop("pooler", "").lower()
    if pooler not in ("", "session", "transaction"):
        raise ConfigError(f"DATABASE_URL has pooler={shown(pooler)}: write transaction or session.")
    # Django and psycopg have options of their own besides, which would change what Shipmend relies on.
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    for name in options:
        if name not in known:
            raise ConfigError(f"DATABASE_URL has an option {shown(name)}, which libpq has not: leave it out.")
    given: dict[str, object] = {name: value for name, value in options.items() if value}
    if pooler == "transaction":
        # A pooler that lends a connection for one transaction alone can't keep statements prepared in it, nor settings.
        given["prepare_threshold"] = None
    else:
        # Nothing we do keeps a row for long; what the address says itself comes last, and so counts.
        given["options"] = f"-c lock_timeout={LOCK_TIMEOUT} {options.get('options', '')}".rstrip()
    return given


def _choice(environ: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """One of them; the first unless said."""
    value = environ.get(name, "").strip().lower() or choices[0]
    if value not in choices:
        raise ConfigError(f"{name} is {value!r}: write {' or '.join(choices)}.")
    return value


def _networks(environ: Mapping[str, str], name: str, default: str) -> tuple[str, ...]:
    words = tuple(environ.get(name, default).replace(",", " ").split())
    for word in words:
        try:
            ip_network(word)
        except ValueError as error:
            raise ConfigError(f"{name} holds {word!r}: write addresses or networks like 10.0.0.0/8.") from error
    return words


_ADDRESS = re.compile(r"(?i)https?://(?:[^\s/?#@:\[\]\\]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?/*")
"""Without a path: what the pages lead to stands at the root of their host."""


def _address(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    parts = _ADDRESS.fullmatch(value)
    if value and (parts is None or not 0 < int(parts["port"] or 80) < 1 << 16):
        raise ConfigError(f"{name} is {value!r}: write an address like https://shipmend.example.org, without a path.")
    # As browsers write it, whose word on where a form comes from is compared with it.
    return value.rstrip("/").lower()


def _flag(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "").strip().lower()
    if value not in TRUE | FALSE:
        raise ConfigError(f"{name} is {value!r}: write 1 or 0.")
    return value in TRUE


def _count(environ: Mapping[str, str], name: str, default: int, *, least: int = 0) -> int:
    value = environ.get(name, "").strip() or str(default)
    if not (value.isascii() and value.isdigit() and len(value) < 8 and int(value) >= least):
        raise ConfigError(f"{name} is {value!r}: write a whole number, {least} or more.")
    return int(value)


def _seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    value = environ.get(name, "")
    try:
        seconds = float(value) if value else default
    except ValueError:
        seconds = -1
    if not 0 <= seconds < 10**7:
        raise ConfigError(f"{name} is {value!r}: write a number of seconds.")
    return seconds
