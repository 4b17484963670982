"""Buy, hold, ship, return, move, void and sweep in any order: the ledger does what plain arithmetic says.

The model knows how many grams each live device and each reservation has, and the stock. In any order, the
ledger sells exactly what still fits, covers a device once, and verify_ledger finds nothing.
"""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.conf import settings
from django.db import transaction
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from common.errors import Conflict
from offsets import registries, selectors, services
from offsets.errors import AlreadyCovered, SoldOut
from offsets.models import DeviceOffset, Reservation, Retirement
from offsets.registries.base import Confirmed, Intent, Outcome, Receipt, Refused, Unknown
from offsets.verify import violations
from tests.factories.offsets import NOON, SHOP, allocate, make_project, open_retirements, stock, wish

pytestmark = pytest.mark.django_db

CREDITS = 4
SERIALS = st.integers(1, 12).map("PF-{}".format)
GRAMS = st.sampled_from([1, 310_000, 500_000, 999_999, 1_000_001])


class TellingRegistry:
    """Answers as it was told to; what it has done it remembers, and `find` tells it."""

    unattended = True
    idempotent_on_request_id = False

    def __init__(self) -> None:
        self.answer = "yes"
        self.done: dict[str, Receipt] = {}

    def retire(self, intent: Intent) -> Outcome:
        assert intent.request_id not in self.done, "the registry was asked twice"
        if self.answer == "no":
            return Refused("no")
        if self.answer != "silent":
            self.done[intent.request_id] = Receipt(
                registry_reference=f"VC-{len(self.done) + 1}",
                project=intent.project,
                credit_serials=intent.credit_serials,
                credits=intent.credits,
                retired_on=date(2026, 11, 24),
            )
        return self.find(intent) if self.answer == "yes" else Unknown("time-out")

    def find(self, intent: Intent) -> Outcome:
        receipt = self.done.get(intent.request_id)
        return Confirmed(receipt) if receipt else Unknown("no such request")


