"""Is it live? Where a commit, a ticket or a release stands in the repos and environments of a place.

However much there is, an answer takes a fixed number of questions to the database (one more for each part of a repo),
and none of them looks at history: what contains what is known in memory, see `ledgers`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from shipmend.catalog.queries import Place, Tenant
from shipmend.core.ancestry import NONE
from shipmend.core.errors import Invalid
from shipmend.core.live import CommitLife, State, Turn, Verdict, decide
from shipmend.core.values import ResourcePath, Sha
from shipmend.db.sql import Statement
from shipmend.delivery.ledgers import RepoStream, streams_of
from shipmend.delivery.models import Release
from shipmend.delivery.ordering import LATEST_FIRST
from shipmend.delivery.tickets import MOST_COMMITS, Ticket, counting, find_ticket
from shipmend.delivery.views import NamedRelease
from shipmend.history.indexed import FoundCommit, IndexedRepo, Where, commits_at, commits_by_sha, indexed_repos, tips_in

NAMED_IN_WARNINGS = 3

_RELEASES = (
    "SELECT repo_id, commit_number FROM delivery_release WHERE entity_id = ? AND deleted_at IS NULL AND {} = ?"
    f" ORDER BY {LATEST_FIRST}"
)
_RELEASES_NAMED = Statement(_RELEASES.format("name"))
_RELEASE = Statement(_RELEASES.format("id"))


class Kind(StrEnum):
    """What is asked about."""

    SHA = "sha"
    TICKET = "ticket"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class LiveView:
    """Where it stands in one repo and environment. Times are epoch seconds; see core.live.Verdict."""

    path: ResourcePath
    """Of the repo; of the place that was asked about where nothing is known."""
    environment: str | None
    state: State
    since: int | None = None
    release: NamedRelease | None = None
    first_live_at: int | None = None
    commits: int = 0
    live: int = 0
    sha: str = ""
    """The commit, when one was asked about; so is its first line."""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class LiveAnswer:
    """Where something stands in each repo of a place that knows it, by path, and in each environment."""

    kind: Kind
    asked: str
    rows: tuple[LiveView, ...]
    """At least one: where nothing is known, it says so."""
    warnings: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether any repo knows it."""
        return any(row.state is not State.NOT_KNOWN for row in self.rows)


@dataclass(frozen=True, slots=True)
class Sought:
    """What is asked about, as far as one repo knows it."""

    repo: IndexedRepo
    commits: tuple[int, ...]
    sha: str = ""
    subject: str = ""


def live_of_sha(place: Place, sha: Sha, environment: str | None = None) -> LiveAnswer:
    """Where a commit stands. Raises Invalid for an abbreviation of more than one commit of a repo."""
    repos = indexed_repos(place)
    found = commits_by_sha(place, sha.digits)
    sought = [
        Sought(repo, (number,), digits)
        for repo in repos
        for repo_number, digits, number in found
        if repo_number == repo.ref.number and counting(place.tenant, repo, [number])
    ]
    paths = [each.repo.path for each in sought]
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice is not None:
        because = f"is an abbreviation of more than one commit of {twice}"
        raise Invalid("sha", because, value=sha.digits, mend="give more digits, or all 40")
    shown = commits_at(place.tenant.id, {(each.repo.ref.number, each.commits[0]) for each in sought}) if sought else {}
    sought = [replace(each, subject=shown[each.repo.ref.number, each.commits[0]].subject) for each in sought]
    return _answer(place, repos, LiveAnswer(Kind.SHA, sha.digits, ()), sought, environment)


def live_of_ticket(place: Place, key: str, environment: str | None = None) -> LiveAnswer:
    """Where a ticket stands: live is one all of whose commits are."""
    repos = indexed_repos(place)
    return live_of_found_ticket(place, repos, find_ticket(place.tenant, repos, key), environment)


def live_of_found_ticket(
    place: Place, repos: Sequence[IndexedRepo], ticket: Ticket, environment: str | None = None
) -> LiveAnswer:
    """The same for a ticket that has been looked up."""
    sought = [Sought(repo, ticket.commits[repo.ref.id]) for repo in repos if repo.ref.id in ticket.commits]
    cut = (f"More commits speak of {ticket.key} than are looked at: only the latest {MOST_COMMITS} count here.",)
    answer = LiveAnswer(Kind.TICKET, ticket.key, (), cut if ticket.is_cut else ())
    return _answer(place, repos, answer, sought, environment)


def live_of_release(place: Place, text: str, environment: str | None = None) -> LiveAnswer:
    """Where the commit of a release stands, by the release's id or name; of several of a name, of the latest."""
    repos = indexed_repos(place)
    found: dict[UUID, list[int]] = {}
    for repo_id, number in _releases_called(place.tenant, text):
        found.setdefault(repo_id, []).extend([number] if number is not None else [])
    sought = [Sought(repo, tuple(found[repo.ref.id][:1])) for repo in repos if repo.ref.id in found]
    warnings = [
        f'More than one commit of {each.repo.path} was released as "{text}": this is about the latest.'
        for each in sought
        if len(set(found[each.repo.ref.id])) > 1
    ]
    return _answer(place, repos, LiveAnswer(Kind.RELEASE, text, (), tuple(warnings)), sought, environment)


def find_live(place: Place, text: str, environment: str | None = None) -> LiveAnswer:
    """Where something stands of which it is not said what it is: the first that is known of a commit, a ticket and a
    release. Raises Invalid as `live_of_sha` does."""
    text = text.strip()
    answers = []
    if is_like_sha(text):
        answers.append(live_of_sha(place, Sha(text.lower()), environment))
    for look in (live_of_ticket, live_of_release):
        if not answers or not answers[-1].is_known:
            answers.append(look(place, text, environment))
    return answers[-1] if answers[-1].is_known else answers[0]


