"""The parser against git's own formatting, against every way of cutting its input, and against nonsense."""

from __future__ import annotations

import contextlib
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipmend.git.parse import (
    FIELD_CAP,
    LATEST,
    MESSAGE_CAP,
    NAME_CAP,
    SUBJECT_CAP,
    BadLog,
    Commit,
    CommitBatch,
    LogParser,
    on_one_line,
)

SHA = b"a" * 40
PARENT = b"b" * 40
DATES = b"5 5 +0100 7 7 -0330"

absurd_text = st.binary(max_size=60).map(lambda raw: raw.replace(b"\0", b""))
times = st.one_of(
    st.integers(0, LATEST + 2),
    st.integers(0, 10**25),
    st.just(2**63),
    st.just(2**64 - 1),
)  # fmt: skip
zones = st.one_of(
    st.sampled_from([b"+0000", b"-0330", b"+1400", b"+1401", b"-1400", b"+9999", b"+51800", b"+0060", b"-0000"]),
    st.integers(-99999, 99999).map(lambda zone: b"%+05d" % zone),
)


def as_git_prints(time: int, zone: bytes) -> bytes:
    return b"%d %d %s" % (time, 0 if time >= 2**63 else time, zone)


dates = st.one_of(st.just(b" "), st.builds(as_git_prints, times, zones))
parents = st.lists(st.binary(min_size=20, max_size=20), max_size=5)
records = st.tuples(
    st.binary(min_size=20, max_size=20), parents, absurd_text, absurd_text, dates, dates, absurd_text
)  # fmt: skip
Record = tuple[bytes, list[bytes], bytes, bytes, bytes, bytes, bytes]


def log_of(some: list[Record]) -> bytes:
    return b"".join(
        b"".join(
            field + b"\0"
            for field in (
                sha.hex().encode(),
                b" ".join(parent.hex().encode() for parent in heads),
                name,
                mail,
                authored + b" " + committed,
                body,
            )
        )
        for sha, heads, name, mail, authored, committed, body in some
    )


def record(
    parents: bytes = b"", name: bytes = b"A", mail: bytes = b"a@b", dates: bytes = DATES, body: bytes = b"Subject\n"
) -> bytes:
    return b"\0".join((SHA, parents, name, mail, dates, body)) + b"\0"


def parse(*chunks: bytes) -> list[Commit]:
    parser = LogParser()
    found = [commit for batch in _batches(parser, chunks) for commit in batch.rows()]
    parser.finish()
    return found


def _batches(parser: LogParser, chunks: tuple[bytes, ...]) -> Iterator[CommitBatch]:
    for chunk in chunks:
        batch = parser.feed(chunk)
        if batch is not None:
            yield batch


def expected_time(raw: bytes) -> int | None:
    if raw == b" ":
        return None
    time = int(raw.split()[0])
    return time if time <= LATEST else None


def expected_offset(raw: bytes) -> int | None:
    if raw == b" ":
        return None
    zone = int(raw.split()[2])
    hours, minutes = divmod(abs(zone), 100)
    seconds = hours * 3600 + minutes * 60
    if minutes > 59 or seconds > 14 * 3600:
        return None
    return seconds if zone >= 0 else -seconds


@given(st.lists(records, max_size=6), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_every_field_is_read_wherever_the_chunks_are_cut(some: list[Record], sizes: list[int]) -> None:
    output = log_of(some)
    chunks: list[bytes] = []
    while output:
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(output[:size])
        output = output[size:]
    found = parse(*chunks)
    assert [
        (c.sha, list(c.parents), c.authored, c.author_offset, c.committed, c.committer_offset, c.message) for c in found
    ] == [
        (
            sha,
            heads,
            expected_time(a),
            expected_offset(a),
            expected_time(c),
            expected_offset(c),
            body.decode("utf-8", "replace"),
        )
        for sha, heads, _, _, a, c, body in some
    ]
    for commit in found:
        assert commit.bad_date == (commit.authored is None or commit.committed is None)
        for text in (commit.author_name, commit.author_email, commit.subject):
            assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text)


@given(st.lists(records, max_size=4))
def test_one_chunk_or_single_bytes_make_no_difference(some: list[Record]) -> None:
    output = log_of(some)
    assert parse(output) == parse(*(output[i : i + 1] for i in range(len(output))))


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(st.binary(max_size=400))
def test_nonsense_is_refused_or_read_never_a_crash(nonsense: bytes) -> None:
    with contextlib.suppress(BadLog):
        parse(nonsense)


@pytest.mark.parametrize(
    "output",
    [
        record()[:-1],
        b"abc\0" + record(),
        record().replace(SHA, b"z" * 40),
        record().replace(SHA, b"a" * 39),
        record(parents=b"b" * 39),
        record().replace(SHA, b"a" * 39) + record().replace(SHA, b"a" * 41),
        record(parents=b"b" * 39 + b" " + b"b" * 41),
        record(parents=b"b" * 39 + b" ") + record(parents=b"b" * 41),
        record(parents=PARENT + b"  " + PARENT),
        record(dates=b"5"),
        record(dates=b"5 5 +0000 7 7 +0000 9"),
    ],
)
def test_what_git_never_prints_is_refused(output: bytes) -> None:
    with pytest.raises(BadLog):
        parse(output)


