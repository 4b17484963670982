"""Reading a JSON body: one meaning or none.

Doubled keys, NaN, fractions, lone surrogates and endless nesting are refused here, so that nothing behind has
to think of them.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser

from partners.errors import BodyTooLarge, BrokenBody

MAX_DIGITS = 40


class StrictJsonParser(BaseParser):
    """UTF-8 JSON, at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes. Raises BrokenBody or BodyTooLarge."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
        raw: bytes = stream.read(limit + 1)
        if len(raw) > limit:
            raise BodyTooLarge(_("The body is larger than %(limit)s bytes; split it.") % {"limit": limit})
        try:
            data = json.loads(
                raw.decode("utf-8"),
                object_pairs_hook=_object,
                parse_constant=_no_constant,
                parse_int=_whole_number,
                parse_float=_no_fraction,
            )
            canonical_json(data)
        except (ValueError, RecursionError) as error:
            raise BrokenBody(
                _("The body is not JSON that can be read: %(why)s.") % {"why": _why(error)}
            ) from None
        return data


def canonical_json(data: Any) -> bytes:
    """The one spelling of a parsed body: sorted keys, no blanks. UnicodeEncodeError for a lone surrogate."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def body_digest(data: Any) -> str:
    """SHA-256 of the canonical body: two bodies that say the same have the same digest."""
    return hashlib.sha256(canonical_json(data)).hexdigest()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("an object has the same key twice")
    return result


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


def _no_fraction(digits: str) -> NoReturn:
    raise ValueError(f"{digits[:MAX_DIGITS]} is not a whole number, and every number of this API is one")


def _whole_number(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number has more than {MAX_DIGITS} digits")
    return int(digits)


def _why(error: ValueError | RecursionError) -> str:
    match error:
        case RecursionError():
            return _("it is nested too deeply")
        case json.JSONDecodeError():
            return f"{error.msg}, line {error.lineno}, column {error.colno}"
        case UnicodeError():
            return _("it is not UTF-8 text")
    return str(error)
