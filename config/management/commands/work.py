"""`./run manage work`: the worker without a broker. Runs every sweep in a loop until it is told to stop."""

import logging
import signal
import threading
import time
from argparse import ArgumentParser
from typing import Any

from celery import current_app
from django.core.management.base import BaseCommand
from django.db import close_old_connections

from config.wakeups import SWEEPS

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Run every sweep in a loop, without a broker. SIGTERM or Ctrl-C ends it after the current sweep."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round of every sweep, then end")
        parser.add_argument("--pause", type=float, default=0.5, help="seconds between rounds (0.5)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            run_round()
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        while not stop.is_set():
            run_round(stop=stop)
            stop.wait(options["pause"])


def run_round(*, stop: threading.Event | None = None) -> None:
    """Each sweep once, in the order in which an order passes through them; short sleeps let buyers write."""
    current_app.loader.import_default_modules()
    for name in SWEEPS:
        if stop is not None and stop.is_set():
            return
        close_old_connections()
        try:
            current_app.tasks[name]()
        # The embedded worker outlives any sweep: what failed is logged, and the next round tries again.
        except Exception:  # noqa: BLE001 the worker outlives any sweep
            log.exception("sweep failed name=%s", name)
        time.sleep(0.005)
