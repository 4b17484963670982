"""`manage.py demo_purchase [--json] [--work]`: play one purchase to its end."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.errors import DomainError
from config.demo.purchase import PurchaseStuck, play
from config.management.commands.work import run_round


class Command(BaseCommand):
    help = "Play one purchase to its certificate: with the worker that is running, or with --work by itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON line")
        parser.add_argument("--work", action="store_true", help="run the sweeps here; no worker is needed")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            purchase = play(work=run_round if options["work"] else None)
        except (PurchaseStuck, DomainError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(purchase))
            return
        for name, value in purchase.items():
            self.stdout.write(f"{name:<17} {value}")
