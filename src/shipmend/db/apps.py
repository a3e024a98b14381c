"""An app without tables of its own, so that what every database is asked is in place before any is opened."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import pre_migrate

from shipmend.db.postgres import refuse_other_encodings, speak_iso


class DatabaseConfig(AppConfig):
    name = "shipmend.db"
    label = "db"

    def ready(self) -> None:
        """Have each connection set up, and a database looked at before its first table is made."""
        connection_created.connect(speak_iso, dispatch_uid="iso")
        pre_migrate.connect(refuse_other_encodings, dispatch_uid="encoding")
