from importlib import import_module

from django.apps import AppConfig


class PartnersConfig(AppConfig):
    name = "partners"

    def ready(self) -> None:
        import_module("partners.schema")  # tells the OpenAPI generator what a key is
