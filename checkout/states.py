"""Where one ordered device stands, and what happens next: read from its rows, never stored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.utils import timezone

from certificates.models import Certificate
from checkout.models import Order, OrderedDevice
from claims.formats import day_text
from claims.wording import Wording, say

State = Literal[
    "ordered",
    "paid",
    "shipped",
    "promised",
    "retired",
    "certified",
    "reversed",
    "moved",
    "withdrawn",
    "refunded",
    "needs_person",
    "cancelled",
]

STEPS: tuple[State, ...] = ("ordered", "paid", "shipped", "promised", "retired", "certified")
"""The line that a device with credits walks; one without ends at "shipped"."""


@dataclass(frozen=True)
class Step:
    """One node of the line: done on a day, or still to come (None)."""

    key: State
    label: str
    at: datetime | None


@dataclass(frozen=True)
class DeviceState:
    """A unit of an order with its state in words, since when, what happens next, and the line that it
    walks.
    """

    device: OrderedDevice
    state: State
    label: str
    since: datetime
    what_next: str
    steps: tuple[Step, ...]
    certificate: Certificate | None

    @property
    def with_offset(self) -> bool:
        return self.device.with_offset


def device_state(device: OrderedDevice, *, order: Order, wording: Wording) -> DeviceState:
    """The state of a unit whose line, shipment, offset and certificates are at hand."""
    certificate = _newest(device)
    state, since = _state(device, order, certificate)
    return DeviceState(
        device=device,
        state=state,
        label=say(f"state_{state}", wording=wording),
        since=since,
        what_next=_what_next(state, device, order, wording),
        steps=_steps(device, order, certificate, wording),
        certificate=certificate,
    )


def _newest(device: OrderedDevice) -> Certificate | None:
    if device.offset is None:
        return None
    return max(device.offset.certificates.all(), key=lambda certificate: certificate.pk, default=None)


def _state(device: OrderedDevice, order: Order, certificate: Certificate | None) -> tuple[State, datetime]:
    shipment, offset = device.shipment, device.offset
    if device.refunded_at:
        return "refunded", device.refunded_at
    if device.problem and shipment:
        return "needs_person", shipment.shipped_at
    if offset is not None and (ended := _ended(device, certificate)):
        return ended
    if offset is not None:
        if certificate is not None:
            return "certified", certificate.issued_at
        if offset.covered_at:
            return "retired", offset.covered_at
        return "promised", offset.created_at
    if shipment is not None:
        return "shipped", shipment.shipped_at
    if order.cancelled_at:
        return "cancelled", order.cancelled_at
    if order.paid_at:
        return "paid", order.paid_at
    return "ordered", order.placed_at


def _ended(device: OrderedDevice, certificate: Certificate | None) -> tuple[State, datetime] | None:
    """The state of an offset that left the line: ended, stopped, or its certificate withdrawn."""
    offset = device.offset
    if offset is None:
        return None
    if offset.ended_at:
        ended: dict[str, State] = {"reversed": "reversed", "moved": "moved"}
        return ended.get(offset.ended_reason, "needs_person"), offset.ended_at
    if offset.problem:
        return "needs_person", offset.created_at
    if certificate is not None and certificate.withdrawn_at:
        return "withdrawn", certificate.withdrawn_at
    if certificate is not None and certificate.needs_person_at:
        return "needs_person", certificate.needs_person_at
    return None


def _what_next(state: State, device: OrderedDevice, order: Order, wording: Wording) -> str:
    if not device.with_offset and state != "cancelled":
        return _next_without_offset(state, order, wording)
    if state == "ordered" and order.on_terms:
        return say("next_paid", wording=wording)
    if state == "shipped" and device.shipment and device.shipment.offsets_not_before > timezone.now():
        day = day_text(device.shipment.offsets_not_before.date().isoformat(), language=wording.language)
        return f"{say('withdrawal_wait', wording=wording)} {say('on_day', wording=wording, date=day)}"
    return say(f"next_{state}", wording=wording)


def _next_without_offset(state: State, order: Order, wording: Wording) -> str:
    if state == "ordered" and not order.on_terms:
        return say("plain_next_ordered", wording=wording)
    if state in ("ordered", "paid"):
        return say("plain_next_paid", wording=wording)
    if state == "refunded":
        return say("plain_next_refunded", wording=wording)
    return say("plain_next_shipped", wording=wording)


def _steps(
    device: OrderedDevice, order: Order, certificate: Certificate | None, wording: Wording
) -> tuple[Step, ...]:
    offset = device.offset
    at: dict[State, datetime | None] = {
        "ordered": order.placed_at,
        "paid": order.paid_at,
        "shipped": device.shipment.shipped_at if device.shipment else None,
        "promised": offset.created_at if offset else None,
        "retired": offset.covered_at if offset else None,
        "certified": certificate.issued_at if certificate else None,
    }
    keys = STEPS if device.with_offset else STEPS[:3]
    return tuple(Step(key, say(f"state_{key}", wording=wording), at[key]) for key in keys)
