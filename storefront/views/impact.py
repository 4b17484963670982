"""Public totals, with comparisons whose unit and source are named."""

from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.pcf.equivalents import aircraft_miles, car_kilometres, european_flights
from checkout.formatting import whole_text
from claims.wording import say
from offsets.selectors import public_totals, retired_by_project
from storefront.amounts import livemode, tonnes_text
from storefront.buying import basket_of, delivery_country, reader_for


@require_safe
def impact(request: HttpRequest) -> HttpResponse:
    """What registries have confirmed, what devices claim of it, and what is left."""
    wording = reader_for(request, delivery_country(request, basket_of(request))).wording
    totals = public_totals(livemode=livemode())
    by_project = retired_by_project(livemode=livemode())
    kg = Decimal(totals.retired_g) / 1000
    comparisons = [car_kilometres(kg), aircraft_miles(kg), european_flights(kg)]
    context = {
        "title": say("totals_title", wording=wording),
        "intro": say("totals_intro", wording=wording),
        "line": say(
            "totals_line",
            wording=wording,
            tonnes=tonnes_text(totals.retired_g),
            count=whole_text(totals.devices),
            projects=str(len(by_project)),
        ),
        "retired": tonnes_text(totals.retired_g),
        "claimed": tonnes_text(totals.claimed_g),
        "surplus": tonnes_text(totals.surplus_g),
        "devices": whole_text(totals.devices),
        "device_count": totals.devices,
        "by_project": [(project, tonnes_text(grams)) for project, grams in by_project],
        "comparisons": [
            (whole_text(one.quantity), say(f"equivalent_{one.key}", wording=wording), one.source)
            for one in comparisons
            if one.quantity
        ],
        "demo": "" if livemode() else say("certificate_demo", wording=wording),
    }
    return render(request, "storefront/content/impact.html", context)
