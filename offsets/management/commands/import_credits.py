"""`./run manage import_credits FILE [--dry-run]`: take credit blocks into stock, all rows or none."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from offsets.importing import InvalidCreditFile, import_blocks, read_blocks


class Command(BaseCommand):
    help = "Take credit blocks into stock from a CSV: all rows or none (docs/importing-credits.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="check every row and store nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            content = options["file"].read_bytes()
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        try:
            blocks = read_blocks(content)
        except InvalidCreditFile as error:
            for problem in error.details:
                self.stderr.write(f"row {problem['row']}: {problem['problem']}")
            raise CommandError(error.message) from error
        credits = sum(block.serials.credits for block in blocks)
        if options["dry_run"]:
            self.stdout.write(f"Dry run, nothing was stored. Blocks: {len(blocks)}, credits: {credits}.")
            return
        try:
            import_blocks(blocks, actor="command:import_credits", now=timezone.now())
        except InvalidCreditFile as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Stored. Blocks: {len(blocks)}, credits: {credits}.")
