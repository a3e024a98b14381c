"""The rows behind figures as the API shows them: as JSON, and as lines of CSV with the same columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from shipmend.api.envelope import cause_json, fix_members, release_members, time_json
from shipmend.core.sheets import csv_line
from shipmend.reports.commit_rows import AuditedCommit
from shipmend.reports.defect_rows import AuditedDefect, AuditedFix
from shipmend.reports.release_rows import AuditedRelease
from shipmend.reports.ticket_rows import AuditedTicket

T = TypeVar("T")


def commit_row(row: AuditedCommit) -> dict[str, Any]:
    """A commit."""
    return {
        "sha": row.commit.sha,
        "resource_path": str(row.path),
        "subject": row.commit.subject,
        "author_name": row.commit.author_name,
        "author_email": row.commit.author_email,
        "authored_at": time_json(row.commit.authored_at),
        "is_merge": row.commit.is_merge,
        "release_id": str(row.release_id),
        "released_at": time_json(row.released_at),
        "lead_seconds": row.lead_seconds,
        "excluded_because": row.reason,
        "counts_as": row.counts_as,
        "issue_keys": list(row.commit.tickets),
    }


def release_row(row: AuditedRelease) -> dict[str, Any]:
    """A release."""
    lead = row.lead
    return {
        **release_members(row),
        "is_counted": row.reason is None,
        "excluded_because": row.reason,
        "counts_as": row.counts_as,
        "undone_by": str(row.undone_by) if row.undone_by else None,
        "caused_defects": [{"defect_key": defect.key, "kind": defect.kind} for defect in row.caused],
        "carried_fixes": list(row.fixes),
        "commits": lead.commits,
        "commits_with_lead_time": len(lead.times),
    }


def defect_row(row: AuditedDefect) -> dict[str, Any]:
    """A defect."""
    return {
        "defect_key": row.key,
        "resource_path": str(row.path),
        "repos": [str(path) for path in row.repos],
        "severity": row.severity,
        "detected_at": time_json(row.detected_at),
        "first_fix_at": time_json(row.first_fix_at),
        "resolved_at": time_json(row.resolved_at),
        "time_to_first_fix_seconds": row.time_to_first_fix_seconds,
        "recovery_seconds": row.recovery_seconds,
        "excluded_because": row.reason,
        "counts_as": row.counts_as,
        "cause": cause_json(row.cause),
        "cause_counts": row.cause_counts,
        "fixes": [_fix(fix) for fix in row.fixes],
    }


def ticket_row(row: AuditedTicket) -> dict[str, Any]:
    """A ticket."""
    return {
        "issue_key": row.key,
        "commits": row.commits,
        "repos": [str(path) for path in row.repos],
        "release_id": str(row.release_id),
        "released_at": time_json(row.released_at),
    }


def as_json_lines(rows: Iterable[T], show: Callable[[T], dict[str, Any]]) -> Iterator[str]:
    """One object a line."""
    for row in rows:
        yield json.dumps(show(row), ensure_ascii=False) + "\n"


def as_csv(rows: Iterable[T], show: Callable[[T], dict[str, Any]], columns: Iterable[str]) -> Iterator[str]:
    """A line of names, and one for each row; what has parts is JSON in its cell."""
    yield csv_line(columns)
    for row in rows:
        yield csv_line(_cell(value) for value in show(row).values())


def _cell(value: object) -> str | int | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, int) else json.dumps(value, ensure_ascii=False)


def _fix(fix: AuditedFix) -> dict[str, Any]:
    return {
        **fix_members(fix),
        "carried_by": str(fix.carried_by) if fix.carried_by else None,
        "is_holding": fix.is_holding,
    }
