"""`manage.py demo_setup`: migrate and load the demonstration shop; doing it twice changes nothing."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from config.demo.shop import load_shop


class Command(BaseCommand):
    help = "Migrate and load the demonstration shop. Refused where real credits are retired."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.LIVEMODE:
            raise CommandError("This shop retires real credits; the demonstration shop belongs elsewhere.")
        call_command("migrate", verbosity=0, interactive=False)
        load_shop()
