from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "shipmend.web"
    label = "web"
