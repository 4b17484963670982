"""What happens to projects: one use case, one function. Importing a file is in importing.py."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.reasons import required_reason
from common import events
from projects.events import PROJECT_PAUSED, PROJECT_RESUMED
from projects.models import Project


@transaction.atomic
def pause_projects(*, projects: Sequence[Project], reason: str, actor: str, now: datetime) -> int:
    """Stop selling these projects until they are resumed; says how many were not paused before.

    What is ordered already stays ordered. Raises ReasonMissing; then nothing has changed.
    """
    text = required_reason(reason)
    paused = list(Project.objects.select_for_update().filter(pk__in=_ids(projects), paused_at__isnull=True))
    Project.objects.filter(pk__in=_ids(paused)).update(paused_at=now, pause_reason=text)
    events.record_all(PROJECT_PAUSED, paused, actor=actor, data={p.pk: {"reason": text} for p in paused})
    return len(paused)


@transaction.atomic
def resume_projects(*, projects: Sequence[Project], reason: str, actor: str) -> int:
    """Sell these projects again; says how many were paused. Raises ReasonMissing, having changed nothing."""
    text = required_reason(reason)
    resumed = list(Project.objects.select_for_update().filter(pk__in=_ids(projects), paused_at__isnull=False))
    Project.objects.filter(pk__in=_ids(resumed)).update(paused_at=None, pause_reason="")
    events.record_all(PROJECT_RESUMED, resumed, actor=actor, data={p.pk: {"reason": text} for p in resumed})
    return len(resumed)


def _ids(projects: Sequence[Project]) -> list[int]:
    return [project.pk for project in projects]
