"""`./run manage reconcile FILE [--as-of DATE] [--json]`: hold our retirements against a registry's report."""

import json
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from offsets.reconciling import reconcile
from offsets.registries.reports import UnreadableReport


class Command(BaseCommand):
    help = "Hold our retirements against the CAR's public report or the CDM cancellation list."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--as-of", type=date.fromisoformat, help="the report's day (today)")
        parser.add_argument("--json", action="store_true", help="one JSON line per retirement")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            judgements, alarms = reconcile(
                options["file"].read_bytes(),
                name=options["file"].name,
                as_of=options["as_of"] or now.date(),
                livemode=settings.LIVEMODE,
                actor="command:reconcile",
                now=now,
            )
        except (OSError, UnreadableReport) as error:
            raise CommandError(str(error)) from error
        for found in judgements:
            line = {"reference": found.reference, "verdict": found.verdict, "detail": found.detail}
            self.stdout.write(json.dumps(line) if options["json"] else "  ".join(line.values()))
        for alarm in alarms:
            self.stderr.write(f"ALARM {alarm.detail}")
        if alarms:
            raise CommandError(f"{len(alarms)} alarms: the projects' stock is stopped until staff clear it.")
