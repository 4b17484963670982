"""The product page: price and footprint follow the choice, on the server, with and without JavaScript."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers
from django_countries import countries

from accounts.models import MarketCountry
from catalog.errors import FootprintUnknown, NotPriced
from catalog.models import Option, Product
from catalog.pcf.equivalents import car_kilometres
from catalog.pcf.footprint import Footprint
from catalog.pcf.method import ERROR_IS_STANDARD_DEVIATION, ERROR_NOT_EXPLAINED, YEARS_TO_CHOOSE
from catalog.selectors import (
    choose_options,
    footprint_of,
    options_by_kind,
    price_minor,
    product_by_slug,
    stated_total_kg,
)
from checkout.formatting import kg_text, money_text, whole_text
from claims.formats import number_text, sheet_date_text
from claims.wording import Wording, say, years_text
from common.errors import DomainError, InvalidInput
from offsets.selectors import available_by_project
from projects.pricing import offset_price_minor
from projects.selectors import SaleableProject, projects_for_sale
from storefront.amounts import about_kg, livemode
from storefront.buying import Reader, basket_of, delivery_country, device_words, reader_for
from storefront.charts import error_range, footprint_bar

MOSTLY = 2  # a part is "most of it" when it is more than half
ERROR_MEANINGS = {
    ERROR_IS_STANDARD_DEVIATION: "error_is_deviation",
    ERROR_NOT_EXPLAINED: "error_not_explained",
}


@dataclass(frozen=True)
class Choice:
    """What the buyer has chosen, as far as it is valid; `problems` names the rest."""

    options: list[Option]
    country: str
    years: int
    quantity: int
    problems: list[str]


@require_safe
@vary_on_headers("HX-Request")
def product(request: HttpRequest, slug: str) -> HttpResponse:
    """One product, configured by the query string; bad input is named, and the page shows what is valid."""
    found = product_by_slug(slug)
    market_country = delivery_country(request, basket_of(request))
    reader = reader_for(request, market_country)
    choice = _choice(request, found, market_country)
    fragment = bool(getattr(request, "htmx", False))
    context = _context(request, found, choice, market_country, reader) | {"fragment": fragment}
    template = "storefront/browse/_configurator.html" if fragment else "storefront/browse/product.html"
    return render(request, template, context, status=422 if choice.problems else 200)


def _choice(request: HttpRequest, product: Product, market_country: MarketCountry) -> Choice:
    problems: list[str] = []
    wanted = {kind: request.GET.get(kind, "") for kind in Option.Kind.values if request.GET.get(kind)}
    try:
        options = choose_options(product=product, values=wanted)
    except InvalidInput as error:
        problems.append(error.message)
        options = choose_options(product=product, values={})
    years = _whole(
        request, "years", 5, 1, 5, problems, _("Years of use are a whole number from one to five.")
    )
    most = settings.MAX_DEVICES_PER_ORDER
    quantity = _whole(
        request,
        "quantity",
        1,
        1,
        most,
        problems,
        _("The quantity is a whole number from 1 to %(most)s.") % {"most": whole_text(most)},
    )
    country = request.GET.get("country", "").upper() or market_country.country.code
    if country not in countries.countries:
        problems.append(
            _("“%(country)s” is no country code. Choose a country from the list.") % {"country": country[:10]}
        )
        country = market_country.country.code
    return Choice(options, country, years, quantity, problems)


def _whole(
    request: HttpRequest, name: str, default: int, low: int, high: int, problems: list[str], problem: str
) -> int:
    text = request.GET.get(name, "").strip()
    if not text:
        return default
    if text.isascii() and text.isdigit() and len(text) < 7 and low <= int(text) <= high:
        return int(text)
    problems.append(problem)
    return default


def _context(
    request: HttpRequest, product: Product, choice: Choice, market_country: MarketCountry, reader: Reader
) -> dict[str, Any]:
    device, devices = device_words(product)
    context: dict[str, Any] = {
        "product": product,
        "choice": choice,
        "reader": reader,
        "picture": product.picture.url if product.picture else "",
        "kinds": [
            (kind, Option.Kind(kind).label, options) for kind, options in options_by_kind(product).items()
        ],
        "chosen": {option.pk for option in choice.options},
        "countries": list(countries),
        "years_choices": [(years, years_text(years, wording=reader.wording)) for years in YEARS_TO_CHOOSE],
        "max_devices": settings.MAX_DEVICES_PER_ORDER,
        "emits_title": say("product_emits_title", wording=reader.wording, device=device),
    }
    try:
        net = price_minor(product=product, options=choice.options, market=market_country.market)
        context["price"] = money_text(
            reader.shown(net, market_country.vat_basis_points), market_country.market.currency
        )
        context["tax_note"] = market_country.tax_note
    except NotPriced as error:
        context["not_priced"] = error.message
    try:
        footprint = footprint_of(
            product=product, options=choice.options, country=choice.country, years=choice.years
        )
    except FootprintUnknown as error:
        return context | _unknown(product, device, reader.wording, error)
    context |= emissions(footprint, reader.wording)
    return context | _offer(request, footprint, choice, market_country, reader, (device, devices))


def _unknown(product: Product, device: str, wording: Wording, error: DomainError) -> dict[str, Any]:
    """A product whose footprint over years of use does not follow from its sheet: said, and no offer."""
    sheet = product.sheet
    slot = "not_offered" if sheet and sheet.use_kg is not None else "not_offered_no_use"
    return {
        "sentence": say("product_emits_sentence_unknown", wording=wording, device=device),
        "not_offered": say(slot, wording=wording, device=device),
        "why": error.message,
        "stated_total": about_kg(total) if (total := stated_total_kg(product)) else "",
        "sheet": sheet,
        "statistic": say(f"statistic_{sheet.statistic}", wording=wording) if sheet else "",
    }


def emissions(footprint: Footprint, wording: Wording) -> dict[str, Any]:
    """The sentence, the bar, its key and table, one equivalent, and where every figure comes from."""
    years_words, kg = years_text(footprint.years, wording=wording), about_kg(footprint.total_kg)
    use = sum((stage.kg for stage in footprint.stages if stage.key == "use"), start=footprint.total_kg * 0)
    kind = "mostly_use" if use * MOSTLY > footprint.total_kg else "mostly_making"
    sentence = say(f"product_emits_sentence_{kind}", wording=wording, years_words=years_words, kg=kg)
    bounds = error_range(footprint)
    equivalent = car_kilometres(footprint.total_kg)
    unit = say(f"equivalent_{equivalent.key}", wording=wording)
    statistic = say(f"statistic_{footprint.statistic}", wording=wording)
    return {
        "footprint": footprint,
        "sentence": sentence,
        "about_kg": kg,
        "together": number_text(f"{footprint.total_kg:.1f}", language=wording.language),
        "bar": footprint_bar(footprint, label=sentence),
        "stages": [
            _stage(stage.key, stage.kg, stage.estimate, footprint, wording) for stage in footprint.stages
        ],
        "sheet_line": say(
            "sheet_line",
            wording=wording,
            statistic=statistic,
            sheet_date=sheet_date_text(footprint.source_date, language=wording.language)
            or say("sheet_date_unknown", wording=wording),
        ),
        "error_line": say("error_line", wording=wording, percent=f"{footprint.error_ratio * 100:.0f}")
        if bounds and footprint.error_ratio
        else "",
        "error_meaning": say(ERROR_MEANINGS[footprint.error_meaning], wording=wording)
        if footprint.error_meaning in ERROR_MEANINGS
        else "",
        "range": (about_kg(bounds.low), about_kg(bounds.high)) if bounds else None,
        "equivalent": say(
            "equivalent_sentence",
            wording=wording,
            amount=f"{kg} kg",
            equivalent=f"{whole_text(equivalent.quantity)} {unit}",
            source=equivalent.source,
        ),
        "boundary": say(
            "boundary_with_eol" if footprint.boundary.endswith("-eol") else "boundary_without_eol",
            wording=wording,
            years_words=years_words,
        ),
        "changes": [
            (
                say(f"change_{change.key}", wording=wording, change=change.label),
                number_text(f"{change.kg:+.1f}".replace("-", "−"), language=wording.language),
                change.source,
            )
            for change in footprint.adjustments
        ],
        "our_estimate": say("our_estimate", wording=wording),
    }


def _stage(key: str, kg: Any, estimate: bool, footprint: Footprint, wording: Wording) -> dict[str, Any]:
    label = say(f"stage_{key}", wording=wording)
    if key == "use":
        with translation.override(wording.language):
            country = str(countries.name(footprint.country))
        years = years_text(footprint.years, wording=wording)
        label = say("stage_use_in", wording=wording, years_words=years, country=country)
        label = label[:1].upper() + label[1:]
    exact = number_text(f"{kg:.1f}", language=wording.language)
    return {"key": key, "label": label, "kg": about_kg(kg), "exact": exact, "estimate": estimate}


def _offer(
    request: HttpRequest,
    footprint: Footprint,
    choice: Choice,
    market_country: MarketCountry,
    reader: Reader,
    words: tuple[str, str],
) -> dict[str, Any]:
    """The credits beside the price: one click, nothing chosen beforehand but the list's first project."""
    amount_g, currency = footprint.amount_g, market_country.market.currency
    free = available_by_project(livemode=livemode())
    needed = amount_g * choice.quantity
    sold = projects_for_sale(market=market_country.market, on=timezone.now().date())
    stocked = [entry for entry in sold if free.get(entry.project.pk, 0) >= needed]
    if not stocked:
        any_project = say("project_any", wording=reader.wording)
        return {"sold_out": say("not_offered_sold_out", wording=reader.wording, project=any_project)}
    wanted = request.GET.get("project", "")
    chosen = next((entry for entry in stocked if entry.project.reference == wanted), stocked[0])

    def shown(entry: SaleableProject) -> str:
        net = offset_price_minor(amount_g=amount_g, price_minor_per_tonne=entry.price_minor_per_tonne)
        return money_text(reader.shown(net, market_country.vat_basis_points), currency)

    device, devices = words
    kg = kg_text(amount_g)
    facts = {"kg": kg, "device": device, "devices": devices, "count": whole_text(choice.quantity)}
    continents: dict[str, list[tuple[str, str, bool]]] = {}
    for entry in stocked:
        project = entry.project
        label = f"{project.short_name}, {project.country.name} ({project.registry.code}) + {shown(entry)}"
        continents.setdefault(project.get_continent_display(), []).append(
            (project.reference, label, entry == chosen)
        )
    changed = any(stage.estimate for stage in footprint.stages)
    boundary = "boundary_with_eol" if footprint.boundary.endswith("-eol") else "boundary_without_eol"
    spans = say(
        boundary, wording=reader.wording, years_words=years_text(footprint.years, wording=reader.wording)
    )
    return {
        "offer": {
            "button": say(
                "offer_button_many" if choice.quantity > 1 else "offer_button",
                wording=reader.wording,
                **facts,
            ),
            "note": say(
                "offer_note",
                wording=reader.wording,
                price=shown(chosen),
                project=chosen.project.name,
                registry=chosen.project.registry.code,
                device=device,
            ),
            "amount_note": say(
                "amount_note_ours" if changed else "amount_note",
                wording=reader.wording,
                kg=kg,
                device=device,
                boundary=spans,
                source=footprint.method,
            ),
            "kg": kg,
            "project": chosen.project,
            "continents": continents,
            "steps": [
                say("step_promise_device", wording=reader.wording, device=device),
                say("step_promise_grams", wording=reader.wording, grams=whole_text(amount_g)),
                say("step_promise_credits", wording=reader.wording),
                say("step_promise_registry", wording=reader.wording),
            ],
        }
    }
