"""Read products, options and prices from our own CSV files (docs/importing.md)."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog import products
from common.errors import DomainError


class Command(BaseCommand):
    help = "Add or change products, options and prices; all the rows of all the files, or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", type=Path, nargs="+", help="CSV of products or of options, told by its header"
        )
        parser.add_argument("--dry-run", action="store_true", help="check, and store nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = products.import_products(options["file"], dry_run=options["dry_run"])
        except DomainError as error:
            raise CommandError(error.message) from error
        verb = "would be stored" if options["dry_run"] else "stored"
        self.stdout.write(
            f"{done.products} products, {done.options} options and {done.prices} prices {verb}."
        )
