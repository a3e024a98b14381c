"""Calls to the API that work when pasted into a shell, carrying the reader's own host and paths."""

from __future__ import annotations

from shlex import quote

from shipmend.core.values import ResourcePath

TOKEN = "$SHIPMEND_TOKEN"  # noqa: S105 -- the name of a shell variable
"""Stands for the reader's token where it can't be shown."""


def check_call(origin: str, token: str = TOKEN) -> str:
    """Ask whether a token works."""
    return _call(origin, "api_tokens", token)


def release_call(origin: str, path: ResourcePath, token: str = TOKEN) -> str:
    """Record that the commit checked out here goes live now."""
    fields = (f"-d resource_path={path}", '-d release_sha="$(git rev-parse HEAD)"', "-d release_now=true")
    return _call(origin, "releases", token, *fields)


def release_now_call(origin: str, path: ResourcePath, token: str = TOKEN) -> str:
    """Record that what stands on the release branch goes live now; to be pasted anywhere, in a checkout or not."""
    return _call(origin, "releases", token, f"-d resource_path={path}", "-d release_now=true", '-d name="First try"')


def defect_call(origin: str, path: ResourcePath, token: str = TOKEN) -> str:
    """Record that something broke."""
    fields = (f"-d resource_path={path}", "-d defect_key=OUTAGE-1", "-d detected_now=true")
    return _call(origin, "critical_defects", token, *fields, '-d description="What users see"')


def fix_call(origin: str, path: ResourcePath, key: str, token: str = TOKEN) -> str:
    """Record that a fix for a defect is released."""
    # A key may hold characters that mean something in a form.
    named = f"--data-urlencode {quote(f'defect_key={key}')}"
    return _call(origin, "critical_defects", token, f"-d resource_path={path}", named, "-d fix_released_now=true")


def _call(origin: str, action: str, token: str, *fields: str) -> str:
    head = (f"curl {quote(f'{origin}/api/v1/{action}')}", f'-H "Authorization: Bearer {token}"')
    return " \\\n  ".join((*head, *fields))
