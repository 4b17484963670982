from django.apps import AppConfig


class CertificatesConfig(AppConfig):
    name = "certificates"

    def ready(self) -> None:
        from certificates import checks  # noqa: F401, PLC0415 registers them
        from certificates.triggers import TRIGGERS  # noqa: PLC0415
        from common import triggers  # noqa: PLC0415 apps are loaded only now

        triggers.register(*TRIGGERS)
