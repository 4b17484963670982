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
        path = self.folder(options)
        try:
            size = mirror(path, livemode=not options["sandbox"])
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{size} entries in {path}.")

    def folder(self, options: dict[str, Any]) -> Path:
        """The folder that was named, or the one of this mode in the environment."""
        named: Path | None = options["dir"]
        if named is not None:
            return named
        if settings.LOG_MIRROR is None:
            raise CommandError("Name a folder, or set CLEARLINE_LOG_MIRROR.")
        mirrors: Path = settings.LOG_MIRROR
        return mirrors / mode_of(livemode=not options["sandbox"])
