"""Confirmed grams are handed to the devices that wait for them. See services.py.

An offset that the database refuses to cover must not stop those behind it: it is found by halving the batch,
set aside with its problem for a person, and the rest go on.
"""

from datetime import datetime

from django.db import DataError, IntegrityError, InternalError, transaction

from common import events
from common.errors import Conflict
from offsets import events as kinds
from offsets import ledger
from offsets.models import DeviceOffset

ALLOCATION_BATCH = 2_000
# What a row itself causes, and would cause again; a lost connection, a lock or a full disk is none of these.
REFUSED_BY_DATABASE = (IntegrityError, DataError, InternalError)


def allocate_grams(*, project_id: int, livemode: bool, now: datetime, actor: str) -> int:
    """Cover waiting offsets of a project with confirmed grams; returns how many.

    One durable transaction a batch. An offset that cannot be covered gets a problem and needs a person.
    """
    limit, covered = ALLOCATION_BATCH, 0
    while True:
        try:
            count = _allocate_batch(
                project_id=project_id, livemode=livemode, limit=limit, now=now, actor=actor
            )
        except REFUSED_BY_DATABASE:
            if limit == 1:
                _set_oldest_aside(project_id=project_id, livemode=livemode, now=now, actor=actor)
                return covered
            limit //= 2
            continue
        covered += count
        if limit == ALLOCATION_BATCH or count == 0:
            return covered


@transaction.atomic(durable=True)
def _allocate_batch(*, project_id: int, livemode: bool, limit: int, now: datetime, actor: str) -> int:
    ledger.lock_running(project_id=project_id, livemode=livemode)
    covered = ledger.allocate(project_id=project_id, livemode=livemode, limit=limit, now=now)
    events.record_keys(kinds.OFFSET_COVERED, DeviceOffset, covered, actor=actor)
    return len(covered)


@transaction.atomic(durable=True)
def _set_oldest_aside(*, project_id: int, livemode: bool, now: datetime, actor: str) -> None:
    """Try the oldest once more, under the lock; when it is refused again, it needs a person."""
    ledger.lock_running(project_id=project_id, livemode=livemode)
    oldest = ledger.waiting_offsets(project_id=project_id, livemode=livemode).first()
    if oldest is None:
        return
    try:
        with transaction.atomic():
            covered = ledger.allocate(project_id=project_id, livemode=livemode, limit=1, now=now)
            events.record_keys(kinds.OFFSET_COVERED, DeviceOffset, covered, actor=actor)
    except REFUSED_BY_DATABASE as error:
        problem = f"Credits could not be allocated: {' '.join(str(error).split())}"[:300]
        DeviceOffset.objects.filter(pk=oldest.pk).update(problem=problem)
        events.record(kinds.OFFSET_NEEDS_PERSON, oldest, actor=actor)


@transaction.atomic(durable=True)
def resume_offset(offset: DeviceOffset, *, reason: str, actor: str) -> None:
    """A person has put it right: the offset goes back into the queue. Raises Conflict when it waits not."""
    if not DeviceOffset.objects.filter(pk=offset.pk, ended_at=None).exclude(problem="").update(problem=""):
        raise Conflict("This claim does not wait for a person.")
    events.record(kinds.OFFSET_RESUMED, offset, actor=actor, data={"reason": reason[:200]})
