"""The Idempotency-Key header. What a key did is decided by the ledger: (scope, key) is unique there."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from common.errors import DomainError
from partners.models import ApiKey

if TYPE_CHECKING:
    from rest_framework.request import Request

MAX_LENGTH = 120


class InvalidIdempotencyKey(DomainError):
    """The header is missing or cannot be kept."""

    code = "invalid_idempotency_key"
    status = 400


def scope_of(key: ApiKey) -> str:
    """Whose idempotency keys these are: all API keys of a partner in one mode share them."""
    return f"partner:{key.partner_id}:{'live' if key.livemode else 'test'}"


def read_idempotency_key(request: "Request") -> str:
    """The header's value. Raises InvalidIdempotencyKey unless it is 1 to 120 printable ASCII characters."""
    value = request.headers.get("Idempotency-Key", "")
    if not value:
        raise InvalidIdempotencyKey(
            _("Send an Idempotency-Key header, such as a random UUID; repeat the call with the same one.")
        )
    if len(value) > MAX_LENGTH or not (value.isascii() and value.isprintable()):
        raise InvalidIdempotencyKey(
            _("The Idempotency-Key must be at most %(length)s printable ASCII characters.")
            % {"length": MAX_LENGTH}
        )
    return value
