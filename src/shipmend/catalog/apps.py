from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "shipmend.catalog"
    label = "catalog"
