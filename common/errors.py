"""Errors of the domain: each has a stable code that a log line or an API answer carries."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class DomainError(Exception):
    """Something the person asked for cannot be done; the message says what to do instead.

    `code` is stable and can be grepped; `status` is the HTTP status that an edge answers with; `details`
    names the offending rows or fields.
    """

    code: ClassVar[str] = "domain_error"
    status: ClassVar[int] = 422

    def __init__(self, message: str, *, details: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.details = list(details)


class NotFound(DomainError):
    """No such thing, or not yours: both answer alike."""

    code = "not_found"
    status = 404


class Conflict(DomainError):
    """The state moved on in the meantime."""

    code = "conflict"
    status = 409


class InvalidInput(DomainError):
    """One or more inputs are wrong; `details` lists each with its place."""

    code = "invalid_input"
    status = 422
