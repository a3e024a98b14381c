"""Where a repo's mirror lies, and how its remote is reached."""

from __future__ import annotations

import os
from contextlib import suppress
from uuid import UUID

from django.conf import settings

from shipmend.catalog.models import Repo
from shipmend.config import Config
from shipmend.git.connect import Access
from shipmend.git.errors import HostNotFound
from shipmend.git.mirror import Mirror
from shipmend.git.remotes import Remote, check_address, parse_remote

PASSED_ON = ("GIT_SSL_CAINFO", "GIT_SSL_CAPATH")
"""What of the operator's environment git sees: whose certificates it trusts."""


def mirror_of(repo_id: UUID) -> Mirror:
    """A repo's mirror in this instance's data folder; it need not exist yet."""
    config: Config = settings.CONFIG
    return Mirror(config.data / "mirrors" / f"{repo_id}.git")


def remote_of(repo: Repo) -> Remote:
    """The repo's remote, with its secret. Raises RemoteRefused for an address that was never registered as it is."""
    return parse_remote(repo.remote_url, allow_local=repo.is_local).with_secret(repo.remote_secret or None)


def address_to_register(text: str) -> Remote:
    """The remote at an address that somebody gives who is not the operator. Raises RemoteRefused.

    A host that can't be found may be back by the time it is fetched; if not, the repo's page says so in words.
    """
    remote = parse_remote(text, allow_local=False)
    with suppress(HostNotFound):
        check_address(remote, allow_private=settings.CONFIG.allow_private_remotes)
    return remote


def access() -> Access:
    """What the operator of this instance allows, and where its ssh key lies."""
    config: Config = settings.CONFIG
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return Access(allow_private=config.allow_private_remotes, ssh_dir=config.data / "ssh", environment=environment)
