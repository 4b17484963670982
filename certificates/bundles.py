"""Devices that belong together, with the newest certificate of each: those of an order, or of a partner's
request. Read in batches, so 10,000 do not sit in memory.

Who may see a bundle is asked before it is made; what is made of it names no account and no buyer.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from certificates.models import Certificate
from certificates.selectors import certificates_of
from claims.wording import Wording
from common.counting import TooMany, add_one, seconds_left
from common.errors import Conflict
from common.spreadsheets import quoted_cell
from offsets.models import DeviceOffset
from offsets.selectors import state_of

BATCH = 200
DOWNLOADS = {"collective.pdf": 20, "labels.pdf": 60, "certificates.zip": 5}  # of one order in:
DOWNLOADS_S = 600
CSV_HEADER = (
    "code",
    "state",
    "note",
    "device_serial",
    "product",
    "configuration",
    "amount_g",
    "project",
    "retirement",
    "intervals",
    "credit_serials",
    "registry_reference",
    "retired_on",
    "issued_at",
    "record",
)
NOTES = {
    "certified": "",
    "promised": "no certificate yet: the registry has not confirmed",
    "retired": "no certificate yet: it is being issued and drawn",
    "needs_person": "no certificate: something did not fit, a person looks at it",
    "cancelled": "cancelled before retirement: there is no certificate",
    "reversed": "reversed: counts no longer for this device",
    "moved": "moved: counts for the replacement device",
    "withdrawn": "withdrawn at the holder's request: facts and file are deleted",
}


class NothingYet(Conflict):
    """No certificate of the order or request is there yet, or there is no such part."""

    code = "not_drawn_yet"


@dataclass(frozen=True)
class Bundle:
    """The claims of an order or request, in the wording that they were bought in, as of a moment."""

    reference: str  # order number, or the id of a partner's request
    offsets: QuerySet[DeviceOffset]
    wording: Wording
    livemode: bool
    as_of: datetime

    @property
    def day(self) -> datetime:
        """The day of `as_of` in UTC: two files of one day and one state are the same bytes."""
        return self.as_of.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class Device:
    """A claim with its newest certificate, and where the two stand: a key of NOTES."""

    offset: DeviceOffset
    certificate: Certificate | None

    @property
    def state(self) -> str:
        certificate, state = self.certificate, state_of(self.offset)
        if certificate is None:
            return state
        if certificate.withdrawn_at:
            return "withdrawn"
        if certificate.needs_person_at:
            return "needs_person"
        return "certified" if state == "retired" and certificate.pdf else state


def devices(bundle: Bundle) -> Iterator[Device]:
    """All of them in the order in which they were asked for; two statements a batch."""
    rows, last = bundle.offsets.order_by("pk").defer("footprint"), 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        newest = certificates_of([offset.pk for offset in batch])
        for offset in batch:
            yield Device(offset, newest.get(offset.pk))
        last = batch[-1].pk


def certified(bundle: Bundle) -> QuerySet[Certificate]:
    """The certificates of the devices whose state is `certified`, in the same order."""
    return (
        Certificate.objects.filter(
            offset__in=bundle.offsets,
            offset__ended_at=None,
            offset__problem="",
            state=Certificate.State.VALID,
            needs_person_at=None,
        )
        .exclude(pdf="")
        .order_by("offset_id")
    )


def record_url(code: str) -> str:
    """Where anyone who has the code reads the record."""
    return f"{settings.SITE_URL}/c/{code}/"


def count_download(bundle: Bundle, name: str) -> None:
    """Drawing and packing take time, so each file of an order is made so many times in ten minutes; then
    raises TooMany.
    """
    if add_one(f"bundle-{name}", bundle.reference, seconds=DOWNLOADS_S) > DOWNLOADS[name]:
        raise TooMany(
            _("These files were asked for too often. Wait ten minutes, then try again."),
            retry_after_s=seconds_left(DOWNLOADS_S),
        )


def device_cells(device: Device) -> list[str]:
    """What the list says of a device, in the order of CSV_HEADER; a withdrawn one has its code only."""
    certificate, state = device.certificate, device.state
    values: dict[str, object] = {"state": state, "note": NOTES[state]}
    if certificate:
        values |= (certificate.facts or {}) | {
            "code": certificate.code,
            "record": record_url(certificate.code),
        }
    else:
        names = ("device_serial", "product", "configuration", "amount_g")
        values |= {name: getattr(device.offset, name) for name in names}
    return [str(values.get(name, "")) for name in CSV_HEADER]


def csv_lines(rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Rows as lines of CSV, one by one; a cell that would start a formula is written behind an apostrophe."""
    line = _Line()
    writer = csv.writer(line, lineterminator="\r\n")
    for row in rows:
        writer.writerow([quoted_cell(cell) for cell in row])
        yield line.text


class _Line:
    """A file that keeps only the row that was written last."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text
