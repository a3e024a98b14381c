"""Which rows of a figure a page shows: narrowed to a severity or an author, and to a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.http import QueryDict

from shipmend.core.facts import Facts
from shipmend.core.metrics import INFO, Dimension, Metric, RowKind
from shipmend.core.windows import Window
from shipmend.delivery.queries import Page
from shipmend.reports.authors import AuthorPart, Authors
from shipmend.reports.commit_rows import AuditedCommit, CommitListing
from shipmend.reports.listing import all_of, page_of
from shipmend.reports.load import Ground
from shipmend.reports.series import groups
from shipmend.web.addresses import release_address
from shipmend.web.evidence import WHY_LEFT, Evidence, Judged, Piece, Verdict, evidence, has_numerator

SIZE = 50
ALL = "all"
SHOWN = {
    Verdict.NUMERATOR: "In the numerator",
    Verdict.COUNTED: "Counted",
    Verdict.LEFT: "Left out",
    ALL: "All",
}


def word_of(show: str, metric: Metric) -> str:
    """What a choice of rows is called."""
    if show == Verdict.COUNTED and has_numerator(metric):
        return "In the denominator alone"
    return SHOWN[show]


@dataclass(frozen=True, slots=True)
class Part:
    """What of a place's facts a page is about."""

    facts: Facts
    words: str = ""
    """Which part, in words; empty for all."""
    author: AuthorPart | None = None


class Rows(Protocol):
    """The rows that were asked for."""

    @property
    def amounts(self) -> Sequence[tuple[str, int]]:
        """What else could be asked for, and how many rows each has."""

    @property
    def shown(self) -> str:
        """What was asked for."""

    def page(self, number: int) -> Page[Evidence]:
        """One page of them, counted from 1."""

    def all(self) -> Iterator[Evidence]:
        """Every one."""


def part_of(ground: Ground, metric: Metric, window: Window, query: QueryDict) -> Part:
    """What the address narrows a page to; all of the place for what is not there."""
    severity, author = query.get("severity", ""), query.get("author", "")
    if severity and Dimension.SEVERITY in INFO[metric].dimensions:
        for group in groups(ground, Dimension.SEVERITY):
            if group.label == severity:
                return Part(group.facts, f"severity {severity}")
    if author and Dimension.AUTHOR in INFO[metric].dimensions:
        found = Authors(ground, window).part(author)
        if found is not None:
            return Part(found.facts, found.author.label, found)
    return Part(ground.facts)


def rows_of(ground: Ground, metric: Metric, window: Window, part: Part, query: QueryDict) -> Rows:
    """The rows that the address asks for."""
    if INFO[metric].rows is RowKind.COMMITS:
        return _Commits(ground, CommitListing(ground, window, metric, part.author))
    usual = Verdict.NUMERATOR if has_numerator(metric) else Verdict.COUNTED
    given = query.get("show", "")
    verdicts = [each for each in Verdict if each is not Verdict.NUMERATOR or has_numerator(metric)]
    rows = evidence(ground, metric, window, part.facts)
    return _JudgedRows(rows, tuple(verdicts), given if given in (ALL, *verdicts) else usual)


@dataclass(frozen=True, slots=True)
class _JudgedRows:
    """Releases, defects and fixes, all of which are in memory."""

    rows: Sequence[Judged]
    verdicts: tuple[Verdict, ...]
    shown: str

    @property
    def amounts(self) -> Sequence[tuple[str, int]]:
        each = [(verdict.value, sum(1 for row in self.rows if row.verdict is verdict)) for verdict in self.verdicts]
        return [*each, (ALL, len(self.rows))]

    def page(self, number: int) -> Page[Evidence]:
        chosen = self._chosen()
        shown = chosen[(number - 1) * SIZE : number * SIZE]
        return Page(tuple(row.tell() for row in shown), number, SIZE, len(chosen))

    def all(self) -> Iterator[Evidence]:
        return (row.tell() for row in self._chosen())

    def _chosen(self) -> list[Judged]:
        return [row for row in self.rows if self.shown in (ALL, row.verdict)]


@dataclass(frozen=True, slots=True)
class _Commits:
    """Commits, which are read a page at a time."""

    ground: Ground
    listing: CommitListing

    @property
    def shown(self) -> str:
        return ALL

    @property
    def amounts(self) -> Sequence[tuple[str, int]]:
        return [(ALL, self.listing.total)]

    def page(self, number: int) -> Page[Evidence]:
        found = page_of(self.listing, number, SIZE)
        return Page(tuple(map(self._row, found.items)), number, SIZE, found.total)

    def all(self) -> Iterator[Evidence]:
        return map(self._row, all_of(self.listing))

    def _row(self, row: AuditedCommit) -> Evidence:
        release = self.ground.releases[row.release_id]
        why = [Piece("first shipped by"), Piece(release.title, release_address(row.path, row.release_id))]
        return Evidence(
            row.released_at,
            row.commit.sha,
            Piece(row.commit.subject or row.commit.sha[:8]),
            row.path,
            Verdict.LEFT if row.reason else Verdict.COUNTED,
            (Piece(f"{WHY_LEFT[row.reason]};"), *why) if row.reason else tuple(why),
            row.lead_seconds,
            row.commit.author_name,
        )
