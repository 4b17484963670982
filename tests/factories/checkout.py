"""A small shop: one laptop of 310 kg in Sweden, one monitor without a lifetime, one project, and orders of
them.

The laptop: 400 kg by its sheet, 100 kg of it use over five years at the world's grid (0.5 kg/kWh). Used in
Sweden (0.05 kg/kWh) for five years that is 310 kg, so 310,000 g. It costs 10,000 kr net, 32 GB 800 kr more;
VAT is 25 %. Credits cost 150 kr a tonne net: 310 kg are 46.50 kr.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.core.files.base import ContentFile

from accounts.models import Account, Market, MarketCountry, User
from accounts.seed import load_markets
from catalog.models import GridFactor, Option, OptionPrice, PcfSheet, Product, ProductPrice
from catalog.selectors import choose_options
from certificates.models import Certificate
from checkout import baskets, services
from checkout.models import Basket, BasketLine, Order, OrderedDevice, Shipment
from claims.wording import current_wording
from common.codes import random_code
from offsets.models import DeviceOffset
from projects.models import Project, ProjectPrice
from tests.factories.offsets import make_project, stock

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LAPTOP = "LAPTOP-1"
MONITOR = "MONITOR-1"
SWEDEN_G = 310_000
LAPTOP_MINOR = 1_000_000
MEMORY_MINOR = 80_000
OFFSET_MINOR = 4_650
PER_TONNE_MINOR = 15_000
WORDING = current_wording(register="A", language="en")


def make_product(
    sku: str = LAPTOP, *, lifetime_years: int | None = 5, price_minor: int = LAPTOP_MINOR
) -> Product:
    """A Lenovo device with memory to choose, priced alike in every market."""
    laptop = sku.startswith("LAPTOP")
    sheet = PcfSheet.objects.create(
        manufacturer="Lenovo",
        name=f"Device {sku}",
        lineage=sku,
        total_kg=Decimal(400),
        use_kg=Decimal(100),
        lifetime_years=lifetime_years,
        source="test sheet",
    )
    product = Product.objects.create(
        sku=sku,
        slug=sku.lower(),
        manufacturer="Lenovo",
        name=f"ThinkPad {sku}",
        form_factor=Product.FormFactor.LAPTOP if laptop else Product.FormFactor.MONITOR,
        sheet=sheet,
        base_memory_gb=16,
        base_storage_gb=512,
        stock_units=50,
    )
    for market in Market.objects.all():
        ProductPrice.objects.create(product=product, market=market, price_minor=price_minor)
    for size in (16, 32) if laptop else ():
        option = Option.objects.create(
            product=product,
            kind="memory",
            value=str(size),
            label=f"{size} GB",
            gigabytes=size,
            is_default=size == 16,
        )
        for market in Market.objects.all():
            surcharge = 0 if size == 16 else MEMORY_MINOR
            OptionPrice.objects.create(option=option, market=market, surcharge_minor=surcharge)
    return product


def make_shop(*, credits: int = 5) -> Project:
    """Markets, grids, a laptop, a monitor, and a wind project for sale with `credits` tonnes in the
    sandbox.
    """
    load_markets()
    for country, region, kg in (("", "World", "0.5"), ("SE", "", "0.05")):
        GridFactor.objects.create(
            country=country,
            region=region,
            name=country or region,
            kg_co2e_per_kwh=Decimal(kg),
            year=2024,
            source="test grid",
            licence="none",
        )
    make_product()
    make_product(MONITOR, lifetime_years=None, price_minor=250_000)
    return make_sold_project(credits=credits)


def make_sold_project(reference: str = "CL-4449", *, credits: int = 5, first: int = 1) -> Project:
    """A project for sale in every open market."""
    project = make_project(reference)
    for market in Market.objects.filter(opened_on__lte=date(2026, 11, 24)):
        ProjectPrice.objects.create(project=project, market=market, price_minor_per_tonne=PER_TONNE_MINOR)
    if credits:
        stock(project, credits=credits, first=first)
    return project


def make_basket(country: str = "SE", *, user: User | None = None) -> Basket:
    market_country = MarketCountry.objects.select_related("market").get(country=country)
    return baskets.create_basket(market_country=market_country, user=user, now=NOON)


def add(
    basket: Basket,
    *,
    sku: str = LAPTOP,
    quantity: int = 1,
    project: Project | None = None,
    memory: str = "16",
    years: int = 5,
    country: str = "SE",
    **more: Any,
) -> BasketLine:
    """Put this many laptops into the basket, as the product page does."""
    product = Product.objects.get(sku=sku)
    values = {"memory": memory} if sku == LAPTOP else {}
    return baskets.add_line(
        basket=basket,
        product=product,
        options=choose_options(product=product, values=values),
        country_of_use=country,
        years=years,
        quantity=quantity,
        offset_project=project,
        now=more.pop("now", NOON),
        **more,
    )


def make_buyer(**changes: Any) -> services.Buyer:
    facts = {"email": "guest@example.com", "name": "Guest", "address": "Storgatan 1, 111 22 Stockholm"}
    return services.Buyer(**{**facts, **changes})


def place(
    basket: Basket,
    *,
    method: str = "card",
    user: User | None = None,
    owner: Account | None = None,
    now: datetime = NOON,
    **buyer: Any,
) -> Order:
    """Order the basket. Consent to the early retirement is given unless a test says otherwise."""
    facts = {"early_retirement_consent": True, **buyer}
    return services.place_order(
        basket=basket,
        buyer=make_buyer(**facts),
        payment_method=method,
        user=user,
        owner=owner,
        actor=f"user:{user.pk}" if user else "guest",
        now=now,
    )


def make_order(*, quantity: int = 1, project: Project | None = None, **more: Any) -> Order:
    """An order of laptops, with credits for each when a project is given."""
    basket = make_basket(user=more.get("user"))
    add(basket, quantity=quantity, project=project)
    return place(basket, **more)


def pay(order: Order, **changes: Any) -> Any:
    """Money for an order arrives: exactly what it costs, unless said otherwise."""
    facts = {
        "method": "card",
        "reference": f"test-{order.number}",
        "amount_minor": order.gross_minor,
        "currency": order.currency,
        "livemode": False,
        "actor": "guest",
        "now": NOON,
    }
    return services.pay_order(order=order, **{**facts, **changes})


def units(order: Order) -> list[OrderedDevice]:
    return list(OrderedDevice.objects.filter(line__order=order).order_by("line__position", "position"))


def ship(order: Order, *serials: str, now: datetime = NOON, **more: Any) -> Shipment:
    """Staff ship: these serial numbers go to the first units that have not left."""
    waiting = [device for device in units(order) if device.shipment_id is None]
    numbers = serials or tuple(f"PF{device.pk:06d}" for device in waiting)
    pairs = {device.pk: serial for device, serial in zip(waiting, numbers, strict=False)}
    return services.ship_devices(order=order, serials=pairs, actor="staff:1", now=now, **more)


def certify(order: Order, *, rendered: bool = True) -> list[Certificate]:
    """Valid certificates for the order's offsets that have none, as if the registry had confirmed."""
    made = []
    offsets = DeviceOffset.objects.filter(ordered_device__line__order=order, certificates=None, ended_at=None)
    for offset in offsets.order_by("pk"):
        DeviceOffset.objects.filter(pk=offset.pk).update(covered_at=NOON)
        certificate = Certificate.objects.create(
            code=random_code(groups=4),
            offset=offset,
            livemode=False,
            facts={"device_serial": offset.device_serial},
            nonce=b"n" * 32,
            digest="0" * 64,
            wording=offset.wording,
            language="en",
            issued_at=NOON,
            rendered_at=NOON if rendered else None,
        )
        if rendered:
            certificate.pdf.save(f"{certificate.code}.pdf", ContentFile(b"%PDF-1.7 test"))
        made.append(certificate)
    return made
