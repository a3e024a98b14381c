"""What changed as text to take along: release notes in Markdown, and rows for a spreadsheet.

Subjects, names and paths are written by anybody who commits, so none of them may mean something to whoever reads the
text: not Markdown or HTML to a wiki, not a formula to a spreadsheet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

from shipmend.core.causes import CauseKind
from shipmend.core.changes import Amount, ChangedDefect, ChangedFile, Changes, Lines, View
from shipmend.core.moments import iso
from shipmend.core.sheets import Cell, csv_line

SHORT_SHA = 8
MOST_FILES = 30
"""Files listed in Markdown."""

_SPECIAL = re.compile(r"[\\`*_\[\]<>&|~$]")
_OPENING = re.compile(r"(\d{1,9})([.)])(?=\s|$)|([#+=:-])")
"""What would begin a heading, a list, a rule or a table at the beginning of a line."""
STATUSES = {"A": "added", "D": "deleted", "M": "modified", "T": "type changed"}
"""git's letter for what became of a file → a word."""
_LINES_UNKNOWN = {Lines.PENDING: "lines are being counted", Lines.UNREADABLE: "lines could not be counted"}


class Form(StrEnum):
    """How the text is laid out."""

    MARKDOWN = "markdown"
    CSV = "csv"


MEDIA_TYPES = {Form.MARKDOWN: "text/markdown", Form.CSV: "text/csv"}

COLUMNS = ("kind", "key", "text", "author", "at", "commits", "files", "insertions", "deletions")


def as_text(changes: Changes, form: Form) -> str:
    """What changed, in this form."""
    return markdown(changes) if form is Form.MARKDOWN else csv_text(changes)


def markdown(changes: Changes) -> str:
    """Release notes."""
    blocks = [f"# {_plain(changes.after.title) or changes.after.sha}", *_summary(changes)]
    blocks += _section("Defects fixed", [_defect(defect) for defect in changes.fixed])
    blocks += _section("Defects it is blamed for", [_blamed(defect) for defect in changes.blamed])
    blocks += _section("Tickets", [_plain(ticket) for ticket in changes.tickets])
    blocks += _section("Commits", _commits(changes))
    blocks += _section("People", _people(changes))
    blocks += _table("Where", [(_plain(place), amount) for place, amount in changes.files.places])
    blocks += _table("Files", [_file(file) for file in changes.files.files[:MOST_FILES]])
    return "\n\n".join(blocks) + "\n"


def csv_text(changes: Changes) -> str:
    """Everything as one table; its first column tells what a row is about."""
    return "".join(map(csv_line, [COLUMNS, *csv_rows(changes)]))


def csv_rows(changes: Changes) -> Iterator[tuple[Cell, ...]]:
    """The rows below COLUMNS."""
    for commit in changes.commits:
        author = f"{commit.author} <{commit.email}>"
        yield ("commit", commit.sha, commit.subject, author, _time(commit.authored_at), *_no_amounts(4))
    for name, email, commits in changes.authors:
        yield ("author", email, name, None, None, commits, *_no_amounts(3))
    for place, amount in changes.files.places:
        yield ("place", place, *_no_amounts(4), amount.files, *_counted(changes, amount))
    for file in changes.files.files:
        status = STATUSES.get(file.status, "changed")
        yield ("file", file.path, status, *_no_amounts(4), file.insertions, file.deletions)
    for ticket in changes.tickets:
        yield ("ticket", ticket, *_no_amounts(7))
    for word, defects in (("fixed defect", changes.fixed), ("blamed for defect", changes.blamed)):
        for defect in defects:
            kind = f"{word} by a guess" if defect.cause is CauseKind.GUESS else word
            yield (kind, defect.key, defect.description, None, _time(defect.detected_at), *_no_amounts(4))


def headline(changes: Changes) -> str:
    """The size of it in a sentence's half: "3 commits by 2 people, 5 files, 10 lines inserted, 2 deleted"."""
    parts = [f"{_count(changes.commit_total, 'commit')} by {_count(changes.author_total, 'person', 'people')}"]
    total = changes.files.total
    if total is not None:
        parts.append(_count(total.files, "file"))
        parts.append(_LINES_UNKNOWN.get(changes.files.lines) or _lines(total))
    return ", ".join(parts)


def _lines(amount: Amount) -> str:
    return f"{_count(amount.insertions, 'line')} inserted, {amount.deletions:,} deleted"


def _summary(changes: Changes) -> list[str]:
    if changes.reason:
        return [_plain(changes.reason)]
    first = f"{headline(changes)}."
    if changes.withdrawn:
        first += f" {_count(changes.withdrawn, 'commit')} withdrawn."
    return [first, _compared(changes), *([changes.gap] if changes.gap else [])]


def _compared(changes: Changes) -> str:
    if changes.before is None:
        return "The first of its history: files are compared with nothing."
    named = f"{_plain(changes.before.title)} (`{changes.before.sha[:SHORT_SHA]}`)"
    if changes.view is View.UNION:
        return f"Commits are those no earlier release has; files are compared with {named}."
    return f"Compared with {named}."


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f"## {title}", "\n".join(f"- {line}" for line in lines)] if lines else []


def _commits(changes: Changes) -> list[str]:
    lines = [
        f"{_plain(commit.subject) or 'no subject'} (`{commit.sha[:SHORT_SHA]}`, {_plain(commit.author) or 'unknown'})"
        for commit in changes.commits
    ]
    return [*lines, f"… and {changes.commits_left_out:,} more"] if changes.commits_left_out else lines


def _people(changes: Changes) -> list[str]:
    lines = [f"{_plain(name)}, {_count(commits, 'commit')}" for name, _, commits in changes.authors]
    left_out = changes.author_total - len(changes.authors)
    return [*lines, f"… and {left_out:,} more"] if left_out else lines


def _blamed(defect: ChangedDefect) -> str:
    return f"{_defect(defect)} ({defect.cause})" if defect.cause else _defect(defect)


def _defect(defect: ChangedDefect) -> str:
    said = " ".join(defect.description.split())
    return _plain(f"{defect.key}: {said}" if said else defect.key)


def _file(file: ChangedFile) -> tuple[str, Amount | None]:
    is_counted = file.insertions is not None and file.deletions is not None
    return _plain(file.path), Amount(1, file.insertions or 0, file.deletions or 0) if is_counted else None


def _table(title: str, rows: Sequence[tuple[str, Amount | None]]) -> list[str]:
    if not rows:
        return []
    lines = ["| | Files | Inserted | Deleted |", "|---|--:|--:|--:|"]
    for name, amount in rows:
        numbers = f"{amount.files:,} | {amount.insertions:,} | {amount.deletions:,}" if amount else "1 | |"
        lines.append(f"| {name} | {numbers} |")
    return [f"## {title}", "\n".join(lines)]


def _plain(text: str) -> str:
    """Text as Markdown that shows just this text."""
    escaped = _SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))
    opening = _OPENING.match(escaped)
    if opening is None:
        return escaped
    at = opening.end(1) if opening[1] else 0
    return f"{escaped[:at]}\\{escaped[at:]}"


def _counted(changes: Changes, amount: Amount) -> tuple[Cell, Cell]:
    return (amount.insertions, amount.deletions) if changes.files.are_counted else (None, None)


def _no_amounts(many: int) -> tuple[None, ...]:
    return (None,) * many


def _time(epoch: int | None) -> str | None:
    return None if epoch is None else iso(epoch)


def _count(number: int, noun: str, nouns: str = "") -> str:
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"
