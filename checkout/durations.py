"""How long a step took for others: the median of the newest hundred that made it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from certificates.models import Certificate
from checkout.models import OrderedDevice
from checkout.states import State
from offsets.models import DeviceOffset

SAMPLE = 100
MINUTE, HOUR, DAY = 60, 3_600, 86_400


def usual_duration(state: State, *, livemode: bool) -> timedelta | None:
    """How long devices stayed in this state before the next one; None when nobody can say yet."""
    pairs: QuerySet[Any, Any]
    if state == "paid":
        ordered = OrderedDevice.objects.filter(
            line__order__livemode=livemode, line__order__paid_at__isnull=False
        )
        shipped = ordered.filter(line__order__paid_at__isnull=False, shipment__isnull=False)
        pairs = shipped.values_list("line__order__paid_at", "shipment__shipped_at")
    elif state == "promised":
        offsets = DeviceOffset.objects.filter(livemode=livemode, covered_at__isnull=False)
        pairs = offsets.values_list("created_at", "covered_at")
    elif state == "retired":
        first = Certificate.objects.filter(livemode=livemode, replaces=None)
        issued = first.filter(offset__covered_at__isnull=False)
        pairs = issued.values_list("offset__covered_at", "issued_at")
    else:
        return None
    return _median(pairs.order_by("-pk")[:SAMPLE])


def _median(pairs: Iterable[tuple[datetime | None, datetime | None]]) -> timedelta | None:
    seconds = [(end - start).total_seconds() for start, end in pairs if start and end]
    return timedelta(seconds=median(seconds)) if seconds else None


def duration_text(duration: timedelta) -> str:
    """A span of time in one unit, such as `6 days`."""
    seconds = int(duration.total_seconds())
    if seconds < MINUTE:
        return _("less than a minute")
    if seconds < HOUR:
        count = seconds // MINUTE
        return ngettext("%(count)s minute", "%(count)s minutes", count) % {"count": count}
    if seconds < 2 * DAY:
        count = seconds // HOUR
        return ngettext("%(count)s hour", "%(count)s hours", count) % {"count": count}
    return ngettext("%(count)s day", "%(count)s days", seconds // DAY) % {"count": seconds // DAY}
