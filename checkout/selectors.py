"""What can be asked about orders: who may see one, where each device stands, what happened when."""

import hmac
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import CharField, Count, Prefetch, Q, QuerySet, Sum, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Account, Membership, User
from certificates.bundles import Bundle
from certificates.models import Certificate
from checkout import events as kinds
from checkout.errors import UnknownOrder
from checkout.models import Order, OrderedDevice
from checkout.states import DeviceState, device_state
from claims.wording import say, wording_by_id
from common.events import history
from common.models import Event
from offsets import events as offset_kinds
from offsets.models import DeviceOffset

BUYING_ROLES = (Membership.Role.ADMIN, Membership.Role.BUYER)


def order_by_token(number: str, token: str) -> Order:
    """The order, for whoever holds the secret part of its address. Raises UnknownOrder."""
    order = _orders().filter(number=number.replace("\x00", "")).first()
    if order is None or not hmac.compare_digest(order.token.encode(), token.encode()):
        raise _unknown()
    return order


def order_for_user(number: str, user: User) -> Order:
    """The order, for its buyer and every member of the account that owns it. Raises UnknownOrder for all
    others.
    """
    order = orders_of(user=user).filter(number=number.replace("\x00", "")).first()
    if order is None:
        raise _unknown()
    return order


def order_by_email(number: str, email: str) -> Order:
    """The order, for a guest who knows its number and e-mail address. Raises UnknownOrder, whichever is
    wrong.
    """
    order = _orders().filter(number=number.replace("\x00", "")).first()
    known = order.email.strip().lower() if order else ""
    if order is None or not hmac.compare_digest(known.encode(), email.strip().lower().encode()):
        raise _unknown()
    return order


def _unknown() -> UnknownOrder:
    return UnknownOrder(_("There is no such order, or it is not yours. Check the number and the address."))


def orders_of(*, account: Account | None = None, user: User | None = None) -> QuerySet[Order]:
    """Orders of an account, or all that a user may see: of accounts that the user is a member of, and own
    ones that no account holds. Newest first.
    """
    orders = _orders()
    if account is not None:
        orders = orders.filter(owner=account)
    if user is not None:
        accounts = Membership.objects.filter(user=user).values("account")
        orders = orders.filter(Q(owner__in=accounts) | Q(owner=None, user=user))
    return orders


def _orders() -> QuerySet[Order]:
    return Order.objects.select_related("market", "owner", "user").prefetch_related(
        "lines__offset_line__project__registry", "lines__product"
    )


