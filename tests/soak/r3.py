"""R3: a hostile broker on loopback, each mode of r3_modes.py n times, through the real adapter and sweeps.

Whatever it does: no order is placed twice, no lie is confirmed, every sweep ends within 30 seconds, and our
key goes nowhere but to the broker. Time-outs are scaled to less than a second; from gate size on each mode is
also played once with the real ones.
"""

import logging
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Self
from unittest import mock

from django.conf import settings

from certificates.tasks import issue_certificates
from offsets import registries, selectors, tasks
from offsets.models import AttemptOutcome, Retirement
from offsets.registries.base import Receipt
from offsets.registries.broker import BrokerRegistry
from offsets.registries.http import Limits
from tests.factories.offsets import make_project
from tests.faults.broker_stand_in import KEY, StandIn
from tests.soak import registry as journals
from tests.soak import world
from tests.soak.bars import Bar, say
from tests.soak.checker import judge
from tests.soak.r3_modes import MODES, Hostile, Mode

GATE = 50
FREE_AGAIN_S = 30
SCALED = Limits(connect_s=0.3, read_s=0.2, total_s=0.5)
REAL = Limits()


def run(n: int, seed: int) -> list[str]:
    found = []
    for mode in MODES:
        began = time.monotonic()
        found += play(mode, n, seed, limits=SCALED)
        if n >= GATE:
            found += [f"real time-outs: {text}" for text in play(mode, 1, seed, limits=REAL)]
        say(f"R3 {mode.name}: {n} in {time.monotonic() - began:.1f} s")
    return found


def control(n: int, seed: int) -> list[str]:
    """Two guards off, one at a time, and each must be missed: receipts are not compared with what was asked;
    after an attempt the broker is asked again.
    """
    modes = {mode.name: mode for mode in MODES}
    with mock.patch.object(Receipt, "differences", return_value=[]):
        believed = play(modes["fewer, really"], n, seed, limits=SCALED)
    with mock.patch.object(BrokerRegistry, "idempotent_on_request_id", True):
        repeated = play(modes["time-out after the work"], n, seed, limits=SCALED)
    found = [[text for text in texts if ": J 1 " in text] for texts in (believed, repeated)]
    return [*found[0], *found[1]] if all(found) else []


def play(mode: Mode, n: int, seed: int, *, limits: Limits) -> list[str]:
    """`n` retirements in this mode, from the promise to the certificate or the person."""
    rng = random.Random(f"{seed} {mode.name}")
    world.fresh()
    clock = world.Clock()
    with ExitStack() as stack:
        stack.enter_context(clock.running())
        canary, said = stack.enter_context(Canary()), stack.enter_context(log_lines())
        hostile = Hostile(
            rng,
            answer=mode.answer,
            shown=mode.shown,
            works=mode.works,
            stubborn=mode.stubborn if limits is SCALED or mode.ends == "needs_person" else 0,
            silence_s=1 if limits is REAL else limits.read_s / 4,
            elsewhere=canary.url,
        )
        broker = stack.enter_context(StandIn(settings.SANDBOX_JOURNAL, manners=hostile))
        stack.enter_context(asked_of(broker, limits))
        keys = open_one_by_one(mode, n, rng)
        slowest_s = settle_all(clock)
        tasks.allocate_grams()
        issue_certificates()
        found = ends(mode, hostile, n) + [f"the stand-in failed: {text}" for text in broker.mistakes]
        found += [
            f"J {text}" for text in judge(journal=journals.read_journal(), acknowledged=keys, settled=True)
        ]
        found += [
            f"{key} was ordered {times} times" for key, times in Counter(broker.posts).items() if times > 1
        ]
        if slowest_s > FREE_AGAIN_S:
            found.append(f"a sweep took {slowest_s:.1f} s")
        if canary.connections:
            found.append(f"{canary.connections} connections to where a redirect led")
        if any(KEY in text for text in [*said, *kept_texts()]):
            found.append("our key stands in a log line or in the ledger")
    return [f"{mode.name}: {text}" for text in found]


def open_one_by_one(mode: Mode, n: int, rng: random.Random) -> dict[str, int]:
    """`n` open retirements of one to three whole credits, each for one device; returns the promises' keys."""
    project = make_project(adapter="broker")
    world.take_into_stock(project, credits=3 * n, first=1_000)
    for number in range(n):
        credits = rng.randint(mode.least, 3)
        world.promise([world.wish(project, f"PF-{number}", credits * 1_000_000)], key=f"order-{number}")
        while Retirement.objects.count() == number:  # our short reference may be taken: the next round opens
            tasks.open_retirements()
    return {f"order-{number}": 1 for number in range(n)}


def settle_all(clock: world.Clock) -> float:
    """Sweep until no retirement is open; returns how many seconds the longest sweep took."""
    slowest_s = 0.0
    while Retirement.objects.filter(state="open").exists():
        began = time.monotonic()
        tasks.retire_credits()
        slowest_s = max(slowest_s, time.monotonic() - began)
        if not selectors.retirements_to_settle(now=clock.read()).exists():
            clock.advance(minutes=5)
    return slowest_s


def ends(mode: Mode, hostile: Hostile, n: int) -> list[str]:
    """Each retirement ends as the mode says."""
    found = []
    rows = list(Retirement.objects.order_by("pk"))
    for row in rows:
        fate = hostile.fates.get(str(row.request_id))
        wanted = "needs_person" if fate is None or fate.for_ever else mode.ends
        if row.state != wanted:
            found.append(f"{row.reference} is {row.state}, not {wanted}: {row.problem}")
    if len(rows) != n:
        found.append(f"{len(rows)} retirements of {n}")
    return found


def kept_texts() -> list[str]:
    """All that the ledger keeps of what the broker said."""
    rows = [str(values) for values in AttemptOutcome.objects.values_list("detail", "receipt")]
    return [*rows, *Retirement.objects.values_list("problem", flat=True)]


@contextmanager
def asked_of(broker: StandIn, limits: Limits) -> Iterator[None]:
    """Retirements of the adapter `broker` go to the stand-in."""
    original = registries.ADAPTERS["broker"]
    settings.BROKER_URL, settings.BROKER_API_KEY = broker.url, KEY
    registries.ADAPTERS["broker"] = BrokerRegistry(limits)
    try:
        yield
    finally:
        registries.ADAPTERS["broker"] = original
        settings.BROKER_URL = settings.BROKER_API_KEY = ""


@contextmanager
def log_lines() -> Iterator[list[str]]:
    """Every line that is logged meanwhile, of any level."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(logging.Formatter().format(record))

    root, keep = logging.getLogger(), Keep()
    level, shown = root.level, [handler.level for handler in root.handlers]
    for handler in root.handlers:
        handler.setLevel(logging.CRITICAL)
    root.addHandler(keep)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(keep)
        root.setLevel(level)
        for handler, before in zip(root.handlers, shown, strict=True):
            handler.setLevel(before)


@dataclass
class Canary:
    """Another server, to which a redirect leads: it must not see anybody."""

    connections: int = 0
    _socket: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def _listen(self) -> None:
        while True:
            try:
                visitor, _address = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            visitor.close()

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


BAR = Bar(
    name="R3",
    title="a hostile broker",
    gate=GATE,
    goal=500,
    small=2,
    control_n=3,
    run=run,
    control=control,
)
