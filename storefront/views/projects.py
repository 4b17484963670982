"""What can be retired: projects by continent, one project with what speaks for and against it, one
retirement.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from checkout.formatting import money_text, whole_text
from claims.wording import Wording, say
from offsets.selectors import (
    available_by_project,
    blocks_in_stock,
    intervals_of,
    last_checked,
    retirement_by_reference,
)
from offsets.serials import credits_of_interval, format_credit_serials
from projects.models import Project
from projects.selectors import project_by_reference, projects_for_sale
from storefront.amounts import livemode, tonnes_text
from storefront.buying import basket_of, delivery_country, reader_for

INTERVALS_PER_PAGE = 200


@require_safe
def projects(request: HttpRequest) -> HttpResponse:
    """Projects on sale in the visitor's market, by continent."""
    market_country = delivery_country(request, basket_of(request))
    free = available_by_project(livemode=livemode())
    continents: dict[str, list[dict[str, Any]]] = {}
    for entry in projects_for_sale(market=market_country.market, on=timezone.now().date()):
        continents.setdefault(entry.project.get_continent_display(), []).append(
            {
                "project": entry.project,
                "price": money_text(entry.price_minor_per_tonne, market_country.market.currency),
                "stock": tonnes_text(free.get(entry.project.pk, 0)),
            }
        )
    return render(request, "storefront/projects/projects.html", {"continents": continents})


@require_safe
def project(request: HttpRequest, reference: str) -> HttpResponse:
    """One project: facts, what a credit is, what is said against it, what we hold and have retired."""
    found = project_by_reference(reference)
    if found.reference != reference:
        return redirect("project", found.reference)
    market_country = delivery_country(request, basket_of(request))
    wording = reader_for(request, market_country).wording
    prices = [
        entry.price_minor_per_tonne
        for entry in projects_for_sale(market=market_country.market, on=timezone.now().date())
        if entry.project.pk == found.pk
    ]
    blocks = blocks_in_stock(project=found, livemode=livemode())
    context = {
        "project": found,
        "price": money_text(prices[0], market_country.market.currency) if prices else "",
        "stock": tonnes_text(available_by_project(livemode=livemode()).get(found.pk, 0)),
        "supplied": say("project_supplied", wording=wording, supplier=found.supplied_through)
        if found.supplied_through
        else "",
        "un_project": say("project_un", wording=wording, reference=found.reference)
        if found.registry.code == "CDM"
        else "",
        "voluntary": say("voluntary_cancellation_note", wording=wording)
        if found.registry.code == "CDM"
        else "",
        "credit": say(
            "credit_explained", wording=wording, unit=found.registry.unit, registry=found.registry.code
        ),
        "substitution": say("project_substitution", wording=wording, project=found.name),
        "last_day": say(
            "project_last_day",
            wording=wording,
            registry=found.registry.code,
            date=f"{found.registry.last_retirement_on:%-d %B %Y}",
        )
        if found.registry.last_retirement_on
        else "",
        "blocks": blocks,
        "retirements": [
            retirement
            for block in blocks
            for retirement in block.retirements.all()
            if retirement.state == "confirmed"
        ],
        "quality": issuances_of(found),
    }
    return render(request, "storefront/projects/project.html", context)


@dataclass(frozen=True)
class Issuances:
    """What the registry prints of a project's issuances: a column for each, a row for each field."""

    columns: list[tuple[int, date | None]]  # vintage, day of the issuance
    rows: list[tuple[str, list[str | None]]]  # None where the registry has no such field
    sources: list[str]


def issuances_of(project: Project) -> Issuances | None:
    """The project's quality facts, newest issuance first; None when there are none."""
    facts = list(project.quality_facts.all())
    if not facts:
        return None
    columns = sorted(
        {(fact.vintage, fact.issued_on) for fact in facts},
        key=lambda column: (column[0], column[1] or date.min),
        reverse=True,
    )
    values = {(fact.name, fact.vintage, fact.issued_on): fact.value for fact in facts}
    names = dict.fromkeys(fact.name for fact in facts)
    return Issuances(
        columns=columns,
        rows=[(name, [values.get((name, *column)) for column in columns]) for name in names],
        sources=list(dict.fromkeys(fact.source for fact in facts)),
    )


@require_safe
def retirement(request: HttpRequest, reference: str) -> HttpResponse:
    """One retirement: its credits, its intervals with a running total, and what is left. Names no device."""
    found = retirement_by_reference(reference)
    wording = reader_for(request, delivery_country(request, basket_of(request))).wording
    page = Paginator(intervals_of(found), INTERVALS_PER_PAGE).get_page(request.GET.get("page"))
    rows = []
    for allocation in page.object_list:
        first, last = credits_of_interval(found.first_number, allocation.from_g, allocation.to_g)
        rows.append(
            {
                "from_g": whole_text(allocation.from_g),
                "to_g": whole_text(allocation.to_g),
                "grams": whole_text(allocation.to_g - allocation.from_g),
                "serials": format_credit_serials(found.block.series, first, last),
            }
        )
    taken = sum(to_g - from_g for from_g, to_g in intervals_of(found).values_list("from_g", "to_g"))
    context = {
        "retirement": found,
        "project": found.project,
        "serials": format_credit_serials(found.block.series, found.first_number, found.last_number),
        "rows": rows,
        "page": page,
        "devices": page.paginator.count,
        "taken": whole_text(taken),
        "surplus": whole_text(found.amount_g - taken) if found.state == "confirmed" else "",
        "line": _registry_line(found, wording),
        "checked": last_checked(found),
        "demo": "" if found.livemode else say("certificate_demo", wording=wording),
    }
    return render(request, "storefront/projects/retirement.html", context)


def _registry_line(retirement: Any, wording: Wording) -> str:
    if retirement.state != "confirmed":
        return say("certificate_not_yet", wording=wording)
    slot = "registry_line_cdm" if retirement.project.registry.code == "CDM" else "registry_line"
    line = say(
        slot,
        wording=wording,
        reference=retirement.registry_reference,
        date=f"{retirement.retired_on:%-d %B %Y}",
    )
    return line[:1].upper() + line[1:]
