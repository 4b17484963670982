"""What the pages of basket and checkout share: the visitor's basket, and in whose words it is read."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from accounts.models import Account, MarketCountry, User
from accounts.selectors import default_market_country, market_for_country, register_for
from accounts.services import audience_for
from catalog.models import Product
from checkout.baskets import create_basket, get_basket, price_basket
from checkout.errors import BasketExpired, UnknownOrder
from checkout.models import Basket, Order
from checkout.priced import PricedBasket
from checkout.pricing import vat_minor
from checkout.selectors import accounts_to_buy_for, order_by_token
from claims.registers import Audience
from claims.wording import Wording, current_wording
from storefront.preview import preview_of

SESSION_KEY = "basket"


@dataclass(frozen=True)
class Reader:
    """For whom a basket is priced and worded: audience and register as the server knows them now."""

    audience: str
    wording: Wording
    account: Account | None

    @property
    def net_prices(self) -> bool:
        """Companies read prices without VAT, everybody else with it."""
        return self.audience == Audience.COMPANY

    def shown(self, net_minor: int, vat_basis_points: int) -> int:
        """A price as this reader is shown it."""
        vat = 0 if self.net_prices else vat_minor(net_minor=net_minor, vat_basis_points=vat_basis_points)
        return net_minor + vat


def signed_in(request: HttpRequest) -> User | None:
    """The user who is signed in; None for a guest."""
    return request.user if isinstance(request.user, User) else None


def actor_of(request: HttpRequest) -> str:
    """Who acts, as events keep it: `user:3` or `guest`."""
    user = signed_in(request)
    return f"user:{user.pk}" if user else "guest"


def reader_for(request: HttpRequest, market_country: MarketCountry) -> Reader:
    """The signed-in buyer's company decides the words; everybody else reads as a consumer. Staff in a preview
    read as they chose.
    """
    user = signed_in(request)
    companies = accounts_to_buy_for(user) if user else []
    account = companies[0] if companies else None
    previewed = preview_of(request)
    audience = previewed.audience if previewed else audience_for(account)
    language = (previewed.language if previewed else "") or market_country.market.language
    wording = current_wording(register=register_for(market_country, audience), language=language)
    return Reader(audience, wording, account)


def basket_id_of(request: HttpRequest) -> UUID | None:
    """The id that this browser keeps, of a basket or of the order that it became."""
    try:
        return UUID(str(request.session.get(SESSION_KEY, "")))
    except ValueError:
        return None


def basket_of(request: HttpRequest) -> Basket | None:
    """The visitor's basket; None when there is none. One that expired is forgotten, and a message says so
    once.
    """
    try:
        return get_basket(basket_id_of(request))
    except BasketExpired as error:
        request.session.pop(SESSION_KEY, None)
        messages.warning(request, error.message)
        return None


def delivery_country(request: HttpRequest, basket: Basket | None) -> MarketCountry:
    """Where the basket goes: the country that the visitor chose, else the first of the market that opened
    first.
    """
    chosen = str(basket.country) if basket else str(request.session.get("country", ""))
    known: dict[str, MarketCountry] = request.__dict__.setdefault("market_countries", {})
    if chosen not in known:
        today = timezone.now().date()
        open_there = market_for_country(chosen, on=today) if chosen else None
        known[chosen] = open_there or default_market_country(on=today)
    return known[chosen]


def open_basket(request: HttpRequest) -> Basket:
    """The visitor's basket, made when there is none yet."""
    basket = basket_of(request)
    if basket is None:
        basket = create_basket(market_country=delivery_country(request, None), user=signed_in(request))
        request.session[SESSION_KEY] = str(basket.pk)
    return basket


def device_words(product: Product) -> tuple[str, str]:
    """What a product is called in a sentence: one, and several."""
    words = {
        Product.FormFactor.LAPTOP: (_("laptop"), _("laptops")),
        Product.FormFactor.DESKTOP: (_("desktop"), _("desktops")),
        Product.FormFactor.MONITOR: (_("monitor"), _("monitors")),
        Product.FormFactor.SERVER: (_("server"), _("servers")),
        Product.FormFactor.TABLET: (_("tablet"), _("tablets")),
    }
    return words.get(Product.FormFactor(product.form_factor), (_("device"), _("devices")))


def safe_target(request: HttpRequest) -> str:
    """Where a form leads back to: its `next`, when that is a page of this shop, else home."""
    target = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if safe else "/"


def priced_basket(request: HttpRequest, basket: Basket, reader: Reader) -> PricedBasket:
    """What the basket costs now, in the reader's words."""
    return price_basket(basket, audience=reader.audience, wording=reader.wording, now=timezone.now())


def order_or_404(number: str, token: str) -> Order:
    """The order at this address; an address that is wrong in any part answers like one that does not
    exist.
    """
    try:
        return order_by_token(number, token)
    except UnknownOrder as error:
        raise Http404(error.message) from error