def is_like_sha(text: str) -> bool:
    """Whether people would take this for a commit's id."""
    try:
        Sha.parse(text, parameter="sha")
    except Invalid:
        return False
    return True


def _releases_called(tenant: Tenant, text: str) -> list[tuple[UUID, int | None]]:
    try:
        rows = _RELEASE.rows(tenant.id, UUID(text))
    except ValueError:
        rows = _RELEASES_NAMED.rows(tenant.id, text)
    return [(repo_id, number) for repo_id, number in rows]


def _answer(
    place: Place,
    repos: Sequence[IndexedRepo],
    answer: LiveAnswer,
    sought: Sequence[Sought],
    environment: str | None,
) -> LiveAnswer:
    streams = streams_of(place.tenant.id, [each.repo for each in sought], environment)
    rows = list(_rows(place.tenant, sought, streams))
    warnings = [*answer.warnings, *_warnings(sought, streams, environment)]
    if not rows:
        rows = [LiveView(place.path, environment, State.NOT_KNOWN)]
        warnings += _not_indexed(repos)
    return replace(answer, rows=tuple(rows), warnings=tuple(warnings))


def _rows(tenant: Tenant, sought: Sequence[Sought], streams: Mapping[UUID, Sequence[RepoStream]]) -> Iterable[LiveView]:
    questions = [_Question(each, stream) for each in sought for stream in streams.get(each.repo.ref.id, ())]
    verdicts = _verdicts(tenant, questions)
    names = named_releases(tenant, [verdict.release for verdict in verdicts if verdict.release])
    for question, verdict in zip(questions, verdicts, strict=True):
        yield LiveView(
            path=question.sought.repo.path,
            environment=question.stream.environment,
            state=verdict.state,
            since=verdict.since,
            release=names.get(verdict.release) if verdict.release else None,
            first_live_at=verdict.first_live_at,
            commits=verdict.commits,
            live=verdict.live,
            sha=question.sought.sha,
            subject=question.sought.subject,
        )


class _Question:
    """What is asked about in one repo and environment, with what is known of it without asking the database."""

    def __init__(self, sought: Sought, stream: RepoStream) -> None:
        self.sought = sought
        self.stream = stream
        self.turns: dict[int, tuple[Turn, ...]] = {commit: stream.turns_of(commit) for commit in sought.commits}
        waiting = stream.waiting
        self._steps = {commit: waiting.brought_by(commit) for commit, turns in self.turns.items() if not turns}

    @property
    def number(self) -> int:
        """Of the repo."""
        return self.sought.repo.ref.number

    @property
    def merges(self) -> set[Where]:
        """The commits of the release branch that brought what was never released."""
        return {(self.number, step) for step in self._steps.values() if step != NONE}

    @property
    def may_be_left_behind(self) -> bool:
        """Whether it must be asked what branches and tags hold: some, but not all, are on the release branch or were
        released."""
        return len(self.turns) > 1 and NONE in self._steps.values()

    def verdict(self, merged: Mapping[Where, FoundCommit], tips: Sequence[int]) -> Verdict:
        """The answer, with the commits of `merges` and, if it matters, the tips of all branches and tags."""
        lives = {commit: self._life(commit, merged) for commit in self.turns}
        if self.may_be_left_behind:
            # Rebased or squashed before they were merged: nobody will ever release these.
            held = self.stream.held_by(tips)
            lives = {c: life for c, life in lives.items() if life.turns or c in held} or lives
        return decide(list(lives.values()))

    def _life(self, commit: int, merged: Mapping[Where, FoundCommit]) -> CommitLife:
        step = self._steps.get(commit, NONE)
        brought = merged.get((self.number, step))
        return CommitLife(
            self.turns[commit], is_merged=step != NONE, merged_at=brought.committed_at if brought else None
        )


def _verdicts(tenant: Tenant, questions: Sequence[_Question]) -> list[Verdict]:
    merges = set[Where]().union(*(question.merges for question in questions))
    merged = commits_at(tenant.id, merges) if merges else {}
    numbers = {question.number for question in questions if question.may_be_left_behind}
    tips = tips_in(tenant.id, numbers) if numbers else {}
    return [question.verdict(merged, tips.get(question.number, ())) for question in questions]


def named_releases(tenant: Tenant, ids: Iterable[UUID]) -> dict[UUID, NamedRelease]:
    """These releases, by id."""
    rows = Release.objects.filter(entity_id=tenant.id, id__in=set(ids))
    values = rows.values_list("id", "name", "release_sha", "released_at")
    return {row[0]: NamedRelease(*row) for row in values}


def _warnings(
    sought: Sequence[Sought], streams: Mapping[UUID, Sequence[RepoStream]], environment: str | None
) -> Iterable[str]:
    if environment is not None and streams and not any(s.stream.releases for each in streams.values() for s in each):
        yield f'Nothing was ever released to "{environment}" from the repos that know this.'
    for each in sought:
        if not each.repo.commits:
            yield f"The history of {each.repo.path} is not known, so what is live there can't be told."


def _not_indexed(repos: Sequence[IndexedRepo]) -> Iterable[str]:
    missing = [str(repo.path) for repo in repos if repo.ref.has_remote and not repo.commits]
    if missing:
        more = f" and {len(missing) - NAMED_IN_WARNINGS} more" if len(missing) > NAMED_IN_WARNINGS else ""
        yield f"Not indexed yet, so perhaps it is there: {', '.join(missing[:NAMED_IN_WARNINGS])}{more}."
