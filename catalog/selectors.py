"""Read the catalogue: products, their options and prices, and the footprint of a configuration."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django_countries import countries

from accounts.models import Market
from catalog.errors import (
    FootprintUnknown,
    InvalidYears,
    NotPriced,
    UnknownCountry,
    UnknownOption,
    UnknownProduct,
)
from catalog.models import GridFactor, Option, PcfSheet, Product
from catalog.pcf import footprint as pcf
from catalog.pcf.footprint import Component, Footprint
from catalog.pcf.grid import WORLD, Grid, Grids, Place, countries_behind, place_of_country, place_of_location
from catalog.pcf.method import YEARS_TO_CHOOSE
from catalog.pcf.sheet import SheetFigures

SEARCH_WORDS = 8  # more words than this are not looked at
_SEARCHED = ("name", "manufacturer", "series", "sku", "summary", "form_factor")


def products_for_sale() -> QuerySet[Product]:
    """Published products with sheet, options and every price: four statements, however many products."""
    return (
        Product.objects.filter(published=True)
        .select_related("sheet")
        .prefetch_related("prices", "options__prices")
    )


def published_products(*, q: str = "", form_factor: str = "") -> QuerySet[Product]:
    """Products for sale in which every word of `q` occurs, of one kind if `form_factor` names one."""
    products = products_for_sale()
    for word in q.replace("\x00", " ").split()[:SEARCH_WORDS]:
        found = Q()
        for field in _SEARCHED:
            found |= Q(**{f"{field}__icontains": word})
        products = products.filter(found)
    return products.filter(form_factor=form_factor) if form_factor else products


def product_by_slug(slug: str) -> Product:
    """The product at this address. Raises UnknownProduct."""
    return _product(slug=slug)


def product_by_sku(sku: str) -> Product:
    """The product with this SKU. Raises UnknownProduct."""
    return _product(sku=sku)


def _product(**key: str) -> Product:
    try:
        return products_for_sale().get(**{name: value.replace("\x00", "") for name, value in key.items()})
    except Product.DoesNotExist:
        raise UnknownProduct(
            _("No product “%(name)s” is for sale. Look for it at /products/.")
            % {"name": "".join(key.values())}
        ) from None


def options_by_kind(product: Product) -> dict[str, list[Option]]:
    """The product's choices in the order in which a page shows them."""
    kinds: dict[str, list[Option]] = {kind: [] for kind in Option.Kind.values}
    for option in sorted(product.options.all(), key=lambda option: (option.position, option.pk)):
        kinds[option.kind].append(option)
    return {kind: options for kind, options in kinds.items() if options}


def choose_options(*, product: Product, values: Mapping[str, str]) -> list[Option]:
    """One option per kind that the product offers; a kind without a value gets its default.

    Raises UnknownOption naming what is allowed.
    """
    kinds = options_by_kind(product)
    chosen: list[Option] = []
    wrong: list[dict[str, object]] = []
    for kind in values.keys() - kinds.keys():
        wrong.append({"field": kind, "value": values[kind], "allowed": []})
    for kind, options in kinds.items():
        value = values.get(kind, "").strip()
        found = [option for option in options if (option.value == value if value else option.is_default)]
        if found:
            chosen.append(found[0])
        else:
            wrong.append({"field": kind, "value": value, "allowed": [option.value for option in options]})
    if wrong:
        raise UnknownOption(" ".join(_option_sentence(product, finding) for finding in wrong), details=wrong)
    return chosen


def _option_sentence(product: Product, finding: Mapping[str, object]) -> str:
    facts = {"product": product.name, "kind": finding["field"], "value": finding["value"]}
    allowed = finding["allowed"]
    if not isinstance(allowed, list) or not allowed:
        return _("%(product)s has no choice of %(kind)s; leave it out.") % facts
    facts["allowed"] = ", ".join(allowed)
    return _("%(product)s has no %(kind)s “%(value)s”. Choose one of: %(allowed)s.") % facts


def configuration_text(options: Iterable[Option]) -> str:
    """The chosen options in one line, such as “16 GB · 512 GB SSD · Nordic keyboard”."""
    return " · ".join(option.label for option in options)


def price_minor(*, product: Product, options: Sequence[Option], market: Market) -> int:
    """Net price of one configured device in minor units of the market's currency.

    A default option costs nothing more unless a surcharge says so. Raises NotPriced.
    """
    prices = {price.market_id: price.price_minor for price in product.prices.all()}
    if market.pk not in prices:
        raise NotPriced(
            _("%(product)s has no price in %(market)s. Choose another product or market.")
            % {"product": product.name, "market": market.name}
        )
    total = prices[market.pk]
    for option in options:
        surcharges = {price.market_id: price.surcharge_minor for price in option.prices.all()}
        if market.pk not in surcharges and not option.is_default:
            raise NotPriced(
                _("%(option)s of %(product)s has no price in %(market)s. Choose another option.")
                % {"option": option.label, "product": product.name, "market": market.name}
            )
        total += surcharges.get(market.pk, 0)
    return total


def is_complete(sheet: PcfSheet | None) -> bool:
    """Whether a five-year total follows from the sheet: total, use and lifetime are stated."""
    return sheet is not None and sheet.use_kg is not None and sheet.lifetime_years is not None


