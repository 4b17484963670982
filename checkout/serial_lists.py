"""Serial numbers as lists: pasted, one a line, or as CSV with the header `line,unit,device_serial`.

A cell that would start a formula in a spreadsheet is written behind an apostrophe, which reading takes off
again.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from checkout.errors import SerialsRefused
from checkout.models import OrderedDevice
from checkout.states import DeviceState
from common.spreadsheets import FORMULA_STARTS, quoted_cell

HEADER = ["line", "unit", "device_serial"]
MAX_BYTES = 2_000_000


def read_pasted(text: str, devices: Sequence[OrderedDevice]) -> dict[int, str]:
    """The serial numbers of these devices in their order, one a line; fewer lines leave the last devices for
    later.

    Raises SerialsRefused when there are more lines than devices. An empty line between others is an empty
    serial number, which shipping refuses.
    """
    lines = text.replace("\r\n", "\n").rstrip().split("\n") if text.strip() else []
    if len(lines) > len(devices):
        raise SerialsRefused(
            _("There are %(lines)s serial numbers for %(devices)s devices. Take out those that are too many.")
            % {"lines": len(lines), "devices": len(devices)}
        )
    return {device.pk: line for device, line in zip(devices, lines, strict=False)}


def read_csv(data: bytes, devices: Iterable[OrderedDevice]) -> dict[int, str]:
    """Primary key -> serial number of each row of a file. Raises SerialsRefused naming every row that is
    wrong.

    UTF-8 with or without a byte order mark; the header must be `line,unit,device_serial`. A row without a
    serial number leaves its device for later.
    """
    rows = _rows(data)
    by_place = {(device.line.position, device.position): device.pk for device in devices}
    serials: dict[int, str] = {}
    problems: list[dict[str, str | int]] = []
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(HEADER):
            problems.append(_problem(number, _("it has %(cells)s cells, not 3") % {"cells": len(row)}))
            continue
        place = _place(row)
        pk = by_place.get(place) if place else None
        if pk is None:
            problems.append(_problem(number, _("the order has no such line and unit that can ship")))
        elif pk in serials:
            problems.append(_problem(number, _("this line and unit stands above already")))
        elif row[2].strip():
            serials[pk] = _without_apostrophe(row[2])
    if problems:
        raise SerialsRefused(
            _("%(count)s rows of the file are wrong (first: row %(row)s, %(problem)s). Nothing was shipped.")
            % {"count": len(problems), **problems[0]},
            details=problems,
        )
    return serials


def write_csv(devices: Iterable[OrderedDevice]) -> str:
    """The devices as the file that `read_csv` reads."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADER)
    for device in devices:
        writer.writerow([device.line.position, device.position, quoted_cell(device.device_serial or "")])
    return out.getvalue()


def _without_apostrophe(text: str) -> str:
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text


def _rows(data: bytes) -> list[list[str]]:
    if len(data) > MAX_BYTES:
        raise SerialsRefused(_("The file is larger than 2 MB; split it."))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SerialsRefused(_("The file is not UTF-8. Save it again as “CSV UTF-8”.")) from None
    if "\x00" in text:
        raise SerialsRefused(_("The file is not UTF-8. Save it again as “CSV UTF-8”."))
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise SerialsRefused(_("The file does not read as CSV: %(error)s.") % {"error": error}) from None
    if not rows or [cell.strip().lower() for cell in rows[0]] != HEADER:
        raise SerialsRefused(
            _("The first row must be %(header)s, separated by commas.") % {"header": ",".join(HEADER)}
        )
    return rows[1:]


def _place(row: Sequence[str]) -> tuple[int, int] | None:
    line, unit = row[0].strip(), row[1].strip()
    if not (
        line.isascii() and line.isdigit() and unit.isascii() and unit.isdigit() and len(line + unit) < 20
    ):
        return None
    return int(line), int(unit)


def _problem(row: int, text: str) -> dict[str, str | int]:
    return {"row": row, "problem": text}


def write_device_list(states: Iterable[DeviceState]) -> str:
    """Every unit of an order with where it stands, for the buyer's own records."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*HEADER, "name", "configuration", "state", "since", "carrier", "tracking", "code"])
    for state in states:
        device, shipment = state.device, state.device.shipment
        cells = [
            device.device_serial or "",
            device.line.name,
            device.line.configuration,
            state.state,
            state.since.date().isoformat(),
            shipment.carrier if shipment else "",
            shipment.tracking if shipment else "",
            state.certificate.code if state.certificate else "",
        ]
        writer.writerow([device.line.position, device.position, *(quoted_cell(cell) for cell in cells)])
    return out.getvalue()
