"""`./run manage reconcile FILE [--as-of DATE] [--release REASON] [--json]`, or `--journal FILE`."""

import json
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from common.errors import DomainError
from offsets import epoch
from offsets.adopting import adopt, read_journal
from offsets.reconciling import reconcile
from offsets.verdicts import Verdict

ACTOR = "command:reconcile"


class Command(BaseCommand):
    help = (
        "Hold our retirements against the CAR's report or the CDM's list, or make our rows agree"
        " with a gateway's own journal (--journal), which also releases a restored ledger."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--journal", action="store_true", help="FILE is a gateway's own journal")
        parser.add_argument("--as-of", type=date.fromisoformat, help="the report's day (today)")
        parser.add_argument(
            "--release", metavar="REASON", help="all verdicts are good: release a held ledger"
        )
        parser.add_argument("--json", action="store_true", help="one JSON line per retirement")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            content = options["file"].read_bytes()
            if options["journal"]:
                self.follow_journal(content)
            else:
                self.follow_report(content, options)
        except (OSError, DomainError) as error:
            raise CommandError(str(error)) from error

    def follow_journal(self, content: bytes) -> None:
        lines = read_journal(content)
        adopted = adopt(lines, actor=ACTOR, now=timezone.now())
        for retirement in adopted:
            self.stdout.write(f"adopted {retirement.reference}: {retirement.credits} credits")
        released = epoch.release_hold(reason="reconciled with the journal", actor=ACTOR)
        self.stdout.write(
            f"{len(lines)} lines, {len(adopted)} adopted{'; the ledger is released' if released else ''}."
        )

    def follow_report(self, content: bytes, options: dict[str, Any]) -> None:
        now = timezone.now()
        judgements, alarms = reconcile(
            content,
            name=options["file"].name,
            as_of=options["as_of"] or now.date(),
            livemode=settings.LIVEMODE,
            actor=ACTOR,
            now=now,
        )
        for found in judgements:
            line = {"reference": found.reference, "verdict": found.verdict, "detail": found.detail}
            self.stdout.write(json.dumps(line) if options["json"] else "  ".join(line.values()))
        for alarm in alarms:
            self.stderr.write(f"ALARM {alarm.detail}")
        if alarms:
            raise CommandError(f"{len(alarms)} alarms: the projects' stock is stopped until staff clear it.")
        if options["release"]:
            bad = [found for found in judgements if found.verdict not in {Verdict.CONFIRMED, Verdict.NOT_YET}]
            if bad:
                raise CommandError(f"{len(bad)} retirements are not as we say; the ledger stays held.")
            epoch.release_hold(reason=options["release"], actor=ACTOR)
