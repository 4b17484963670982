"""Ask for offsets, and see where each device stands."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from partners import representations, selectors, services
from partners.idempotency import MAX_LENGTH, read_idempotency_key
from partners.parsers import body_digest
from partners.schema import refusals
from partners.serializers import DevicesQuery, OffsetsBody, OffsetsQuery
from partners.views.base import ApiView, key_of, links, page_of, rows_of_page

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH, "pattern": "^[ -~]+$"},
    OpenApiParameter.HEADER,
    required=True,
    description="Names this call: repeated with the same body it is done once, and answered alike each time.",
)
REPLAYED = OpenApiParameter(
    "Idempotent-Replayed",
    {"type": "string", "enum": ["true"]},
    OpenApiParameter.HEADER,
    response=[201],
    description="The call had been done before; this is the answer that it got then.",
)


class OffsetsView(ApiView):
    """`/api/v1/offsets/`"""

    query_serializer = OffsetsQuery

    @extend_schema(
        operation_id="list_offsets",
        tags=["offsets"],
        parameters=[OffsetsQuery],
        responses={200: representations.page_answer(representations.OffsetsSummary), **refusals(401)},
    )
    def get(self, request: Request) -> Response:
        """Your requests in the mode of your key, newest first."""
        rows = selectors.requests_of(
            key_of(request),
            device_serial=self.query.get("device_serial", ""),
            buyer_reference=self.query.get("buyer_reference", ""),
        )
        requests, count = rows_of_page(rows, self.query)
        return Response(page_of(request, selectors.summaries(requests), count=count, query=self.query))

    @extend_schema(
        operation_id="request_offsets",
        tags=["offsets"],
        parameters=[IDEMPOTENCY_KEY, REPLAYED],
        request=OffsetsBody,
        responses={201: representations.Offsets, **refusals(400, 401, 403, 409, 413, 415)},
    )
    def post(self, request: Request) -> Response:
        """Promise the footprint of each device: all or none. Amounts follow from SKU and configuration.

        The answer lists every device as it was promised; ask for the request by its id to see how they fare.
        """
        idempotency_key = read_idempotency_key(request)
        body = OffsetsBody(data=request.data)
        body.is_valid(raise_exception=True)
        asked = services.order_offsets(
            key=key_of(request),
            body=body.validated_data,
            idempotency_key=idempotency_key,
            body_digest=body_digest(request.data),
            now=timezone.now(),
        )
        headers = {"Idempotent-Replayed": "true"} if asked.replayed else {}
        answer = selectors.accepted(asked)
        return Response(answer, status=201, headers={"Location": answer["url"], **headers})


class OffsetsDetailView(ApiView):
    """`/api/v1/offsets/{id}/`"""

    query_serializer = DevicesQuery

    @extend_schema(
        operation_id="get_offsets",
        tags=["offsets"],
        parameters=[DevicesQuery],
        responses={200: representations.Offsets, **refusals(401, 404)},
    )
    def get(self, request: Request, public_id: str) -> Response:
        """Where each device of one of your requests stands now."""
        asked = selectors.request_by_id(key_of(request), public_id)
        offsets, count = rows_of_page(asked.offsets.order_by("pk"), self.query)
        return Response(
            {
                **selectors.summaries([asked])[0],
                "devices": selectors.devices_of(offsets),
                **links(request, count=count, query=self.query),
            }
        )
