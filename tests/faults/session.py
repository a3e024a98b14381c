"""A session of the real service on SQLite, as its own statements: `python -m tests.faults.session CALLS`.

Run in a fresh data folder. Prints, as JSON lines in the order in which they happened: every statement of the
connection that migrates and of the one that writes, values filled in, and every call with its acknowledgement.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl

from tests.faults.history import Event, History, Outcome
from tests.faults.load import Client

CLIENTS = 6
Items = list[list[str]]


class Api(Protocol):
    """As tests.world.Api, which can't be imported before Django is set up."""

    def get(self, path: str) -> Any:
        """GET."""

    def post(self, path: str, parameters: dict[str, str], key: str) -> Any:
        """POST."""


@dataclass
class Noted(History):
    """A history that goes into the items."""

    items: Items = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Note how a call ended."""
        if not event.is_read and event.value is not None:
            said = "ack" if event.outcome is Outcome.ACKNOWLEDGED else "refused"
            self.items.append([said, event.cell, event.value])


@dataclass(kw_only=True)
class Local(Client):
    """A client in this process: always connected, always answered."""

    api: Api
    paths: dict[str, str]
    items: Items

    def _connected(self) -> bool:
        return True

    def _send(self, method: str, path: str, body: str, key: str) -> tuple[int, dict[str, Any]]:
        form = dict(parse_qsl(body))
        if method == "GET":
            reply = self.api.get(path)
        else:
            self.items.append(["try", *_cell(form)])
            reply = self.api.post(path, {**form, "resource_path": self.paths[form["resource_path"]]}, key=key)
        return reply.status, reply.json


def _cell(form: dict[str, str]) -> tuple[str, str]:
    if "release_sha" in form:
        return f"release {form['release_sha']}", form["name"]
    if "fix_released_at" in form:
        return f"fix {form['defect_key']} {form['fix_released_at']}", "there"
    return f"defect {form['defect_key']}", form["description"]


def main(calls: int) -> None:
    """Migrate, furnish, make so many calls, print."""
    from shipmend.bootstrap import bring_tables_up_to_date, open_instance

    open_instance(migrate=False)

    from django.db import connections
    from django.db.backends.signals import connection_created

    items: Items = []
    told = {"MainThread", "writer"}

    def trace(connection: Any, **_: object) -> None:
        if threading.current_thread().name in told:
            connection.connection.set_trace_callback(lambda sql: items.append(["sql", sql]))

    connection_created.connect(trace)
    bring_tables_up_to_date()
    connections.close_all()
    told.discard("MainThread")
    items.append(["migrated"])
    _write(items, calls)
    for item in items:
        print(json.dumps(item))


def _write(items: Items, calls: int) -> None:
    from tests.world import World

    world = World.make()
    paths = {f"e/acme/r{n}": str(world.repo(f"r{n}").path) for n in range(4)} | {"e": str(world.path)}
    stopping, history = threading.Event(), Noted(items=items)
    clients = [
        Local(None, history, f"c{n}", random.Random(n), api=world.api(), paths=paths, items=items)  # type: ignore[arg-type]  # it has no instance
        for n in range(CLIENTS)
    ]
    threads = [threading.Thread(target=client.go, args=(stopping,)) for client in clients]
    for thread in threads:
        thread.start()
    while sum(item[0] == "ack" for item in list(items)) < calls:
        time.sleep(0.1)
    stopping.set()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(int(sys.argv[1]))
