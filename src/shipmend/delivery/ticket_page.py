"""All that is known of a ticket: where it is live, its commits, and the releases that shipped them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from shipmend.catalog.queries import Place, Tenant
from shipmend.core.errors import NotFound
from shipmend.core.values import ResourcePath
from shipmend.delivery.ledgers import RepoStream, streams_of
from shipmend.delivery.live import LiveAnswer, live_of_found_ticket, named_releases
from shipmend.delivery.queries import Page
from shipmend.delivery.tickets import Claim, Ticket, find_ticket
from shipmend.delivery.views import NamedRelease
from shipmend.history.indexed import FoundCommit, IndexedRepo, commits_at, indexed_repos

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
    names = named_releases(tenant, [release for each in first for _, release in each if release])
    items = tuple(
        TicketCommit(
            repo.path,
            found[repo.ref.number, number],
            tuple(Shipment(environment, names[release]) for environment, release in each if release in names),
        )
        for (repo, number), each in zip(shown, first, strict=True)
    )
    return Page(items, page, PAGE_SIZE, len(every))


def _first(stream: RepoStream, commit: int) -> tuple[str, UUID | None]:
    turns = stream.turns_of(commit)
    return stream.environment, turns[0].release if turns else None
