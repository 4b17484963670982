"""The composition root's app: connects what lower floors may not know of each other."""

from django.apps import AppConfig


class ClearlineConfig(AppConfig):
    name = "config"
    label = "clearline"

    def ready(self) -> None:
        from common import events  # noqa: PLC0415 apps are loaded only now
        from config import checks, wakeups  # noqa: F401, PLC0415 registers the system checks

        events.set_waker(wakeups.wake)
