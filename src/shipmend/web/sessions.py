"""Where sessions are kept: Django's table, written like everything else through `shipmend.db.writes`."""

from __future__ import annotations

from django.contrib.sessions.backends import db

from shipmend.db.writes import write


class SessionStore(db.SessionStore):
    """Django's database sessions; on SQLite a save joins the group commit and never waits for the write lock."""

    def save(self, must_create: bool = False) -> None:
        """Store the session. Raises what Django's own store raises."""
        write(lambda: db.SessionStore.save(self, must_create))

    def delete(self, session_key: str | None = None) -> None:
        """Forget a session, this one unless another is named."""
        write(lambda: db.SessionStore.delete(self, session_key))
