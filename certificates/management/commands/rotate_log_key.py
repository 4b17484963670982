"""`./run manage rotate_log_key [--sandbox] --actor NAME --reason TEXT`: docs/operations.md says when."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from certificates.keychange import rotate
from common.errors import DomainError


class Command(BaseCommand):
    help = (
        "The environment holds a new key of the public log: let it sign from here on, under a new name that"
        " names the last checkpoint of the former key. Stop the workers first."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sandbox", action="store_true", help="the log of demonstration rows")
        parser.add_argument("--actor", required=True, help="who does it, as in staff:anna")
        parser.add_argument("--reason", required=True, help="why the log gets a new key")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            keys = rotate(
                livemode=not options["sandbox"],
                reason=options["reason"],
                actor=options["actor"],
                now=timezone.now(),
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"The log is now {keys.current.origin}. Publish its key:\n{keys.current}")