class LedgerMachine(RuleBasedStateMachine):
    """Each example runs in a transaction that is rolled back."""

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block._from_testcase = True  # type: ignore[attr-defined] services' durable blocks may open inside
        self.block.__enter__()
        self.sandbox = registries.ADAPTERS["sandbox"]
        self.registry = TellingRegistry()
        registries.ADAPTERS["sandbox"] = self.registry
        settings.LEDGER_EPOCH_FILE.unlink(missing_ok=True)
        self.live: dict[str, int] = {}
        self.held: dict[str, int] = {}
        self.asked = 0

    def teardown(self) -> None:
        registries.ADAPTERS["sandbox"] = self.sandbox
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    @initialize()
    def fill(self) -> None:
        self.project = make_project()
        stock(self.project, credits=CREDITS - 1)
        stock(self.project, credits=1, first=900, vintage=2020)

    @property
    def left_g(self) -> int:
        return CREDITS * 1_000_000 - sum(self.live.values()) - sum(self.held.values())

    @rule(serial=SERIALS, amount_g=GRAMS)
    def buy(self, serial: str, amount_g: int) -> None:
        expected = self.refusal(serial, amount_g)
        if self.attempt(lambda: self.promise(serial, amount_g), expected):
            self.live[serial] = amount_g

    @rule(amount_g=GRAMS)
    def hold(self, amount_g: int) -> None:
        self.asked += 1
        holder = f"unit:{self.asked}"
        wanted = services.Hold(project=self.project, livemode=False, holder=holder, amount_g=amount_g)
        expected = SoldOut if amount_g > self.left_g else None
        if self.attempt(lambda: services.hold([wanted]), expected):
            self.held[holder] = amount_g

    @precondition(lambda self: self.held)
    @rule(serial=SERIALS, amount_g=GRAMS, data=st.data())
    def ship(self, serial: str, amount_g: int, data: st.DataObject) -> None:
        """More or fewer grams than were held: the difference is taken from, or given back to, the stock."""
        holder = data.draw(st.sampled_from(sorted(self.held)))
        expected = self.refusal(serial, amount_g - self.held[holder])
        if self.attempt(lambda: self.promise(serial, amount_g, holder=holder), expected):
            del self.held[holder]
            self.live[serial] = amount_g

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        holder = data.draw(st.sampled_from(sorted(self.held)))
        with transaction.atomic():
            assert services.release([holder, "unit:never"]) == 1
        del self.held[holder]

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        serial = data.draw(st.sampled_from(sorted(self.live)))
        offset = self.offset(serial)
        if offset.covered_at:
            services.reverse_offset(offset, reason="returned", actor=SHOP, now=NOON)
        else:
            services.cancel_offset(offset, reason="returned", actor=SHOP, now=NOON)
        del self.live[serial]

    @precondition(lambda self: self.live)
    @rule(data=st.data(), serial=SERIALS)
    def move(self, data: st.DataObject, serial: str) -> None:
        old = data.draw(st.sampled_from(sorted(self.live)))
        offset = self.offset(old)
        expected = Conflict if offset.covered_at is None or serial in self.live else None
        if self.attempt(
            lambda: services.move_to_replacement(
                offset, device_serial=serial, reason="replaced", actor=SHOP, now=NOON
            ),
            expected,
        ):
            self.live[serial] = self.live.pop(old)

    @rule(answer=st.sampled_from(["yes", "no", "late", "silent"]))
    def sweep(self, answer: str) -> None:
        """`late`: done, and the answer is lost; `silent`: not done, and no answer."""
        self.registry.answer = answer
        open_retirements(self.project)
        assert open_retirements(self.project) == []
        later = NOON + timedelta(days=1)
        for retirement in list(selectors.retirements_to_settle(now=later)):
            services.settle(retirement, now=later)
        Retirement.objects.filter(state="open").update(not_before=None)
        while allocate(self.project):
            pass

    @rule()
    def void(self) -> None:
        """Staff free what the registry refused; what may have happened stays."""
        for retirement in Retirement.objects.exclude(state__in=["confirmed", "void"]):
            may = retirement.attempted_at is None or retirement.state == "needs_person"
            refused = retirement.attempt.outcomes.filter(kind="refused").exists() if may else False
            self.attempt(
                lambda row=retirement: services.void_retirement(row, reason="no", actor=SHOP, now=NOON),
                None if refused else Conflict,
            )

    @invariant()
    def the_counters_are_the_models(self) -> None:
        if hasattr(self, "project"):
            assert selectors.available_g(project=self.project, livemode=False) == self.left_g
            live = DeviceOffset.objects.filter(ended_at=None).values_list("device_serial", "amount_g")
            assert dict(live) == self.live
            assert dict(Reservation.objects.values_list("holder", "amount_g")) == self.held

    @invariant()
    def the_ledger_verifies(self) -> None:
        assert list(violations()) == []

    def refusal(self, serial: str, more_g: int) -> type[Exception] | None:
        if serial in self.live:
            return AlreadyCovered
        return SoldOut if more_g > self.left_g else None

    def attempt(self, act: Callable[[], object], expected: type[Exception] | None) -> bool:
        """Whether it was done; what is refused must be refused as expected, and leaves nothing."""
        undone = transaction.atomic()
        undone._from_testcase = True  # type: ignore[attr-defined]
        if expected is None:
            with undone:
                act()
            return True
        with pytest.raises(expected), undone:
            act()
        return False

    def promise(self, serial: str, amount_g: int, *, holder: str | None = None) -> None:
        self.asked += 1
        asked = [wish(self.project, serial, amount_g, holder=holder)]
        facts = {"owner": None, "livemode": False, "actor": SHOP, "scope": "shop", "now": NOON}
        services.request_offsets(asked, key=f"key-{self.asked}", **facts)
        again = services.request_offsets(asked, key=f"key-{self.asked}", **facts)
        assert again.replayed

    def offset(self, serial: str) -> DeviceOffset:
        return DeviceOffset.objects.get(device_serial=serial, ended_at=None)


def test_any_order_of_buying_shipping_returning_and_sweeping_keeps_the_ledger_true() -> None:
    run_state_machine_as_test(
        LedgerMachine,
        settings=hypothesis_settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
