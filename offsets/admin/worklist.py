"""What a person files with a registry: by project and month, ready to copy, confirmed in batches."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext

from accounts.staff import actor_of
from common.errors import DomainError
from offsets import selectors, services
from offsets.forms import BatchReasonForm, BatchRowForm
from offsets.models import Retirement
from offsets.serials import format_credit_serials

MAX_BATCH = 100


@dataclass(frozen=True)
class WorkRow:
    """One retirement to file: its row, its serials as printed, and in a batch its form."""

    retirement: Retirement
    serials: str
    form: BatchRowForm | None = None


@dataclass(frozen=True)
class Pool:
    """What waits for one project since one month, and how long earlier pools of that project took."""

    project: Any
    month: date
    rows: list[WorkRow]
    usually: str

    @property
    def credits(self) -> int:
        return sum(row.retirement.credits for row in self.rows)


def pools() -> list[Pool]:
    """Everything that waits to be filed, oldest month first, project by project. Two statements."""
    waiting = list(selectors.retirements_to_file())
    took = selectors.pool_durations({row.project_id for row in waiting})
    groups: dict[tuple[date, int], list[Retirement]] = {}
    for row in waiting:
        groups.setdefault((_month(row.created_at), row.project_id), []).append(row)
    return [
        Pool(
            project=rows[0].project,
            month=month,
            rows=[WorkRow(row, serials_of(row)) for row in rows],
            usually=_text(took.get(project_id)),
        )
        for (month, project_id), rows in sorted(groups.items())
    ]


def serials_of(row: Retirement) -> str:
    return format_credit_serials(row.block.series, row.first_number, row.last_number)


def _month(at: datetime) -> date:
    return at.date().replace(day=1)


def _text(took: selectors.PoolDurations | None) -> str:
    if took is None:
        return gettext("No pool of this project was confirmed yet.")
    end = timezone.now()
    said = ngettext("The last one took %(time)s.", "The last %(count)d took %(time)s (median).", took.count)
    return said % {"count": took.count, "time": timesince(end - took.median, end, depth=1)}


def batch_page(
    request: HttpRequest, *, project_id: int, month: str, context: dict[str, Any], back: str
) -> HttpResponse:
    """Enter what a registry confirmed for several retirements of one pool; empty rows stay as they are.

    Each row is an entry of its own: a wrong one is named and does not stop the others.
    """
    if not request.user.has_perm("offsets.confirm_retirement"):
        raise PermissionDenied
    rows = _rows_of(project_id, month)
    if not rows:
        raise Http404(gettext("Nothing of this pool waits to be filed."))
    posted = request.POST if request.method == "POST" else None
    reason = BatchReasonForm(posted)
    work = [WorkRow(row, serials_of(row), BatchRowForm(posted, prefix=f"r{row.pk}")) for row in rows]
    status = 200
    if posted is not None:
        status = 422
        if reason.is_valid():
            done, waits, wrong = _enter(work, reason.cleaned_data["reason"], actor=actor_of(request))
            _tell(request, done, waits)
            if not wrong:
                return redirect(back)
            work = [row for row in work if row.form is None or row.form.errors or not row.form.filled]
    pool = Pool(project=rows[0].project, month=_month(rows[0].created_at), rows=work, usually="")
    title = gettext("Enter what the registry confirmed")
    return TemplateResponse(
        request,
        "admin/offsets/batch.html",
        {**context, "title": title, "pool": pool, "reason": reason},
        status=status,
    )


def _rows_of(project_id: int, month: str) -> list[Retirement]:
    """The oldest MAX_BATCH of the pool. Raises Http404 for what is no month."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError as error:
        raise Http404(gettext("There is no such month.")) from error
    waiting = selectors.retirements_to_file().filter(
        project_id=project_id, created_at__year=first.year, created_at__month=first.month
    )
    return list(waiting[:MAX_BATCH])


def _enter(work: list[WorkRow], reason: str, *, actor: str) -> tuple[int, int, int]:
    """Enter each filled row; how many are confirmed, wait for a second person, and are wrong."""
    done = waits = wrong = 0
    for row in work:
        form = row.form
        if form is None or not form.filled:
            continue
        if not form.is_valid():
            wrong += 1
            continue
        try:
            entered = {name: form.cleaned_data[name] for name in form.fields}
            confirmed = services.confirm_by_person(
                row.retirement, **entered, reason=reason, actor=actor, now=timezone.now()
            )
        except DomainError as error:
            form.add_error(None, error.message)
            wrong += 1
        else:
            done, waits = done + confirmed, waits + (not confirmed)
    return done, waits, wrong


def _tell(request: HttpRequest, done: int, waits: int) -> None:
    if done:
        said = ngettext("%d retirement is confirmed.", "%d retirements are confirmed.", done)
        messages.success(request, said % done)
    if waits:
        said = ngettext(
            "%d entry is kept and waits for a second person.",
            "%d entries are kept and wait for a second person.",
            waits,
        )
        messages.success(request, said % waits)
