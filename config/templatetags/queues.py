"""What waits for a person of staff: the first thing that the admin shows."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from django import template
from django.contrib.admin import SimpleListFilter
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from certificates.models import Certificate
from checkout.admin import StandFilter
from checkout.models import Order
from offsets import selectors
from offsets.admin.devices import StandsFilter
from offsets.models import DeviceOffset, ProjectStock

register = template.Library()


class Queue(NamedTuple):
    """A queue's name, how many wait in it, and the list that shows them."""

    label: Any
    waiting: int
    url: str


class _Kind(NamedTuple):
    label: Any
    permission: str
    rows: Callable[[HttpRequest], QuerySet[Any]]
    page: str
    query: str = ""


def _by(chosen: type[SimpleListFilter], model: type[Model], value: str) -> Callable[[HttpRequest], Any]:
    """The rows that the list's own filter shows, so that a number and its list agree."""

    def rows(request: HttpRequest) -> Any:
        parameters = {str(chosen.parameter_name): [value]}
        return chosen(request, parameters, model, None).queryset(request, model._default_manager.all())  # type: ignore[arg-type]

    return rows


_KINDS = (
    _Kind(
        _("Retirements to file"),
        "offsets.view_retirement",
        lambda request: selectors.retirements_to_file(),
        "admin:offsets_retirement_worklist",
    ),
    _Kind(
        _("Retirements that need a person"),
        "offsets.view_retirement",
        lambda request: selectors.retirements_needing_person(),
        "admin:offsets_retirement_worklist",
    ),
    _Kind(
        _("Claims that need a person"),
        "offsets.view_deviceoffset",
        _by(StandsFilter, DeviceOffset, "needs_person"),
        "admin:offsets_deviceoffset_changelist",
        "stands=needs_person",
    ),
    _Kind(
        _("Projects with an alarm"),
        "offsets.view_projectstock",
        lambda request: ProjectStock.objects.exclude(alarm=""),
        "admin:offsets_projectstock_changelist",
        "alarm__isempty=0",
    ),
    _Kind(
        _("Orders to ship"),
        "checkout.view_order",
        _by(StandFilter, Order, "to-ship"),
        "admin:checkout_order_changelist",
        "stand=to-ship",
    ),
    _Kind(
        _("Orders with a device that needs a person"),
        "checkout.view_order",
        _by(StandFilter, Order, "problem"),
        "admin:checkout_order_changelist",
        "stand=problem",
    ),
    _Kind(
        _("Orders that wait for payment"),
        "checkout.view_order",
        _by(StandFilter, Order, "to-pay"),
        "admin:checkout_order_changelist",
        "stand=to-pay",
    ),
    _Kind(
        _("Certificates that need a person"),
        "certificates.view_certificate",
        lambda request: Certificate.objects.filter(needs_person_at__isnull=False),
        "admin:certificates_certificate_changelist",
        "needs_person_at__isempty=0",
    ),
)


@register.simple_tag(takes_context=True)
def staff_queues(context: dict[str, Any]) -> list[Queue]:
    """The queues that this user may look at; one statement each."""
    return list(_queues(context["request"]))


def _queues(request: HttpRequest) -> Iterator[Queue]:
    for kind in _KINDS:
        if request.user.has_perm(kind.permission):
            url = reverse(kind.page) + (f"?{kind.query}" if kind.query else "")
            yield Queue(kind.label, kind.rows(request).count(), url)
