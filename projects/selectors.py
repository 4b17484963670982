"""What can be asked about projects. Nothing here changes a row."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Market
from projects.errors import NotSold, UnknownProject
from projects.models import Project, ProjectPrice


@dataclass(frozen=True, kw_only=True)
class SaleableProject:
    """A project and its price per tonne in a market, net, in minor units of the market's currency."""

    project: Project
    price_minor_per_tonne: int


def projects_for_sale(*, market: Market, on: date) -> list[SaleableProject]:
    """What a buyer of this market may choose from on that day, continent by continent. One statement.

    Without projects that are paused, and without registries whose last retirement date has come: what is sold
    has to be retired before it.
    """
    prices = _saleable(on=on).filter(market=market).order_by("project__continent", "project__short_name")
    return [
        SaleableProject(project=price.project, price_minor_per_tonne=price.price_minor_per_tonne)
        for price in prices
    ]


def price_per_tonne(*, project: Project, market: Market, on: date | None = None) -> int:
    """Net price per tonne in minor units of the market's currency, today or on a day. Raises NotSold."""
    price = _saleable(on=on or timezone.now().date()).filter(project=project, market=market).first()
    if price is None:
        raise NotSold(
            _("%(project)s is not sold in %(market)s at present. Choose another project.")
            % {"project": project.short_name, "market": market.name}
        )
    return price.price_minor_per_tonne


def project_by_reference(reference: str) -> Project:
    """The project with this registry reference, in any case of letters. Raises UnknownProject."""
    found = (
        Project.objects.filter(reference__iexact=reference.replace("\x00", "").strip())
        .select_related("registry", "methodology")
        .first()
    )
    if found is None:
        raise UnknownProject(
            _("There is no project with this reference. The list of projects shows all that we sell.")
        )
    return found


def _saleable(*, on: date) -> QuerySet[ProjectPrice]:
    registry_open = Q(project__registry__last_retirement_on__isnull=True) | Q(
        project__registry__last_retirement_on__gt=on
    )
    return ProjectPrice.objects.filter(registry_open, project__paused_at__isnull=True).select_related(
        "project__registry", "project__methodology"
    )
