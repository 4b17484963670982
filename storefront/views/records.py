"""The public record of a certificate, its badge, and its files for whoever may have them."""

from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.selectors import accounts_of
from certificates.badges import THEMES, badge_svg
from certificates.models import Certificate
from certificates.publiclog import certificate_json
from certificates.records import record_of
from certificates.selectors import UnknownCode, Withdrawn, certificate_by_code
from offsets.serials import InvalidDeviceSerial, normalise_device
from storefront.buying import signed_in
from storefront.verifying import page_context

BADGE_CSP = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@require_safe
def record(request: HttpRequest, code: str) -> HttpResponse:
    """Whoever has the code sees the page; a withdrawn record answers 410."""
    certificate = certificate_by_code(code)
    if certificate.code != code:
        return redirect("record", certificate.code)
    found = record_of(certificate)
    context = {
        "record": found,
        "may_download": _holds(request, certificate),
        "record_url": request.build_absolute_uri(reverse("record", args=[certificate.code])),
        "badge_url": request.build_absolute_uri(reverse("record_badge", args=[certificate.code])),
    }
    status = 410 if certificate.withdrawn_at else 200
    return _private(render(request, "storefront/records/record.html", context, status=status))


@require_safe
def badge(request: HttpRequest, code: str) -> HttpResponse:
    """The data badge as SVG, `?theme=dark` for dark pages; sandboxed, so that it can be opened anywhere."""
    certificate = certificate_by_code(code)
    if certificate.facts is None:
        raise Withdrawn(_("This record was withdrawn."))
    theme = request.GET.get("theme", "light")
    svg = badge_svg(certificate.facts, state=certificate.state, theme=theme if theme in THEMES else "light")
    response = HttpResponse(svg, content_type="image/svg+xml")
    response["Content-Security-Policy"] = BADGE_CSP
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "public, max-age=300"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def files(request: HttpRequest, code: str, name: str) -> HttpResponse:
    """PDF or JSON with the whole serial: for the holder who is signed in, or for code + device serial
    (POST).
    """
    certificate = certificate_by_code(code)
    if certificate.facts is None:
        raise Withdrawn(_("This record was withdrawn; its files are deleted."))
    knows = request.method == "POST" and _knows_serial(request, certificate)
    if not (knows or _holds(request, certificate)):
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
    try:
        return redirect("record", certificate_by_code(typed).code)
    except UnknownCode as error:
        context = {"typed": typed, "problem": error.message, **page_context(request)}
        return render(request, "storefront/records/verify.html", context, status=404)


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
