"""Pages of the admin on which staff act on one order: each checks one permission and calls one service."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from accounts.staff import actor_of
from checkout import services
from checkout.forms import PaymentForm, ReasonForm, ShipForm, ToldReasonForm
from checkout.models import Order, OrderedDevice, OrderLine
from checkout.payments import invoice
from checkout.serial_lists import MAX_BYTES, read_csv, read_pasted, write_csv
from common.errors import DomainError

MAX_PROBLEMS_SHOWN = 50


def change_page(order: Order) -> str:
    """Address of the order in the admin."""
    return reverse("admin:checkout_order_change", args=[order.pk])


def _order(request: HttpRequest, pk: int, permission: str) -> Order:
    if not request.user.has_perm(permission):
        raise PermissionDenied
    return get_object_or_404(Order, pk=pk)


def _posted(request: HttpRequest) -> QueryDict | None:
    """What was posted, were it nothing at all; None for a form that is only looked at."""
    return request.POST if request.method == "POST" else None


@dataclass(frozen=True)
class Words:
    """What a page is called and what its button says."""

    title: str
    button: str


def _page(
    request: HttpRequest,
    order: Order,
    form: Form,
    words: Words,
    more: Mapping[str, object],
    status: int = 200,
) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "opts": Order._meta,
        "order": order,
        "form": form,
        "title": words.title,
        "button": words.button,
        "back": change_page(order),
        **more,
    }
    return render(request, "admin/checkout/order/act.html", context, status=status)


def _act(
    request: HttpRequest, order: Order, form: Form, words: Words, act: Callable[[], str], **more: object
) -> HttpResponse:
    """Show the form; on POST run the service and go back to the order, or show what is wrong with 422."""
    if request.method != "POST":
        return _page(request, order, form, words, more)
    if not form.is_valid():
        return _page(request, order, form, words, more, 422)
    try:
        done = act()
    except DomainError as error:
        problems = error.details[:MAX_PROBLEMS_SHOWN]
        return _page(request, order, form, words, {**more, "error": error, "problems": problems}, 422)
    messages.success(request, done)
    return redirect(change_page(order))


@csrf_protect
@require_http_methods(["GET", "POST"])
def record_payment(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a transfer that arrived."""
    order = _order(request, pk, "checkout.record_payment")
    form = PaymentForm(_posted(request), initial={"currency": order.currency})

    def act() -> str:
        notice = invoice.notice_for(
            order,
            reference=form.cleaned_data["reference"],
            amount_minor=form.amount_minor(),
            currency=form.cleaned_data["currency"],
        )
        services.pay_order(
            order=order,
            method=notice.method,
            reference=notice.reference,
            amount_minor=notice.amount_minor,
            currency=notice.currency,
            livemode=notice.livemode,
            actor=actor_of(request),
            now=timezone.now(),
        )
        return _("The payment is recorded.")

    return _act(request, order, form, Words(_("Record a payment"), _("Record the payment")), act)


@csrf_protect
@require_http_methods(["GET", "POST"])
def approve_terms(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the order ship before it is paid."""
    order = _order(request, pk, "checkout.approve_terms")
    form = ReasonForm(_posted(request))

    def act() -> str:
        services.approve_terms(
            order=order, reason=form.cleaned_data["reason"], actor=actor_of(request), now=timezone.now()
        )
        return _("The order ships on terms; shipment releases its retirement.")

    return _act(request, order, form, Words(_("Approve terms"), _("Approve terms")), act)


@csrf_protect
@require_http_methods(["GET", "POST"])
def cancel_order(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel the order and free its grams."""
    order = _order(request, pk, "checkout.cancel_order")
    form = ToldReasonForm(_posted(request))

    def act() -> str:
        services.cancel_order(
            order=order, reason=form.cleaned_data["reason"], actor=actor_of(request), now=timezone.now()
        )
        return _("The order is cancelled and its grams are free.")

    return _act(request, order, form, Words(_("Cancel the order"), _("Cancel the order")), act)


@csrf_protect
@require_http_methods(["GET", "POST"])
def ship_order(request: HttpRequest, pk: int) -> HttpResponse:
    """Ship devices with their serial numbers: pasted per line of the order, or as a CSV file; all or none."""
    order = _order(request, pk, "checkout.ship_order")
    form = ShipForm(_posted(request), request.FILES or None)
    waiting = list(
        OrderedDevice.objects.filter(line__order=order, shipment=None)
        .select_related("line")
        .order_by("line__position", "position")
    )
    lists = [Pasted.of(line, waiting, request) for line in order.lines.all()]

    def act() -> str:
        shipment = services.ship_devices(
            order=order,
            serials=_serials(form, waiting, lists),
            carrier=form.cleaned_data["carrier"],
            tracking=form.cleaned_data["tracking"],
            actor=actor_of(request),
            now=timezone.now(),
        )
        return _("%(count)s devices shipped.") % {"count": shipment.devices.count()}

    return _act(request, order, form, Words(_("Ship devices"), _("Ship these devices")), act, lists=lists)


@require_http_methods(["GET"])
def serials_template(request: HttpRequest, pk: int) -> HttpResponse:
    """The devices that have not shipped, as the CSV file that the page of shipping reads."""
    order = _order(request, pk, "checkout.ship_order")
    waiting = OrderedDevice.objects.filter(line__order=order, shipment=None).select_related("line")
    content = write_csv(waiting.order_by("line__position", "position"))
    name = f"serials-{order.number}.csv"
    return HttpResponse(
        content,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@dataclass(frozen=True)
class Pasted:
    """The box of one order line: the devices that wait in it, and what was pasted."""

    line: OrderLine
    devices: list[OrderedDevice]
    name: str
    text: str

    @classmethod
    def of(cls, line: OrderLine, waiting: list[OrderedDevice], request: HttpRequest) -> "Pasted":
        name = f"serials_{line.position}"
        devices = [device for device in waiting if device.line_id == line.pk]
        return cls(line, devices, name, request.POST.get(name, ""))


def _serials(form: ShipForm, waiting: list[OrderedDevice], lists: list[Pasted]) -> dict[int, str]:
    """What was uploaded, else what was pasted line by line. Raises SerialsRefused."""
    file = form.cleaned_data["file"]
    if file is not None:
        return read_csv(file.read(MAX_BYTES + 1), waiting)
    serials: dict[int, str] = {}
    for pasted in lists:
        serials |= read_pasted(pasted.text, pasted.devices)
    return serials
