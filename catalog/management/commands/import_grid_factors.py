"""Read grid factors of countries and regions from a CSV file (docs/importing.md)."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog import services
from common.errors import DomainError


class Command(BaseCommand):
    help = "Store the grid factors of a file; a figure that is stored already changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV of grid factors")
        parser.add_argument("--dry-run", action="store_true", help="check, and store nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = services.import_grid_factors(options["file"], dry_run=options["dry_run"])
        except DomainError as error:
            raise CommandError(error.message) from error
        verb = "would be stored" if options["dry_run"] else "stored"
        self.stdout.write(f"{done.rows} factors read, {done.new} new ones {verb}.")
        if done.left_out:
            places = ", ".join(done.left_out)
            self.stdout.write(f"Left out, because no grid emits nothing: {places}. Their region stands in.")
