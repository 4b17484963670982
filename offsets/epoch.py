"""A restored database must not retire again what was retired after its backup.

The host keeps a small file beside the database: the ledger's epoch and the highest attempt it has committed,
written before each call of a registry. A database that is behind its host's file, or of another epoch, or
that
has attempts and finds no file at all, is a restored one. It starts in *hold*: no registry is called until
`reconcile` has passed against the registry's journal or report (offsets/adopting.py).
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from common import events
from common.errors import Conflict
from offsets import events as kinds
from offsets.models import Attempt, LedgerEpoch


class LedgerHeld(Conflict):
    """The ledger is held: no registry is called until it has been reconciled."""

    code = "ledger_held"


def require_running(*, now: datetime) -> None:
    """Refuse with LedgerHeld unless this database is the one that the host's epoch file knows."""
    with _locked():
        epoch = LedgerEpoch.objects.get_or_create(id=1)[0]
        problem = _problem(epoch, _read())
        if problem and epoch.held_since is None:
            _hold(epoch, problem, now=now)
        elif not problem and epoch.held_since is None:
            _write(epoch)
            return
    raise LedgerHeld(
        f"No registry is called: {epoch.reason or problem} Run ./run manage reconcile with the registry's"
        " journal or report; docs/operations.md says how."
    )


def note_attempts() -> None:
    """After an attempt is committed and before the registry is called: the host's file knows of it."""
    with _locked():
        _write(LedgerEpoch.objects.get(id=1))


def is_held() -> LedgerEpoch | None:
    """The epoch's row when the ledger is held, else None."""
    return LedgerEpoch.objects.filter(id=1, held_since__isnull=False).first()


def release_hold(*, reason: str, actor: str) -> bool:
    """The ledger agrees with the registry again: calls go on. False when it was not held."""
    with _locked(), transaction.atomic(durable=True):
        epoch = LedgerEpoch.objects.select_for_update().filter(id=1, held_since__isnull=False).first()
        if epoch is None:
            return False
        epoch.held_since, epoch.reason = None, ""
        epoch.save(update_fields=["held_since", "reason"])
        events.record(kinds.LEDGER_RELEASED, epoch, actor=actor, data={"reason": reason[:200]})
        _write(epoch)
    return True


def _problem(epoch: LedgerEpoch, known: dict[str, Any] | None) -> str:
    """Why this is a restored database; empty when it is the host's own."""
    newest = _newest_attempt()
    if known is None:
        return (
            "the host knows nothing of this database, and it has asked registries before." if newest else ""
        )
    if known["epoch"] != str(epoch.epoch):
        return "the database is another one than the host's."
    if newest < known["attempt"]:
        return f"the database ends at attempt {newest}, the host knows of attempt {known['attempt']}."
    return ""


@transaction.atomic(durable=True)
def _hold(epoch: LedgerEpoch, problem: str, *, now: datetime) -> None:
    epoch.held_since, epoch.reason = now, problem
    epoch.save(update_fields=["held_since", "reason"])
    events.record(kinds.LEDGER_HELD, epoch, actor="system", data={"reason": problem})


def _newest_attempt() -> int:
    return Attempt.objects.aggregate(newest=Max("pk"))["newest"] or 0


@contextmanager
def _locked() -> Iterator[None]:
    """The host's file (settings.LEDGER_EPOCH_FILE) is ours alone among this host's processes."""
    path = settings.LEDGER_EPOCH_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read() -> dict[str, Any] | None:
    path = settings.LEDGER_EPOCH_FILE
    return json.loads(path.read_text()) if path.exists() else None


def _write(epoch: LedgerEpoch) -> None:
    """Replace the file by a synced new one, unless it says so already."""
    now_known = {"epoch": str(epoch.epoch), "attempt": _newest_attempt()}
    if _read() == now_known:
        return
    path = settings.LEDGER_EPOCH_FILE
    fresh = path.with_suffix(".new")
    with fresh.open("w", encoding="ascii") as file:
        file.write(json.dumps(now_known))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
