"""Products, footprints and projects in the shape of `representations`. Nothing here is anybody's own."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Market
from accounts.selectors import default_market_country, market_for_country
from catalog.models import Product
from catalog.selectors import (
    can_offer,
    choose_options,
    configuration_text,
    footprint_of,
    options_by_kind,
    product_by_sku,
)
from common.errors import InvalidInput
from offsets.selectors import available_by_project
from partners.representations import FootprintAnswer
from projects.models import Project
from projects.selectors import SaleableProject, projects_for_sale

Row = dict[str, Any]
SHOWN = frozenset(FootprintAnswer().fields)  # of what is known of a footprint


def product_answer(product: Product) -> Row:
    """One product with its options by kind."""
    options = {
        kind: [
            {"value": option.value, "label": option.label, "is_default": option.is_default}
            for option in choices
        ]
        for kind, choices in options_by_kind(product).items()
    }
    return {
        "sku": product.sku,
        "manufacturer": product.manufacturer,
        "name": product.name,
        "series": product.series,
        "form_factor": product.form_factor,
        "summary": product.summary,
        "offered": can_offer(product),
        "options": options,
        "footprint_url": f"{settings.SITE_URL}{reverse('partners:footprint', kwargs={'sku': product.sku})}",
        "page_url": f"{settings.SITE_URL}/products/{product.slug}/",
    }


def footprint_answer(sku: str, query: Mapping[str, Any], *, on: date) -> Row:
    """The footprint of a configuration.

    Raises UnknownProduct, UnknownOption, UnknownCountry, FootprintUnknown.
    """
    product = product_by_sku(sku)
    values = {kind: query[kind] for kind in ("memory", "storage") if kind in query}
    options = choose_options(product=product, values=values)
    country = query.get("country") or str(default_market_country(on=on).country)
    footprint = footprint_of(product=product, options=options, country=country, years=query["years"])
    known = footprint.as_json()
    return {
        "sku": product.sku,
        "product": product.name,
        "configuration": configuration_text(options),
        **{name: value for name, value in known.items() if name in SHOWN},
        "total_kg": _plain(footprint.total_kg),
        "error_ratio": None if footprint.error_ratio is None else _plain(footprint.error_ratio),
        "stages": [
            {**row, "kg": _plain(stage.kg)}
            for row, stage in zip(known["stages"], footprint.stages, strict=True)
        ],
        "adjustments": [
            {**row, "kg": _plain(change.kg)}
            for row, change in zip(known["adjustments"], footprint.adjustments, strict=True)
        ],
    }


def _plain(figure: Decimal) -> str:
    """The figure without trailing zeros: “310”, not “310.00000000”; not rounded."""
    return format(figure.normalize(), "f")


def projects(country: str | None, *, on: date) -> list[Row]:
    """Projects for sale in the market of a country (None: that shown first). Raises InvalidInput."""
    market_country = market_for_country(country, on=on) if country else default_market_country(on=on)
    if market_country is None:
        detail = _("We do not sell in this country yet.")
        raise InvalidInput(detail, details=[{"field": "country", "detail": detail}])
    sold = projects_for_sale(market=market_country.market, on=on)
    prefetch_related_objects([row.project for row in sold], "quality_facts")
    available = available_by_project(livemode=settings.LIVEMODE)
    return [
        _project(row, market=market_country.market, available_g=available.get(row.project.pk, 0))
        for row in sold
    ]


def _project(sold: SaleableProject, *, market: Market, available_g: int) -> Row:
    project = sold.project
    return {
        "reference": project.reference,
        "name": project.name,
        "short_name": project.short_name,
        "country": str(project.country),
        "region": project.region,
        "continent": project.continent,
        "project_type": project.project_type,
        "methodology": project.methodology.code,
        "developer": project.developer,
        "supplied_through": project.supplied_through,
        "registry": _registry(project),
        "registry_url": project.registry_url,
        "what_it_does": project.what_it_does,
        "what_the_credit_is": project.what_the_credit_is,
        "what_is_said_against_it": project.what_is_said_against_it,
        "quality_facts": [
            {
                "vintage": fact.vintage,
                "issued_on": fact.issued_on,
                "name": fact.name,
                "value": fact.value,
                "source": fact.source,
            }
            for fact in project.quality_facts.all()
        ],
        "market": market.code,
        "currency": market.currency,
        "price_minor_per_tonne": sold.price_minor_per_tonne,
        "available_g": available_g,
        "url": f"{settings.SITE_URL}{reverse('partners:project', kwargs={'reference': project.reference})}",
    }


def _registry(project: Project) -> Row:
    registry = project.registry
    return {
        "code": registry.code,
        "name": registry.name,
        "url": registry.url,
        "unit": registry.unit,
        "retirement_term": registry.retirement_term,
        "last_retirement_on": registry.last_retirement_on,
    }
