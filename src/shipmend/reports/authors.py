"""Who wrote what was shipped: change lead time by author, and the authors of a window.

One person is one e-mail address, whatever the case, over all repos, under the name that most of the commits bear. The
commits of a baseline are nobody's, since nobody knows when they were shipped.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from uuid import UUID

from shipmend.catalog.queries import ref_of
from shipmend.core.facts import Facts, LeadFact, ReleaseRow
from shipmend.core.samples import Sample, sample
from shipmend.core.windows import Window
from shipmend.delivery.leads import Written, written_leads_of
from shipmend.history.contents import author_names
from shipmend.reports.load import Ground, shipping_of
from shipmend.reports.series import COMMITTER, Group

MOST_AUTHORS = 50
"""Shown by a report: those who shipped most."""

AuthorKey = tuple[int, int]
"""A name and address in the history of a repo: the number of the repo, and its own there."""


@dataclass(frozen=True, slots=True)
class Author:
    """A person, and how many commits of a window are theirs."""

    name: str
    email: str
    keys: frozenset[AuthorKey]
    names: frozenset[str]
    """All that their commits bear."""
    commits: int

    @property
    def label(self) -> str:
        """Name and address."""
        return f"{self.name} <{self.email}>"


@dataclass(frozen=True, slots=True)
class AuthorPart:
    """What is somebody's: the releases with their own commits, and no others of these."""

    author: Author
    facts: Facts

    @property
    def commits(self) -> dict[UUID, int]:
        """How many commits of each release."""
        return {row.release.id: row.lead.commits for row in self.facts.releases if row.lead}


NOBODY = AuthorPart(Author("", "", frozenset(), frozenset(), 0), Facts((), (), (), (), ()))


@dataclass(frozen=True, slots=True)
class Developer:
    """What somebody shipped in a window. Times are epoch seconds."""

    author: Author
    lead_times: Sample | None
    """Of the commits that have one."""
    first_released_at: int
    last_released_at: int


@dataclass(frozen=True, slots=True)
class _Shipment:
    """A release, and who wrote its commits."""

    row: ReleaseRow
    repo_number: int
    written: Written


@dataclass(slots=True)
class _Share:
    """Somebody's commits of one release."""

    times: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=lambda: [0, 0, 0])
    """Merges, timeless and early ones."""


class Authors:
    """Everybody who wrote commits of the releases of a ground, those who shipped most in a window of it first."""

    def __init__(self, ground: Ground, window: Window) -> None:
        """Three queries, the second one where there are parts of repos."""
        self._shipments = _shipments(ground)
        start, end = window.start, window.end
        self._inside = [each for each in self._shipments if start <= each.row.at < end]
        totals, inside = _commits_by_author(self._shipments), _commits_by_author(self._inside)
        names = author_names(ground.place.tenant.id, totals)
        of_person: defaultdict[str, list[AuthorKey]] = defaultdict(list)
        for key, (name, email) in sorted(names.items()):
            of_person[email.strip().lower() or name].append(key)
        found = (_author(keys, names, totals, inside) for keys in of_person.values())
        self.everybody = sorted(found, key=lambda author: (-author.commits, author.label))

    @property
    def shipping(self) -> list[Author]:
        """Those with a commit first shipped in the window."""
        return [author for author in self.everybody if author.commits]

    def part(self, text: str) -> AuthorPart | None:
        """What is the person's of that e-mail address, else of that name."""
        wanted = text.strip().lower()
        by_email = (author for author in self.everybody if author.email.strip().lower() == wanted)
        by_name = (author for author in self.everybody if wanted in map(str.lower, author.names))
        found = next(chain(by_email, by_name), None)
        return AuthorPart(found, self.facts([found])[0]) if found else None

    def facts(self, some: Collection[Author]) -> list[Facts]:
        """Of each of these, the releases with their own commits, and no others of these."""
        places = _places(some)
        rows: list[list[ReleaseRow]] = [[] for _ in some]
        for each in self._shipments:
            row = each.row
            for number, share in _shares(each.written, places[each.repo_number]).items():
                lead = LeadFact(share.times, *share.left)
                # Not _replace, which takes three times as long; of many authors there are many rows.
                own = ReleaseRow(row.at, row.release, row.reason, row.defects, row.is_guess, row.fixes, lead)
                rows[number].append(own)
        return [Facts(own, (), (), (), ()) for own in rows]

    def developers(self, some: Collection[Author]) -> list[Developer]:
        """What each of these shipped in the window."""
        places = _places(some)
        times: list[list[int]] = [[] for _ in some]
        released: list[list[int]] = [[] for _ in some]
        for each in self._inside:
            for number, share in _shares(each.written, places[each.repo_number]).items():
                times[number] += share.times
                released[number].append(each.row.at)
        return [
            Developer(author, sample(own), at[0], at[-1]) for author, own, at in zip(some, times, released, strict=True)
        ]


