"""Play one purchase to its end: a guest in Sweden buys one ThinkPad with its credits."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from accounts.selectors import market_for_country
from catalog.selectors import choose_options, product_by_sku
from certificates.badges import badge_svg
from certificates.logkeys import key_of
from certificates.models import Certificate
from certificates.publiclog import certificate_json
from checkout.baskets import add_line, create_basket
from checkout.models import Order, OrderedDevice
from checkout.payments import sandbox
from checkout.services import Buyer, pay_order, place_order
from projects.models import Project

SKU = "20N2-CTO"
PROJECT = "CAR1480"  # a CAR project: the CDM may have closed on the day this runs
COUNTRY = "SE"
DEADLINE_S = 120


class PurchaseStuck(RuntimeError):
    """The purchase did not reach its certificate in time; the message says where it stands."""


def play(*, work: Callable[[], None] | None) -> dict[str, Any]:
    """Buy, pay, wait for the certificate. `work` runs one round of sweeps; None: a worker is running
    elsewhere.
    """
    started = time.monotonic()
    order = buy()
    certificate = wait_for_certificate(order, work=work)
    device = OrderedDevice.objects.get(line__order=order)
    facts = certificate.facts or {}
    return {
        "order": order.number,
        "device_serial": device.device_serial,
        "product": facts["product"],
        "project": PROJECT,
        "amount_g": facts["amount_g"],
        "credit_serials": facts["credit_serials"],
        "certificate_code": certificate.code,
        "record_url": f"{settings.SITE_URL}/c/{certificate.code}/",
        **save_files(certificate, facts),
        "log_key": str(key_of(livemode=certificate.livemode)),
        "seconds": round(time.monotonic() - started, 2),
    }


def buy() -> Order:
    """Place and pay the order through the services that the shop's pages call."""
    now = timezone.now()
    market_country = market_for_country(COUNTRY, on=now.date())
    if market_country is None:
        raise PurchaseStuck(f"No market is open for {COUNTRY} on {now:%Y-%m-%d}.")
    product = product_by_sku(SKU)
    basket = create_basket(market_country=market_country, user=None)
    add_line(
        basket=basket,
        product=product,
        options=choose_options(product=product, values={}),
        country_of_use=COUNTRY,
        years=5,
        quantity=1,
        offset_project=Project.objects.get(reference=PROJECT),
    )
    buyer = Buyer(
        email="alice@clearline.example",
        name="Alice Andersson",
        address="Storgatan 1\n111 22 Stockholm",
        early_retirement_consent=True,
    )
    order = place_order(
        basket=basket,
        buyer=buyer,
        payment_method=Order.PaymentMethod.CARD,
        user=None,
        owner=None,
        actor="demo",
        now=now,
    )
    notice = sandbox.notice_for(order)
    pay_order(
        order=order,
        method=notice.method,
        reference=notice.reference,
        amount_minor=notice.amount_minor,
        currency=notice.currency,
        livemode=notice.livemode,
        actor="demo",
        now=timezone.now(),
    )
    return order


def wait_for_certificate(order: Order, *, work: Callable[[], None] | None) -> Certificate:
    """The rendered certificate of the order's one device. Raises PurchaseStuck after DEADLINE_S seconds."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        close_old_connections()
        if work:
            work()
        certificate = Certificate.objects.filter(
            offset__ordered_device__line__order=order,
            state=Certificate.State.VALID,
            rendered_at__isnull=False,
        ).first()
        if certificate:
            return certificate
        time.sleep(0.2)
    device = OrderedDevice.objects.select_related("offset").get(line__order=order)
    raise PurchaseStuck(
        f"Order {order.number} has no certificate after {DEADLINE_S} s: shipped={bool(device.shipment_id)}, "
        f"promised={bool(device.offset_id)}, covered={bool(device.offset and device.offset.covered_at)}, "
        f"problem={device.problem!r}. Is a worker running?"
    )


def save_files(certificate: Certificate, facts: dict[str, Any]) -> dict[str, str]:
    """The PDF's path, and badge and JSON written beside it."""
    pdf = Path(certificate.pdf.path).resolve()
    svg, json_file = pdf.with_suffix(".svg"), pdf.with_suffix(".json")
    svg.write_text(badge_svg(facts), encoding="utf-8")
    json_file.write_bytes(certificate_json(certificate))
    return {"pdf": str(pdf), "svg": str(svg), "json": str(json_file)}
