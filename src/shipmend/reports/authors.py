"""Who wrote what was shipped: change lead time by author, and the authors of a window.

One person is one e-mail address, whatever the case, over all repos, under the name that most of the commits bear. The
commits of a baseline are nobody's, since nobody knows when they were shipped.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from shipmend.catalog.queries import ref_of
from shipmend.core import dora
from shipmend.core.dora import Figure
from shipmend.core.facts import Facts, LeadFact
from shipmend.core.metrics import Metric
from shipmend.core.windows import Window
from shipmend.delivery.leads import Written, written_leads_of
from shipmend.history.contents import author_names
from shipmend.reports.load import Ground, shipping_of
from shipmend.reports.series import COMMITTER, Group

MOST_AUTHORS = 50
"""Shown by a report: those who shipped most."""

AuthorKey = tuple[int, int]
"""A name and address in the history of a repo: the number of the repo, and its own there."""


@dataclass(slots=True)
class Share:
    """Somebody's commits of one release."""

    times: list[int] = field(default_factory=list)
    """Seconds, in no order."""
    merges: int = 0
    timeless: int = 0
    early: int = 0

    @property
    def fact(self) -> LeadFact:
        """As what the release tells of its commits."""
        return LeadFact(self.times, self.merges, self.timeless, self.early)

    @property
    def commits(self) -> int:
        """All of them."""
        return len(self.times) + self.merges + self.timeless + self.early

    def add(self, other: Share) -> None:
        """Take in more."""
        self.times += other.times
        self.merges += other.merges
        self.timeless += other.timeless
        self.early += other.early


Shares = Mapping[UUID, Share]
"""By release."""


@dataclass(frozen=True, slots=True)
class Author:
    """A person, and what they wrote of the releases of a ground."""

    name: str
    email: str
    keys: frozenset[AuthorKey]
    names: frozenset[str]
    """All that their commits bear."""
    shares: Shares

    @property
    def label(self) -> str:
        """Name and address."""
        return f"{self.name} <{self.email}>"

    def facts(self, ground: Ground) -> Facts:
        """The releases with their commits, and no others of these."""
        rows = (row for row in ground.facts.releases if row.release.id in self.shares)
        return Facts([row._replace(lead=self.shares[row.release.id].fact) for row in rows], (), (), (), ())


@dataclass(frozen=True, slots=True)
class Developer:
    """What somebody shipped in a window. Times are epoch seconds."""

    author: Author
    commits: int
    """All of them, also those without a lead time."""
    lead_time: Figure
    first_released_at: int
    last_released_at: int


def authors_of(ground: Ground) -> list[Author]:
    """Everybody who wrote commits of the releases of a ground."""
    by_key = _by_key(ground)
    names = author_names(ground.place.tenant.id, by_key)
    of_person: defaultdict[str, list[AuthorKey]] = defaultdict(list)
    for key, (name, email) in sorted(names.items()):
        of_person[email.strip().lower() or name].append(key)
    return [_author(keys, names, by_key) for keys in of_person.values()]


def developers(ground: Ground, window: Window) -> list[Developer]:
    """Everybody with a commit first shipped in the window, those with the most first."""
    found = [_developer(ground, window, author) for author in authors_of(ground)]
    some = [each for each in found if each is not None]
    return sorted(some, key=lambda each: (-each.commits, each.author.label))


def author_groups(ground: Ground, window: Window) -> tuple[list[Group], int]:
    """Those who shipped most in the window, as groups of their commits alone; and how many others there are."""
    found = developers(ground, window)
    shown = [
        Group(
            each.author.label,
            each.author.facts(ground),
            ground.place.path,
            filters={COMMITTER: each.author.email or each.author.name},
        )
        for each in found[:MOST_AUTHORS]
    ]
    return shown, len(found) - len(shown)


NOBODY = Author("", "", frozenset(), frozenset(), {})


def author_named(authors: Sequence[Author], text: str) -> Author:
    """The person of that e-mail address, else of that name; else `NOBODY`."""
    wanted = text.strip().lower()
    by_email = next((author for author in authors if author.email.strip().lower() == wanted), None)
    return by_email or next((author for author in authors if wanted in map(str.lower, author.names)), NOBODY)


def _by_key(ground: Ground) -> dict[AuthorKey, dict[UUID, Share]]:
    refs = {repo.id: ref_of(repo) for repo in ground.repos}
    records = [ground.releases[row.release.id] for row in ground.facts.releases]
    written = written_leads_of(ground.place.tenant.id, ground.environment, shipping_of(records), refs)
    found: defaultdict[AuthorKey, dict[UUID, Share]] = defaultdict(dict)
    for release_id, each in written.items():
        number = refs[ground.releases[release_id].repo_id].number
        for author, share in _shares(each).items():
            found[number, author][release_id] = share
    return dict(found)


def _shares(written: Written) -> dict[int, Share]:
    fact, authors = written
    found: defaultdict[int, Share] = defaultdict(Share)
    at = len(fact.times)
    for seconds, author in zip(fact.times, authors[:at], strict=True):
        found[author].times.append(seconds)
    for author in authors[at : (at := at + fact.merges)]:
        found[author].merges += 1
    for author in authors[at : (at := at + fact.timeless)]:
        found[author].timeless += 1
    for author in authors[at:]:
        found[author].early += 1
    return found


def _author(
    keys: Sequence[AuthorKey],
    names: Mapping[AuthorKey, tuple[str, str]],
    by_key: Mapping[AuthorKey, Mapping[UUID, Share]],
) -> Author:
    shares: defaultdict[UUID, Share] = defaultdict(Share)
    commits: Counter[tuple[str, str]] = Counter()
    for key in keys:
        for release_id, share in by_key[key].items():
            shares[release_id].add(share)
            commits[names[key]] += share.commits
    name, email = min(commits, key=lambda each: (-commits[each], each))
    return Author(name, email, frozenset(keys), frozenset(names[key][0] for key in keys), dict(shares))


def _developer(ground: Ground, window: Window, author: Author) -> Developer | None:
    rows = author.facts(ground).within(window).releases
    if not rows:
        return None
    figure = dora.figure(Metric.CHANGE_LEAD_TIME, author.facts(ground), window, ground.rules)
    commits = sum(author.shares[row.release.id].commits for row in rows)
    return Developer(author, commits, figure, rows[0].at, rows[-1].at)
