"""A new key takes over a public log: after a loss, a theft, or on a schedule.

The log goes on, entry after entry, under a new name that names the last checkpoint of the former key
(certificates.translog.keyring). Certificates that are issued stay valid under the key that signed them.
"""

from base64 import b64decode
from datetime import datetime

from django.db import transaction

from certificates import events as kinds
from certificates import mirroring
from certificates.logkeys import LogKeyChanged, base_of, keyring_of, seed_of
from certificates.models import FormerLogKey, LogCheckpoint, LogHead
from certificates.translog.checkpoints import LogKey, Signer
from certificates.translog.folder import Folder
from certificates.translog.keyring import Keyring, base_of_origin, next_origin
from certificates.translog.merkle import EMPTY_ROOT
from common import events
from common.errors import Conflict, InvalidInput


def rotate(*, livemode: bool, reason: str, actor: str, now: datetime) -> Keyring:
    """Let the key that the environment holds now sign this log from here on; returns the log's keys.

    The former key is not needed. Raises InvalidInput without a reason; LogKeyMissing; Conflict where there is
    no log, where this key has signed it already, where the mirror names another as the next, or where the
    environment's name is of another log; LogBehind and MirrorMissing as the mirror says. Then nothing has
    changed.
    """
    if not reason.strip():
        raise InvalidInput("Say why the log gets a new key; the reason is kept with the change.")
    seed = seed_of(livemode=livemode)
    with transaction.atomic(durable=True):
        head = LogHead.objects.select_for_update().filter(livemode=livemode).first()
        if head is None:
            raise Conflict("There is no log yet: its first entry is signed with the key in the environment.")
        if base_of_origin(head.origin) != base_of(livemode=livemode):
            raise Conflict(f"This log is {head.origin}; put the former CLEARLINE_LOG_ORIGIN back.")
        mirroring.require_current(livemode)
        folder, before = mirroring.configured(livemode=livemode), keyring_of(livemode=livemode)
        size, root = _last_checkpoint(folder, livemode)
        key = Signer(next_origin(head.origin, size=size, root=root), seed).key
        if key.public in {known.public for known in before.keys}:
            raise Conflict(
                f"The key in the environment has signed {before.current.origin} or a log before it. Make a"
                " new one (openssl rand -hex 32) and put it into CLEARLINE_LOG_SEED_* first."
            )
        after = Keyring((key, *before.keys))
        if folder and not after.continues(folder.known_keys()):
            raise Conflict(
                f"The mirror of the log names {folder.known_keys().current} as its next key: put that key"
                " into CLEARLINE_LOG_SEED_*."
            )
        _hand_over(head, key, now=now)
        data = {"reason": reason[:300], "origin": key.origin, "key": str(key)}
        events.record(kinds.LOG_KEY_CHANGED, head, actor=actor, data=data)
    return after


def take_over(keys: Keyring, *, livemode: bool, now: datetime) -> None:
    """Of a database that was restored: the keys that its log's mirror names beyond ours, inside the caller's
    transaction. Raises LogKeyChanged unless the environment holds the newest of them.
    """
    if Signer(keys.current.origin, seed_of(livemode=livemode)).key != keys.current:
        raise LogKeyChanged(
            f"The log goes on as {keys.current.origin}, and its key is another than the one in the"
            " environment. Put that key into CLEARLINE_LOG_SEED_* first."
        )
    head = LogHead.objects.select_for_update().get(livemode=livemode)
    known = len(keyring_of(livemode=livemode).keys)
    for key in reversed(keys.keys[:-known]):
        _hand_over(head, key, now=now)


def _last_checkpoint(folder: Folder | None, livemode: bool) -> tuple[int, bytes]:
    """Size and root of what the former key signed last; the mirror hears of it before we keep it."""
    signed = LogCheckpoint.objects.filter(livemode=livemode).exclude(text="").order_by("-size").first()
    ends = [(signed.size, b64decode(signed.root))] if signed else [(0, EMPTY_ROOT)]
    if folder and (newest := folder.newest()):
        ends.append((newest.size, newest.root))
    return max(ends)


def _hand_over(head: LogHead, key: LogKey, *, now: datetime) -> None:
    FormerLogKey.objects.create(
        livemode=head.livemode, origin=head.origin, public_key=head.public_key, replaced_at=now
    )
    head.origin, head.public_key = key.origin, key.public.hex()
    head.save(update_fields=["origin", "public_key"])
