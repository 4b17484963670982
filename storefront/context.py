"""What every page knows: the visitor's market, in whose words it is read, the basket's size."""

from typing import Any

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import MarketCountry
from accounts.selectors import NoOpenMarket, open_markets
from claims.registers import Register
from claims.wording import Wording, current_wording, say
from storefront.buying import basket_of, delivery_country, reader_for
from storefront.preview import preview_of

KINDS = (
    ("laptop", gettext_lazy("Laptops")),
    ("desktop", gettext_lazy("Desktops")),
    ("monitor", gettext_lazy("Monitors")),
    ("server", gettext_lazy("Servers")),
)


def shop(request: HttpRequest) -> dict[str, Any]:
    """Everything is worked out when a template asks for it: an admin page or the API's asks for nothing."""
    if request.path.startswith(("/admin/", "/api/")):
        return {}
    visit = SimpleLazyObject(lambda: Visit(request))
    return {
        "navigation": SimpleLazyObject(lambda: navigation(request)),
        "market_country": SimpleLazyObject(lambda: visit.market_country),
        "currency": SimpleLazyObject(lambda: visit.currency),
        "market_choices": SimpleLazyObject(market_choices),
        "basket_units": SimpleLazyObject(lambda: visit.basket_units),
        "visitor_wording": SimpleLazyObject(lambda: visit.wording),
        "site_description": SimpleLazyObject(lambda: say("site_description", wording=visit.wording)),
        "demo_note": SimpleLazyObject(lambda: visit.demo_note),
        "preview": SimpleLazyObject(lambda: preview_of(request)),
    }


class Visit:
    """One request's visitor."""

    def __init__(self, request: HttpRequest) -> None:
        self.basket = basket_of(request)
        self.market_country: MarketCountry | None = None
        self.wording: Wording = current_wording(register=Register.A, language="en")
        try:
            self.market_country = delivery_country(request, self.basket)
        except NoOpenMarket:  # a shop without markets can still be logged in to
            return
        self.wording = reader_for(request, self.market_country).wording

    @property
    def currency(self) -> str:
        """The market's currency; empty without a market."""
        return self.market_country.market.currency if self.market_country else ""

    @property
    def basket_units(self) -> int:
        """How many devices are in the basket."""
        return sum(self.basket.lines.values_list("quantity", flat=True)) if self.basket else 0

    @property
    def demo_note(self) -> str:
        """What a demonstration says of itself on every page; nothing in a live shop."""
        if settings.LIVEMODE:
            return ""
        return say("demo_prices", wording=self.wording)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The main menu, with the entry that is open."""
    products, kind = reverse("products"), request.GET.get("kind", "")
    entries = [
        {
            "url": f"{products}?kind={key}",
            "label": str(label),
            "current": request.path == products and kind == key,
        }
        for key, label in KINDS
    ]
    for name, label in (("projects", _("Projects")), ("how_it_works", _("How it works"))):
        url = reverse(name)
        entries.append({"url": url, "label": label, "current": request.path.startswith(url)})
    return entries


def market_choices() -> list[dict[str, Any]]:
    """Open markets with their countries, by name. Two statements."""
    markets = open_markets(on=timezone.now().date())
    prefetch_related_objects(markets, "countries")
    return [
        {"name": market.name, "countries": sorted(market.countries.all(), key=lambda row: row.country.name)}
        for market in markets
    ]
