"""R2: `kill -9` of a worker at every named fault point, and at random moments.

The demonstration's own sandbox registry first: whatever is killed, two rounds of sweeps after the last
restart every device has its certificate. Then a registry that retires as often as it is asked: a run that was
killed between the attempt and the call waits for a person, and nothing is ever retired twice.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from uuid import UUID

from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from certificates.models import Certificate
from checkout.models import Order, OrderedDevice, Payment
from common.faults import FAULT_POINTS
from offsets.models import DeviceOffset, Retirement
from offsets.registries import ADAPTERS
from offsets.retiring import MAX_LOOKS
from projects.models import Project
from tests.factories import checkout as shop
from tests.soak import registry as registries
from tests.soak import world
from tests.soak.bars import Bar, say
from tests.soak.checker import judge

WEB_POINTS = ("order-placed", "order-paid")
LEDGER_POINTS = ("retirement-opened", "attempt-committed", "registry-called", "outcome-recorded")
DANGEROUS_POINTS = ("attempt-committed", "registry-called")
UNITS = 4  # 1,240 kg: more than the surplus of any retirement before, so that each order retires
GATE = 100
ROUND_EVERY = 10  # kills
DIES_S = 60


def run(n: int, seed: int) -> list[str]:
    """Every fault point (ten times from gate size on), and `n` kills at random moments."""
    rng = random.Random(seed)
    times = 10 if n >= GATE else 1
    found = []
    for registry, points, kills in (
        ("sandbox", FAULT_POINTS, n - n // 2),
        ("careless", LEDGER_POINTS if n >= GATE else DANGEROUS_POINTS, n // 2),
    ):
        found += [f"{registry}: {text}" for text in Phase(registry, rng).play(points * times, kills)]
    return found


def control(n: int, seed: int) -> list[str]:
    """The guard off: the careless registry claims to be idempotent."""
    return Phase("unguarded", random.Random(seed)).play(("registry-called",) * n, 0)


class Child:
    """A process forked from this one, which has no open connection then; it kills itself at `point`."""

    def __init__(self, body: Callable[[], None], *, point: str = "") -> None:
        connections.close_all()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.environ["CLEARLINE_FAULT_POINT"] = point
            status = 1
            try:
                body()
                status = 0
            finally:
                os._exit(status)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """How it ended; -9: it was killed. One that does not end in time is killed and counts as none."""
        deadline = time.monotonic() + DIES_S
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        self.kill()
        os.waitpid(self.pid, 0)
        return -1


class Phase:
    """One world, one registry: orders, kills, restarts, and what J says in the end."""

    def __init__(self, registry: str, rng: random.Random) -> None:
        self.registry, self.rng = registry, rng
        world.fresh()
        self.project = shop.make_shop(credits=2_000)
        self.number = 0
        self.baskets: list[UUID] = []

    def play(self, points: tuple[str, ...], kills: int) -> list[str]:
        found = []
        for number, point in enumerate(points, start=1):
            found += self.at_point(point)
            found += self.between(number, f"{len(points)} kills at fault points")
        for number in range(1, kills + 1):
            self.at_random()
            found += self.between(number, f"{kills} kills at random")
        return found + self.after_the_last_restart()

    def between(self, number: int, of: str) -> list[str]:
        """Now and then a worker lives for a round, as between two crashes of a shop: what waits in the end is
        what a few kills held up, not a night's backlog, which takes longer than two rounds to render.
        """
        if number % ROUND_EVERY:
            return []
        say(f"R2 {self.registry}: {number} of {of}")
        return self.one_round()

    def at_point(self, point: str) -> list[str]:
        """The process that reaches the point dies there, and of nothing else."""
        if point in WEB_POINTS:
            basket = self.fill_basket()
            status = self.shopper(basket, point=point).wait()
            again = self.shopper(basket).wait()
            return (
                [] if (status, again) == (-signal.SIGKILL, 0) else [f"{point}: ended {status}, then {again}"]
            )
        self.buy()
        status = self.worker(point=point).wait()
        return [] if status == -signal.SIGKILL else [f"{point}: the worker ended with {status}"]

    def at_random(self) -> None:
        """Killed within the first second of work; what it was doing then is chance."""
        self.buy()
        ready = settings.HOME / "worker-ready"
        ready.unlink(missing_ok=True)
        worker = self.worker()
        deadline = time.monotonic() + DIES_S
        while not ready.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(self.rng.uniform(0, 1.2))
        worker.kill()
        worker.wait()

    def after_the_last_restart(self) -> list[str]:
        """Two rounds of sweeps; with a careless registry, as many as it takes until a person is asked."""
        found = [text for _round in range(2) for text in self.one_round()]
        if self.registry == "sandbox":
            found += self.all_certified()
        for _look in range(MAX_LOOKS + 1):
            if not Retirement.objects.filter(state="open").exists():
                break
            Retirement.objects.filter(state="open").update(not_before=None)  # the minutes between looks
            found += self.one_round()
        found += self.one_round()
        orders = Order.objects.filter(basket_id__in=self.baskets)
        if (orders.count(), Payment.objects.count()) != (len(self.baskets), len(self.baskets)):
            found.append(
                f"{orders.count()} orders, {Payment.objects.count()} payments of {len(self.baskets)}"
            )
        return found + judge(journal=registries.read_journal(), acknowledged={}, settled=True)

    def one_round(self) -> list[str]:
        status = self.worker(once=True).wait()
        return [] if status == 0 else [f"a round of sweeps ended with {status}"]

    def all_certified(self) -> Iterator[str]:
        devices = OrderedDevice.objects.filter(line__order__basket_id__in=self.baskets).count()
        rendered = Certificate.objects.filter(state="valid", rendered_at__isnull=False).count()
        if not devices == DeviceOffset.objects.filter(covered_at__isnull=False).count() == rendered:
            yield f"{devices} devices, {rendered} rendered certificates two rounds after the last restart"

    def buy(self) -> None:
        """An order, paid, by a buyer whom nobody kills."""
        basket = self.fill_basket()
        order = shop.place(shop.Basket.objects.get(pk=basket), now=timezone.now())
        shop.pay(order, now=timezone.now())

    def fill_basket(self) -> UUID:
        basket = shop.make_basket()
        project = Project.objects.get(pk=self.project.pk)
        shop.add(basket, quantity=UNITS, project=project, now=timezone.now())
        self.baskets.append(basket.pk)
        return basket.pk

    def worker(self, *, point: str = "", once: bool = False) -> Child:
        """`manage.py work` in a process of its own, with the registry of this phase."""

        def work() -> None:
            if self.registry != "sandbox":
                careless = registries.CarelessRegistry(claims_idempotent=self.registry == "unguarded")
                ADAPTERS["sandbox"] = careless
            (settings.HOME / "worker-ready").touch()
            call_command("work", once=once, pause=0.1)

        return Child(work, point=point)

    def shopper(self, basket_id: UUID, *, point: str = "") -> Child:
        """A web process that places the basket's order and pays it."""

        def order_and_pay() -> None:
            now = timezone.now()
            order = Order.objects.filter(basket_id=basket_id).first()
            shop.pay(order or shop.place(shop.Basket.objects.get(pk=basket_id), now=now), now=now)

        return Child(order_and_pay, point=point)


BAR = Bar(
    name="R2",
    title="kill -9 of a worker at every fault point and at random",
    gate=100,
    goal=500,
    small=1,
    control_n=1,
    run=run,
    control=control,
)
