"""`shipmend login-link`: back in without a password."""

from __future__ import annotations

from shipmend.accounts.people import find_user
from shipmend.cli import links


def run(*, email: str) -> int:
    """Print a link that signs the user in once."""
    print(links.origin() + links.login_path(find_user(email)))
    return 0
