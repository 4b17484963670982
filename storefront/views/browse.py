"""Home and the list of products: search, kinds, order. A page takes a fixed number of statements."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.selectors import market_for_country
from catalog.errors import NotPriced
from catalog.models import Option, Product
from catalog.pcf.footprint import Footprint
from catalog.selectors import (
    choose_options,
    configuration_text,
    footprints_of,
    price_minor,
    published_products,
    stated_total_kg,
)
from checkout.baskets import change_country
from checkout.formatting import money_text
from claims.wording import say
from offsets.selectors import public_totals
from projects.selectors import projects_for_sale
from storefront.amounts import about_kg, livemode, tonnes_text
from storefront.buying import basket_of, delivery_country, reader_for, safe_target

PAGE = 12
ORDERS = (
    ("", _("As listed")),
    ("price", _("Price, lowest first")),
    ("footprint", _("Footprint, lowest first")),
)
YEARS = 5


@dataclass(frozen=True)
class Card:
    """A product as the list shows it."""

    product: Product
    price: str
    price_minor: int | None
    configuration: str
    kg: str  # about so many kilograms over five years; empty where it is not known
    statistic: str
    footprint: Footprint | None


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this shop is, in one screen."""
    market_country = delivery_country(request, basket_of(request))
    reader = reader_for(request, market_country)
    products = list(published_products()[:4])
    totals = public_totals(livemode=livemode())
    projects = projects_for_sale(market=market_country.market, on=timezone.now().date())
    context = {
        "title": say("home_title", wording=reader.wording),
        "intro": say("home_intro", wording=reader.wording),
        "cards": _cards(request, products),
        "totals_title": say("totals_title", wording=reader.wording),
        "retired": tonnes_text(totals.retired_g),
        "devices": totals.devices,
        "projects": projects,
        "continents": len({entry.project.continent for entry in projects}),
    }
    return render(request, "storefront/browse/home.html", context)


@require_safe
def products(request: HttpRequest) -> HttpResponse:
    """The list: `?q=` searches, `?kind=` filters, `?order=` sorts, `?page=` turns the page."""
    query, kind, order = (request.GET.get(name, "").strip()[:100] for name in ("q", "kind", "order"))
    kind = kind if kind in Product.FormFactor.values else ""
    found = published_products(q=query, form_factor=kind)
    page: Page[Any]
    if order in {"price", "footprint"}:
        cards = sorted(_cards(request, list(found)), key=lambda card: _sort_key(card, order))
        page = Paginator(cards, PAGE).get_page(request.GET.get("page"))
        shown = list(page)
    else:
        page = Paginator(found, PAGE).get_page(request.GET.get("page"))
        shown = _cards(request, list(page))
    context: dict[str, Any] = {
        "cards": shown,
        "page": page,
        "query": query,
        "kind": kind,
        "order": order,
        "kinds": Product.FormFactor.choices,
        "orders": ORDERS,
        "filters": "".join(f"&{name}={value}" for name, value in (("kind", kind), ("order", order)) if value),
    }
    return render(request, "storefront/browse/products.html", context)


def _sort_key(card: Card, order: str) -> tuple[bool, Any]:
    """Unknown figures come last."""
    if order == "price":
        return card.price_minor is None, card.price_minor or 0
    return card.footprint is None, card.footprint.total_kg if card.footprint else 0


def _cards(request: HttpRequest, products: list[Product]) -> list[Card]:
    market_country = delivery_country(request, basket_of(request))
    reader = reader_for(request, market_country)
    chosen: list[tuple[Product, list[Option]]] = [
        (product, choose_options(product=product, values={})) for product in products
    ]
    footprints = footprints_of(chosen, country=market_country.country.code, years=YEARS)
    cards = []
    for (product, options), footprint in zip(chosen, footprints, strict=True):
        try:
            net = price_minor(product=product, options=options, market=market_country.market)
            shown = reader.shown(net, market_country.vat_basis_points)
        except NotPriced:
            shown = None
        total = stated_total_kg(product)
        statistic = (
            footprint.statistic if footprint else (product.sheet.statistic if product.sheet else "unknown")
        )
        cards.append(
            Card(
                product=product,
                price=money_text(shown, market_country.market.currency) if shown is not None else "",
                price_minor=shown,
                configuration=configuration_text(options),
                kg=about_kg(footprint.total_kg) if footprint else (f"{total:.0f}" if total else ""),
                statistic=say(f"statistic_{statistic}", wording=reader.wording),
                footprint=footprint,
            )
        )
    return cards


@require_POST
def market(request: HttpRequest) -> HttpResponse:
    """Choose the country that is delivered to; the basket follows."""
    chosen = market_for_country(request.POST.get("country", "")[:2], on=timezone.now().date())
    if chosen is not None:
        request.session["country"] = chosen.country.code
        basket = basket_of(request)
        if basket is not None:
            change_country(basket=basket, market_country=chosen)
    return redirect(safe_target(request))
