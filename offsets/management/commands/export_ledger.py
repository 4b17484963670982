"""`./run manage export_ledger DIR`: the ledger as plain files, for tools/verify_export.py."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from offsets.exporting import export_ledger


class Command(BaseCommand):
    help = (
        "Write the ledger as plain files to a new folder; tools/verify_export.py recomputes every invariant."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = export_ledger(options["folder"], now=timezone.now())
        except OSError as error:
            raise CommandError(str(error)) from error
        for name, entry in manifest["files"].items():
            self.stdout.write(f"{name:<13} {entry['rows']} rows")
