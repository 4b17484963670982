"""Guards that only a race or a stale row would meet: each is met here on purpose."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from offsets import ledger, registries, services
from offsets.errors import NotEnoughCredits
from offsets.ledger import dealing
from offsets.models import Allocation, Credit, DeviceOffset, ProjectStock, Retirement, Span
from offsets.registries.base import Intent, Outcome, Refused
from tests.factories.offsets import NOON, SHOP, allocate, make_project, open_retirements, promise, stock, wish

pytestmark = pytest.mark.django_db


class IdempotentRegistry:
    """Says that it is idempotent, and counts how often it is asked."""

    unattended = True
    idempotent_on_request_id = True

    def __init__(self) -> None:
        self.calls = 0

    def retire(self, intent: Intent) -> Outcome:
        self.calls += 1
        return Refused("no")

    def find(self, intent: Intent) -> Outcome:
        return Refused("no")


def retired(*serials: str) -> list[DeviceOffset]:
    """Promises whose credits are retired and not yet allocated."""
    project = make_project()
    stock(project, credits=5)
    promise(*(wish(project, serial) for serial in serials))
    for retirement in open_retirements(project):
        services.settle(retirement, now=NOON)
    return list(DeviceOffset.objects.order_by("pk"))


def test_a_span_that_moved_since_it_was_read_is_not_moved_again() -> None:
    retired("PF-1")
    span = Span.objects.get()
    with pytest.raises(NotEnoughCredits, match="moved while"), transaction.atomic():
        dealing._raise_counters({span.pk: (span.next_g + 1, span.next_g + 500_000)})
    span.refresh_from_db()
    assert span.next_g == 0


def test_a_claim_that_has_ended_ends_once_and_gives_its_grams_back_once() -> None:
    [offset] = retired("PF-1")
    services.cancel_offset(offset, reason="returned", actor=SHOP, now=NOON)
    committed_g = ProjectStock.objects.get().committed_g
    with transaction.atomic():
        assert ledger.end_offset(offset, reason=DeviceOffset.Ended.CANCELLED, now=NOON) == []
    assert ProjectStock.objects.get().committed_g == committed_g == 0


def test_a_worker_that_read_it_before_it_was_freed_asks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project()
    stock(project, credits=2)
    promise(wish(project, "PF-1"))
    [retirement] = open_retirements(project)
    stale = Retirement.objects.select_related("project__registry", "block").get(pk=retirement.pk)
    services.void_retirement(retirement, reason="not wanted", actor=SHOP, now=NOON)
    registry = IdempotentRegistry()
    monkeypatch.setitem(registries.ADAPTERS, "sandbox", registry)
    services.settle(stale, now=NOON)
    assert registry.calls == 0
    assert Retirement.objects.get().state == "void"


def test_a_run_with_a_credit_that_is_taken_is_not_set_aside() -> None:
    project = make_project()
    stock(project, credits=3)
    promise(wish(project, "PF-1"))
    [first] = open_retirements(project)
    with pytest.raises(NotEnoughCredits, match="2 of 3 credits"), transaction.atomic():
        ledger.set_aside_run(
            block=first.block,
            first=1,
            last=3,
            adapter="sandbox",
            reference="CL-OTHER",
            reason="CL-OTHER",
            now=NOON,
        )
    assert Credit.objects.exclude(retirement=None).count() == 1
    assert Retirement.objects.count() == 1


def test_a_claim_that_ends_while_it_is_being_covered_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    offsets = retired("PF-1", "PF-2")
    deal = dealing._hand_out

    def deal_late(spans: list[Span], covered: list[DeviceOffset], **more: Any) -> None:
        ledger.end_offset(offsets[0], reason=DeviceOffset.Ended.CANCELLED, now=NOON)
        deal(spans, covered, **more)

    monkeypatch.setattr(dealing, "_hand_out", deal_late)
    with pytest.raises(NotEnoughCredits, match="changed while"):
        allocate(offsets[0].project)
    assert not Allocation.objects.exists()
    assert not DeviceOffset.objects.filter(covered_at__isnull=False).exists()


def test_a_stock_is_never_deleted() -> None:
    stock(make_project(), credits=1)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM offsets_projectstock")
    assert ProjectStock.objects.count() == 1
