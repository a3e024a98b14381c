from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "shipmend.audit"
    label = "audit"