def with_totals(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Each order with `devices`, how many it has."""
    return orders.annotate(devices=Sum("lines__quantity")).order_by("-pk")


def accounts_to_buy_for(user: User) -> list[Account]:
    """Companies that the user may order for, by role."""
    return list(
        Account.objects.filter(
            kind=Account.Kind.COMPANY, memberships__user=user, memberships__role__in=BUYING_ROLES
        ).order_by("name", "pk")
    )


def order_of_basket(basket_id: UUID) -> Order | None:
    """The order that a basket became; None while it is one."""
    return Order.objects.filter(basket_id=basket_id).first()


def order_of_offset(offset: DeviceOffset) -> Order | None:
    """The order that an offset was bought with; None for one that came another way."""
    return Order.objects.filter(lines__devices__offset=offset).first()


def certificate_of_order(order: Order, code: str) -> Certificate | None:
    """The certificate with this code, when it belongs to a device of the order and was not withdrawn."""
    of_order = Certificate.objects.filter(offset__ordered_device__line__order=order, withdrawn_at=None)
    return of_order.filter(code=code).first()


def bundle_of(order: Order, *, now: datetime) -> Bundle:
    """The order's claims, also those that ended, for the files of the whole order."""
    return Bundle(
        reference=order.number,
        offsets=_claims_of(order),
        wording=wording_by_id(order.wording),
        livemode=order.livemode,
        as_of=now,
    )


def _claims_of(order: Order) -> QuerySet[DeviceOffset]:
    return DeviceOffset.objects.filter(group=f"order:{order.number}", request__scope="shop")


def devices_of(order: Order) -> QuerySet[OrderedDevice]:
    """The order's units with what their state is read from; frozen footprints are left in the database."""
    certificates = Certificate.objects.defer("facts", "nonce").order_by("-pk")
    return (
        OrderedDevice.objects.filter(line__order=order)
        .select_related("line__offset_line", "shipment", "offset")
        .defer("line__footprint", "offset__footprint")
        .prefetch_related(Prefetch("offset__certificates", queryset=certificates))
        .order_by("line__position", "position")
    )


def device_states(order: Order) -> list[DeviceState]:
    """Where each unit of the order stands and what happens next, in the order's register. Three
    statements.
    """
    wording = wording_by_id(order.wording)
    return [device_state(device, order=order, wording=wording) for device in devices_of(order)]


@dataclass(frozen=True)
class HistoryEntry:
    """One thing that happened to an order, in words."""

    at: datetime
    text: str


def order_history(order: Order) -> list[HistoryEntry]:
    """What happened, oldest first: the order's own events, then what became of the credits, day by day as a
    whole.
    """
    wording = wording_by_id(order.wording)
    entries = [HistoryEntry(order.placed_at, _("Order placed"))]
    for event in history(order):
        if text := _event_text(event.kind, event.data):
            entries.append(HistoryEntry(event.created_at, text))
    entries += _corrections(order)
    offsets = DeviceOffset.objects.filter(ordered_device__line__order=order)
    for field, slot in (("created_at", "state_promised"), ("covered_at", "state_retired")):
        for row in (
            offsets.filter(**{f"{field}__isnull": False})
            .values(field)
            .annotate(n=Count("pk"))
            .order_by(field)[:50]
        ):
            entries.append(HistoryEntry(row[field], _counted(row["n"], say(slot, wording=wording))))
    issued = Certificate.objects.filter(offset__ordered_device__line__order=order)
    for row in issued.values("issued_at").annotate(n=Count("pk")).order_by("issued_at")[:50]:
        entries.append(
            HistoryEntry(row["issued_at"], _counted(row["n"], say("state_certified", wording=wording)))
        )
    return sorted(entries, key=lambda entry: entry.at)


def _corrections(order: Order) -> list[HistoryEntry]:
    """What was put right, ended or delayed of the order's claims, a day and kind as a whole."""
    name = Concat(Value("deviceoffset:"), Cast("pk", CharField()))
    subjects = _claims_of(order).annotate(name=name).values("name")
    found = Event.objects.filter(kind__in=_CORRECTED, subject__in=subjects).order_by("pk")
    days: dict[tuple[date, str], list[datetime]] = {}
    for event in found.only("kind", "data", "created_at").iterator():
        mistyped = "mistyped" in event.data
        text = _corrected_text(offset_kinds.OFFSET_SERIAL_CHANGED if mistyped else event.kind)
        days.setdefault((event.created_at.date(), text), []).append(event.created_at)
    return [HistoryEntry(at[0], _counted(len(at), text)) for (_day, text), at in days.items()]


_CORRECTED = (
    offset_kinds.OFFSET_SERIAL_CHANGED,
    offset_kinds.OFFSET_MOVED,
    offset_kinds.OFFSET_REVERSED,
    offset_kinds.OFFSET_CANCELLED,
    offset_kinds.OFFSET_SUBSTITUTED,
    offset_kinds.OFFSET_DELAYED,
)


def _corrected_text(kind: str) -> str:
    texts = {
        offset_kinds.OFFSET_SERIAL_CHANGED: _("Serial number corrected"),
        offset_kinds.OFFSET_MOVED: _("Moved to a replacement device"),
        offset_kinds.OFFSET_REVERSED: _("Reversed"),
        offset_kinds.OFFSET_CANCELLED: _("Credits cancelled before retirement"),
        offset_kinds.OFFSET_SUBSTITUTED: _("Another project, with your consent"),
        offset_kinds.OFFSET_DELAYED: _("Delayed: the project cannot deliver now"),
    }
    return texts[kind]


def _counted(count: int, what: str) -> str:
    return ngettext("%(what)s: %(count)s device", "%(what)s: %(count)s devices", count) % {
        "what": what,
        "count": count,
    }


def _event_text(kind: str, data: dict[str, object]) -> str:
    """What the buyer reads of an event; empty for those that concern only staff."""
    texts = {
        kinds.ORDER_PAID: _("Payment received"),
        kinds.ORDER_PAID_AGAIN: _("A second payment arrived; a person gives it back"),
        kinds.PAYMENT_DECLINED: _("The card was declined; nothing was charged"),
        kinds.TERMS_APPROVED: _("Payment after delivery was agreed"),
        kinds.ORDER_CANCELLED: _("Cancelled"),
        kinds.ORDER_EXPIRED: _("Not paid in time, so it was cancelled"),
        kinds.NOTICE_SENT: _("Notice sent by e-mail: the project cannot deliver now"),
        kinds.CREDITS_REFUNDED: _("The money for the credits of a device went back to you"),
        kinds.ORDER_MAILED: _("Confirmation sent by e-mail"),
        kinds.CERTIFICATES_MAILED: _("Documents sent by e-mail"),
    }
    if kind == kinds.DEVICES_SHIPPED:
        return _counted(int(str(data.get("devices", 0))), _("Shipped"))
    return texts.get(kind, "")
