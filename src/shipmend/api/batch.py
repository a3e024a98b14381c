"""Many releases and defects in one call, or from one file: read line by line, written many to a commit.

A line is told to be of a release or of a defect by its `type`, else by whether it has a `defect_key`. Each is read,
looked up, written and answered as a call of its own would be: what is wrong with one line is no other line's business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Protocol
from zoneinfo import ZoneInfo

from shipmend.accounts.idempotency import KeptAnswer
from shipmend.accounts.tokens import Caller
from shipmend.api import parameters as p
from shipmend.api.body import MAX_LINES, Parameters, add_json
from shipmend.api.endpoint import ApiCall, Operation, broken
from shipmend.api.envelope import NDJSON, Answer, Document, refusal
from shipmend.api.fields import Reader, Setting
from shipmend.api.recording import (
    DEFECT_ACTION,
    DEFECT_FIELDS,
    RELEASE_ACTION,
    RELEASE_FIELDS,
    defect_recorded,
    defect_report,
    release_recorded,
    release_report,
)
from shipmend.audit.trail import Actor
from shipmend.catalog.queries import Place, Tenant, find_place, nothing_there
from shipmend.core.amounts import several
from shipmend.core.errors import BadRequest, Invalid, KeyReused, Refused, TooLarge, Unavailable
from shipmend.core.moments import DateOrder
from shipmend.core.values import ResourcePath, Scope
from shipmend.db.writes import each_alone
from shipmend.delivery import actions
from shipmend.delivery.actions import PreparedRelease
from shipmend.delivery.commits import CommitFinder

MOST_LINES = 5000
"""In one call; its body is bounded, too (api/body.py)."""
LINES_AT_ONCE = 200
"""Written in one transaction: on SQLite everyone else waits meanwhile."""
BATCH_ACTION = "action_create_batch"

NO_SETTING = Setting(ZoneInfo("UTC"), DateOrder.NONE, 0)
"""For reading what depends on none."""

_FIELDS = {p.LineType.RELEASE: (p.TYPE, *RELEASE_FIELDS), p.LineType.DEFECT: (p.TYPE, *DEFECT_FIELDS)}
_NAMES = {kind: frozenset(each.name for each in fields) for kind, fields in _FIELDS.items()}
_ACTIONS = {p.LineType.RELEASE: RELEASE_ACTION, p.LineType.DEFECT: DEFECT_ACTION}
_SCOPES = {p.LineType.RELEASE: Scope.RELEASES_WRITE, p.LineType.DEFECT: Scope.DEFECTS_WRITE}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number in the body or file, and what it gives, or why it can't be read."""

    number: int
    given: Parameters | Refused


class Reporter(Protocol):
    """Who reports the lines: a token, or the operator."""

    @property
    def actor(self) -> Actor:
        """As the audit trail names it."""

    def require(self, scope: Scope) -> None:
        """Raises Forbidden."""

    def setting(self, given: Parameters) -> Setting:
        """What reading this line depends on. Raises Invalid and NotFound."""

    def place(self, path: ResourcePath) -> Place:
        """What `path` names. Raises NotFound."""

    def reach(self, tenant: Tenant) -> ResourcePath:
        """The part of an entity that is the reporter's to write to."""


