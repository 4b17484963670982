"""`./run manage mirror_log [DIR] [--sandbox]`: write the public log as files, as part of every backup."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from certificates.logkeys import mode_of
from certificates.mirroring import mirror
from common.errors import DomainError


class Command(BaseCommand):
    help = (
        "Write the public log to DIR as tools/audit_log.py reads it: what is new is appended, nothing"
        " is rewritten. Without DIR, to the folder of this mode in CLEARLINE_LOG_MIRROR. Safe at any time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dir", type=Path, nargs="?")
        parser.add_argument("--sandbox", action="store_true", help="the log of demonstration rows")

    def handle(self, *args: Any, **options: Any) -> None:
        livemode = not options["sandbox"]
        path = options["dir"]
        if path is None:
            if settings.LOG_MIRROR is None:
                raise CommandError("Name a folder, or set CLEARLINE_LOG_MIRROR.")
            path = settings.LOG_MIRROR / mode_of(livemode=livemode)
        try:
            size = mirror(path, livemode=livemode)
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{size} entries in {path}.")
