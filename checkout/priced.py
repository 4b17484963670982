"""A basket as it costs now: what `checkout.baskets.price_basket` answers."""

from dataclasses import dataclass

from accounts.models import MarketCountry
from catalog.models import Product
from catalog.pcf.footprint import Footprint
from checkout.models import Basket, BasketLine
from projects.models import Project


@dataclass(frozen=True, kw_only=True)
class PricedOffset:
    """The credits of a line: grams and price per unit, and of all its units."""

    project: Project
    units: int
    unit_amount_g: int
    price_minor_per_tonne: int
    unit_net_minor: int
    net_minor: int
    tax_minor: int
    text: str  # what the register says of it in the basket

    @property
    def amount_g(self) -> int:
        return self.units * self.unit_amount_g

    @property
    def gross_minor(self) -> int:
        return self.net_minor + self.tax_minor


@dataclass(frozen=True, kw_only=True)
class PricedLine:
    """A line as it costs now. `problem` says why it cannot be ordered as it stands; then its amounts may be
    0.
    """

    line: BasketLine
    configuration: str
    unit_net_minor: int
    net_minor: int
    tax_minor: int
    footprint: Footprint | None  # None: the source leaves it open, no offer can be made
    offset: PricedOffset | None
    problem: str = ""

    @property
    def product(self) -> Product:
        return self.line.product

    @property
    def gross_minor(self) -> int:
        return self.net_minor + self.tax_minor


@dataclass(frozen=True, kw_only=True)
class PricedBasket:
    """A basket as it costs now, in minor units of `currency`."""

    basket: Basket
    market_country: MarketCountry
    currency: str
    lines: tuple[PricedLine, ...]
    net_minor: int
    tax_minor: int

    @property
    def gross_minor(self) -> int:
        return self.net_minor + self.tax_minor

    @property
    def devices(self) -> int:
        return sum(line.line.quantity for line in self.lines)

    @property
    def offset_amount_g(self) -> int:
        return sum(line.offset.amount_g for line in self.lines if line.offset)

    @property
    def devices_net_minor(self) -> int:
        return sum(line.net_minor for line in self.lines)

    @property
    def devices_gross_minor(self) -> int:
        return sum(line.gross_minor for line in self.lines)

    @property
    def problems(self) -> list[dict[str, str]]:
        return [{"line": str(line.line.pk), "problem": line.problem} for line in self.lines if line.problem]
