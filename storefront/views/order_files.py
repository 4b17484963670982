"""The files of a whole order: one document, one ZIP, sheets of QR labels. They show whole serial numbers, so
they are for its holder alone.
"""

from collections.abc import Callable

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from certificates.archive import archive
from certificates.bundles import Bundle, count_download
from certificates.collective import collective_pdf
from certificates.labels import labels_pdf
from checkout import selectors
from checkout.errors import UnknownOrder
from checkout.models import Order
from storefront.buying import order_or_404, signed_in

Make = Callable[[HttpRequest, Bundle], HttpResponseBase]


@never_cache
@require_GET
def collective(request: HttpRequest, number: str, token: str) -> HttpResponseBase:
    """One document for all devices."""
    return _for_holder(request, number, token, "collective.pdf", _collective)


@never_cache
@require_GET
def archived(request: HttpRequest, number: str, token: str) -> HttpResponseBase:
    """PDF and JSON of each device in one ZIP, sent while it is made."""
    return _for_holder(request, number, token, "certificates.zip", _archived)


@never_cache
@require_GET
def label_sheets(request: HttpRequest, number: str, token: str) -> HttpResponseBase:
    """A part of the QR labels: `?part=2`."""
    return _for_holder(request, number, token, "labels.pdf", _label_sheets)


def _collective(_request: HttpRequest, bundle: Bundle) -> HttpResponseBase:
    return HttpResponse(collective_pdf(bundle), content_type="application/pdf")


def _archived(_request: HttpRequest, bundle: Bundle) -> HttpResponseBase:
    return StreamingHttpResponse(archive(bundle), content_type="application/zip")


def _label_sheets(request: HttpRequest, bundle: Bundle) -> HttpResponseBase:
    part = request.GET.get("part", "1")
    if not (part.isascii() and part.isdigit() and len(part) < 6):
        raise Http404(_("There is no such part."))
    return HttpResponse(labels_pdf(bundle, part=int(part)), content_type="application/pdf")


def _for_holder(request: HttpRequest, number: str, token: str, name: str, make: Make) -> HttpResponseBase:
    """The file for who holds the order: members of its account and its buyer, signed in. An order of a guest
    has no account, so its secret address is all that its holder has, and is enough.
    """
    order = order_or_404(number, token)
    user = signed_in(request)
    if belongs_to_someone(order):
        if user is None:
            return redirect_to_login(request.get_full_path())
        try:
            order = selectors.order_for_user(number, user)
        except UnknownOrder as error:
            raise Http404(error.message) from error
    bundle = selectors.bundle_of(order, now=timezone.now())
    count_download(bundle, name)
    response = make(request, bundle)
    response["Content-Disposition"] = f'attachment; filename="{order.number}-{name}"'
    response["X-Robots-Tag"] = "noindex"
    return response


def belongs_to_someone(order: Order) -> bool:
    """Whether an account or a user has this order; a guest's belongs to whoever knows its address."""
    return order.owner_id is not None or order.user_id is not None
