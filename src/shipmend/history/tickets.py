"""Tickets in what is indexed: the commits of a ticket, and the tickets of commits. Each question is one query."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from shipmend.catalog.models import Entity
from shipmend.core.errors import Invalid
from shipmend.core.spans import Span
from shipmend.core.tickets import SEPARATOR, TicketPattern, in_order
from shipmend.db.sql import Statement

log = logging.getLogger(__name__)

# A commit whose number is above the state's belongs to an index that has not finished.
_COMMITS_OF = Statement(
    "SELECT t.repo_number, t.commit_number FROM history_ticket t"
    " JOIN history_state h ON h.entity_id = t.entity_id AND h.repo_number = t.repo_number AND h.repo_id IS NOT NULL"
    " WHERE t.entity_id = ? AND t.ticket = ? AND t.commit_number <= h.commits"
    " ORDER BY t.commit_number DESC, t.repo_number LIMIT ?"
)
_SPANNED = (
    "FROM {spans} CROSS JOIN history_commit c WHERE c.entity_id = ? AND c.repo_number = ?"
    " AND c.id BETWEEN span.first AND span.last AND c.tickets IS NOT NULL"
)
_WITHIN = Statement(f"SELECT DISTINCT c.tickets {_SPANNED}")
_OF_EACH = Statement(f"SELECT c.id, c.tickets {_SPANNED}")


def pattern_of(entity_id: UUID) -> TicketPattern:
    """What counts as a ticket in an entity."""
    row = Entity.objects.filter(id=entity_id).values_list("ticket_pattern", "ticket_numbers").first()
    pattern, numbers = row or ("", False)
    try:
        return TicketPattern(pattern, numbers=numbers)
    except Invalid as refused:  # it was taken when it was stored, by an earlier version: an index may not fail of it
        log.warning("entity %s: the usual keys are looked for, since %s", entity_id, refused)
        return TicketPattern(numbers=numbers)


def commits_of_ticket(entity_id: UUID, ticket: str, *, most: int) -> dict[int, list[int]]:
    """The commits that speak of a ticket (in its normal form), by the number of their repo: of too many, the latest."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for repo_number, commit in _COMMITS_OF.rows(entity_id, ticket, most):
        found[repo_number].append(commit)
    return dict(found)


def tickets_within(entity_id: UUID, repo_number: int, spans: Sequence[Span]) -> tuple[str, ...]:
    """The tickets that the commits of some spans of numbers speak of, each once, in order."""
    rows = _WITHIN.rows(json.dumps(spans), entity_id, repo_number)
    return in_order(ticket for (tickets,) in rows for ticket in tickets.split(SEPARATOR))


def tickets_in(entity_id: UUID, repo_number: int, spans: Sequence[Span]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The commits of some spans that speak of tickets, by their numbers, in no order."""
    rows = _OF_EACH.rows(json.dumps(spans), entity_id, repo_number)
    return ((number, tuple(tickets.split(SEPARATOR))) for number, tickets in rows)


def tickets_of_each(entity_id: UUID, repo_number: int, commits: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """The tickets that each of these commits speaks of, by its number; those that speak of none are not there."""
    return dict(tickets_in(entity_id, repo_number, [(commit, commit) for commit in commits]))