def test_a_commit_without_dates_keeps_all_else() -> None:
    (commit,) = parse(record(parents=PARENT, dates=b"   "))
    assert commit == Commit(
        sha=bytes.fromhex("a" * 40),
        parents=(bytes.fromhex("b" * 40),),
        authored=None,
        author_offset=None,
        committed=None,
        committer_offset=None,
        author_name="A",
        author_email="a@b",
        subject="Subject",
        message="Subject\n",
        bad_date=True,
    )


def test_one_bad_date_does_not_spoil_its_neighbours() -> None:
    found = parse(record() + record(dates=b"  7 7 -0330") + record(dates=b"5 5 +0100  ") + record())
    assert [(c.authored, c.author_offset, c.committed, c.committer_offset, c.bad_date) for c in found] == [
        (5, 3600, 7, -12600, False),
        (None, None, 7, -12600, True),
        (5, 3600, None, None, True),
        (5, 3600, 7, -12600, False),
    ]


@pytest.mark.parametrize(
    ("time", "held", "read"),
    [
        (b"0", b"0", 0),
        (str(LATEST).encode(), str(LATEST).encode(), LATEST),
        (str(LATEST + 1).encode(), str(LATEST + 1).encode(), None),
        (b"9223372036854775808", b"0", None),  # 2^63: git holds 0
        (b"99999999999999999999999", b"0", None),
        (b"007", b"7", 7),
        (b"9" * 5000, b"0", None),  # more digits than int() takes
    ],
)
def test_a_time_is_taken_only_as_the_commit_says_it(time: bytes, held: bytes, read: int | None) -> None:
    (commit,) = parse(record(dates=b"%s %s +0000 7 7 +0000" % (time, held)))
    assert (commit.authored, commit.bad_date) == (read, read is None)


def test_latin_1_without_a_header_becomes_replacement_characters() -> None:
    (commit,) = parse(record(name=b"Andr\xe9", body=b"Caf\xe9\n"))
    assert (commit.author_name, commit.subject) == ("Andr\N{REPLACEMENT CHARACTER}", "Caf\N{REPLACEMENT CHARACTER}")


@pytest.mark.parametrize(
    ("body", "subject"),
    [
        ("", ""),
        ("\n\n", ""),
        ("One", "One"),
        ("One\n\nTwo\n", "One"),
        ("\n\n  One\nmore \n\nTwo\n", "One more"),
        ("One\r\n\r\nTwo", "One"),
        ("One\r\nmore", "One more"),
        ("A\tb\x1b[31mred\x07", "A b[31mred"),
        ("evil \u202etxt.exe", "evil txt.exe"),
        ("family \U0001f468\u200d\U0001f469", "family \U0001f468\u200d\U0001f469"),
        ("x" * 300, "x" * SUBJECT_CAP),
        ("x " * 300, ("x " * (SUBJECT_CAP // 2)).strip()),
        ("\u2028" * 3 + "One", "One"),
    ],
)
def test_the_subject_is_the_first_paragraph_on_one_line(body: str, subject: str) -> None:
    (commit,) = parse(record(body=body.encode()))
    assert commit.subject == subject


def test_names_are_bounded() -> None:
    (commit,) = parse(record(name=b"n" * 5000, mail="é".encode() * 5000))
    assert (commit.author_name, commit.author_email) == ("n" * NAME_CAP, "é" * NAME_CAP)


@given(st.text(max_size=50))
def test_one_line_is_one_visible_line_and_stays_it(text: str) -> None:
    once = on_one_line(text, 40)
    assert len(once) <= 40
    assert not any(c in once for c in "\n\r\t\0\x1b\x85\u2028\u202e\ufeff")
    assert on_one_line(once, 40) == once.strip()


def test_a_message_is_cut_at_its_cap_between_characters() -> None:
    (commit,) = parse(record(body=b"a" + "é".encode() * MESSAGE_CAP))
    assert commit.message == "a" + "é" * ((MESSAGE_CAP - 1) // 2)


@pytest.mark.parametrize("field", ["name", "mail", "body"])
def test_an_endless_field_costs_neither_memory_nor_its_neighbours(field: str) -> None:
    piece = b"x" * (1 << 20)
    head, _, tail = record(**{field: b"MARK"}).partition(b"MARK")
    parser = LogParser()
    tracemalloc.start()
    try:
        assert parser.feed(record() + head) is not None
        for _ in range(64):
            assert parser.feed(piece) is None
        batch = parser.feed(tail + record())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    parser.finish()
    assert batch is not None
    assert len(batch) == 2
    assert peak < 8 * FIELD_CAP
    assert [commit.subject[:7] for commit in batch.rows()] == ["Subject" if field != "body" else "xxxxxxx", "Subject"]


def test_ending_inside_an_endless_field_is_noticed() -> None:
    parser = LogParser()
    parser.feed(record()[:-10] + b"x" * (2 << 20))
    with pytest.raises(BadLog):
        parser.finish()


def test_parents_are_never_cut() -> None:
    many = b" ".join([PARENT] * 60_000)
    output = record(parents=many)
    (commit,) = parse(*(output[i : i + 65536] for i in range(0, len(output), 65536)))
    assert len(commit.parents) == 60_000
