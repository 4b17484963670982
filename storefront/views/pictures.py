"""The pictures of a record: its badge, for anybody's page, and the card that sites show beside a link."""

from hashlib import sha256

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_cache_control
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from certificates.badges import THEMES, badge_svg
from certificates.models import Certificate
from certificates.pictures import SCALES, badge_png, card_png
from certificates.selectors import Withdrawn, certificate_by_code
from storefront.throttling import guarded

BADGE_CSP = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
PICTURE_SECONDS = 300


@require_safe
@guarded
def badge(request: HttpRequest, code: str) -> HttpResponse:
    """The data badge as SVG, `?theme=dark` for dark pages; sandboxed, so that it can be opened anywhere."""
    certificate = _readable(code)
    svg = badge_svg(certificate.facts or {}, state=certificate.state, theme=_theme(request))
    return _picture(request, svg.encode(), "image/svg+xml")


@require_safe
@guarded
def badge_as_png(request: HttpRequest, code: str) -> HttpResponse:
    """The data badge as PNG: `?theme=dark` for dark pages, `?scale=2` for fine screens."""
    certificate = _readable(code)
    scale = next((one for one in SCALES if request.GET.get("scale") == str(one)), SCALES[0])
    png = badge_png(certificate.facts or {}, state=certificate.state, theme=_theme(request), scale=scale)
    return _picture(request, png, "image/png")


@require_safe
@guarded
def card(request: HttpRequest, code: str) -> HttpResponse:
    """The record's picture for Open Graph, 1200 x 630."""
    certificate = _readable(code)
    return _picture(request, card_png(certificate.facts or {}, state=certificate.state), "image/png")


def _readable(code: str) -> Certificate:
    """Raises UnknownCode and Withdrawn."""
    certificate = certificate_by_code(code)
    if certificate.facts is None:
        raise Withdrawn(_("This record was withdrawn."))
    return certificate


def _theme(request: HttpRequest) -> str:
    theme = request.GET.get("theme", "")
    return theme if theme in THEMES else "light"


def _picture(request: HttpRequest, content: bytes, content_type: str) -> HttpResponse:
    """Anybody's page may show it; it can do nothing, and no search engine lists it."""
    etag = f'"{sha256(content).hexdigest()[:32]}"'
    held = parse_etags(request.headers.get("If-None-Match", ""))
    response: HttpResponse
    if etag in held or f"W/{etag}" in held:
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(content, content_type=content_type)
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = BADGE_CSP
    response["ETag"] = etag
    response["X-Robots-Tag"] = "noindex"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    patch_cache_control(response, public=True, max_age=PICTURE_SECONDS)
    return response
