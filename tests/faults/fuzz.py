"""Coverage-guided fuzzing of what reads other people's bytes: `python -m tests.faults.fuzz TARGET [OPTIONS]`.

Each target may refuse with its own exception; any other one, and an input that takes longer than `-timeout`, is a find.
"""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable
from zoneinfo import ZoneInfo

import atheris

PREFIXES = ("shipmend.core", "shipmend.git", "shipmend.api")
UTC, NEW_YORK = ZoneInfo("UTC"), ZoneInfo("America/New_York")
NOW = 1_750_000_000
KINDS = ("application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "")


def dates() -> Callable[[bytes], None]:
    """The date reader."""
    with atheris.instrument_imports(include=list(PREFIXES)):
        from shipmend.core.moments import DateOrder, UnreadableMoment, read_moment

    def run(data: bytes) -> None:
        text = data[1:].decode("utf-8", "replace")
        zone, order = (UTC, NEW_YORK)[data[0] % 2], list(DateOrder)[data[0] % len(DateOrder)]
        with contextlib.suppress(UnreadableMoment):
            moment = read_moment(text, zone=zone, date_order=order, now=NOW)
            assert 0 <= moment.epoch <= NOW + 2 * 86400, text

    return run


def paths() -> Callable[[bytes], None]:
    """The resource path, which must come out as it goes in."""
    with atheris.instrument_imports(include=list(PREFIXES)):
        from shipmend.core.errors import Invalid
        from shipmend.core.values import ResourcePath

    def run(data: bytes) -> None:
        with contextlib.suppress(Invalid):
            path = ResourcePath.parse(data.decode("utf-8", "replace"))
            assert ResourcePath.parse(str(path)) == path

    return run


def remotes() -> Callable[[bytes], None]:
    """The git address, which must mean the same when read again."""
    with atheris.instrument_imports(include=list(PREFIXES)):
        from shipmend.git.remotes import RemoteRefused, parse_remote

    def run(data: bytes) -> None:
        with contextlib.suppress(RemoteRefused):
            remote = parse_remote(data.decode("utf-8", "replace"), allow_local=False)
            assert parse_remote(remote.url, allow_local=False).url == remote.url

    return run


def bodies() -> Callable[[bytes], None]:
    """Query strings and bodies of every kind."""
    from django.conf import settings

    settings.configure(DATA_UPLOAD_MAX_MEMORY_SIZE=1 << 20, ALLOWED_HOSTS=["*"])
    from django.test import RequestFactory

    with atheris.instrument_imports(include=list(PREFIXES)):
        from shipmend.api.body import read_parameters
        from shipmend.core.errors import Refused
    make = RequestFactory()

    def run(data: bytes) -> None:
        kind, query = KINDS[data[0] % len(KINDS)], data[1:9].decode("latin-1")
        request = make.generic("POST", "/x", data[9:], content_type=kind, QUERY_STRING=query)
        with contextlib.suppress(Refused):
            read_parameters(request)

    return run


def log() -> Callable[[bytes], None]:
    """The parser of git's log, which must give the same however its input is cut."""
    with atheris.instrument_imports(include=list(PREFIXES)):
        from shipmend.git.parse import BadLog, Commit, LogParser

    def parsed(chunks: list[bytes]) -> list[Commit] | str:
        parser = LogParser()
        found: list[Commit] = []
        try:
            for chunk in chunks:
                batch = parser.feed(chunk)
                found += batch.rows() if batch else []
            parser.finish()
        except BadLog:
            return "bad"
        return found

    def run(data: bytes) -> None:
        text = data[1:].replace(b"\xff", b"\0")
        cut = random.Random(data[0]).randrange(len(text) + 1)
        assert parsed([text]) == parsed([text[:cut], text[cut:]])

    return run


TARGETS = {each.__name__: each for each in (dates, paths, remotes, bodies, log)}
SEEDS: dict[str, tuple[bytes, ...]] = {
    "dates": (b"\0Jan 1, 2021 5:40pm PST", b"\x012021-05-25T16:20:00+02:00", b"\0Wed, 03 Feb 2021 14:40:15 -0800"),
    "paths": (b"entity/organization/repo", b"/entities/a-b/c.d/e_f/"),
    "remotes": (b"https://u:p@git.example.org:8443/a/b.git", b"git@host:a.git", b"ssh://git@[::1]:22/a"),
    "bodies": (b'\0a=1&b=2%{"release_now": true, "x": [1, null]}', b"\x01a=1&b=2%name=%C3%BC&x[]=1&x[]=2"),
    "log": (b"\x07%s\xff%s\xffAda\xffada@x.org\xff5 5 +0100 7 7 -0330\xffStart\n\nx\n\xff" % (b"a" * 40, b"b" * 40),),
}  # fmt: skip


def main(name: str) -> None:
    """Fuzz until libFuzzer's options say that it is enough."""
    run = TARGETS[name]()
    for seed in SEEDS[name]:
        run(seed)
    atheris.Setup([sys.argv[0], *sys.argv[2:]], lambda data: run(data) if data else None)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1])
