"""A paused project, or a registry that has closed, keeps promises waiting: each says so in its history.

Selling stops by itself (projects.selectors). The floors above read the causes here and tell their buyers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat

from common import events
from common.models import Event
from offsets import events as kinds
from offsets.models import DeviceOffset
from projects.models import Project

BATCH = 1_000


@dataclass(frozen=True)
class Cause:
    """Why a project does not deliver; `code` stays the same as long as it is the same pause or date."""

    project: Project
    code: str  # "paused:2026-11-24T12:00", "closed:2026-12-31"

    @property
    def paused(self) -> bool:
        return self.code.startswith("paused:")


def causes(*, now: datetime) -> list[Cause]:
    """Every project that is paused, or whose registry's last retirement date has come. One statement."""
    stopped = Project.objects.filter(
        Q(paused_at__isnull=False) | Q(registry__last_retirement_on__lte=now.date())
    ).select_related("registry")
    return [cause for project in stopped.order_by("pk") for cause in _causes(project, now=now)]


def _causes(project: Project, *, now: datetime) -> Iterator[Cause]:
    if project.paused_at:
        yield Cause(project, f"paused:{project.paused_at:%Y-%m-%dT%H:%M}")
    last = project.registry.last_retirement_on
    if last and last <= now.date():
        yield Cause(project, f"closed:{last.isoformat()}")


def note_delays(*, now: datetime, actor: str) -> int:
    """Write the cause into the history of each promise that waits for it, once a cause; returns how many."""
    return sum(_note(cause, actor=actor) for cause in causes(now=now))


@transaction.atomic(durable=True)
def _note(cause: Cause, *, actor: str) -> int:
    subject = Concat(Value("deviceoffset:"), Cast(OuterRef("pk"), CharField()))
    noted = Event.objects.filter(subject=subject, kind=kinds.OFFSET_DELAYED, data__cause=cause.code)
    waiting = (
        DeviceOffset.objects.filter(~Exists(noted), project=cause.project, covered_at=None, ended_at=None)
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("pk")[:BATCH]
    )
    rows = list(waiting)
    data = {row.pk: {"cause": cause.code} for row in rows}
    events.record_all(kinds.OFFSET_DELAYED, rows, actor=actor, data=data)
    return len(rows)
