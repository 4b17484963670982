"""A basket becomes an order: everything is computed once more on the server, frozen, and its grams are
reserved.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import Account, Membership, User
from accounts.selectors import market_for_country, register_for
from accounts.services import audience_for, open_personal_account, verify_company
from accounts.vat import COUNTRIES, normalise_vat_id
from checkout import events as kinds
from checkout.baskets import price_basket
from checkout.errors import (
    BasketEmpty,
    BasketExpired,
    BasketRefused,
    InvalidQuantity,
    NotSoldThere,
    PaymentMethodRefused,
    PriceChanged,
)
from checkout.formatting import kg_text, money_text
from checkout.models import Basket, OffsetLine, Order, OrderedDevice, OrderLine
from checkout.payments.base import methods_offered
from checkout.priced import PricedBasket, PricedLine
from checkout.withdrawal import may_withdraw
from claims.wording import Wording, current_wording, say
from common import events, faults
from common.codes import random_code
from offsets.services import Hold, hold

CARD_PAYMENT_HOURS = 24


@dataclass(frozen=True, kw_only=True)
class Buyer:
    """What a buyer types in. Whether a company reads as one is decided by the server: a VAT id that checks,
    or staff.
    """

    email: str
    name: str
    address: str
    company: str = ""
    vat_id: str = ""
    po_number: str = ""
    cost_centre: str = ""
    early_retirement_consent: bool = False


def place_order(
    *,
    basket: Basket,
    buyer: Buyer,
    payment_method: str,
    user: User | None,
    owner: Account | None,
    actor: str,
    now: datetime,
    seen_gross_minor: int | None = None,
) -> Order:
    """Turn the basket into an order and reserve a device's grams for each unit with credits; all or nothing.

    The same basket gives the same order, however often it is asked. Raises BasketEmpty, BasketExpired,
    BasketRefused, NotSoldThere, PaymentMethodRefused, VatIdDoesNotCheck, PriceChanged when the buyer saw
    another total (`seen_gross_minor`), and SoldOut naming the project. Statements do not grow with the
    devices (on SQLite: with each batch of inserts).
    """
    try:
        order = _place_order(
            basket=basket,
            buyer=buyer,
            payment_method=payment_method,
            user=user,
            owner=owner,
            actor=actor,
            now=now,
            seen_gross_minor=seen_gross_minor,
        )
    except IntegrityError:  # the other click was faster
        existing = Order.objects.filter(basket_id=basket.pk).first()
        if existing is None:
            raise
        return existing
    faults.reach("order-placed")
    return order


@transaction.atomic(durable=True)
def _place_order(
    *,
    basket: Basket,
    buyer: Buyer,
    payment_method: str,
    user: User | None,
    owner: Account | None,
    actor: str,
    now: datetime,
    seen_gross_minor: int | None,
) -> Order:
    locked = Basket.objects.select_for_update().filter(pk=basket.pk).first()
    if existing := Order.objects.filter(basket_id=basket.pk).first():
        return existing
    if locked is None:
        raise BasketEmpty(_("Your basket is empty. Choose a device first."))
    basket = locked
    if basket.expires_at <= now:
        raise BasketExpired(
            _("Your basket is too old to be ordered. Choose the devices again at today's prices.")
        )
    market_country = market_for_country(str(basket.country), on=now.date())
    if market_country is None:
        raise NotSoldThere(
            _("We do not sell in %(country)s at the moment.") % {"country": basket.country.name}
        )
    owner = _owner(buyer, owner=owner, user=user, country=str(basket.country), actor=actor, now=now)
    audience = audience_for(owner)
    register = register_for(market_country, audience)
    wording = current_wording(register=register, language=market_country.market.language)
    priced = price_basket(basket, audience=audience, wording=wording, now=now)
    _check(priced, payment_method=payment_method, seen_gross_minor=seen_gross_minor)
    on_terms = payment_method == Order.PaymentMethod.INVOICE and owner is not None and owner.may_pay_on_terms
    consents = buyer.early_retirement_consent and may_withdraw(audience=audience, wording=wording)
    order = Order.objects.create(
        number=random_code(groups=2),
        basket_id=basket.pk,
        owner=owner,
        user=user,
        livemode=settings.LIVEMODE,
        market=market_country.market,
        currency=priced.currency,
        country=basket.country,
        audience=audience,
        language=wording.language,
        wording=wording.id,
        email=buyer.email,
        name=buyer.name,
        company=buyer.company,
        vat_id=owner.vat_id if owner and buyer.vat_id else buyer.vat_id,
        address=buyer.address,
        po_number=buyer.po_number,
        cost_centre=buyer.cost_centre,
        payment_method=payment_method,
        on_terms=on_terms,
        early_retirement_consent_at=now if consents and priced.offset_amount_g else None,
        net_minor=priced.net_minor,
        tax_minor=priced.tax_minor,
        gross_minor=priced.gross_minor,
        placed_at=now,
        expires_at=None if on_terms else now + _time_to_pay(payment_method),
    )
    _write_lines(order, priced, wording=wording)
    basket.lines.all().delete()
    basket.delete()
    events.record(
        kinds.ORDER_PLACED,
        order,
        actor=actor,
        data={"gross_minor": order.gross_minor, "currency": order.currency, "devices": priced.devices},
    )
    return order


def _time_to_pay(payment_method: str) -> timedelta:
    if payment_method == Order.PaymentMethod.CARD:
        return timedelta(hours=CARD_PAYMENT_HOURS)
    return timedelta(days=settings.ORDER_PAYMENT_DAYS)


def _check(priced: PricedBasket, *, payment_method: str, seen_gross_minor: int | None) -> None:
    if not priced.lines:
        raise BasketEmpty(_("Your basket is empty. Choose a device first."))
    if priced.problems:
        raise BasketRefused(priced.problems[0]["problem"], details=priced.problems)
    if priced.devices > settings.MAX_DEVICES_PER_ORDER:
        raise InvalidQuantity(
            _("An order holds at most %(limit)s devices; split it.")
            % {"limit": settings.MAX_DEVICES_PER_ORDER}
        )
    if payment_method not in methods_offered():
        raise PaymentMethodRefused(
            _("Choose one of these ways to pay: %(methods)s.")
            % {"methods": ", ".join(str(method.label) for method in methods_offered())}
        )
    if seen_gross_minor is not None and seen_gross_minor != priced.gross_minor:
        raise PriceChanged(
            _(
                "Prices have changed since you opened this page. The total is now %(total)s; "
                "order again if you agree."
            )
            % {"total": money_text(priced.gross_minor, priced.currency)}
        )


def vat_country(vat_id: str, *, country: str) -> str:
    """The country whose VAT id this is: by its prefix, else the country that the order goes to."""
    prefix = vat_id.strip().upper()[:2]
    code = {"EL": "GR"}.get(prefix, prefix)
    return code if code in COUNTRIES else country


def _owner(
    buyer: Buyer, *, owner: Account | None, user: User | None, country: str, actor: str, now: datetime
) -> Account | None:
    """The account that owns the order: the one chosen, the company whose VAT id checks, or the person's
    own.
    """
    if buyer.vat_id:
        of = vat_country(buyer.vat_id, country=country)
        checked = normalise_vat_id(vat_id=buyer.vat_id, country=of)
        if owner is None:
            owner = Account.objects.create(
                kind=Account.Kind.COMPANY, name=buyer.company or buyer.name, country=of, created_at=now
            )
            if user is not None:
                Membership.objects.create(user=user, account=owner, role=Membership.Role.ADMIN)
        if not owner.vat_id:
            verify_company(account=owner, vat_id=checked, country=of, actor=actor, now=now)
    elif owner is None and user is not None:
        owner = open_personal_account(user=user)
    return owner


def _write_lines(order: Order, priced: PricedBasket, *, wording: Wording) -> None:
    """Freeze lines, offset lines and one row per unit; reserve the grams last."""
    vat = priced.market_country.vat_basis_points
    lines = OrderLine.objects.bulk_create(
        _order_line(order, position, line, vat=vat) for position, line in enumerate(priced.lines, start=1)
    )
    pairs = list(zip(lines, priced.lines, strict=True))
    OffsetLine.objects.bulk_create(
        OffsetLine(
            line=line,
            project=source.offset.project,
            units=source.offset.units,
            unit_amount_g=source.offset.unit_amount_g,
            price_minor_per_tonne=source.offset.price_minor_per_tonne,
            unit_net_minor=source.offset.unit_net_minor,
            vat_basis_points=vat,
            net_minor=source.offset.net_minor,
            tax_minor=source.offset.tax_minor,
            text=say(
                "order_line",
                wording=wording,
                kg=kg_text(source.offset.unit_amount_g),
                project=source.offset.project.name,
            ),
        )
        for line, source in pairs
        if source.offset
    )
    devices = OrderedDevice.objects.bulk_create(
        OrderedDevice(
            line=line, position=unit, with_offset=unit <= (source.offset.units if source.offset else 0)
        )
        for line, source in pairs
        for unit in range(1, line.quantity + 1)
    )
    offset_of = {line.pk: source.offset for line, source in pairs if source.offset}
    # No expiry: they end when the order expires or is cancelled, or are consumed when its device is promised.
    hold(
        [
            Hold(
                project=offset_of[device.line_id].project,
                livemode=order.livemode,
                holder=device.holder,
                amount_g=offset_of[device.line_id].unit_amount_g,
            )
            for device in devices
            if device.with_offset
        ]
    )


def _order_line(order: Order, position: int, source: PricedLine, *, vat: int) -> OrderLine:
    product = source.product
    return OrderLine(
        order=order,
        position=position,
        product=product,
        sku=product.sku,
        manufacturer=product.manufacturer,
        name=product.name,
        configuration=source.configuration,
        country_of_use=source.line.country_of_use,
        years=source.line.years,
        quantity=source.line.quantity,
        unit_net_minor=source.unit_net_minor,
        vat_basis_points=vat,
        net_minor=source.net_minor,
        tax_minor=source.tax_minor,
        footprint=source.footprint.as_json() if source.footprint else None,
    )
