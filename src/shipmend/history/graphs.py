"""The shape of each repo's history, held in memory by the processes that ask how commits stand to each other.

Commits keep their numbers, so what was loaded stays true and only grows; a repo that was removed and made
anew is another repo. All graphs together are kept within a bound, the one longest unused going first.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import partial
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from shipmend.core import ancestry
from shipmend.core.ancestry import Parents
from shipmend.core.releases import Relation
from shipmend.db.sql import Statement
from shipmend.db.writes import aside

MOST_BYTES = 256 << 20
"""Of all graphs together, about: thirty million commits."""
MOST_ANSWERS = 10_000
"""Remembered of each repo."""
AT_ONCE = 50_000
"""Commits loaded by one query."""

_STATE = Statement("SELECT repo_id, commits FROM history_state WHERE entity_id = ? AND repo_number = ?")
_COMMITS = Statement(
    "SELECT coalesce(parent, 0), coalesce(second_parent, 0) FROM history_commit"
    " WHERE entity_id = ? AND repo_number = ? AND id > ? AND id <= ? ORDER BY id"
)
_FURTHER = Statement(
    "SELECT commit_number, parent FROM history_octopus_parent"
    " WHERE entity_id = ? AND repo_number = ? AND commit_number > ? AND commit_number <= ?"
    " ORDER BY commit_number, position"
)


class NotIndexed(LookupError):
    """No commit of the repo has this number."""


class _Graph:
    """One repo's."""

    def __init__(self, repo_id: UUID) -> None:
        self.repo_id = repo_id
        self.parents = Parents()
        self.answers: dict[tuple[int, int], Relation] = {}
        self._loading = threading.Lock()

    def grow(self, entity_id: UUID, repo_number: int, commits: int) -> None:
        """Load what is missing up to the commit numbered `commits`."""
        with self._loading:
            while len(self.parents) < commits:
                have = len(self.parents)
                upto = min(have + AT_ONCE, commits)
                further = _FURTHER.rows(entity_id, repo_number, have, upto)
                for commit, rows in groupby(further, key=itemgetter(0)):
                    self.parents.further[commit] = tuple(row[1] for row in rows)
                loaded = _COMMITS.rows(entity_id, repo_number, have, upto)
                if len(loaded) != upto - have:
                    raise NotIndexed
                self.parents.extend([row[0] for row in loaded], [row[1] for row in loaded])


class Graphs:
    """The graphs of one process; safe to be used by many threads."""

    def __init__(self, *, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._graphs: OrderedDict[tuple[UUID, int], _Graph] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._graphs)

    def relate(self, entity_id: UUID, repo_number: int, earlier: int, later: int) -> Relation:
        """As the function of this module."""
        graph, commits = self._graph(entity_id, repo_number)
        if not 0 < min(earlier, later) <= max(earlier, later) <= commits:
            raise NotIndexed
        answer = graph.answers.get((earlier, later))
        if answer is None:
            self._grow(graph, entity_id, repo_number, max(earlier, later))
            answer = ancestry.relate(graph.parents, earlier, later)
            if len(graph.answers) >= MOST_ANSWERS:
                graph.answers.clear()
            graph.answers[earlier, later] = answer
        return answer

    def load(self, entity_id: UUID, repo_number: int) -> Parents:
        """As the function of this module."""
        graph, commits = self._graph(entity_id, repo_number)
        self._grow(graph, entity_id, repo_number, commits)
        return graph.parents

    def _graph(self, entity_id: UUID, repo_number: int) -> tuple[_Graph, int]:
        """The graph, perhaps with little in it yet, and how many commits there are."""
        row = _STATE.row(entity_id, repo_number)
        if row is None or row[0] is None:
            raise NotIndexed
        repo_id, commits = row
        with self._lock:
            graph = self._graphs.get((entity_id, repo_number))
            if graph is None or graph.repo_id != repo_id:
                graph = self._graphs[entity_id, repo_number] = _Graph(repo_id)
            self._graphs.move_to_end((entity_id, repo_number))
        return graph, commits

    def _grow(self, graph: _Graph, entity_id: UUID, repo_number: int, commits: int) -> None:
        if len(graph.parents) >= commits:
            return
        aside(partial(graph.grow, entity_id, repo_number, commits))
        with self._lock:
            while len(self._graphs) > 1 and sum(each.parents.size for each in self._graphs.values()) > self._most_bytes:
                self._graphs.popitem(last=False)


_graphs = Graphs()


def relate(entity_id: UUID, repo_number: int, earlier: int, later: int) -> Relation:
    """How the commit numbered `later` stands to `earlier`; these words speak of releases, not of numbers.

    The first question about a repo loads its graph, in less than a second for a million commits: see
    `load`. Raises NotIndexed for a number that no commit has.
    """
    return _graphs.relate(entity_id, repo_number, earlier, later)


def load(entity_id: UUID, repo_number: int) -> Parents:
    """The whole graph of a repo, as it is indexed now; for what must not wait for it later (inside write(), say).

    Raises NotIndexed when nothing is indexed.
    """
    return _graphs.load(entity_id, repo_number)
