"""`./run manage settle_log [DIR] [--sandbox] --actor NAME --reason TEXT`: docs/operations.md says when."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from certificates.management.commands import mirror_log
from certificates.settling import settle
from common.errors import DomainError


class Command(mirror_log.Command):
    help = (
        "The database was restored and is behind the mirror of its public log: take over what the mirror"
        " holds beyond it, and keep taken what the log has given out. Stop the workers first, and reconcile."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--actor", required=True, help="who settles it, as in staff:anna")
        parser.add_argument("--reason", required=True, help="why the database is behind, and how you know")

    def handle(self, *args: Any, **options: Any) -> None:
        livemode = not options["sandbox"]
        try:
            done = settle(
                self.folder(options),
                livemode=livemode,
                reason=options["reason"],
                actor=options["actor"],
                now=timezone.now(),
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"{done.taken_over} entries taken over; the log has {done.size}. Claims of forgotten devices:"
            f" {done.forgotten}. Promised again: {done.promised_again}. Reversed: {done.reversed}."
        )
