"""R4: each message of the broker arrives twice, five times at once, and again three days later.

Nothing may happen a second time: no call of the registry, no mail, no certificate, no row of the ledger.
"""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from celery import current_app
from django.conf import settings
from django.core import mail
from django.db import connection

from certificates.models import Certificate
from checkout.models import Order, Shipment
from common.models import Event
from config.wakeups import SWEEPS
from offsets.models import Allocation, DeviceOffset, Retirement
from offsets.registries.base import Intent, Outcome
from tests.factories import checkout as shop
from tests.soak import registry as registries
from tests.soak import world
from tests.soak.bars import Bar
from tests.soak.checker import judge

AT_ONCE = 5
CALL_S = 0.05  # a registry takes its time: the other messages arrive meanwhile


@dataclass
class CountingRegistry(registries.CarelessRegistry):
    """Careless and slow; notes every call."""

    idempotent_on_request_id: bool = False
    calls: list[str] = field(default_factory=list)

    def retire(self, intent: Intent) -> Outcome:
        self.calls.append(intent.request_id)
        time.sleep(CALL_S)
        return super().retire(intent)


def run(n: int, seed: int) -> list[str]:
    return _run(n, seed, guarded=True)


def control(n: int, seed: int) -> list[str]:
    """The guard off: an attempt does not keep others from calling."""
    return _run(n, seed, guarded=False)


def _run(n: int, seed: int, *, guarded: bool) -> list[str]:
    current_app.loader.import_default_modules()
    found = []
    for number in range(n):
        found += [f"round {number}: {text}" for text in play(seed + number, guarded=guarded)]
    return found


def play(seed: int, *, guarded: bool) -> list[str]:
    """A few orders, and every message delivered far too often."""
    rng = random.Random(seed)
    world.fresh()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.outbox = []
    registry = CountingRegistry(idempotent_on_request_id=not guarded)
    clock = world.Clock()
    with clock.running(), registries.in_place_of_sandbox(registry):
        project = shop.make_shop(credits=20)
        orders = [
            shop.make_order(quantity=rng.randint(1, 4), project=project, now=clock.read())
            for _ in range(rng.randint(1, 3))
        ]
        for order in orders:
            shop.pay(order, now=clock.read())
        clock.advance(minutes=1)
        found = [text for name in SWEEPS for text in deliver(name)]
        once = what_there_is(registry)
        found += nothing_twice(registry, once)
        for days in (0, 3):
            clock.advance(days=days)
            found += [text for name in SWEEPS for text in deliver(name)]
            if (now := what_there_is(registry)) != once:
                found.append(f"{days} days later: {now - once} more, {once - now} fewer")
        return found + judge(journal=registries.read_journal(), acknowledged={}, settled=True)


def deliver(name: str) -> list[str]:
    """The message five times at once, then twice more; returns what it raised."""
    gate = threading.Barrier(AT_ONCE)

    def receive() -> None:
        gate.wait()
        try:
            current_app.tasks[name]()
        except Exception as error:  # noqa: BLE001 whatever a sweep raises beside itself is a finding
            failed.append(f"{name} raised {type(error).__name__}: {error}")
        finally:
            connection.close()

    failed: list[str] = []

    threads = [threading.Thread(target=receive) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _again in range(2):
        current_app.tasks[name]()
    return failed


def what_there_is(registry: CountingRegistry) -> Counter[str]:
    return Counter(
        {
            "calls": len(registry.calls),
            "journal lines": len(registries.read_journal()),
            "mails": len(mail.outbox),
            "certificates": Certificate.objects.count(),
            "retirements": Retirement.objects.count(),
            "allocations": Allocation.objects.count(),
            "events": Event.objects.count(),
        }
    )


def nothing_twice(registry: CountingRegistry, there: Counter[str]) -> list[str]:
    """One call per retirement, one certificate per device, one mail per order and shipment; and all done."""
    wanted = {
        "calls": there["retirements"],
        "journal lines": there["retirements"],
        "mails": Order.objects.count() + Shipment.objects.count(),
        "certificates": DeviceOffset.objects.count(),
    }
    found = [f"{there[what]} {what}, not {count}" for what, count in wanted.items() if there[what] != count]
    if not there["retirements"]:
        found.append("nothing was retired: the run is hollow")
    subjects = Counter((message.subject, *message.to) for message in mail.outbox)
    found += [f"mailed {times} times: {subject}" for subject, times in subjects.items() if times > 1]
    return found + [
        f"{key} was asked {times} times" for key, times in Counter(registry.calls).items() if times > 1
    ]


BAR = Bar(
    name="R4",
    title="each task message twice, five at once, and three days later",
    gate=50,
    goal=50,
    small=1,
    control_n=1,
    run=run,
    control=control,
)
