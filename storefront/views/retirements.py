"""Retirements, found by reference or credit serial, and one with its intervals. No device is named."""

import re
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.db.models import F, QuerySet, Sum, Value
from django.db.models.functions import Greatest, Least
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from certificates.models import LogEntry
from checkout.formatting import whole_text
from claims.wording import Wording, say
from offsets.models import CreditBlock, Reconciliation, Retirement
from offsets.selectors import (
    UnknownRetirement,
    blocks_with_credits,
    intervals_of,
    last_checked,
    retirement_by_reference,
    retirements_of_credits,
)
from offsets.serials import (
    CreditRange,
    InvalidCreditSerials,
    credits_of_interval,
    find_credits,
    format_credit_serials,
    parse_credit_serials,
)
from storefront.amounts import livemode
from storefront.buying import basket_of, delivery_country, reader_for

INTERVALS_PER_PAGE = 200
RETIREMENTS_PER_PAGE = 50
LONGEST_QUESTION = 200
_REFERENCE = re.compile(r"CL-[0-9A-Z-]{1,17}")


@dataclass(frozen=True)
class Held:
    """A retirement and which of the credits asked for it holds."""

    retirement: Retirement
    serials: str
    credits: int


@dataclass(frozen=True)
class Whereabouts:
    """Where the credits of a range are: in retirements, in stock and free, or not ours."""

    credits: CreditRange
    in_retirements: int
    in_stock: int

    @property
    def unknown(self) -> int:
        return self.credits.credits - self.in_retirements - self.in_stock


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """A reference leads to its page; a credit serial, or a range of them, to the retirements that hold it."""
    typed = " ".join(request.GET.get("q", "").replace("\x00", "").split())[: LONGEST_QUESTION + 1]
    if not typed:
        newest = Retirement.objects.filter(livemode=livemode(), state=Retirement.State.CONFIRMED)
        newest = newest.select_related("project", "block").order_by("-confirmed_at", "-pk")
        page = Paginator(newest, RETIREMENTS_PER_PAGE).get_page(request.GET.get("page"))
        return render(request, "storefront/projects/retirements.html", {"page": page})
    context: dict[str, object] = {"typed": typed}
    try:
        return redirect("retirement", retirement_by_reference(typed).reference)
    except UnknownRetirement as error:
        if _REFERENCE.fullmatch(typed.upper()):
            return _answer(request, {**context, "problem": error.message}, status=404)
    try:
        asked = _credits(typed)
    except InvalidCreditSerials as error:
        return _answer(request, {**context, "problem": error.message}, status=422)
    found = whereabouts(asked)
    page = Paginator(_holding(asked), RETIREMENTS_PER_PAGE).get_page(request.GET.get("page"))
    held = [_held(retirement, asked) for retirement in page.object_list]
    context |= {"found": found, "held": held, "page": page}
    return _answer(request, context, status=404 if found.unknown == asked.credits else 200)


def _answer(request: HttpRequest, context: dict[str, object], *, status: int) -> HttpResponse:
    return render(request, "storefront/projects/retirements.html", context, status=status)


def _credits(typed: str) -> CreditRange:
    """One serial or a range as people copy it: in any case, with a dash for "to". Raises
    InvalidCreditSerials.
    """
    text = re.sub(r"\s*[–—]\s*|\s+-\s+|\s+to\s+", " to ", typed, flags=re.IGNORECASE)
    upper = text.upper().replace(" TO ", " to ")
    found = find_credits(text) or find_credits(upper)
    return found or parse_credit_serials(text)  # which says what is wrong


def _holding(asked: CreditRange) -> QuerySet[Retirement]:
    """Retirements that hold any of these credits; refused ones hold none any more."""
    rows = retirements_of_credits(asked).exclude(state=Retirement.State.VOID)
    return rows.select_related("project", "block").order_by("first_number", "pk")


def _held(retirement: Retirement, asked: CreditRange) -> Held:
    first, last = max(retirement.first_number, asked.first), min(retirement.last_number, asked.last)
    return Held(retirement, format_credit_serials(asked.series, first, last), last - first + 1)


def whereabouts(asked: CreditRange) -> Whereabouts:
    """Counts the credits of a range by where they are; two statements."""
    retired = _overlap(_holding(asked).order_by(), asked)
    return Whereabouts(asked, retired, _overlap(blocks_with_credits(asked).order_by(), asked) - retired)


def _overlap(rows: QuerySet[Retirement] | QuerySet[CreditBlock], asked: CreditRange) -> int:
    first = Greatest(F("first_number"), Value(asked.first))
    last = Least(F("last_number"), Value(asked.last))
    total: int | None = rows.aggregate(total=Sum(last - first + 1))["total"]
    return total or 0


@require_safe
def retirement(request: HttpRequest, reference: str) -> HttpResponse:
    """One retirement: its credits and their block, the registry's public report, its intervals with a running
    total, and what is left.
    """
    found = retirement_by_reference(reference)
    wording = reader_for(request, delivery_country(request, basket_of(request))).wording
    sizes = [to_g - from_g for from_g, to_g in intervals_of(found).values_list("from_g", "to_g")]
    page = Paginator(intervals_of(found), INTERVALS_PER_PAGE).get_page(request.GET.get("page"))
    total, rows = sum(sizes[: max(0, page.start_index() - 1)]), []
    for allocation in page.object_list:
        first, last = credits_of_interval(found.first_number, allocation.from_g, allocation.to_g)
        total += allocation.to_g - allocation.from_g
        rows.append(
            {
                "from_g": whole_text(allocation.from_g),
                "to_g": whole_text(allocation.to_g),
                "grams": whole_text(allocation.to_g - allocation.from_g),
                "total": whole_text(total),
                "serials": format_credit_serials(found.block.series, first, last),
            }
        )
    taken = sum(sizes)
    context = {
        "retirement": found,
        "project": found.project,
        "serials": format_credit_serials(found.block.series, found.first_number, found.last_number),
        "rows": rows,
        "page": page,
        "devices": page.paginator.count,
        "taken": whole_text(taken),
        "surplus": whole_text(found.amount_g - taken) if found.state == "confirmed" else "",
        "line": _registry_line(found, wording),
        "checked": last_checked(found),
        "report": _newest_report(found),
        "log_index": LogEntry.objects.filter(retirement=found).values_list("index", flat=True).first(),
        "log": "live_log_entries" if found.livemode else "sandbox_log_entries",
        "demo": "" if found.livemode else say("certificate_demo", wording=wording),
    }
    return render(request, "storefront/projects/retirement.html", context)


def _newest_report(retirement: Retirement) -> Reconciliation | None:
    """What the newest public report said of it, with the report's own rows."""
    return retirement.reconciliations.select_related("report").order_by("-pk").first()


def _registry_line(retirement: Retirement, wording: Wording) -> str:
    if retirement.state != Retirement.State.CONFIRMED:
        return say("certificate_not_yet", wording=wording)
    slot = "registry_line_cdm" if retirement.project.registry.code == "CDM" else "registry_line"
    line = say(
        slot,
        wording=wording,
        reference=retirement.registry_reference,
        date=f"{retirement.retired_on:%-d %B %Y}",
    )
    return line[:1].upper() + line[1:]
