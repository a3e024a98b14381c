"""An app without tables of its own, so that what every database is asked is in place before any is opened."""

from django.apps import AppConfig
from django.db.models.signals import pre_migrate

from shipmend.db.postgres import refuse_other_encodings


class DatabaseConfig(AppConfig):
    name = "shipmend.db"
    label = "db"

    def ready(self) -> None:
        """Look at a database before its first table is made."""
        pre_migrate.connect(refuse_other_encodings, dispatch_uid="encoding")
