"""The files of a whole request: one document, one ZIP, sheets of QR labels."""

from typing import ClassVar

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from certificates.archive import archive
from certificates.bundles import Bundle, count_download
from certificates.collective import collective_pdf
from certificates.labels import labels_pdf
from partners import selectors
from partners.schema import refusals
from partners.serializers import PartQuery
from partners.views.base import ApiView, key_of

PDF, ZIP = "application/pdf", "application/zip"
REFUSALS = refusals(401, 404, 409, 429, 503)


class RequestFileView(ApiView):
    """A file of a partner's request: bytes of their own type, errors as JSON."""

    name: ClassVar[str]

    def bundle(self, request: Request, public_id: str) -> Bundle:
        """The devices of one of the partner's own requests. Raises UnknownOffsets and TooMany."""
        asked = selectors.request_by_id(key_of(request), public_id)
        bundle = selectors.bundle_of(asked, now=timezone.now())
        count_download(bundle, self.name)
        return bundle


class CollectiveView(RequestFileView):
    """`/api/v1/offsets/{id}/collective.pdf`"""

    name = "collective.pdf"

    @extend_schema(
        operation_id="get_collective_certificate",
        tags=["offsets"],
        responses={(200, PDF): OpenApiResponse(bytes, "One document for all devices."), **REFUSALS},
    )
    def get(self, request: Request, public_id: str) -> HttpResponse:
        """All devices of a request that are certified now, summed up; beside their single certificates."""
        return HttpResponse(collective_pdf(self.bundle(request, public_id)), content_type=PDF)


class ArchiveView(RequestFileView):
    """`/api/v1/offsets/{id}/certificates.zip`"""

    name = "certificates.zip"

    @extend_schema(
        operation_id="get_certificates_archive",
        tags=["offsets"],
        responses={(200, ZIP): OpenApiResponse(bytes, "PDF and JSON of each device."), **REFUSALS},
    )
    def get(self, request: Request, public_id: str) -> StreamingHttpResponse:
        """Every file of a request, with a list that says why a device has none."""
        return StreamingHttpResponse(archive(self.bundle(request, public_id)), content_type=ZIP)


class LabelsView(RequestFileView):
    """`/api/v1/offsets/{id}/labels.pdf`"""

    name = "labels.pdf"
    query_serializer = PartQuery

    @extend_schema(
        operation_id="get_labels",
        tags=["offsets"],
        parameters=[PartQuery],
        responses={(200, PDF): OpenApiResponse(bytes, "QR labels, 3 x 8 on A4."), **REFUSALS},
    )
    def get(self, request: Request, public_id: str) -> HttpResponse:
        """A label with the record's address for each device that is certified now, 192 in a part."""
        bundle = self.bundle(request, public_id)
        return HttpResponse(labels_pdf(bundle, part=self.query["part"]), content_type=PDF)
