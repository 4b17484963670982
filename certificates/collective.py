"""One document for an order beside the single certificates: its devices, their grams, and the sums.

It is drawn anew at each download and lists what counts on its day. Up to 500 devices stand on its sheets;
of more, the list is attached as `devices.csv`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from certificates import sheet
from certificates.bundles import (
    CSV_HEADER,
    Bundle,
    Device,
    NothingYet,
    csv_lines,
    device_cells,
    devices,
    record_url,
)
from certificates.drawing import CannotDraw, draw
from claims.formats import number_text
from claims.wording import Wording, say
from offsets.models import Retirement
from offsets.serials import credits_of_interval, format_credit_serials

LISTED = 500
LISTED_RUNS = 60  # runs of credits printed of one retirement; the single certificates have all
LISTED_CODES = 24  # of those that do not count, in each state
ATTACHED = "devices.csv"
UNCOUNTED = ("promised", "retired", "needs_person", "reversed", "moved", "withdrawn")
_INTERVAL = re.compile(r"\[([0-9]+), ([0-9]+)\) of (.+)")


@dataclass
class Used:
    """What the devices use of one retirement."""

    facts: Mapping[str, Any]  # of one of the certificates: project and registry as it printed them
    retired_on: str
    registry_reference: str
    intervals: list[tuple[int, int]] = field(default_factory=list)

    @property
    def grams(self) -> int:
        return sum(to_g - from_g for from_g, to_g in self.intervals)


@dataclass
class Tally:
    """Devices and sums, gathered in one walk over the bundle."""

    count: int = 0
    grams: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)  # as many as are listed
    used: dict[str, Used] = field(default_factory=dict)
    beneficiaries: dict[str, None] = field(default_factory=dict)  # an ordered set
    uncounted: dict[str, list[str]] = field(default_factory=dict)  # by state: codes, or serials without one
    csv: list[list[str]] = field(default_factory=list)


def collective_pdf(bundle: Bundle) -> bytes:
    """The document, PDF/A-3a. Raises NothingYet and CannotDraw."""
    tally = tally_of(bundle)
    if not tally.count:
        raise NothingYet(_("No certificate of this order is ready yet. Come back when the first one is."))
    with translation.override(bundle.wording.language):
        page = render_to_string("certificates/collective.html", page_context(bundle, tally))
    attached = None
    if tally.count > LISTED:
        attached = {
            "name": ATTACHED,
            "content": "".join(csv_lines([CSV_HEADER, *tally.csv])),
            "description": say("collective_attached", wording=bundle.wording),
        }
    return draw(page, created=bundle.day.isoformat(), attached=attached)


def tally_of(bundle: Bundle) -> Tally:
    """The bundle counted and summed. Raises CannotDraw when the intervals do not make the sum."""
    tally = Tally()
    for device in devices(bundle):
        tally.csv.append(device_cells(device))
        if device.state == "certified":
            _count(tally, device, bundle.wording)
        else:
            name = device.certificate.code if device.certificate else device.offset.device_serial
            tally.uncounted.setdefault(device.state, []).append(name)
    if sum(used.grams for used in tally.used.values()) != tally.grams:
        raise CannotDraw(_("The grams of this order do not add up; nothing is printed. Write to us."))
    return tally


def _count(tally: Tally, device: Device, wording: Wording) -> None:
    facts: Mapping[str, Any] = (device.certificate and device.certificate.facts) or {}
    tally.count += 1
    tally.grams += int(facts["amount_g"])
    tally.beneficiaries[facts["beneficiary"]] = None
    if len(tally.rows) < LISTED:
        tally.rows.append(_row(facts))
    parts = (facts[name].split("; ") for name in ("retirement", "retired_on", "registry_reference"))
    for reference, day, registry_reference in zip(*parts, strict=True):
        if reference not in tally.used:
            tally.used[reference] = Used(facts, sheet.day_text(day, wording), registry_reference)
    for reference, from_g, to_g in intervals_of(facts):
        tally.used[reference].intervals.append((from_g, to_g))


def _row(facts: Mapping[str, Any]) -> dict[str, Any]:
    url = record_url(facts["certificate"])
    return {
        "product": facts["product"],
        "serial": facts["device_serial"],
        "grams": sheet.thousands(facts["amount_g"]),
        "url": url,
        "address": url.split("://", 1)[-1].rstrip("/"),
    }


def intervals_of(facts: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    """(retirement, from gram, to gram) of each interval that a certificate prints."""
    found = [_INTERVAL.fullmatch(printed) for printed in facts["intervals"].split("; ")]
    return [(match[3], int(match[1]), int(match[2])) for match in found if match]


def page_context(bundle: Bundle, tally: Tally) -> dict[str, Any]:
    """What the template shows."""
    wording = bundle.wording
    listed = tally.count <= LISTED
    kg = sheet.kg_text(tally.grams)
    slots = {"device": "step_device", "serial": "device_serial", "credits": "step_credits"}
    slots |= {"address": "collective_address", "uncounted": "collective_not_counted"}
    day = sheet.day_text(bundle.day.date().isoformat(), wording)
    return {
        "lang": wording.language,
        "title": say("collective_title", wording=wording),
        "reference": bundle.reference,
        "created": bundle.day.isoformat(),
        "intro": say("collective_intro", wording=wording, total_kg=kg),
        "not_logged": say("collective_not_logged", wording=wording),
        "kg": number_text(kg, language=wording.language),
        "together": say("amount_together", wording=wording, kg=kg),
        "demo": "" if bundle.livemode else say("certificate_demo", wording=wording),
        "as_of": say("collective_as_of", wording=wording, date=day, count=sheet.thousands(tally.count)),
        "labels": {name: say(slot, wording=wording) for name, slot in slots.items()},
        "used": _used(tally, wording),
        "beneficiaries": [_named(name, wording) for name in tally.beneficiaries],
        "rows": tally.rows if listed else [],
        "attached": "" if listed else say("collective_attached", wording=wording),
        "uncounted": _uncounted(tally, wording),
        "total": sheet.thousands(tally.grams),
        "wording_id": wording.id,
    }


def _named(beneficiary: str, wording: Wording) -> str:
    if not beneficiary:
        return say("beneficiary_none", wording=wording)
    return say("beneficiary_named", wording=wording, beneficiary=beneficiary)


def _used(tally: Tally, wording: Wording) -> list[dict[str, Any]]:
    """Per retirement: project, registry, grams, and the very credits."""
    rows = Retirement.objects.filter(reference__in=list(tally.used)).select_related("block")
    found = []
    for retirement in rows.order_by("reference"):
        used = tally.used[retirement.reference]
        slot = "registry_line_cdm" if used.facts["registry"] == "CDM" else "registry_line"
        runs = credit_runs(retirement, used.intervals)
        found.append(
            {
                "reference": retirement.reference,
                "project": used.facts["project_title"],
                "project_reference": used.facts["project"],
                "registry": used.facts["registry_name"],
                "line": say(slot, wording=wording, reference=used.registry_reference, date=used.retired_on),
                "credits": runs[:LISTED_RUNS],
                "more": len(runs) > LISTED_RUNS,
                "grams": sheet.thousands(used.grams),
            }
        )
    return found


def credit_runs(retirement: Retirement, intervals: list[tuple[int, int]]) -> list[str]:
    """The credits that these grams fall on, neighbours joined, as the registry prints them."""
    runs: list[tuple[int, int]] = []
    for first, last in sorted(credits_of_interval(retirement.first_number, *pair) for pair in intervals):
        if runs and first <= runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], max(runs[-1][1], last))
        else:
            runs.append((first, last))
    return [format_credit_serials(retirement.block.series, *run) for run in runs]


def _uncounted(tally: Tally, wording: Wording) -> list[dict[str, Any]]:
    """What does not count on this day, by state: how many, and the first of them by code or serial."""
    return [
        {
            "state": say(f"state_{state}", wording=wording),
            "count": sheet.thousands(len(names)),
            "names": names[:LISTED_CODES],
            "more": len(names) > LISTED_CODES,
        }
        for state in UNCOUNTED
        if (names := tally.uncounted.get(state, []))
    ]
