"""What staff put right of a claim reaches the order: its device, its history, its buyer."""

from datetime import timedelta
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, User
from certificates.models import Certificate
from certificates.services import end_certificates
from checkout import following, notices, services
from checkout.errors import OrderClosed
from checkout.models import Order, OrderedDevice
from checkout.selectors import device_states, order_history
from claims.wording import say, wording_by_id
from common.models import Event
from offsets import services as ledger
from offsets import tasks as ledger_tasks
from offsets.models import DeviceOffset, Reservation
from offsets.selectors import available_g
from offsets.verify import violations
from projects.models import Project
from projects.services import pause_projects
from tests.factories.checkout import NOON, SWEDEN_G, certify, make_order, make_sold_project, pay, ship, units
from tests.factories.offsets import allocate, open_retirements


def promised(project: Project, *serials: str) -> Order:
    order = make_order(quantity=len(serials) or 1, project=project)
    pay(order)
    ship(order, *(serials or ("PF-1",)))
    services.request_offsets_for_shipped(NOON)
    return order


def cover(project: Project) -> None:
    for row in open_retirements(project):
        ledger.settle(row, now=NOON)
    allocate(project)


def texts(order: Order) -> list[str]:
    return [entry.text for entry in order_history(order)]


def state(order: Order) -> str:
    order.refresh_from_db()
    [found] = device_states(order)
    return found.state


def pause(project: Project, *, days: int = 0) -> None:
    now = NOON + timedelta(days=days)
    pause_projects(projects=[project], reason="under review", actor="staff:1", now=now)
    project.refresh_from_db()


# --- Following a claim --------------------------------------------------------------------------------------


def test_a_serial_that_was_corrected_before_retirement_is_corrected_on_the_order(wind: Project) -> None:
    order = promised(wind, "PF-1")
    offset = DeviceOffset.objects.get()
    ledger.change_device_serial(offset, device_serial="PF-2", reason="slip", actor="staff:1", now=NOON)
    assert following.follow_offsets(NOON) == 1
    [unit] = units(order)
    assert (unit.device_serial, unit.offset) == ("PF-2", offset)
    assert "Serial number corrected: 1 device" in texts(order)
    assert state(order) == "promised"


def test_after_retirement_the_order_follows_the_claim_to_its_new_certificate(wind: Project) -> None:
    order = promised(wind, "PF-1")
    cover(wind)
    [old] = certify(order)
    OrderedDevice.objects.update(certificate_mailed_at=NOON)
    right = ledger.change_device_serial(
        DeviceOffset.objects.get(), device_serial="PF-2", reason="slip", actor="staff:1", now=NOON
    )
    assert following.follow_offsets(NOON) == 1
    end_certificates(actor="test")
    [unit] = units(order)
    assert (unit.offset, unit.device_serial, unit.certificate_mailed_at) == (right, "PF-2", None)
    assert state(order) == "retired"
    [new] = certify(order)
    assert state(order) == "certified"
    states = dict(Certificate.objects.values_list("pk", "state"))
    assert states == {old.pk: "reversed", new.pk: "valid"}
    assert "Serial number corrected: 1 device" in texts(order)
    assert list(violations()) == []


def test_the_order_follows_a_claim_that_moved_twice(wind: Project) -> None:
    order = promised(wind, "PF-1")
    cover(wind)
    offset = DeviceOffset.objects.get()
    for serial in ("PF-2", "PF-3"):
        offset = ledger.move_to_replacement(
            offset, device_serial=serial, reason="repair", actor="staff:1", now=NOON
        )
    assert (following.follow_offsets(NOON), following.follow_offsets(NOON)) == (2, 0)
    [unit] = units(order)
    assert (unit.offset, unit.device_serial) == (offset, "PF-3")
    assert "Moved to a replacement device: 2 devices" in texts(order)


