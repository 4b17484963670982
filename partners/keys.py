"""API keys: made, revoked, and read from the Authorization header.

A key is `clk_test_` or `clk_live_` and 32 random bytes in base64url. We keep its SHA-256: the key has 256
bits of its own, so a slow hash would protect nothing more.
"""

import hashlib
import secrets
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed

from common import events
from partners.events import API_KEY_CREATED, API_KEY_REVOKED
from partners.models import ApiKey, Partner

if TYPE_CHECKING:
    from rest_framework.request import Request

SECRET_BYTES = 32
SHOWN_CHARACTERS = 8  # of the random part, in the prefix that names a key


@transaction.atomic
def create_key(
    partner: Partner, scope: ApiKey.Scope | str, livemode: bool, *, actor: str = "system"
) -> tuple[ApiKey, str]:
    """A new key and its text, which nobody can read again afterwards."""
    text = f"{'clk_live_' if livemode else 'clk_test_'}{secrets.token_urlsafe(SECRET_BYTES)}"
    key = ApiKey.objects.create(
        partner=partner,
        prefix=text[: len("clk_test_") + SHOWN_CHARACTERS],
        digest=digest_of(text),
        scope=ApiKey.Scope(scope),
        livemode=livemode,
    )
    events.record(API_KEY_CREATED, key, actor=actor, data={"scope": key.scope, "livemode": livemode})
    return key, text


@transaction.atomic
def revoke_key(key: ApiKey, *, actor: str, reason: str, now: datetime) -> bool:
    """From now on the key opens nothing; the history keeps why. False when it was revoked already."""
    revoked = ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now)
    if revoked:
        events.record(API_KEY_REVOKED, key, actor=actor, data={"reason": reason[:200]})
    return bool(revoked)


def digest_of(text: str) -> str:
    """What is stored of a key: SHA-256 in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer KEY`. Reads headers only: a wrong method or a broken body never comes first."""

    def authenticate_header(self, request: "Request") -> str:
        return "Bearer"

    def authenticate(self, request: "Request") -> tuple[Partner, ApiKey] | None:
        """The partner and the key; None without a header. Raises AuthenticationFailed for any other key."""
        header = get_authorization_header(request)
        if not header:
            return None
        scheme, _separator, text = header.partition(b" ")
        if scheme.lower() != b"bearer":
            raise AuthenticationFailed(_("Send the key as “Authorization: Bearer KEY”."))
        key = _known_key(text.strip().decode("latin-1"))
        if key is None:
            raise AuthenticationFailed(_("This API key is unknown or revoked; create a new one."))
        if key.livemode and not settings.LIVEMODE:
            raise AuthenticationFailed(_("This is a sandbox: use a key that begins with clk_test_."))
        _note_use(key, today=datetime.now(UTC).date())
        return key.partner, key


def _known_key(text: str) -> ApiKey | None:
    """The key with this text that may still be used; found by its digest, so the comparison leaks nothing."""
    return (
        ApiKey.objects.select_related("partner__account")
        .filter(digest=digest_of(text), revoked_at__isnull=True, partner__active=True)
        .first()
    )


def _note_use(key: ApiKey, *, today: date) -> None:
    """Remember the day of use: at most one write a day and key, whatever the traffic."""
    if key.last_used_on is None or key.last_used_on < today:
        ApiKey.objects.filter(Q(last_used_on__isnull=True) | Q(last_used_on__lt=today), pk=key.pk).update(
            last_used_on=today
        )
