"""`./run manage verify_ledger [--json]`: recompute every invariant of the ledger from its rows."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from offsets.models import Allocation, Credit, DeviceOffset, Retirement
from offsets.verify import CHECKS, violations


class Command(BaseCommand):
    help = "Recompute every invariant of the ledger from its rows. Exit 1 names the first row that is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(violations())
        summary = {
            "checks": [check.__name__ for check in CHECKS],
            "credits": Credit.objects.count(),
            "retirements": Retirement.objects.count(),
            "offsets": DeviceOffset.objects.count(),
            "allocations": Allocation.objects.count(),
            "violations": [violation.as_json() for violation in found],
            "ok": not found,
        }
        if options["json"]:
            self.stdout.write(json.dumps(summary))
        elif found:
            for violation in found:
                self.stderr.write(f"{violation.check}: {violation.row}: {violation.detail}")
        else:
            self.stdout.write(
                f"{len(CHECKS)} checks passed: {summary['credits']} credits,"
                f" {summary['retirements']} retirements, "
                f"{summary['offsets']} offsets, {summary['allocations']} allocations."
            )
        if found:
            sys.exit(1)
