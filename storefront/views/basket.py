"""The basket: add, change, take out; credits per line. A change is a POST that redirects, or 422 with the
reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import EllipsisType

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from catalog.models import Option
from catalog.selectors import choose_options, product_by_slug
from checkout import baskets
from checkout.errors import InvalidQuantity
from checkout.formatting import kg_text, money_text
from checkout.models import BasketLine
from checkout.priced import PricedBasket, PricedLine
from claims.wording import say
from common.errors import DomainError
from offsets.selectors import available_by_project
from projects.models import Project
from projects.pricing import offset_price_minor
from projects.selectors import SaleableProject, project_by_reference, projects_for_sale
from storefront.buying import (
    Reader,
    basket_of,
    delivery_country,
    device_words,
    open_basket,
    priced_basket,
    reader_for,
)

DOUBLE_CLICK = timedelta(seconds=5)


@dataclass(frozen=True)
class ProjectChoice:
    """A project in a line's list, with what its credits cost for one device."""

    reference: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class LineView:
    """A line of the basket as its page shows it."""

    priced: PricedLine
    unit_minor: int  # with or without VAT, as the reader's prices are shown
    total_minor: int
    offset_total_minor: int
    choices: Sequence[ProjectChoice]
    offer: str  # the register's words for the offer; empty when there is none
    note: str
    take_out: str
    not_offered: str
    sold_out: str


@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """The basket."""
    return _page(request)


def _page(request: HttpRequest, *, status: int = 200, problem: DomainError | None = None) -> HttpResponse:
    basket = basket_of(request)
    if basket is None or not basket.lines.exists():
        return render(request, "storefront/basket/empty.html", {"problem": problem}, status=status)
    market_country = delivery_country(request, basket)
    reader = reader_for(request, market_country)
    try:
        priced = priced_basket(request, basket, reader)
    except DomainError as error:
        return render(request, "storefront/basket/empty.html", {"problem": error}, status=error.status)
    context = {
        "basket": priced,
        "lines": _lines(priced, reader),
        "reader": reader,
        "problem": problem,
        "max_devices": settings.MAX_DEVICES_PER_ORDER,
    }
    return render(request, "storefront/basket/basket.html", context, status=status)


def _lines(priced: PricedBasket, reader: Reader) -> list[LineView]:
    sales = projects_for_sale(market=priced.market_country.market, on=timezone.now().date())
    available = available_by_project(livemode=settings.LIVEMODE)
    return [_line(line, priced, reader, sales, available) for line in priced.lines]


def _line(
    line: PricedLine,
    priced: PricedBasket,
    reader: Reader,
    sales: Sequence[SaleableProject],
    available: dict[int, int],
) -> LineView:
    wording, offset, quantity = reader.wording, line.offset, line.line.quantity
    device, devices = device_words(line.product)
    amount_g = line.footprint.amount_g if line.footprint else 0
    choices = [
        ProjectChoice(
            sale.project.reference,
            f"{sale.project.short_name}, {sale.project.country.name} · "
            f"+ {_offset_price(sale, amount_g, priced, reader)}",
            bool(offset and offset.project.pk == sale.project.pk),
        )
        for sale in sales
        if available.get(sale.project.pk, 0) >= amount_g
    ]
    offer, note = "", ""
    if line.footprint and choices and not offset:
        first = next(sale for sale in sales if sale.project.reference == choices[0].reference)
        kg = kg_text(amount_g)
        offer = (
            say("offer_button", wording=wording, kg=kg, device=device)
            if quantity == 1
            else say("offer_button_many", wording=wording, kg=kg, count=quantity, devices=devices)
        )
        note = say(
            "offer_note",
            wording=wording,
            price=_offset_price(first, amount_g, priced, reader),
            project=first.project.name,
            registry=first.project.registry.code,
            device=device,
        )
    short = bool(offset) and available.get(offset.project.pk, 0) < offset.amount_g if offset else False
    return LineView(
        priced=line,
        unit_minor=reader.shown(line.unit_net_minor, priced.market_country.vat_basis_points),
        total_minor=line.net_minor if reader.net_prices else line.gross_minor,
        offset_total_minor=(offset.net_minor if reader.net_prices else offset.gross_minor) if offset else 0,
        choices=choices,
        offer=offer,
        note=note,
        take_out=say("offer_remove", wording=wording, kg=kg_text(amount_g)) if offset else "",
        not_offered="" if line.footprint else say("not_offered", wording=wording, device=device),
        sold_out=say("not_offered_sold_out", wording=wording, project=offset.project.name)
        if offset and short
        else "",
    )


def _offset_price(sale: SaleableProject, amount_g: int, priced: PricedBasket, reader: Reader) -> str:
    net = offset_price_minor(amount_g=amount_g, price_minor_per_tonne=sale.price_minor_per_tonne)
    return money_text(reader.shown(net, priced.market_country.vat_basis_points), priced.currency)


@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Put a configured device into the basket, with credits when their button was pressed."""
    try:
        product = product_by_slug(request.POST.get("product") or request.GET.get("product", ""))
        options = choose_options(product=product, values=_option_values(request.POST))
        project = None
        if request.POST.get("offset") or request.GET.get("offset"):
            project = project_by_reference(request.POST.get("project", ""))
        basket = open_basket(request)
        baskets.add_line(
            basket=basket,
            product=product,
            options=options,
            country_of_use=request.POST.get("country") or str(basket.country),
            years=_number(request.POST, "years", default=5),
            quantity=_number(request.POST, "quantity", default=1),
            offset_project=project,
            once_within=DOUBLE_CLICK,
        )
    except DomainError as error:
        return _page(request, status=error.status, problem=error)
    messages.success(request, _("%(product)s is in your basket.") % {"product": product.name})
    return redirect("basket")


def _option_values(data: QueryDict) -> dict[str, str]:
    return {kind: data.get(kind, "") for kind in Option.Kind.values if data.get(kind)}


def _number(data: QueryDict, name: str, *, default: int) -> int:
    """A whole number of a form; InvalidQuantity names the field that holds none."""
    text = data.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise InvalidQuantity(
            _("“%(text)s” is not a whole number. Type digits only.") % {"text": text[:20]},
            details=[{"field": name}],
        )
    return int(text)


@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Change how many, the project, and for how many of them; each only when the form has it."""
    line = _own_line(request, pk)
    if line is None:
        return redirect("basket")
    try:
        quantity = _number(request.POST, "quantity", default=0) if request.POST.get("quantity") else None
        units = _number(request.POST, "units", default=0) if request.POST.get("units") else None
        project: Project | EllipsisType = ...
        if request.POST.get("project") and (line.offset_project or request.POST.get("offset")):
            project = project_by_reference(request.POST["project"])
        baskets.change_line(line=line, quantity=quantity, offset_project=project, offset_units=units)
    except DomainError as error:
        return _page(request, status=error.status, problem=error)
    return redirect("basket")


@require_POST
def take_out_credits(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the credits of a line out; the devices stay."""
    line = _own_line(request, pk)
    if line is not None:
        baskets.change_line(line=line, offset_project=None)
    return redirect("basket")


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a line out. One that is gone already, or is another visitor's, stays as it is."""
    line = _own_line(request, pk)
    if line is not None:
        baskets.remove_line(line)
    return redirect("basket")


def _own_line(request: HttpRequest, pk: int) -> BasketLine | None:
    """The line, when it is in this visitor's own basket."""
    basket = basket_of(request)
    if basket is None:
        return None
    return basket.lines.select_related("basket", "offset_project").filter(pk=pk).first()
