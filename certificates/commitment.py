"""The digest of a certificate: a commitment to its facts that can be published without showing them. Pure.

PROOF: SHA-256(`clearline/1 cert` LF, 32-byte nonce, JCS(facts)); one random nonce per certificate.
"""

import hashlib
import secrets
from collections.abc import Mapping

import rfc8785

TAG = b"clearline/1 cert\n"
NONCE_BYTES = 32

Facts = Mapping[str, str | int]


def new_nonce() -> bytes:
    """32 random bytes, derived from nothing."""
    return secrets.token_bytes(NONCE_BYTES)


def canonical(facts: Facts) -> bytes:
    """RFC 8785 (JCS) bytes of the facts. Raises ValueError unless they are flat, ASCII-keyed, text or
    integers.
    """
    for name, value in facts.items():
        if not name.isascii() or isinstance(value, bool) or not isinstance(value, str | int):
            raise ValueError(f"{name!r} is no fact: keys are ASCII, values text or whole numbers.")
    return rfc8785.dumps(dict(facts))


def commit(facts: Facts, nonce: bytes) -> bytes:
    """The 32-byte commitment. Raises ValueError for a nonce of another length."""
    if len(nonce) != NONCE_BYTES:
        raise ValueError(f"A nonce has {NONCE_BYTES} bytes, not {len(nonce)}.")
    return hashlib.sha256(TAG + nonce + canonical(facts)).digest()
