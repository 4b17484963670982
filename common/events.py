"""Record what happened and, after commit, wake the sweeps that care (config/wakeups.py says which)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import models, transaction
from django.db.models import Max
from django.utils import timezone

from common.models import Event
from common.rows import insert_values

Waker = Callable[[str], None]
_wakers: list[Waker] = []


def set_waker(waker: Waker | None) -> None:
    """Name the function that is told each kind of event after commit; None: nobody is woken, sweeps run by
    clock.
    """
    _wakers[:] = [waker] if waker else []


def subject_of(row: models.Model) -> str:
    """The opaque name under which a row's events are kept, such as `deviceoffset:17`."""
    return f"{row._meta.model_name}:{row.pk}"


def record(kind: str, row: models.Model, *, actor: str, data: Mapping[str, Any] | None = None) -> None:
    """Append one event, in the caller's transaction."""
    record_all(kind, [row], actor=actor, data={row.pk: data or {}})


def record_all(
    kind: str,
    rows: Iterable[models.Model],
    *,
    actor: str,
    data: Mapping[Any, Mapping[str, Any]] | None = None,
) -> None:
    """Append one event per row, in the caller's transaction; `data` maps primary keys to what the event
    holds.

    The caller's lock or conditional update keeps the rows' sequences apart.
    """
    keys: dict[type[models.Model], list[Any]] = {}
    for row in rows:
        keys.setdefault(type(row), []).append(row.pk)
    for model, pks in keys.items():
        record_keys(kind, model, pks, actor=actor, data=data)


def record_keys(
    kind: str,
    model: type[models.Model],
    keys: Sequence[Any],
    *,
    actor: str,
    data: Mapping[Any, Mapping[str, Any]] | None = None,
    first: bool = False,
) -> None:
    """`record_all` for rows of which the caller has only the primary keys; `first` says that they are new
    and have no events yet. Two statements, however many rows.
    """
    if not keys:
        return
    subjects = {f"{model._meta.model_name}:{key}": key for key in keys}
    last = {} if first else _last_sequences(list(subjects))
    now = timezone.now()
    insert_values(
        Event,
        ("kind", "subject", "sequence", "actor", "data", "created_at"),
        [
            (kind, subject, last.get(subject, 0) + 1, actor, dict((data or {}).get(key, {})), now)
            for subject, key in subjects.items()
        ],
    )
    wake(kind)


def _last_sequences(subjects: list[str]) -> dict[str, int]:
    rows = Event.objects.filter(subject__in=subjects).order_by().values("subject")
    return dict(rows.annotate(last=Max("sequence")).values_list("subject", "last"))


def wake(kind: str) -> None:
    """After commit, tell the waker that something of this kind is to be done."""
    for waker in _wakers:
        transaction.on_commit(lambda waker=waker: waker(kind))  # type: ignore[misc]


def history(row: models.Model) -> models.QuerySet[Event]:
    """The row's events, oldest first."""
    return Event.objects.filter(subject=subject_of(row)).order_by("sequence")
