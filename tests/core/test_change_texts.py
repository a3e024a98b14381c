"""What changed, to take along: complete, and harmless to whoever opens it."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.causes import CauseKind
from shipmend.core.change_texts import COLUMNS, csv_text, headline, markdown
from shipmend.core.changes import (
    Amount,
    Author,
    ChangedCommit,
    ChangedDefect,
    ChangedFile,
    ChangedPlace,
    Changes,
    End,
    FileChanges,
    Lines,
    View,
)

TEXT = st.text(max_size=30)
COUNT = st.one_of(st.none(), st.integers(0, 9999))
FILES = st.builds(
    FileChanges,
    st.sampled_from(Lines),
    st.builds(Amount, st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)),
    st.lists(st.builds(ChangedFile, TEXT, st.sampled_from("ADMT"), COUNT, COUNT), max_size=3).map(tuple),
    st.lists(st.builds(ChangedPlace, TEXT, st.builds(Amount, st.integers(0, 9))), max_size=3).map(tuple),
)
COMMITS = st.builds(ChangedCommit, st.just("ab" * 20), TEXT, TEXT, TEXT, st.one_of(st.none(), st.integers(0, 2**31)))
DEFECTS = st.lists(
    st.builds(ChangedDefect, TEXT, TEXT, st.integers(0, 2**31), st.none() | st.sampled_from(CauseKind)), max_size=2
).map(tuple)
CHANGES = st.builds(
    Changes,
    after=st.builds(End, st.just("cd" * 20), TEXT),
    before=st.one_of(st.none(), st.builds(End, st.just("ef" * 20), TEXT)),
    view=st.sampled_from([None, *View]),
    commits=st.lists(COMMITS, max_size=3).map(tuple),
    commit_total=st.integers(3, 9),
    authors=st.lists(st.builds(Author, TEXT, TEXT, st.integers(1, 9)), max_size=3).map(tuple),
    author_total=st.integers(3, 9),
    files=FILES,
    tickets=st.lists(TEXT, max_size=2).map(tuple),
    fixed=DEFECTS,
    blamed=DEFECTS,
)

RELEASE = Changes(
    after=End("cd" * 20, "v2"),
    before=End("ab" * 20, "v1"),
    view=View.ANCESTOR,
    commits=(ChangedCommit("12" * 20, "Mend the *till*", "Ann", "ann@x", 0),),
    commit_total=3,
    authors=(Author("Ann", "ann@x", 3),),
    author_total=1,
    files=FileChanges(
        Lines.COUNTED,
        Amount(2, 1234, 1),
        (ChangedFile("a|b.py", "M", 1234, 1), ChangedFile("logo.png", "A", None, None)),
        (ChangedPlace("src/", Amount(2, 1234, 1)),),
    ),
    tickets=("PAY-1",),
    fixed=(ChangedDefect("OUTAGE-1", "All\ntills down", 0),),
)

NOTES = """\
# v2

3 commits by 1 person, 2 files, 1,234 lines inserted, 1 deleted.

Compared with v1 (`abababab`).

## Defects fixed

- OUTAGE-1: All tills down

## Tickets

- PAY-1

## Commits

- Mend the \\*till\\* (`12121212`, Ann)
- … and 2 more

## People

- Ann, 3 commits

## Where

| | Files | Inserted | Deleted |
|---|--:|--:|--:|
| src/ | 2 | 1,234 | 1 |

## Files

| | Files | Inserted | Deleted |
|---|--:|--:|--:|
| a\\|b.py | 1 | 1,234 | 1 |
| logo.png | 1 | | |
"""


def test_release_notes_in_full() -> None:
    assert markdown(RELEASE) == NOTES


def test_a_table_in_full() -> None:
    assert csv_text(RELEASE) == (
        "kind,key,text,author,at,commits,files,insertions,deletions\r\n"
        f"commit,{'12' * 20},Mend the *till*,Ann <ann@x>,1970-01-01T00:00:00Z,,,,\r\n"
        "author,ann@x,Ann,,,3,,,\r\n"
        "place,src/,,,,,2,1234,1\r\n"
        "file,a|b.py,modified,,,,,1234,1\r\n"
        "file,logo.png,added,,,,,,\r\n"
        "ticket,PAY-1,,,,,,,\r\n"
        'fixed defect,OUTAGE-1,"All\ntills down",,1970-01-01T00:00:00Z,,,,\r\n'
    )


def test_what_a_release_is_blamed_for_is_told_with_how_it_is_known() -> None:
    blamed = tuple(ChangedDefect(f"K-{kind}", "", 0, kind) for kind in (CauseKind.NAMED, CauseKind.GUESS))
    changes = replace(RELEASE, blamed=blamed)
    assert "## Defects it is blamed for\n\n- K-named (named)\n- K-guess (guess)\n" in markdown(changes)
    assert "blamed for defect,K-named," in csv_text(changes)
    assert "blamed for defect by a guess,K-guess," in csv_text(changes)


@given(CHANGES)
def test_every_line_of_the_notes_is_one_that_we_wrote(changes: Changes) -> None:
    """No text of others begins a line, and none of it can begin a heading, a list, HTML or a link."""
    for line in markdown(changes).splitlines():
        assert re.match(r"$|#{1,2} |- |\| ?|\|---|\d|Compared with|Commits are|The first of", line), line
    inner = re.sub(r"\\.|`[0-9a-f]{8}`", "", markdown(changes))
    assert not re.search(r"[\\`*_\[\]<>&~$]", inner)
    for line in inner.splitlines():
        assert line.startswith("|") or "|" not in line


@given(TEXT)
def test_no_subject_opens_a_block_of_its_own(subject: str) -> None:
    commit = ChangedCommit("12" * 20, subject, "Ann", "", None)
    notes = markdown(Changes(End("cd" * 20), commits=(commit,), commit_total=1))
    written = notes.partition("## Commits\n\n- ")[2].partition(" (`12121212`")[0]
    assert not re.match(r"(#+|[-+*=:]|\d+[.)](\s|$))", written)
    assert re.sub(r"\\([!-/:-@[-`{-~])", r"\1", written) == (" ".join(subject.split()) or "no subject")


@given(CHANGES)
def test_no_cell_is_a_formula_and_each_row_has_every_column(changes: Changes) -> None:
    rows = list(csv.reader(io.StringIO(csv_text(changes), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert all(len(row) == len(COLUMNS) for row in rows)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)
    assert sum(row[0] == "commit" for row in rows) == len(changes.commits)
    assert sum(row[0] == "file" for row in rows) == len(changes.files.files)


def test_why_nothing_can_be_told_is_told() -> None:
    notes = markdown(Changes(End("cd" * 20), reason="It failed."))
    assert notes == "# cdcdcdcd\n\nIt failed.\n"


def test_lines_not_counted_are_not_given_as_none() -> None:
    for state, words in ((Lines.PENDING, "lines are being counted"), (Lines.UNREADABLE, "lines could not be counted")):
        changes = Changes(End("cd" * 20), files=FileChanges(state, Amount(5), (), (ChangedPlace("a/", Amount(5)),)))
        assert headline(changes) == f"0 commits by 0 people, 5 files, {words}"
        assert "place,a/,,,,,5,," in csv_text(changes)


def test_what_was_withdrawn_is_told() -> None:
    assert "2 commits withdrawn." in markdown(Changes(End("cd" * 20), withdrawn=2))
