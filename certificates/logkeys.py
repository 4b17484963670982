"""Names and keys of the public logs: one log a mode, one key at a time; it signs nothing else."""

from django.conf import settings

from certificates.models import FormerLogKey, LogHead
from certificates.translog.checkpoints import LogKey, Signer
from certificates.translog.keyring import Keyring, base_of_origin, first_origin
from common.errors import Conflict, DomainError


class LogKeyMissing(DomainError):
    """The log's key is not in the environment; nothing is signed."""

    code = "log_key_missing"
    status = 503


class LogKeyChanged(Conflict):
    """Another key signed this log before; nothing is signed until the right one is back, or takes over."""

    code = "log_key_changed"


def mode_of(*, livemode: bool) -> str:
    """`live` or `sandbox`."""
    return "live" if livemode else "sandbox"


def option_of(*, livemode: bool) -> str:
    """What a command of this mode's log ends with."""
    return "" if livemode else " --sandbox"


def base_of(*, livemode: bool) -> str:
    """How the log's names begin: live and sandbox have logs and keys of their own."""
    return str(settings.LOG_ORIGIN) if livemode else f"{settings.LOG_ORIGIN}/sandbox"


def has_key(*, livemode: bool) -> bool:
    """Whether this mode has a log at all."""
    return bool(settings.LOG_SEEDS[mode_of(livemode=livemode)])


def seed_of(*, livemode: bool) -> bytes:
    """The secret key in the environment. Raises LogKeyMissing."""
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
    return raw


def signer_of(*, livemode: bool) -> Signer:
    """The key of a mode. Raises LogKeyMissing, and LogKeyChanged where the log is another key's."""
    raw, base = seed_of(livemode=livemode), base_of(livemode=livemode)
    head = LogHead.objects.filter(livemode=livemode).first()
    signer = Signer(head.origin if head else first_origin(base), raw)
    if head and not is_signed_by(head, signer):
        raise LogKeyChanged(
            f"{head.origin} was signed by another key or under another name before: nothing is signed. Put"
            " the former CLEARLINE_LOG_SEED_* and CLEARLINE_LOG_ORIGIN back; or, where a new key shall go on,"
            f" ./run manage rotate_log_key{option_of(livemode=livemode)} (docs/operations.md)."
        )
    return signer


def is_signed_by(head: LogHead, signer: Signer) -> bool:
    """Whether this log goes on under this key and under the name that the environment gives it."""
    named = base_of_origin(head.origin) == base_of(livemode=head.livemode)
    return named and head.public_key == signer.key.public.hex()


def keyring_of(*, livemode: bool) -> Keyring:
    """What is published of the log's keys. Raises LogKeyMissing where there is no log and no key for one."""
    head = LogHead.objects.filter(livemode=livemode).first()
    if head is None:
        return Keyring((signer_of(livemode=livemode).key,))
    pairs = [(head.origin, head.public_key)]
    pairs += (
        FormerLogKey.objects.filter(livemode=livemode).order_by("-pk").values_list("origin", "public_key")
    )
    return Keyring(tuple(LogKey(origin, bytes.fromhex(public)) for origin, public in pairs))


def key_of(*, livemode: bool) -> LogKey:
    """The key that signs now, as published. Raises LogKeyMissing as keyring_of."""
    return keyring_of(livemode=livemode).current
