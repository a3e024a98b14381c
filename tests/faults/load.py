"""Clients that write and read as scripts do, and note everything in a history."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from tests.faults.history import Event, History, Outcome
from tests.faults.instance import Instance

FIRST_DAY = 1_600_000_000
PAUSE = 0.02
"""Seconds before a client tries again to connect."""
TIMEOUT = 20.0


@dataclass(frozen=True)
class Call:
    """A POST that may be sent again as it is. `cell` and `value` are what it is about to the judge."""

    path: str
    form: dict[str, str]
    cell: str
    value: str
    key: str = ""
    """An Idempotency-Key, or none."""
    is_repeat: bool = False


@dataclass
class Client:
    """One client: it writes to cells of its own, one call after the other, and repeats what got no answer."""

    instance: Instance
    history: History
    name: str
    chance: random.Random
    statuses: dict[int, int] = field(default_factory=dict)
    _connection: http.client.HTTPConnection | None = None
    _defects: list[str] = field(default_factory=list)
    _count: int = 0

    def go(self, stopping: threading.Event) -> None:
        """Until told to stop."""
        call: Call | None = None
        while not stopping.is_set():
            if not self._connected():
                time.sleep(PAUSE)
                continue
            call = call or self._next()
            if self.chance.random() < 0.15 and self._defects:
                self._read(self.chance.choice(self._defects))
            outcome = self._write(call)
            again = outcome is Outcome.UNKNOWN or self.chance.random() < 0.1
            call = replace(call, is_repeat=True) if again else None
        self._drop()

    def _next(self) -> Call:
        self._count += 1
        key = uuid4().hex if self.chance.random() < 0.5 else ""
        repo = f"e/acme/r{self.chance.randrange(4)}"
        at = FIRST_DAY + self._count * 60
        kind = self.chance.choice(["defect", "change", "fix", "release"] if self._defects else ["defect", "release"])
        if kind == "release":
            sha = f"{abs(hash(self.name)) % 2**64:016x}{self._count:024x}"
            form = {"resource_path": repo, "release_sha": sha, "released_at": str(at), "name": f"v{self._count}"}
            return Call("releases", form, f"release {sha}", f"v{self._count}", key)
        form = {"resource_path": repo, "detected_at": str(FIRST_DAY), "description": f"d{self._count}"}
        if kind == "defect":
            name = f"{self.name}-{self._count}"
            self._defects.append(name)
            return Call("critical_defects", {**form, "defect_key": name}, f"defect {name}", f"d{self._count}", key)
        name = self.chance.choice(self._defects)
        if kind == "change":
            # A defect stays where it was found: its path is not sent again with another one.
            form = {"resource_path": "e", "description": form["description"]}
            return Call("critical_defects", {**form, "defect_key": name}, f"defect {name}", f"d{self._count}", key)
        form = {"resource_path": repo, "defect_key": name, "fix_released_at": str(at)}
        return Call("critical_defects", form, f"fix {name} {at}", "there", key)

    def _connected(self) -> bool:
        if self._connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.instance.port, timeout=TIMEOUT)
            try:
                connection.connect()
            except OSError:
                return False
            self._connection = connection
        return True

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _write(self, call: Call) -> Outcome:
        began = time.monotonic()
        status, answer = self._send("POST", call.path, urlencode(call.form), call.key)
        outcome = _outcome(status)
        created = str(answer.get("action_em", "")).endswith("_created") and not (call.key and call.is_repeat)
        is_of_cell = not call.cell.startswith("fix ")
        event = Event(began, time.monotonic(), call.cell, call.value, outcome, created=created and is_of_cell)
        self.history.add(event)
        return outcome

    def _read(self, name: str) -> None:
        began = time.monotonic()
        status, answer = self._send("GET", f"critical_defects/{quote(name)}", "", "")
        if status in (200, 404):
            value = answer["defect"]["description"] if status == 200 else None
            seen = Event(began, time.monotonic(), f"defect {name}", value, Outcome.ACKNOWLEDGED, is_read=True)
            self.history.add(seen)

    def _send(self, method: str, path: str, body: str, key: str) -> tuple[int, dict[str, Any]]:
        """The status and the answer; 0 when there was none."""
        if not self._connected():
            return 0, {}
        assert self._connection is not None
        headers = {
            "Authorization": f"Bearer {self.instance.token}",
            "Content-Type": "application/x-www-form-urlencoded",
            **({"Idempotency-Key": key} if key else {}),
        }
        try:
            self._connection.request(method, f"/api/v1/{path}", body or None, headers)
            response = self._connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            self._drop()
            return 0, {}
        self.statuses[response.status] = self.statuses.get(response.status, 0) + 1
        return response.status, answer


def _outcome(status: int) -> Outcome:
    if status in (200, 202):
        return Outcome.ACKNOWLEDGED
    return Outcome.REFUSED if status else Outcome.UNKNOWN


@dataclass
class Load:
    """Clients at work."""

    history: History
    clients: list[Client]
    stopping: threading.Event

    def count(self, status: int) -> int:
        """How many answers had that status."""
        return sum(client.statuses.get(status, 0) for client in self.clients)

    @property
    def statuses(self) -> dict[int, int]:
        """How many answers had each status."""
        codes = {status for client in self.clients for status in client.statuses}
        return {status: self.count(status) for status in sorted(codes)}


@contextmanager
def load(instance: Instance, history: History, *, clients: int, seed: int) -> Iterator[Load]:
    """So many clients, until the block ends. Each load writes to cells of its own."""
    stopping = threading.Event()
    run = uuid4().hex[:6]
    made = [Client(instance, history, f"{run}x{n}", random.Random(f"{seed} {n}")) for n in range(clients)]
    threads = [threading.Thread(target=client.go, args=(stopping,), daemon=True) for client in made]
    for thread in threads:
        thread.start()
    try:
        yield Load(history, made, stopping)
    finally:
        stopping.set()
        for thread in threads:
            thread.join(TIMEOUT + 10)
        assert not any(thread.is_alive() for thread in threads)
