"""Names and keys of the public logs: one log a mode, one key a log, and nothing else is signed with it."""

from django.conf import settings

from certificates.translog.checkpoints import LogKey, Signer
from common.errors import Conflict, DomainError


class LogKeyMissing(DomainError):
    """The log's key is not in the environment; nothing is signed."""

    code = "log_key_missing"
    status = 503


class LogKeyChanged(Conflict):
    """Another key signed this log before; nothing is signed until the right one is back."""

    code = "log_key_changed"


def mode_of(*, livemode: bool) -> str:
    """`live` or `sandbox`."""
    return "live" if livemode else "sandbox"


def origin_of(*, livemode: bool) -> str:
    """The log's name: live and sandbox have logs and keys of their own."""
    return f"{settings.LOG_ORIGIN}/1" if livemode else f"{settings.LOG_ORIGIN}/sandbox/1"


def has_key(*, livemode: bool) -> bool:
    """Whether this mode has a log at all."""
    return bool(settings.LOG_SEEDS[mode_of(livemode=livemode)])


def signer_of(*, livemode: bool) -> Signer:
    """The key of a mode. Raises LogKeyMissing."""
    mode = mode_of(livemode=livemode)
    try:
        raw = bytes.fromhex(settings.LOG_SEEDS[mode])
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise LogKeyMissing(
            f"CLEARLINE_LOG_SEED_{mode.upper()} must hold 32 bytes in hexadecimal;"
            " the public log signs nothing without it."
        )
    return Signer(origin_of(livemode=livemode), raw)


def key_of(*, livemode: bool) -> LogKey:
    """What is published of the key. Raises LogKeyMissing."""
    return signer_of(livemode=livemode).key
