"""./run manage import_projects FILE [--dry-run]: the format is in docs/importing-projects.md."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from projects.errors import BadProjectFile
from projects.importing import import_projects


class Command(BaseCommand):
    help = "Read registries, methodologies, projects and prices from a TOML file: all of it or nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would change and write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            text = path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise CommandError(f"{path}: cannot be read ({error.strerror}).") from error
        except UnicodeDecodeError as error:
            raise CommandError(
                f"{path}: not UTF-8 (byte {error.start}). Save it as UTF-8 and import again."
            ) from error
        try:
            result = import_projects(text, dry_run=options["dry_run"])
        except BadProjectFile as error:
            lines = [f"{problem['place']}: {problem['detail']}" for problem in error.details]
            raise CommandError("\n".join([*lines, error.message])) from error
        for verdict in ("created", "updated", "unchanged"):
            references = getattr(result, verdict)
            self.stdout.write(f"{verdict}: {len(references)}" + "".join(f"\n  {ref}" for ref in references))
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was written.")
