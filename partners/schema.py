"""The OpenAPI document: what a key is, which refusals each call has, and the finishing touches."""

from functools import cache
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse

from claims.wording import current_wording, say
from partners.representations import Error

_MEANING = {
    400: "The body is not readable JSON, or the Idempotency-Key is missing or cannot be kept.",
    401: "No key, or one that is unknown, revoked or of the other mode. Checked before anything else.",
    403: "The key only reads.",
    404: "No such thing, or not yours.",
    409: "The state does not allow it: covered already, sold out, or not drawn yet. Nothing was done.",
    410: "Withdrawn at the holder's request.",
    413: "The body is too large.",
    415: "The body is not sent as application/json.",
    429: "The files of this request were asked for too often. Wait as many seconds as Retry-After says.",
    503: "The file cannot be made now. Try again in half a minute.",
    422: "A field or parameter is wrong, or the Idempotency-Key came with another body. Nothing was done.",
}


_ERROR_CONTENT = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}


class BearerKey(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the document names the key."""

    target_class = "partners.keys.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A key of your partner account: clk_test_… for the sandbox, clk_live_… for live.",
        }


def refusals(*statuses: int) -> dict[Any, OpenApiResponse]:
    """The refusals of one call; 422 belongs to all, since unknown query parameters are refused everywhere."""
    return {status: OpenApiResponse(Error, _MEANING[status]) for status in sorted({*statuses, 422})}


@cache
def openapi_document() -> dict[str, Any]:
    """The document of all addresses under /api/. It follows from the code alone, so it is made once."""
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    wording = current_wording(register="A", language="en")
    document["info"]["description"] = say("api_description", wording=wording)
    for name, component in document["components"]["schemas"].items():
        if name != "WrongField" and "properties" in component:
            component["additionalProperties"] = False
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"]["405"] = {
                "description": _("The address does not take this method."),
                "content": _ERROR_CONTENT,
            }
            if {} in operation.get("security", [{}]):  # open without a key
                operation["responses"]["429"] = {
                    "description": _("Too many calls from one network within a minute."),
                    "headers": {"Retry-After": {"schema": {"type": "integer"}}},
                    "content": _ERROR_CONTENT,
                }
    return document
