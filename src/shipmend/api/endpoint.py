"""From a request to an answer, the same way for every operation.

1. who calls (token)  2. may they (scope)  3. what is given (body, fields)  4. the operation  5. one envelope.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from shipmend.accounts import idempotency
from shipmend.accounts.calls import Call, calls
from shipmend.accounts.idempotency import KeptAnswer
from shipmend.accounts.tokens import Caller, check
from shipmend.api import limits
from shipmend.api.body import MAX_LINES, Parameters, read_parameters, read_query, read_text
from shipmend.api.envelope import Answer, fault, json_response, refusal, respond
from shipmend.api.fields import Field, Reader, Setting
from shipmend.api.origin import origin
from shipmend.api.parameters import DRY_RUN
from shipmend.catalog.queries import Place, find_place, nothing_there
from shipmend.core.errors import Invalid, MethodNotAllowed, Refused, Unauthorized
from shipmend.core.tokens import is_well_formed
from shipmend.core.values import ResourcePath, Scope
from shipmend.db.writes import DryRun, in_one_line, is_passing, unanswered, unavailable, write

log = logging.getLogger(__name__)

LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path: what it takes, what it asks of a token, and the function that does it."""

    method: str
    action_em: str
    """What was tried, in answers that refuse it."""
    summary: str
    doc: str
    run: Callable[[ApiCall], Answer | KeptAnswer]
    fields: tuple[Field[Any], ...] = ()
    scope: Scope | None = Scope.READ
    answers: tuple[str, str, bool] | None = None
    """The member of a good answer that holds what was asked for, its schema, and whether it is a list of them."""
    beside: tuple[tuple[str, str], ...] = ()
    """Further members, and their schemas."""
    may_wait: bool = False
    """Whether it may answer 202, before the commit has been seen."""
    documents: tuple[str, ...] = ()
    """The media types, besides JSON, that it answers in when told so."""
    lines: tuple[tuple[Field[Any], ...], ...] = ()
    """The kinds of line that its body is made of, each by its fields; `fields` are then read from the query string."""


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A call that may be served: who makes it, when, and what it gives."""

    caller: Caller
    now: int
    reader: Reader
    ids: dict[str, Any]
    origin: Callable[[], str] = str
    """Tells the address of this instance, for links."""
    body: str = ""
    """Of an operation that takes lines."""
    idempotency_key: str = ""
    digest: bytes = b""

    def place(self, path: ResourcePath) -> Place:
        """What `path` names, if the token reaches it. Raises NotFound, the same for absent and out of reach."""
        if not self.caller.reaches(path):
            raise nothing_there(path)
        return find_place(self.caller.tenant, path)

    def write(self, prepare: Callable[[], Callable[[], Answer]], *, part: int = 0) -> Answer | KeptAnswer:
        """Write what `prepare` has looked up, once for each Idempotency-Key; not at all on a dry run.

        `prepare` runs before the transaction and may take its time; the work it returns runs inside. A call that
        writes in several transactions numbers them, and each part is written and kept once.
        """
        if self.is_dry_run():
            return self._try_out(prepare())
        key = self._key_of(part)
        kept = self._kept(key)
        if kept is not None:
            return kept
        work = prepare()
        return write(lambda: self._once(work, key))

    def is_dry_run(self) -> bool:
        """Whether nothing is to be stored."""
        return DRY_RUN.name in self.reader.fields and bool(self.reader.get(DRY_RUN))

    def _try_out(self, work: Callable[[], Answer]) -> Answer:
        def trial() -> Answer:
            raise DryRun(work())

        answer = write(trial)
        return replace(answer, more={**answer.more, "dry_run": True})

    def _once(self, work: Callable[[], Answer], key: str) -> Answer | KeptAnswer:
        kept = self._kept(key)
        if kept is not None:
            return kept
        answer = work()
        if key:
            idempotency.keep_answer(self.caller, key, self.digest, answer.status, answer.text(), now=self.now)
        return answer

    def _key_of(self, part: int) -> str:
        """The first part goes by the caller's own key, so that another call can't use that one again."""
        if not self.idempotency_key or not part:
            return self.idempotency_key
        return f"{part} {hashlib.sha256(self.idempotency_key.encode()).hexdigest()}"

    def _kept(self, key: str) -> KeptAnswer | None:
        return idempotency.kept_answer(self.caller, key, self.digest) if key else None


def endpoint(*operations: Operation) -> Callable[..., HttpResponseBase]:
    """A Django view that serves these operations of one path."""
    by_method = {operation.method: operation for operation in operations}

    def view(request: HttpRequest, **ids: Any) -> HttpResponseBase:
        method = "GET" if request.method == "HEAD" else request.method or ""
        operation = by_method.get(method)
        if operation is None:
            return respond(refusal("action_unknown", MethodNotAllowed(method, tuple(by_method))))
        return _serve(operation, request, ids)

    view.operations = operations  # type: ignore[attr-defined]  # read by openapi.py, which prints what is served
    view.csrf_exempt = True  # type: ignore[attr-defined]  # a token, not a cookie, speaks for the caller
    return view


def _serve(operation: Operation, request: HttpRequest, ids: dict[str, Any]) -> HttpResponseBase:
    started = time.monotonic()
    now = int(time.time())
    caller: Caller | None = None
    address = str(request.META.get("REMOTE_ADDR", ""))
    try:
        limits.check_address(address)
        caller = check(bearer(request), now=now)
        limits.check_token(caller.token_id)
        answer = operation.run(_call(operation, request, ids, caller, now))
    except Unauthorized as refused:
        answer = refusal(operation.action_em, limits.unauthorized(refused, address))
    except Refused as refused:
        answer = refusal(operation.action_em, refused)
    except Exception as error:  # noqa: BLE001 -- the one place where a fault of ours becomes an answer
        reads = operation.method == "GET"
        answer = broken(operation.action_em, f"{request.method} {request.path}", error, reads=reads)
    if caller is not None:
        _note(caller, request, answer, now, started)
    return json_response(answer.answer, answer.status) if isinstance(answer, KeptAnswer) else respond(answer)


def broken(action_em: str, what: str, error: Exception, *, reads: bool = False) -> Answer:
    """The answer when something unforeseen ended `what`, which the log is told of: nothing of it was stored."""
    if is_passing(error):
        log.warning("The database could not serve %s: %s", what, in_one_line(error))
        return refusal(action_em, unanswered(error) if reads else unavailable(error))
    log.error("%s broke", what, exc_info=error)
    return fault(action_em)


def _call(operation: Operation, request: HttpRequest, ids: dict[str, Any], caller: Caller, now: int) -> ApiCall:
    if operation.scope is not None:
        caller.require(operation.scope)
    parameters = read_query(request) if operation.lines else read_parameters(request)
    body = read_text(request, MAX_LINES) if operation.lines else ""
    setting = Setting(caller.tenant.zone, caller.tenant.date_order, now)
    reader = Reader(frozenset(field.name for field in operation.fields), parameters, setting)
    key = _idempotency_key(request)
    digest = _digest(request, parameters, body) if key else b""
    return ApiCall(caller, now, reader, ids, partial(origin, request), body, key, digest)


def bearer(request: HttpRequest) -> str:
    """The token a request carries: as Bearer, or as user or password of Basic for hooks that can't set headers."""
    scheme, _, credentials = str(request.META.get("HTTP_AUTHORIZATION", "")).strip().partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        user, _, password = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    # Many programs ask for something in the other place too; it is not looked at.
    return next((part for part in (password, user) if is_well_formed(part)), "")


def _idempotency_key(request: HttpRequest) -> str:
    key = str(request.META.get("HTTP_IDEMPOTENCY_KEY", "")).strip() if request.method == "POST" else ""
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise Invalid(
            "Idempotency-Key", "is too long or unprintable", value=key, mend=f"give at most {LONGEST_KEY} characters"
        )
    return key


def _digest(request: HttpRequest, parameters: Parameters, body: str) -> bytes:
    """What makes a call the same call: method, path and parameters, whatever their order and encoding, and lines."""
    text = json.dumps([request.method, request.path, parameters.values, *([body] if body else [])], sort_keys=True)
    return hashlib.sha256(text.encode()).digest()


def _note(caller: Caller, request: HttpRequest, answer: Answer | KeptAnswer, now: int, started: float) -> None:
    words = ("response_success", "Answered as before, by its Idempotency-Key.")
    if isinstance(answer, Answer):
        words = (answer.response_em, answer.detail)
    took = round((time.monotonic() - started) * 1000)
    calls.note(Call(caller, now, request.method or "", request.path, answer.status, *words, took))
