"""`shipmend user role`: what a user may do in an entity."""

from __future__ import annotations

from shipmend.accounts.people import set_role
from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.queries import find_tenant
from shipmend.core.values import Role


def run(*, email: str, entity: str, role: Role) -> int:
    """Make the user a member, or change their role."""
    membership = set_role(tenant=find_tenant(entity), email=email, role=role, actor=COMMAND_LINE)
    print(f"{membership.user.email} is now {role} of {entity}.")
    return 0