@dataclass(frozen=True, slots=True)
class TokenReporter:
    """A token's caller, with the time of the call in epoch seconds."""

    caller: Caller
    now: int

    @property
    def actor(self) -> Actor:
        """The token."""
        return self.caller.actor

    def require(self, scope: Scope) -> None:
        """As the token may. Raises Forbidden."""
        self.caller.require(scope)

    def setting(self, _: Parameters) -> Setting:
        """That of the token's entity."""
        tenant = self.caller.tenant
        return Setting(tenant.zone, tenant.date_order, self.now)

    def place(self, path: ResourcePath) -> Place:
        """What `path` names, if the token reaches it. Raises NotFound."""
        if not self.caller.reaches(path):
            raise nothing_there(path)
        return find_place(self.caller.tenant, path)

    def reach(self, _: Tenant) -> ResourcePath:
        """What the token is bound to."""
        return self.caller.reach


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A line with all looked up that its work needs."""

    action_em: str
    work: Callable[[], Answer] | None = None
    """What records it, by itself; None for a release, all of which are recorded together."""
    release: PreparedRelease | None = None


@dataclass(slots=True)
class Batch:
    """Turns lines into work. What it has looked up it remembers from one handful of lines to the next.

    `path` is where lines belong that name no resource_path; `now` is the time of the call in epoch seconds.
    """

    reporter: Reporter
    now: int
    path: ResourcePath | None = None
    finder: CommitFinder = field(default_factory=CommitFinder)
    _places: dict[ResourcePath, Place] = field(default_factory=dict)

    def prepare(self, lines: Iterable[Line]) -> Callable[[], list[Answer]]:
        """The work, for write(), that records these lines and answers each."""
        prepared = [self._prepared(line) for line in lines]

        def work() -> list[Answer]:
            releases = actions.record_releases((each.release for each in prepared if each.release), now=self.now)
            others = each_alone(each.work for each in prepared if each.work)
            recorded, outcomes = map(release_recorded, releases), iter(others)
            return [next(recorded) if each.release else _answer(each, next(outcomes)) for each in prepared]

        return work

    def _prepared(self, line: Line) -> _Prepared:
        action_em = BATCH_ACTION
        try:
            given = self._given(line)
            kind = _kind(given)
            action_em = _ACTIONS[kind]
            self.reporter.require(_SCOPES[kind])
            _refuse_to_try_alone(given)
            return self._release(given) if kind is p.LineType.RELEASE else self._defect(given)
        except Refused as refused:
            return _Prepared(action_em, _refusing(refused))

    def _given(self, line: Line) -> Parameters:
        if isinstance(line.given, Refused):
            raise line.given
        name = p.RESOURCE_PATH.name
        if self.path and not line.given.all(name):
            line.given.add(name, str(self.path))
        return line.given

    def _release(self, given: Parameters) -> _Prepared:
        report = release_report(self._reader(given, p.LineType.RELEASE))
        place = self._place(report.path)
        release = actions.prepare_release(
            place=place, report=report, finder=self.finder, actor=self.reporter.actor, now=self.now
        )
        return _Prepared(RELEASE_ACTION, release=release)

    def _defect(self, given: Parameters) -> _Prepared:
        report = defect_report(self._reader(given, p.LineType.DEFECT))
        place = self._place(report.path)
        work = actions.defect_work(
            place=place,
            report=report,
            finder=self.finder,
            reach=self.reporter.reach(place.tenant),
            actor=self.reporter.actor,
            now=self.now,
        )
        return _Prepared(DEFECT_ACTION, lambda: defect_recorded(work()))

    def _reader(self, given: Parameters, kind: p.LineType) -> Reader:
        return Reader(_NAMES[kind], given, self.reporter.setting(given))

    def _place(self, path: ResourcePath) -> Place:
        place = self._places.get(path)
        if place is None:
            place = self._places[path] = self.reporter.place(path)
        return place


def _kind(given: Parameters) -> p.LineType:
    said = Reader(_NAMES[p.LineType.RELEASE], given, NO_SETTING).get(p.TYPE)
    return said or (p.LineType.DEFECT if given.all(p.DEFECT_KEY.name) else p.LineType.RELEASE)


def _refuse_to_try_alone(given: Parameters) -> None:
    """A line that asks not to be stored would be, were it read as the others. Raises Invalid."""
    if Reader(frozenset([p.DRY_RUN.name]), given, NO_SETTING).get(p.DRY_RUN):
        mend = "leave it out of the line, and give it in the query string of the call, or --preview to shipmend import"
        raise Invalid(p.DRY_RUN.name, "can't be said of one line", value=True, mend=mend)


def _refusing(refused: Refused) -> Callable[[], Answer]:
    def work() -> Answer:
        raise refused

    return work


def _answer(prepared: _Prepared, outcome: Answer | Refused) -> Answer:
    return refusal(prepared.action_em, outcome) if isinstance(outcome, Refused) else outcome


def read_line(number: int, text: str) -> Line:
    """A line of JSON."""
    given = Parameters()
    try:
        add_json(given, text, "line")
    except Refused as refused:
        return Line(number, refused)
    return Line(number, given)


def post_batch(call: ApiCall) -> Answer:
    """Record every line of the body, and answer each on a line."""
    lines = _lines(call.body)
    batch = Batch(TokenReporter(call.caller, call.now), call.now, call.reader.get(p.LINES_PATH))
    # A trial is undone at its end, so that later lines can't build on earlier ones unless all are tried together.
    size = len(lines) if call.is_dry_run() else LINES_AT_ONCE
    outcomes: Counter[str] = Counter()
    texts = [_written(call, batch, some, part, outcomes) for part, some in enumerate(handfuls(lines, size))]
    detail = f"{several(len(lines), 'line')}: {', '.join(f'{count} {what}' for what, count in outcomes.most_common())}."
    return Answer(BATCH_ACTION, detail, document=Document(NDJSON, "".join(texts)))


def _lines(body: str) -> list[Line]:
    texts = [(number, text) for number, text in enumerate(body.split("\n"), 1) if text.strip()]
    if not texts:
        raise BadRequest("The body holds no line: send one JSON object a line, each a release or a defect.")
    if len(texts) > MOST_LINES:
        raise TooLarge(f"The body has {len(texts)} lines: at most {MOST_LINES} are read, so send it in several calls.")
    return [read_line(number, text) for number, text in texts]


def _written(call: ApiCall, batch: Batch, lines: Sequence[Line], part: int, outcomes: Counter[str]) -> str:
    def prepare() -> Callable[[], Answer]:
        work = batch.prepare(lines)
        return lambda: _bundle(lines, _tried(work()) if call.is_dry_run() else work())

    try:
        answer = call.write(prepare, part=part)
    except KeyReused:
        raise
    except Unavailable as refused:
        answer = _bundle(lines, [refusal(BATCH_ACTION, refused)] * len(lines))
    except Exception as error:  # noqa: BLE001 -- other lines have been stored, so the call as a whole can't be refused
        answer = _bundle(lines, [broken(BATCH_ACTION, "a batch", error)] * len(lines))
    if isinstance(answer, KeptAnswer):
        outcomes["as before"] += len(lines)
        return answer.answer
    outcomes.update(answer.more["outcomes"])
    return answer.text()


def _tried(answers: Iterable[Answer]) -> list[Answer]:
    return [replace(each, more={**each.more, "dry_run": True}) for each in answers]


def _bundle(lines: Sequence[Line], answers: Sequence[Answer]) -> Answer:
    """Some lines' answers as one that an Idempotency-Key can keep, with a count of what became of them."""
    text = "".join(f"{answer.line(line.number)}\n" for line, answer in zip(lines, answers, strict=True))
    outcomes = Counter(outcome(answer) for answer in answers)
    return Answer(BATCH_ACTION, "", more={"outcomes": outcomes}, document=Document(NDJSON, text))


def outcome(answer: Answer) -> str:
    """What became of a line, in one word."""
    return answer.action_em.rpartition("_")[2] if answer.status < 300 else "refused"


def handfuls(lines: Iterable[Line], size: int) -> Iterator[list[Line]]:
    """The lines, so many at a time."""
    rest = iter(lines)
    while some := list(islice(rest, size)):
        yield some


BATCH = (
    Operation(
        method="POST",
        action_em=BATCH_ACTION,
        summary="Record many releases and defects",
        doc="The body is JSON lines, each with the parameters of a release or of a critical defect. A line is a"
        " defect's when its type says so or when it has a defect_key. Each is recorded or refused alone, and answered"
        " on a line of its own, in order: with the envelope of the single call, its line number and its HTTP status."
        f" A call may have {MOST_LINES:,} lines and {MAX_LINES >> 20} MiB.",
        run=post_batch,
        fields=(p.LINES_PATH, p.DRY_RUN),
        scope=None,
        documents=(NDJSON,),
        lines=tuple(_FIELDS.values()),
    ),
)
