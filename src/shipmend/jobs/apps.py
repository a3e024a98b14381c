from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "shipmend.jobs"
    label = "jobs"
