"""One order: its page, its invoice, its list of devices; and how a guest finds it again."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from certificates.labels import parts_of
from checkout import selectors
from checkout.durations import duration_text, usual_duration
from checkout.errors import UnknownOrder
from checkout.formatting import kg_text
from checkout.groups import DeviceGroup, group_devices
from checkout.models import Order
from checkout.serial_lists import write_device_list
from checkout.states import DeviceState
from claims.wording import say, wording_by_id
from common.counting import add_one, client_network
from storefront.buying import order_or_404, signed_in
from storefront.forms_checkout import FindOrderForm
from storefront.views.order_files import belongs_to_someone

SHOWN_DEVICES = 20
MANY_DEVICES = 200  # beyond it the page asks for news every half minute, not every three seconds
LOOKUPS = 10
LOOKUP_SECONDS = 600
TROUBLED_STATES = {"reversed", "needs_person", "cancelled"}
FINAL_STATES = {"certified", "reversed", "moved", "withdrawn", "refunded", "needs_person", "cancelled"}


@dataclass(frozen=True)
class GroupView:
    """A group of devices with how long the step they wait for took others."""

    group: DeviceGroup
    took: str

    @property
    def shown(self) -> Sequence[DeviceState]:
        return self.group.devices[:SHOWN_DEVICES]

    @property
    def pill(self) -> str:
        """The colour of the state: done, wrong, or still on the way."""
        if self.group.state in TROUBLED_STATES:
            return "wrong"
        return "done" if _is_final(self.group) else "waiting"

    @property
    def serials_known(self) -> bool:
        return self.group.shipment is not None

    @property
    def hidden(self) -> int:
        return max(0, self.group.count - SHOWN_DEVICES)


@never_cache
@require_GET
def by_token(request: HttpRequest, number: str, token: str) -> HttpResponse:
    """The order's page, for whoever holds its address."""
    return _page(request, order_or_404(number, token))


@never_cache
@login_required
@require_GET
def by_user(request: HttpRequest, number: str) -> HttpResponse:
    """The order's page, for its buyer and the members of its account."""
    try:
        order = selectors.order_for_user(number, request.user)  # type: ignore[arg-type]  # login_required
    except UnknownOrder as error:
        raise Http404(error.message) from error
    return _page(request, order)


def _page(request: HttpRequest, order: Order) -> HttpResponse:
    states = selectors.device_states(order)
    groups = group_devices(states)
    wording = wording_by_id(order.wording)
    context = {
        "order": order,
        "wording": wording,
        "lines": order.lines.select_related("offset_line__project__registry"),
        "groups": [GroupView(group, _took(group, order)) for group in groups],
        "history": selectors.order_history(order),
        "moving": any(not _is_final(group) for group in groups) and order.cancelled_at is None,
        "poll_seconds": 3 if len(states) <= MANY_DEVICES else 30,
        "to_pay": order.paid_at is None and order.cancelled_at is None,
        "documents": _documents(request, order),
        "line_title": say("record_line_title", wording=wording),
    }
    template = "storefront/order/_fragment.html" if request.htmx else "storefront/order/order.html"  # type: ignore[attr-defined]
    return render(request, template, context)


def _documents(request: HttpRequest, order: Order) -> dict[str, object]:
    """The files of the whole order: the numbers of its parts of labels, none while no device has its own
    document, and whether one must sign in first. Empty for an order without credits.
    """
    if not any(hasattr(line, "offset_line") for line in order.lines.all()):
        return {}
    parts = parts_of(selectors.bundle_of(order, now=timezone.now()))
    sign_in = belongs_to_someone(order) and signed_in(request) is None
    return {"labels": range(1, parts + 1), "sign_in": sign_in}


def _is_final(group: DeviceGroup) -> bool:
    return group.state in FINAL_STATES or (group.state == "shipped" and not group.with_offset)


def _took(group: DeviceGroup, order: Order) -> str:
    """The sentence on how long the next step took others; empty when nobody can say."""
    duration = usual_duration(group.state, livemode=order.livemode)
    if duration is None:
        return ""
    return say("step_took", wording=wording_by_id(order.wording), duration=duration_text(duration))


@never_cache
@require_GET
def invoice(request: HttpRequest, number: str, token: str) -> HttpResponse:
    """The invoice, to be printed."""
    order = order_or_404(number, token)
    wording = wording_by_id(order.wording)
    lines = list(order.lines.select_related("offset_line__project__registry"))
    offsets = {
        line.pk: say(
            "invoice_line",
            wording=wording,
            kg=kg_text(line.offset_line.unit_amount_g),
            project=line.offset_line.project.name,
            registry=line.offset_line.project.registry.code,
            product=line.name,
        )
        for line in lines
        if hasattr(line, "offset_line")
    }
    rows = [(line, offsets.get(line.pk, "")) for line in lines]
    return render(request, "storefront/order/invoice.html", {"order": order, "rows": rows})


@never_cache
@require_GET
def devices_csv(request: HttpRequest, number: str, token: str) -> HttpResponse:
    """Every device of the order with serial number, state, tracking and code, as CSV."""
    order = order_or_404(number, token)
    return HttpResponse(
        write_device_list(selectors.device_states(order)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="order-{order.number}.csv"'},
    )


@never_cache
@require_GET
def certificate_pdf(request: HttpRequest, number: str, token: str, code: str) -> FileResponse:
    """The PDF of one of the order's devices, for whoever holds the order's address."""
    order = order_or_404(number, token)
    certificate = selectors.certificate_of_order(order, code)
    if certificate is None or not certificate.pdf:
        raise Http404(_("This order has no such document, or it is not ready yet."))
    return FileResponse(
        certificate.pdf.open("rb"),
        content_type="application/pdf",
        as_attachment=True,
        filename=f"{certificate.code}.pdf",
    )


@never_cache
@require_http_methods(["GET", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """A guest types order number and e-mail address; whichever is wrong, the answer is the same."""
    if request.method == "GET":
        return render(request, "storefront/order/find.html", {"form": FindOrderForm()})
    form = FindOrderForm(request.POST)
    status = 422
    if not _may_look_up(request):
        form.add_error(None, _("Too many tries. Wait ten minutes, or use the address in our mail."))
        status = 429
    elif form.is_valid():
        try:
            number = form.cleaned_data["number"].strip().upper()
            order = selectors.order_by_email(number, form.cleaned_data["email"])
        except UnknownOrder as error:
            form.add_error(None, error.message)
        else:
            return redirect("order", order.number, order.token)
    return render(request, "storefront/order/find.html", {"form": form}, status=status)


def _may_look_up(request: HttpRequest) -> bool:
    """Ten tries in ten minutes from one network, counted for all workers together."""
    return add_one("order-lookup", client_network(request), seconds=LOOKUP_SECONDS) <= LOOKUPS