def test_a_claim_that_is_reversed_for_good_stays_where_it_is(wind: Project) -> None:
    order = promised(wind, "PF-1")
    cover(wind)
    offset = DeviceOffset.objects.get()
    ledger.reverse_offset(offset, reason="returned", actor="staff:1", now=NOON)
    assert following.follow_offsets(NOON) == 0
    assert [unit.offset for unit in units(order)] == [offset]
    assert state(order) == "reversed"
    assert "Reversed: 1 device" in texts(order)


def test_a_claim_of_nobodys_order_is_passed_over(wind: Project) -> None:
    promised(wind, "PF-1")
    OrderedDevice.objects.update(offset=None)
    ledger.change_device_serial(
        DeviceOffset.objects.get(), device_serial="PF-2", reason="slip", actor="staff:1", now=NOON
    )
    assert following.follow_offsets(NOON) == 0
    assert following.events_to_follow().count() == 0


# --- Another project ----------------------------------------------------------------------------------------


def test_with_consent_the_order_waits_for_the_other_project(wind: Project) -> None:
    order = promised(wind, "PF-1")
    other = make_sold_project("PH-7980", first=100)
    new = ledger.substitute_project(
        DeviceOffset.objects.get(), project=other, consent="e-mail of 23 Nov", actor="staff:1", now=NOON
    )
    assert following.follow_offsets(NOON) == 1
    assert [unit.offset for unit in units(order)] == [new]
    assert state(order) == "promised"
    assert "Another project, with your consent: 1 device" in texts(order)
    assert order.gross_minor == Order.objects.get(pk=order.pk).gross_minor
    assert list(violations()) == []


# --- Notices ------------------------------------------------------------------------------------------------


def test_a_pause_is_told_once_to_each_order_that_waits(wind: Project) -> None:
    order = promised(wind, "PF-1", "PF-2")
    waiting = make_order(project=wind)
    make_order()  # without credits
    pause(wind)
    assert notices.send_notices(NOON) == 2
    assert notices.send_notices(NOON) == 0
    first, second = mail.outbox
    wording = wording_by_id(order.wording)
    body = str(first.body)
    assert say("project_substitution", wording=wording, project=wind.short_name) in body
    assert f"{wind.short_name} is paused." in body
    assert f"Devices of order {order.number} that wait for it: 2." in body
    assert f"Devices of order {waiting.number} that wait for it: 1." in str(second.body)
    assert "Notice sent by e-mail: the project cannot deliver now" in texts(order)


