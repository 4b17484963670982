from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"

    def ready(self) -> None:
        from common import triggers  # noqa: PLC0415 apps are loaded only now

        # A sheet and a factor are facts of a day: a new figure is a new row, and the database holds that.
        triggers.register(
            *triggers.append_only("catalog.PcfSheet"), *triggers.append_only("catalog.GridFactor")
        )
