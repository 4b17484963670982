"""What can be asked about markets and accounts. Nothing here changes a row."""

from datetime import date

from accounts.models import Account, Market, MarketCountry, User
from claims.registers import Register, choose_register
from common.errors import NotFound


class NoOpenMarket(NotFound):
    """No market is open on that day: nothing can be sold yet."""

    code = "no_open_market"


def open_markets(*, on: date) -> list[Market]:
    """Markets that are open on that day, in the order of their opening."""
    return list(Market.objects.filter(opened_on__lte=on))


def market_for_country(country: str, *, on: date) -> MarketCountry | None:
    """The country's row, with its market, if we sell there on that day; None: nobody can buy there yet."""
    code = country.upper().replace("\x00", "")  # PostgreSQL takes no NUL
    return (
        MarketCountry.objects.filter(country=code, market__opened_on__lte=on).select_related("market").first()
    )


def default_market_country(*, on: date) -> MarketCountry:
    """Where a visitor of whom nothing is known reads: the first country of the first market (Sweden).

    Raises NoOpenMarket.
    """
    first = (
        MarketCountry.objects.filter(market__opened_on__lte=on)
        .select_related("market")
        .order_by("market__position", "market__code", "-is_default", "country")
        .first()
    )
    if first is None:
        raise NoOpenMarket("No market is open on this day; load the markets or set a date of opening.")
    return first


def register_for(market_country: MarketCountry, audience: str) -> Register:
    """The set of words of a country for an audience. Raises claims' UnknownRegister."""
    return choose_register(
        consumer_register=market_country.consumer_register,
        company_register=market_country.company_register,
        audience=audience,
    )


def accounts_of(user: User) -> list[Account]:
    """The accounts that a user acts for, companies first, then the oldest."""
    return list(Account.objects.filter(memberships__user=user).order_by("kind", "created_at", "id"))
