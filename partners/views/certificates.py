"""The certificates of a partner's devices, and their files."""

from typing import Any

from django.http import FileResponse, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from certificates.badges import badge_svg
from certificates.models import Certificate
from certificates.publiclog import certificate_json
from certificates.selectors import Withdrawn
from common.errors import Conflict
from partners import representations, selectors
from partners.schema import refusals
from partners.views.base import ApiView, key_of

SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


class NotDrawnYet(Conflict):
    """The PDF is being made."""

    code = "not_drawn_yet"


def _file_answer(media_type: str, what: str) -> dict[Any, OpenApiResponse]:
    return {(200, media_type): OpenApiResponse(bytes, what)} | refusals(401, 404, 409, 410)


class CertificateView(ApiView):
    """`/api/v1/certificates/{code}/`"""

    @extend_schema(
        operation_id="get_certificate",
        tags=["certificates"],
        responses={200: representations.CertificateAnswer, **refusals(401, 404)},
    )
    def get(self, request: Request, code: str) -> Response:
        """A certificate of one of your devices: state, frozen facts, and the addresses of its files."""
        return Response(selectors.certificate_answer(selectors.certificate_by_code(key_of(request), code)))


class CertificateFileView(ApiView):
    """A file of a certificate: bytes of their own type, errors as JSON."""

    def certificate(self, request: Request, code: str) -> Certificate:
        """The partner's certificate. Raises UnknownCertificate and Withdrawn."""
        certificate = selectors.certificate_by_code(key_of(request), code)
        if certificate.facts is None:
            raise Withdrawn(_("This certificate was withdrawn; its facts are no longer kept."))
        return certificate


class CertificatePdfView(CertificateFileView):
    @extend_schema(
        operation_id="get_certificate_pdf",
        tags=["certificates"],
        responses=_file_answer("application/pdf", "The certificate, one page."),
    )
    def get(self, request: Request, code: str) -> FileResponse:
        """The PDF as it was drawn when the certificate was issued."""
        certificate = self.certificate(request, code)
        try:
            file = certificate.pdf.open("rb") if certificate.rendered_at and certificate.pdf else None
        except FileNotFoundError:
            file = None
        if file is None:
            raise NotDrawnYet(_("The PDF is being drawn; ask again in a minute."))
        return FileResponse(file, content_type="application/pdf", filename=f"{certificate.code}.pdf")


class CertificateJsonView(CertificateFileView):
    @extend_schema(
        operation_id="get_certificate_json",
        tags=["certificates"],
        responses=_file_answer("application/json", "Facts, nonce and digest: what a verifier needs."),
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        """The certificate's facts as bytes that can be checked without us."""
        return HttpResponse(
            certificate_json(self.certificate(request, code)), content_type="application/json"
        )


class CertificateBadgeView(CertificateFileView):
    @extend_schema(
        operation_id="get_certificate_badge",
        tags=["certificates"],
        responses=_file_answer("image/svg+xml", "The data badge."),
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        """The data badge: facts of the retirement, drawn as SVG."""
        certificate = self.certificate(request, code)
        svg = badge_svg(certificate.facts or {}, state=certificate.state)
        return HttpResponse(
            svg, content_type="image/svg+xml", headers={"Content-Security-Policy": SVG_POLICY}
        )
