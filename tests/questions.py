"""How many questions something asks the database, by the ORM and by statements of our own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shipmend.accounts.calls import calls
from shipmend.db.sql import Statement


class Questions:
    """Those of one block, once it has ended."""

    count = 0


@contextmanager
def asked() -> Iterator[Questions]:
    """`with asked() as questions: …`; those of this thread, and of statements in any."""
    questions = Questions()
    execute = Statement._execute

    def counting(self: Statement, *args: Any) -> Any:
        questions.count += 1
        return execute(self, *args)

    flush = calls.flush
    with pytest.MonkeyPatch.context() as patch:
        # The log of calls is stored from a thread of its own: once more now, and then not until the block has ended.
        patch.setattr(calls, "flush", lambda: None)
        flush()
        with CaptureQueriesContext(connection) as seen:
            patch.setattr(Statement, "_execute", counting)
            yield questions
    questions.count += len(seen)
