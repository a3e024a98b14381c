"""All that is known of a ticket: where it is live, its commits, and the releases that shipped them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from shipmend.catalog.queries import Place, Tenant
from shipmend.core.ancestry import NONE
from shipmend.core.errors import NotFound
from shipmend.core.values import ResourcePath
from shipmend.delivery.ledgers import RepoStream, streams_of
from shipmend.delivery.live import LiveAnswer, live_of_found_ticket, named_releases
from shipmend.delivery.queries import Page
from shipmend.delivery.tickets import Claim, Ticket, find_ticket
from shipmend.delivery.views import NamedRelease
from shipmend.history.indexed import FoundCommit, IndexedRepo, commits_at, indexed_repos, tips_in

PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class Shipment:
    """The release that first shipped a commit to an environment."""

    environment: str
    release: NamedRelease


@dataclass(frozen=True, slots=True)
class TicketCommit:
    """A commit of a ticket."""

    path: ResourcePath
    commit: FoundCommit
    shipments: tuple[Shipment, ...]
    is_left_behind: bool
    """Whether no branch and no tag holds it any more, and it was not released everywhere: amended or rebased away."""


@dataclass(frozen=True, slots=True)
class TicketClaim:
    """A release that was said to resolve it."""

    path: ResourcePath
    claim: Claim


@dataclass(frozen=True, slots=True)
class TicketPage:
    """A ticket, for showing."""

    key: str
    answer: LiveAnswer
    commits: Page[TicketCommit]
    """By repo, the latest first."""
    claims: tuple[TicketClaim, ...]

    @property
    def has_left_behind(self) -> bool:
        """Whether commits are shown that nobody will release any more."""
        return any(each.is_left_behind for each in self.commits.items)


def read_ticket(place: Place, text: str, *, page: int = 1) -> TicketPage:
    """A ticket of a place, however its key is spelt. Raises NotFound when nothing speaks of it."""
    repos = indexed_repos(place)
    ticket = find_ticket(place.tenant, repos, text)
    if not ticket.commits and not ticket.claims:
        raise NotFound(f'No commit and no release that can be reached from here speaks of a ticket "{ticket.key}".')
    paths = {repo.ref.id: repo.path for repo in repos}
    return TicketPage(
        key=ticket.key,
        answer=live_of_found_ticket(place, repos, ticket),
        commits=_commits(place.tenant, repos, ticket, page),
        claims=tuple(TicketClaim(paths[claim.repo_id], claim) for claim in ticket.claims),
    )


def _commits(tenant: Tenant, repos: Sequence[IndexedRepo], ticket: Ticket, page: int) -> Page[TicketCommit]:
    every = [(repo, number) for repo in repos for number in reversed(ticket.commits.get(repo.ref.id, ()))]
    shown = every[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    found = commits_at(tenant.id, {(repo.ref.number, number) for repo, number in shown})
    streams = streams_of(tenant.id, list({repo.ref.id: repo for repo, _ in shown}.values()))
    first = [[_first(stream, number) for stream in streams.get(repo.ref.id, ())] for repo, number in shown]
    left_behind = _left_behind(tenant, [(streams.get(repo.ref.id, ()), number) for repo, number in shown])
    names = named_releases(tenant, [release for each in first for _, release in each if release])
    items = tuple(
        TicketCommit(
            repo.path,
            found[repo.ref.number, number],
            tuple(Shipment(environment, names[release]) for environment, release in each if release in names),
            (repo.ref.id, number) in left_behind,
        )
        for (repo, number), each in zip(shown, first, strict=True)
    )
    return Page(items, page, PAGE_SIZE, len(every))


def _left_behind(tenant: Tenant, commits: Iterable[tuple[Sequence[RepoStream], int]]) -> Collection[tuple[UUID, int]]:
    """Those of some commits, given with the streams of their repos, that no branch and no tag holds; by the repo."""
    unsure = {
        (stream.repo.ref.id, commit): stream
        for streams, commit in commits
        for stream in streams
        if _is_unsure(stream, commit)
    }
    tips = tips_in(tenant.id, {stream.repo.ref.number for stream in unsure.values()}) if unsure else {}
    asked = {(repo_id, stream.environment): stream for (repo_id, _), stream in unsure.items()}
    held = {key: stream.held_by(tips.get(stream.repo.ref.number, ())) for key, stream in asked.items()}
    return {
        (repo_id, commit)
        for (repo_id, commit), stream in unsure.items()
        if commit not in held[repo_id, stream.environment]
    }


def _is_unsure(stream: RepoStream, commit: int) -> bool:
    """Whether a commit was never released there and is not on the release branch."""
    return not stream.turns_of(commit) and stream.waiting.brought_by(commit) == NONE


def _first(stream: RepoStream, commit: int) -> tuple[str, UUID | None]:
    turns = stream.turns_of(commit)
    return stream.environment, turns[0].release if turns else None
