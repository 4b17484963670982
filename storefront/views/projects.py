"""What can be retired: projects by continent, one project with what speaks for and against it."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from checkout.formatting import money_text
from claims.wording import say
from offsets.selectors import available_by_project, blocks_in_stock
from projects.models import Project
from projects.selectors import project_by_reference, projects_for_sale
from storefront.amounts import livemode, tonnes_text
from storefront.buying import basket_of, delivery_country, reader_for


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
