"""What every address of the API does alike."""

from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import AllowAny  # for the public catalogue only, see PublicView
from rest_framework.request import Request
from rest_framework.views import APIView

from common.errors import NotFound
from partners.models import ApiKey
from partners.parsers import StrictJsonParser
from partners.serializers import NoQuery, StrictSerializer
from partners.throttles import PublicThrottle

PUBLIC_SECONDS = 300
Row = TypeVar("Row", bound=Model)


class AlwaysJson(BaseContentNegotiation):
    """Whatever a client says it accepts, it gets the one kind that we have: a 406 never hides a 401."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class ApiView(APIView):
    """Needs a key; its answers are private. `self.query` holds what `query_serializer` has read."""

    content_negotiation_class = AlwaysJson
    parser_classes = (StrictJsonParser,)
    metadata_class = None  # OPTIONS: the schema says it better
    cache_control = "private, no-store"
    query_serializer: ClassVar[type[StrictSerializer]] = NoQuery
    query: dict[str, Any]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if any("\x00" in str(value) for value in kwargs.values()):
            raise NotFound(_("There is no such thing here, or it is not yours."))
        if request.method in {"GET", "HEAD", "POST"}:
            reader = NoQuery if request.method == "POST" else self.query_serializer
            if doubled := [name for name, values in request.query_params.lists() if len(values) > 1]:
                raise ValidationError({name: _("Sent more than once.") for name in doubled})
            query = reader(data=request.query_params.dict())
            query.is_valid(raise_exception=True)
            self.query = query.validated_data

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = self.cache_control if response.status_code == 200 else "no-store"
        return response


class PublicView(ApiView):
    """Needs no key and ignores one; its answers may be kept for five minutes."""

    authentication_classes = ()
    # Prices, footprints and projects are on the shop's pages too, which anybody reads without a key.
    permission_classes = (AllowAny,)  # the public catalogue, which the shop's pages show to anybody
    throttle_classes = (PublicThrottle,)
    cache_control = f"public, max-age={PUBLIC_SECONDS}"


def key_of(request: Request) -> ApiKey:
    """The key that the request was let in with."""
    key = request.auth
    if not isinstance(key, ApiKey):
        raise TypeError("This view is open without a key; it has nobody's rows to show.")
    return key


def rows_of_page(rows: "QuerySet[Row]", query: dict[str, Any]) -> tuple[list[Row], int]:
    """The rows of one page and how many there are in all: two statements."""
    return list(rows[query["offset"] : query["offset"] + query["limit"]]), rows.count()


def page_of(request: Request, results: Sequence[Any], *, count: int, query: dict[str, Any]) -> dict[str, Any]:
    """The answer of a list: how many there are, the addresses of its neighbours, and this page's rows."""
    return {"count": count, **links(request, count=count, query=query), "results": results}


def links(request: Request, *, count: int, query: dict[str, Any]) -> dict[str, str | None]:
    """Addresses of the next and the previous page, or None at the ends."""
    limit, offset = query["limit"], query["offset"]
    return {
        "next": _at(request, offset + limit) if offset + limit < count else None,
        "previous": _at(request, max(0, offset - limit)) if offset else None,
    }


def _at(request: Request, offset: int) -> str:
    params = request.query_params.copy()
    params["offset"] = str(offset)
    return f"{settings.SITE_URL}{request.path}?{params.urlencode()}"
