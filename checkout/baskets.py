"""The basket: what a visitor has chosen, changed line by line and priced whenever it is read."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import EllipsisType
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Prefetch, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django_countries import countries

from accounts.models import Market, MarketCountry, User
from accounts.selectors import market_for_country
from catalog.errors import FootprintUnknown, NotPriced
from catalog.models import Option, Product
from catalog.pcf.footprint import Footprint
from catalog.selectors import can_offer, configuration_text, footprint_of, price_minor
from checkout.errors import BasketExpired, InvalidQuantity, NotSoldThere, UnknownCountryOfUse
from checkout.formatting import kg_text
from checkout.models import Basket, BasketLine
from checkout.priced import PricedBasket, PricedLine, PricedOffset
from checkout.pricing import vat_minor
from claims.wording import Wording, say
from common.errors import DomainError
from projects.errors import NotSold
from projects.models import Project
from projects.pricing import offset_price_minor
from projects.selectors import price_per_tonne, projects_for_sale

MAX_LINES = 50


def get_basket(basket_id: UUID | None, *, now: datetime | None = None) -> Basket | None:
    """The basket of this id; None when there is none (or it was ordered). Raises BasketExpired."""
    if basket_id is None:
        return None
    basket = Basket.objects.select_related("market").filter(pk=basket_id).first()
    if basket is not None and basket.expires_at <= (now or timezone.now()):
        raise BasketExpired(
            _(
                "Your basket is older than %(hours)s hours and was emptied. "
                "Choose the devices again at today's prices."
            )
            % {"hours": settings.BASKET_LIFETIME_HOURS}
        )
    return basket


def create_basket(*, market_country: MarketCountry, user: User | None, now: datetime | None = None) -> Basket:
    """An empty basket for deliveries to this country."""
    return Basket.objects.create(
        market=market_country.market,
        country=market_country.country,
        user=user,
        created_at=now or timezone.now(),
        expires_at=_expiry(now),
    )


@transaction.atomic
def change_country(*, basket: Basket, market_country: MarketCountry) -> Basket:
    """Deliver to another country: currency, VAT and prices follow; the choices stay."""
    basket.market, basket.country = market_country.market, market_country.country
    basket.save(update_fields=["market", "country"])
    return basket


@transaction.atomic
def add_line(
    *,
    basket: Basket,
    product: Product,
    options: Sequence[Option],
    country_of_use: str,
    years: int,
    quantity: int,
    offset_project: Project | None = None,
    now: datetime | None = None,
    once_within: timedelta | None = None,
) -> BasketLine:
    """Put devices into the basket, with credits for all of them when a project is given.

    The same configuration, country and years (and project, when both have one) join one line. The same
    addition again within `once_within` is a double click and changes nothing. Raises InvalidQuantity,
    UnknownCountryOfUse, NotPriced, and for an offset NotSold or FootprintUnknown.
    """
    now = now or timezone.now()
    _lock(basket, now=now)
    country = country_of_use.upper()
    if country not in countries:
        raise UnknownCountryOfUse(
            _("There is no country %(code)s. Use a code of two letters, such as SE.")
            % {"code": country_of_use[:20]}
        )
    if not 1 <= years <= 5:
        raise InvalidQuantity(_("Choose one to five years of use."))
    price_minor(product=product, options=options, market=basket.market)
    if offset_project is not None:
        price_per_tonne(project=offset_project, market=basket.market, on=now.date())
        footprint_of(product=product, options=options, country=country, years=years)
    line = _same_line(basket, product, options, country=country, years=years, project=offset_project)
    if line and once_within and line.added_quantity == quantity and line.added_at > now - once_within:
        return line
    _check_quantity(basket, quantity=quantity, more=quantity)
    if line is None:
        if basket.lines.count() >= MAX_LINES:
            raise InvalidQuantity(
                _("A basket holds %(limit)s lines. Order these first.") % {"limit": MAX_LINES}
            )
        line = BasketLine(basket=basket, product=product, country_of_use=country, years=years, quantity=0)
    line.quantity += quantity
    line.added_at, line.added_quantity = now, quantity
    if offset_project is not None:
        line.offset_project = offset_project
        line.offset_units += quantity
    line.save()
    line.options.set(options)
    return line


@transaction.atomic
def change_line(
    *,
    line: BasketLine,
    quantity: int | None = None,
    offset_project: Project | None | EllipsisType = ...,
    offset_units: int | None = None,
    now: datetime | None = None,
) -> BasketLine:
    """Set how many devices, the project (None takes the credits out) and for how many of the devices.

    A project without a number of units means all of them; fewer devices than units with credits lowers those
    too; more devices never add credits unasked. Raises InvalidQuantity, NotSold, FootprintUnknown.
    """
    now = now or timezone.now()
    _lock(line.basket, now=now)
    line = BasketLine.objects.select_related("basket__market", "product__sheet", "offset_project").get(
        pk=line.pk
    )
    if quantity is not None:
        _check_quantity(line.basket, quantity=quantity, more=quantity - line.quantity)
        line.quantity = quantity
    project = line.offset_project if offset_project is ... else offset_project
    units = line.offset_units if offset_units is None else offset_units
    if project is None or units == 0 and offset_units is not None:
        line.offset_project, line.offset_units = None, 0
    else:
        if not 0 <= units <= line.quantity and offset_units is not None:
            raise InvalidQuantity(
                _("Choose 0 to %(quantity)s devices with credits.") % {"quantity": line.quantity},
                details=[{"field": "offset_units"}],
            )
        if project != line.offset_project:
            price_per_tonne(project=project, market=line.basket.market, on=now.date())
            footprint_of(
                product=line.product,
                options=list(line.options.all()),
                country=str(line.country_of_use),
                years=line.years,
            )
        line.offset_project, line.offset_units = project, min(units or line.quantity, line.quantity)
    line.save()
    return line


@transaction.atomic
def remove_line(line: BasketLine) -> None:
    """Take a line out; one that is gone already is no error."""
    BasketLine.objects.filter(pk=line.pk).delete()


def lines_of(basket: Basket) -> QuerySet[BasketLine]:
    """The lines with everything that pricing reads."""
    options = Option.objects.order_by("kind", "position").prefetch_related("prices")
    return basket.lines.select_related(
        "product__sheet", "offset_project__registry", "basket"
    ).prefetch_related("product__prices", Prefetch("options", options))


def price_basket(
    basket: Basket, *, audience: str, wording: Wording, now: datetime | None = None
) -> PricedBasket:
    """What the basket costs now, computed on the server from catalogue, projects and the country's VAT.

    `wording` is the reader's, chosen for `audience`. Raises NotSoldThere when the country is in no open
    market any more.
    """
    market_country = market_for_country(str(basket.country), on=(now or timezone.now()).date())
    if market_country is None:
        raise NotSoldThere(
            _("We do not sell in %(country)s at the moment. Choose another country.")
            % {"country": basket.country.name}
        )
    prices = _saleable(market_country.market, now=now or timezone.now())
    lines = tuple(
        _price_line(line, market_country=market_country, prices=prices, wording=wording)
        for line in lines_of(basket)
    )
    parts: list[PricedLine | PricedOffset] = [*lines, *(line.offset for line in lines if line.offset)]
    return PricedBasket(
        basket=basket,
        market_country=market_country,
        currency=market_country.market.currency,
        lines=lines,
        net_minor=sum(part.net_minor for part in parts),
        tax_minor=sum(part.tax_minor for part in parts),
    )


def _price_line(
    line: BasketLine, *, market_country: MarketCountry, prices: Mapping[int, int], wording: Wording
) -> PricedLine:
    options = list(line.options.all())
    unit_net, net, problem = 0, 0, ""
    footprint, offset = None, None
    try:
        if not line.product.published:
            raise NotPriced(
                _("%(product)s is not sold any more. Take it out.") % {"product": line.product.name}
            )
        unit_net = price_minor(product=line.product, options=options, market=market_country.market)
        net = unit_net * line.quantity
        if can_offer(line.product):
            footprint = footprint_of(
                product=line.product, options=options, country=str(line.country_of_use), years=line.years
            )
        if line.offset_project:
            offset = _price_offset(
                line, footprint, market_country=market_country, prices=prices, wording=wording
            )
    except DomainError as error:
        problem = error.message
    return PricedLine(
        line=line,
        configuration=configuration_text(options),
        unit_net_minor=unit_net,
        net_minor=net,
        tax_minor=vat_minor(net_minor=net, vat_basis_points=market_country.vat_basis_points),
        footprint=footprint,
        offset=offset,
        problem=problem,
    )


def _price_offset(
    line: BasketLine,
    footprint: Footprint | None,
    *,
    market_country: MarketCountry,
    prices: Mapping[int, int],
    wording: Wording,
) -> PricedOffset:
    project = line.offset_project
    if project is None or footprint is None:
        raise FootprintUnknown(
            _("No footprint is known for this configuration any more. Take the credits out.")
        )
    per_tonne = _price_per_tonne(project, prices)
    unit_net = offset_price_minor(amount_g=footprint.amount_g, price_minor_per_tonne=per_tonne)
    net = unit_net * line.offset_units
    return PricedOffset(
        project=project,
        units=line.offset_units,
        unit_amount_g=footprint.amount_g,
        price_minor_per_tonne=per_tonne,
        unit_net_minor=unit_net,
        net_minor=net,
        tax_minor=vat_minor(net_minor=net, vat_basis_points=market_country.vat_basis_points),
        text=say("basket_line", wording=wording, kg=kg_text(footprint.amount_g), project=project.name),
    )


def _saleable(market: Market, *, now: datetime) -> dict[int, int]:
    """Price per tonne of each project that may be sold in the market today."""
    return {
        sale.project.pk: sale.price_minor_per_tonne
        for sale in projects_for_sale(market=market, on=now.date())
    }


def _price_per_tonne(project: Project, prices: Mapping[int, int]) -> int:
    if project.pk not in prices:
        raise NotSold(
            _("%(project)s is not sold here at the moment. Choose another project, or take the credits out.")
            % {"project": project.name}
        )
    return prices[project.pk]


def _lock(basket: Basket, *, now: datetime | None = None) -> None:
    """One change of a basket at a time; each makes it last longer. Raises BasketExpired when it was ordered
    meanwhile.
    """
    if not Basket.objects.filter(pk=basket.pk).update(expires_at=_expiry(now)):
        raise BasketExpired(_("This basket was ordered or emptied already. Choose the devices again."))


def _expiry(now: datetime | None) -> datetime:
    return (now or timezone.now()) + timedelta(hours=settings.BASKET_LIFETIME_HOURS)


def _check_quantity(basket: Basket, *, quantity: int, more: int) -> None:
    limit = settings.MAX_DEVICES_PER_ORDER
    held = basket.lines.aggregate(total=Sum("quantity"))["total"] or 0
    if quantity < 1 or held + more > limit:
        raise InvalidQuantity(
            _("Choose 1 to %(limit)s devices; your basket holds %(held)s already.")
            % {"limit": limit, "held": held},
            details=[{"field": "quantity"}],
        )


def _same_line(
    basket: Basket,
    product: Product,
    options: Sequence[Option],
    *,
    country: str,
    years: int,
    project: Project | None,
) -> BasketLine | None:
    wanted = {option.pk for option in options}
    for line in lines_of(basket).filter(product=product, country_of_use=country, years=years):
        if {option.pk for option in line.options.all()} != wanted:
            continue
        if project is None or line.offset_project in (None, project):
            return line
    return None
