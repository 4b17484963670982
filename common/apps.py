from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class CommonConfig(AppConfig):
    name = "common"

    def ready(self) -> None:
        from common import triggers  # noqa: PLC0415 apps are loaded only now

        triggers.register(*triggers.append_only("common.Event"))
        # Once for each `migrate`: the signals come for every app, each time after all the migrations.
        pre_migrate.connect(triggers.drop_before_migrate, sender=self, dispatch_uid="drop_triggers")
        post_migrate.connect(triggers.install_after_migrate, sender=self, dispatch_uid="install_triggers")
