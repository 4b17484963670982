from django.apps import AppConfig


class OffsetsConfig(AppConfig):
    name = "offsets"

    def ready(self) -> None:
        from common import triggers  # noqa: PLC0415 apps are loaded only now
        from offsets.triggers import TRIGGERS  # noqa: PLC0415

        triggers.register(*TRIGGERS)
