from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts.roles import assign_roles  # noqa: PLC0415 models are loaded only now

        post_migrate.connect(assign_roles, dispatch_uid="accounts.roles")
