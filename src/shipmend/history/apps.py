from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete


class HistoryConfig(AppConfig):
    name = "shipmend.history"
    label = "history"

    def ready(self) -> None:
        """A repo is removed by the catalog, which knows nothing of history: its commits go with it."""
        post_delete.connect(_repo_removed, sender="catalog.Repo", dispatch_uid="history")


def _repo_removed(instance: Any, **_: object) -> None:
    from shipmend.history.actions import abandon_history  # noqa: PLC0415 -- models load after the apps

    abandon_history(instance)
