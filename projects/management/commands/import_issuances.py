"""./run manage import_issuances FILE [--as-of DATE]: a registry's report of issuances into quality facts."""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from projects.errors import UnreadableIssuances
from projects.issuances import import_issuances


class Command(BaseCommand):
    help = "Keep what a CAR or CDM report of issuances says of our projects: all of it or nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--as-of", type=date.fromisoformat, help="the day of the report, YYYY-MM-DD; today if not given"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path}: cannot be read ({error.strerror}).") from error
        try:
            done = import_issuances(content, as_of=options["as_of"] or timezone.now().date())
        except UnreadableIssuances as error:
            raise CommandError(f"{error.message} Nothing was written.") from error
        self.stdout.write(
            f"{done.issuances} issuances of {done.projects} projects: {done.new_facts} new facts; "
            f"{done.passed_over} rows of projects that are not sold here."
        )