def can_offer(product: Product) -> bool:
    """Whether the product's footprint is known well enough to offer an offset with it."""
    return is_complete(product.sheet)


def figures_of(sheet: PcfSheet) -> SheetFigures:
    """The sheet for the arithmetic."""
    return SheetFigures(
        total_kg=sheet.total_kg,
        use_kg=sheet.use_kg,
        lifetime_years=sheet.lifetime_years,
        manufacturing_kg=sheet.manufacturing_kg,
        transport_kg=sheet.transport_kg,
        eol_kg=sheet.eol_kg,
        tec_kwh_per_year=sheet.tec_kwh_per_year,
        use_location=sheet.use_location,
        statistic=sheet.statistic,
        std_kg=sheet.std_kg,
        error_ratio=sheet.error_ratio,
        source=sheet.source,
        source_date=sheet.report_date,
        licence=sheet.licence,
        sheet_id=sheet.pk,
        version=sheet.version,
    )


def grids_for(wanted: Iterable[str]) -> Grids:
    """The factors in force for these countries and every region: one statement. Raises FootprintUnknown."""
    rows = GridFactor.objects.filter(Q(country__in=set(wanted)) | Q(country="")).order_by("year", "id")
    by_country: dict[str, Grid] = {}
    by_region: dict[str, Grid] = {}
    for row in rows:  # the newest comes last and stays
        grid = Grid(
            key=row.country or row.region,
            place=row.name,
            kg_per_kwh=row.kg_co2e_per_kwh,
            year=row.year,
            source=row.source,
        )
        (by_country if row.country else by_region)[grid.key] = grid
    if WORLD not in by_region:
        raise FootprintUnknown(_("No grid factor for the world is loaded. Staff: run import_grid_factors."))
    return Grids(by_country, by_region)


def footprint_of(*, product: Product, options: Sequence[Option], country: str, years: int) -> Footprint:
    """The footprint of one configured device, used in `country` (ISO alpha-2) for `years`. One statement.

    Raises FootprintUnknown (the source says too little: no offer), UnknownCountry, InvalidYears.
    """
    [found] = footprints_of([(product, options)], country=country, years=years)
    if found is None:
        raise FootprintUnknown(
            _("No footprint over years of use follows from the maker's sheet for %(product)s: %(why)s.")
            % {"product": product.name, "why": why_unknown(product)}
        )
    return found


def footprints_of(
    configurations: Sequence[tuple[Product, Sequence[Option]]], *, country: str, years: int
) -> list[Footprint | None]:
    """The footprint of each configuration, None where the source says too little. One statement for all.

    Raises UnknownCountry, InvalidYears, and FootprintUnknown when no grid factors are loaded.
    """
    country = _country(country)
    if years not in YEARS_TO_CHOOSE:
        raise InvalidYears(
            _("Years of use are a whole number from one to five; %(years)s is not.") % {"years": years}
        )
    sheets = [product.sheet for product, _options in configurations]
    wanted = {country}.union(*(countries_behind(sheet.use_location) for sheet in sheets if sheet))
    grids = grids_for(wanted)
    use_place = place_of_country(country, name=str(countries.name(country) or country), grids=grids)
    return [
        _footprint(product, options, country=country, years=years, use_place=use_place, grids=grids)
        for product, options in configurations
    ]


def _footprint(
    product: Product, options: Sequence[Option], *, country: str, years: int, use_place: Place, grids: Grids
) -> Footprint | None:
    sheet = product.sheet
    if sheet is None or not is_complete(sheet):
        return None
    return pcf.compute_footprint(
        figures=figures_of(sheet),
        years=years,
        country=country,
        use_place=use_place,
        sheet_place=place_of_location(sheet.use_location, grids=grids),
        components=_components(product, options),
    )


def _components(product: Product, options: Sequence[Option]) -> list[Component]:
    """The chosen memory and storage against what the assessed device had; else against the default option."""
    stated = {pcf.MEMORY: product.base_memory_gb, pcf.STORAGE: product.base_storage_gb}
    defaults = {option.kind: option.gigabytes for option in product.options.all() if option.is_default}
    components = []
    for option in options:
        base = stated.get(option.kind) or defaults.get(option.kind)
        if option.kind in stated and option.gigabytes and base:
            components.append(Component(option.kind, option.gigabytes, base, stated[option.kind] is None))
    return components


def _country(country: str) -> str:
    code = country.strip().upper()
    if code in countries.countries or code == "XK":  # Kosovo: a code in use that ISO 3166 leaves to its users
        return code
    raise UnknownCountry(
        _("“%(country)s” is no country code. Use two letters of ISO 3166, such as SE.") % {"country": country}
    )


def why_unknown(product: Product) -> str:
    """What the source does not say, in words; empty when the footprint is known."""
    sheet = product.sheet
    if sheet is None:
        return _("no sheet is known")
    missing = [
        word
        for word, figure in ((_("use phase"), sheet.use_kg), (_("lifetime"), sheet.lifetime_years))
        if figure is None
    ]
    return _("it states no %(missing)s") % {"missing": _(" and no ").join(missing)} if missing else ""


def stated_total_kg(product: Product) -> Decimal | None:
    """The total that the sheet prints for its own lifetime and place of use, for a page without an offer."""
    return product.sheet.total_kg if product.sheet else None
