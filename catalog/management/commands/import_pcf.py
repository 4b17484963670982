"""Read a file of product carbon footprints: Boavizta's format or our own (docs/importing.md)."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog import services
from catalog.importing import findings
from common.errors import DomainError


class Command(BaseCommand):
    help = "Store the product carbon footprints of a CSV file; rejected rows are reported and store nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV: Boavizta's format (US or FR) or our own")
        parser.add_argument("--dry-run", action="store_true", help="report, and store nothing")
        parser.add_argument(
            "--report", type=Path, metavar="OUT.csv", help="write a line about every row here"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = services.import_pcf(options["file"], dry_run=options["dry_run"], report=options["report"])
        except DomainError as error:
            raise CommandError(error.message) from error
        verdicts = ", ".join(
            f"{done.verdicts[verdict]} {verdict}"
            for verdict in (findings.ACCEPTED, findings.INCOMPLETE, findings.REJECTED)
        )
        self.stdout.write(f"{done.rows} rows: {verdicts}.")
        verb = "would be stored" if options["dry_run"] else "stored"
        self.stdout.write(
            f"{done.new_sheets} new sheets and {done.new_versions} new versions {verb}; "
            f"{done.unchanged} known already."
        )
        if done.moved_products:
            self.stdout.write(f"{done.moved_products} products now show a new version of their sheet.")
        if done.missing_columns:
            self.stdout.write(
                f"The file has no column {', '.join(done.missing_columns)}: no row can be accepted."
            )
        if done.unused_columns:
            self.stdout.write(f"Columns not read: {', '.join(done.unused_columns)}.")
