"""The public record of a certificate and its files for whoever may have them."""

from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.selectors import accounts_of
from certificates import badges
from certificates.models import Certificate
from certificates.publiclog import certificate_json
from certificates.records import Record, record_of
from certificates.selectors import UnknownCode, Withdrawn, certificate_by_code
from offsets.serials import InvalidDeviceSerial, normalise_device
from storefront.buying import signed_in
from storefront.throttling import count_miss, guarded, refuse_guesser
from storefront.verifying import page_context


@require_safe
@guarded
def record(request: HttpRequest, code: str) -> HttpResponse:
    """Whoever has the code sees the page; a withdrawn record answers 410."""
    certificate = certificate_by_code(code)
    if certificate.code != code:
        return redirect("record", certificate.code)
    found = record_of(certificate)
    context = {
        "record": found,
        "may_download": _holds(request, certificate),
        **_addresses(request, certificate),
        "badge_html": _badge_html(request, found),
    }
    status = 410 if certificate.withdrawn_at else 200
    return _private(render(request, "storefront/records/record.html", context, status=status))


@require_http_methods(["GET", "HEAD", "POST"])
@guarded
def files(request: HttpRequest, code: str, name: str) -> HttpResponse:
    """PDF or JSON with the whole serial: for the holder who is signed in, or for code + device serial
    (POST).
    """
    certificate = certificate_by_code(code)
    if certificate.facts is None:
        raise Withdrawn(_("This record was withdrawn; its files are deleted."))
    knows = request.method == "POST" and _knows_serial(request, certificate)
    if not (knows or _holds(request, certificate)):
        if request.method == "POST":
            count_miss(request)
        problem = _("This is not the device's serial number. Type it as it stands on the device.")
        context = {
            "certificate": certificate,
            "name": name,
            "problem": problem if request.method == "POST" else "",
        }
        status = 422 if request.method == "POST" else 403
        return _private(render(request, "storefront/records/files.html", context, status=status))
    if name == "certificate.json":
        response: HttpResponse | FileResponse = HttpResponse(
            certificate_json(certificate), content_type="application/json"
        )
    elif certificate.pdf:
        file = default_storage.open(str(certificate.pdf.name))
        response = FileResponse(file, content_type="application/pdf")
    else:
        return _private(
            render(request, "storefront/records/not_yet.html", {"certificate": certificate}, status=404)
        )
    response["Content-Disposition"] = f'attachment; filename="{certificate.code}-{name}"'
    return _private(response)


@require_safe
def verify(request: HttpRequest) -> HttpResponse:
    """Look a record up by its code."""
    typed = request.GET.get("code", "").strip()[:40]
    if not typed:
        return render(request, "storefront/records/verify.html", page_context(request))
    refuse_guesser(request)
    try:
        return redirect("record", certificate_by_code(typed).code)
    except UnknownCode as error:
        count_miss(request)
        context = {"typed": typed, "problem": error.message, **page_context(request)}
        return render(request, "storefront/records/verify.html", context, status=404)


def _addresses(request: HttpRequest, certificate: Certificate) -> dict[str, str]:
    """Whole addresses of the record's page and of its pictures."""
    names = {"record_url": "record", "badge_url": "record_badge", "badge_png_url": "record_badge_png"}
    names["card_url"] = "record_card"
    return {
        key: request.build_absolute_uri(reverse(name, args=[certificate.code])) for key, name in names.items()
    }


def _badge_html(request: HttpRequest, record: Record) -> dict[str, str]:
    """Markup to copy for each kind of badge: a link to the record around the picture."""
    url = _addresses(request, record.certificate)
    picture = format_html(
        ' width="{}" height="{}" alt="{}"></a>', badges.WIDTH, badges.HEIGHT, record.badge_alt
    )
    return {
        "SVG": format_html('<a href="{}"><img src="{}"', url["record_url"], url["badge_url"]) + picture,
        "PNG": format_html(
            '<a href="{0}"><img src="{1}" srcset="{1}?scale=2 2x"', url["record_url"], url["badge_png_url"]
        )
        + picture,
    }


def _holds(request: HttpRequest, certificate: Certificate) -> bool:
    """Whether the signed-in user acts for the account that owns the claim."""
    user, owner = signed_in(request), certificate.offset.owner_id
    return bool(user and owner and owner in {account.pk for account in accounts_of(user)})


def _knows_serial(request: HttpRequest, certificate: Certificate) -> bool:
    offset = certificate.offset
    try:
        _maker, typed = normalise_device(offset.manufacturer, request.POST.get("serial", ""))
    except InvalidDeviceSerial:
        return False
    return constant_time_compare(typed, offset.device_serial)


def _private(response: HttpResponse | FileResponse) -> HttpResponse:
    """No search engine keeps a record, and no cache keeps a file."""
    response["X-Robots-Tag"] = "noindex"
    response["Cache-Control"] = "private, no-store"
    return response  # type: ignore[return-value]
