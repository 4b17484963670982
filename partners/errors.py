"""One handler turns every refusal into `{"error": {"code", "detail", "fields"}}`."""

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from common.counting import TooMany
from common.errors import DomainError, InvalidInput, NotFound

Field = dict[str, Any]


class BrokenBody(DomainError):
    """The body is not the JSON that it must be."""

    code = "broken_body"
    status = 400


class BodyTooLarge(DomainError):
    """The body is larger than any order needs."""

    code = "body_too_large"
    status = 413


def answer(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """The answer to a refusal; None for anything else, which is a fault of ours and stays loud."""
    if isinstance(exc, Http404):
        exc = NotFound(_("There is no such thing here, or it is not yours."))
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    if isinstance(exc, DomainError):
        wait_s = {"Retry-After": str(exc.retry_after_s)} if isinstance(exc, TooMany) else {}
        return _response(exc.status, code=exc.code, detail=exc.message, fields=_rows(exc), headers=wait_s)
    if isinstance(exc, exceptions.ValidationError):
        return _response(
            InvalidInput.status,
            code=InvalidInput.code,
            detail=_("Some fields are wrong; nothing was done. “fields” names each."),
            fields=list(_flat(exc.detail)),
        )
    if isinstance(exc, exceptions.APIException):
        code, detail = _plain(exc)
        challenge = getattr(exc, "auth_header", None)
        headers = {"WWW-Authenticate": str(challenge)} if challenge else {}
        if (wait := getattr(exc, "wait", None)) is not None:  # throttled
            headers["Retry-After"] = str(ceil(wait))
        return _response(exc.status_code, code=code, detail=detail, headers=headers)
    return None


def _rows(exc: DomainError) -> list[Field]:
    """The refusal's details: each names a field and what is wrong with it; it may say what is allowed."""
    return [{"field": "", "detail": exc.message, **row} for row in exc.details]


def _response(
    status: int,
    *,
    code: str,
    detail: str,
    fields: list[Field] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    body = {"error": {"code": code, "detail": detail, "fields": fields or []}}
    return Response(body, status=status, headers=headers)


def _plain(exc: exceptions.APIException) -> tuple[str, str]:
    """Code and sentence of an error that the framework raised."""
    match exc:
        case exceptions.NotAuthenticated():
            return "not_authenticated", _("Send an API key as “Authorization: Bearer KEY”.")
        case exceptions.UnsupportedMediaType():
            return "unsupported_media_type", _("Send the body as “Content-Type: application/json”.")
        case exceptions.Throttled():
            return "too_many_calls", _(
                "Too many calls came from your network this minute. Wait as many seconds as Retry-After says."
            )
        case exceptions.MethodNotAllowed():
            return "method_not_allowed", _(
                "This address does not take that method; the Allow header lists those it does."
            )
    detail = exc.detail
    code = detail.code if isinstance(detail, exceptions.ErrorDetail) else exc.default_code
    return str(code), str(detail)


def _flat(detail: Any, path: str = "") -> Iterator[Field]:
    """Each wrong field with its path, such as `devices.3.sku`."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = path if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
            yield from _flat(inner, own)
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list | tuple)
            yield from _flat(inner, f"{path}.{index}" if nested else path)
    else:
        yield {"field": path, "detail": str(detail)}