def test_the_promises_themselves_say_that_they_are_delayed(
    wind: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = promised(wind, "PF-1", "PF-2")
    pause(wind)
    assert ledger_tasks.note_delays() == 2
    assert "Delayed: the project cannot deliver now: 2 devices" in texts(order)


def test_another_pause_is_told_again_and_a_closed_registry_too(wind: Project) -> None:
    promised(wind, "PF-1")
    pause(wind)
    assert notices.send_notices(NOON) == 1
    Project.objects.update(paused_at=None)
    pause(wind, days=3)
    assert notices.send_notices(NOON + timedelta(days=3)) == 1
    Project.objects.update(paused_at=None)
    wind.registry.last_retirement_on = (NOON + timedelta(days=5)).date()
    wind.registry.save()
    assert notices.send_notices(NOON + timedelta(days=4)) == 0
    assert notices.send_notices(NOON + timedelta(days=5)) == 1
    assert f"{wind.registry.name} has closed" in str(mail.outbox[-1].body)


def test_who_waits_for_nothing_is_told_nothing(wind: Project) -> None:
    cancelled = make_order(project=wind)
    services.cancel_order(order=cancelled, reason="changed", actor="guest", now=NOON)
    promised(wind, "PF-1")
    cover(wind)
    pause(wind)
    assert notices.send_notices(NOON) == 0
    assert mail.outbox == []


def test_a_notice_that_the_server_refused_goes_out_the_next_time(
    wind: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    promised(wind, "PF-1")
    pause(wind)

    def refuse(_message: EmailMessage) -> int:
        raise SMTPServerDisconnected

    with monkeypatch.context() as patch:
        patch.setattr(EmailMessage, "send", refuse)
        assert notices.send_notices(NOON) == 0
    assert (notices.send_notices(NOON), notices.send_notices(NOON)) == (1, 0)
    assert len(mail.outbox) == 1
    kinds = Event.objects.filter(kind__startswith="order.notice").values_list("kind", flat=True)
    assert list(kinds) == ["order.notice_sent", "order.notice_refused", "order.notice_sent"]


# --- Refunds ------------------------------------------------------------------------------------------------


def refund(device: OrderedDevice) -> bool:
    return services.refund_credits(device=device, reason="no consent", actor="staff:1", now=NOON)


def test_a_refund_ends_the_promise_and_frees_its_grams(wind: Project) -> None:
    order = promised(wind, "PF-1")
    [unit] = units(order)
    assert (refund(unit), refund(unit)) == (True, False)
    offset = DeviceOffset.objects.get()
    assert (offset.ended_reason, available_g(project=wind, livemode=False)) == ("cancelled", 5_000_000)
    assert state(order) == "refunded"
    assert "The money for the credits of a device went back to you" in texts(order)
    assert list(violations()) == []


def test_a_refund_before_the_promise_releases_what_was_reserved(wind: Project) -> None:
    order = make_order(quantity=2, project=wind)
    pay(order)
    first, second = units(order)
    assert refund(first) is True
    assert Reservation.objects.count() == 1
    ship(order, "PF-1", "PF-2")
    assert services.request_offsets_for_shipped(NOON) == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.offset, first.device_serial) == (None, "PF-1")  # the device ships all the same
    assert second.offset is not None
    assert available_g(project=wind, livemode=False) == 5_000_000 - SWEDEN_G
    assert list(violations()) == []


def test_what_was_retired_or_sold_without_credits_is_not_refunded(wind: Project) -> None:
    order = promised(wind, "PF-1")
    cover(wind)
    [unit] = units(order)
    with pytest.raises(OrderClosed, match="Reverse"):
        refund(unit)
    [bare] = units(make_order())
    with pytest.raises(OrderClosed, match="without credits"):
        refund(bare)
    assert OrderedDevice.objects.filter(refunded_at__isnull=False).count() == 0


def test_a_refund_after_a_crash_between_its_two_steps_goes_on(wind: Project) -> None:
    order = promised(wind, "PF-1")
    [unit] = units(order)
    ledger.cancel_offset(DeviceOffset.objects.get(), reason="no consent", actor="staff:1", now=NOON)
    assert refund(unit) is True
    assert state(order) == "refunded"


def test_staff_record_a_refund_with_a_reason(
    client: Client, dana: User, sales_person: User, wind: Project
) -> None:
    [unit] = units(promised(wind, "PF-1"))
    url = reverse("admin:checkout_ordereddevice_changelist")
    form = {"action": "refund", "_selected_action": [unit.pk], "reason": "no consent"}
    client.force_login(sales_person)
    client.post(url, form)
    client.force_login(dana)
    client.post(url, {**form, "reason": " "})
    assert OrderedDevice.objects.get(pk=unit.pk).refunded_at is None
    client.post(url, form)
    unit.refresh_from_db()
    assert unit.refunded_at is not None
    assert unit.refunded_at <= timezone.now()
    assert Event.objects.get(kind="order.credits_refunded").actor == f"staff:{dana.pk}"


# --- Own name -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "verified", "named"),
    [(True, True, "Alice & Bob AB"), (False, True, ""), (True, False, "")],
)
def test_a_verified_company_that_asked_is_named_for_its_whole_credits(
    wind: Project, alices_company: Account, asked: bool, verified: bool, named: str
) -> None:
    alices_company.named_in_registries = asked
    if not verified:
        alices_company.company_verified_at = None
    alices_company.save()
    order = make_order(quantity=4, project=wind, owner=alices_company)  # 1,240,000 g
    pay(order)
    ship(order)
    services.request_offsets_for_shipped(NOON)
    assert set(DeviceOffset.objects.values_list("beneficiary", flat=True)) == {named}
    opened = [(row.beneficiary, row.credits) for row in open_retirements(wind)]
    assert opened == ([(named, 1), ("", 1)] if named else [("", 2)])
