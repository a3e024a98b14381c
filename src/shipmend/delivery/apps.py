"""Django's entry to this app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import pre_delete


class DeliveryConfig(AppConfig):
    name = "shipmend.delivery"
    label = "delivery"

    def ready(self) -> None:
        """A repo is removed by the catalog, which knows nothing of what is derived of its releases."""
        pre_delete.connect(_repo_removed, sender="catalog.Repo", dispatch_uid="delivery")


def _repo_removed(instance: Any, **_: object) -> None:
    from shipmend.delivery.models import Release, ReleaseDiff, ReleaseLead, ShippedRun, Stream  # noqa: PLC0415 -- models load after the apps

    streams = Stream.objects.filter(entity_id=instance.entity_id, repo_id=instance.id).values("id")
    ShippedRun.objects.filter(entity_id=instance.entity_id, stream_id__in=streams).delete()
    releases = Release.objects.filter(entity_id=instance.entity_id, repo_id=instance.id).values("id")
    for derived in (ReleaseDiff, ReleaseLead):
        derived.objects.filter(entity_id=instance.entity_id, release_id__in=releases).delete()
