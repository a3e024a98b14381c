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
from shipmend.db.writes import write


class Questions:
    """Those of one block, once it has ended."""

    count = 0


@contextmanager
def asked() -> Iterator[Questions]:
    """`with asked() as questions: …`; those of this thread, and of statements in any."""
    calls.flush()  # which would otherwise be stored in the background, perhaps just now
    write(lambda: None)
    questions = Questions()
    execute = Statement._execute

    def counting(self: Statement, *args: Any) -> Any:
        questions.count += 1
        return execute(self, *args)

    with pytest.MonkeyPatch.context() as patch, CaptureQueriesContext(connection) as seen:
        patch.setattr(Statement, "_execute", counting)
        yield questions
    questions.count += len(seen)