def author_groups(ground: Ground, window: Window) -> tuple[list[Group], int]:
    """Those who shipped most in the window, as groups of their commits alone; and how many others there are."""
    authors = Authors(ground, window)
    shown = authors.shipping[:MOST_AUTHORS]
    groups = [
        Group(author.label, facts, ground.place.path, filters={COMMITTER: author.email or author.name})
        for author, facts in zip(shown, authors.facts(shown), strict=True)
    ]
    return groups, len(authors.shipping) - len(shown)


def _shipments(ground: Ground) -> list[_Shipment]:
    """In the order of time."""
    refs = {repo.id: ref_of(repo) for repo in ground.repos}
    records = [ground.releases[row.release.id] for row in ground.facts.releases]
    written = written_leads_of(ground.place.tenant.id, ground.environment, shipping_of(records), refs)
    return [
        _Shipment(row, refs[row.release.repo_id].number, written[row.release.id])
        for row in ground.facts.releases
        if row.release.id in written
    ]


def _commits_by_author(shipments: Iterable[_Shipment]) -> dict[AuthorKey, int]:
    of_repo: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for each in shipments:
        of_repo[each.repo_number].update(each.written.authors)
    return {(repo_number, author): n for repo_number, own in of_repo.items() for author, n in own.items()}


def _places(some: Iterable[Author]) -> defaultdict[int, dict[int, int]]:
    """By repo and author there, the place of the person."""
    places: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for number, person in enumerate(some):
        for repo_number, author in person.keys:
            places[repo_number][author] = number
    return places


def _shares(written: Written, here: Mapping[int, int]) -> Mapping[int, _Share]:
    """By the place of each person, what they have of a release."""
    fact, authors = written
    found: defaultdict[int, _Share] = defaultdict(_Share)
    for seconds, author in zip(fact.times, authors, strict=False):
        if author in here:
            found[here[author]].times.append(seconds)
    start = len(fact.times)
    for kind, count in enumerate((fact.merges, fact.timeless, fact.early)):
        for author in authors[start : start + count]:
            if author in here:
                found[here[author]].left[kind] += 1
        start += count
    return found


def _author(
    keys: Sequence[AuthorKey],
    names: Mapping[AuthorKey, tuple[str, str]],
    totals: Mapping[AuthorKey, int],
    inside: Mapping[AuthorKey, int],
) -> Author:
    commits: Counter[tuple[str, str]] = Counter()
    for key in keys:
        commits[names[key]] += totals[key]
    name, email = min(commits, key=lambda each: (-commits[each], each))
    return Author(name, email, frozenset(keys), frozenset(_names(keys, names)), sum(inside.get(key, 0) for key in keys))


def _names(keys: Iterable[AuthorKey], names: Mapping[AuthorKey, tuple[str, str]]) -> Iterable[str]:
    return (names[key][0] for key in keys)
