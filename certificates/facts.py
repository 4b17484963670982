"""What a certificate states, frozen when it is issued: flat facts, text and whole numbers only.

Kilograms are text as computed, grams whole numbers, dates ISO 8601. Everything that the PDF, the badge and
the record page show comes from here, so an issued certificate never changes with a new sheet, price or
wording.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation

from catalog.pcf.footprint import Footprint
from common.errors import DomainError
from offsets.models import DeviceOffset, Retirement
from offsets.selectors import TrailPart, retirement_trail
from offsets.serials import format_credit_serials

Facts = dict[str, str | int]


class CannotBeStated(DomainError):
    """The rows of a claim do not give the facts that its certificate needs; a person looks at it."""

    code = "cannot_be_stated"


def facts_for(
    offset: DeviceOffset, *, code: str, issued_at: datetime, trail: Sequence[TrailPart] | None = None
) -> Facts:
    """The facts of a covered offset. `trail` is its intervals, where they are at hand.

    Raises CannotBeStated when they do not add up to the amount, or its footprint does not read.
    """
    trail = retirement_trail(offset) if trail is None else trail
    if not trail or sum(part.amount_g for part in trail) != offset.amount_g:
        raise CannotBeStated(f"The intervals do not add up to {offset.amount_g} g; run verify_ledger.")
    project = offset.project
    return {
        "certificate": code,
        "manufacturer": offset.manufacturer_typed,
        "product": offset.product,
        "sku": offset.sku,
        "configuration": offset.configuration,
        "device_serial": offset.device_serial,
        "amount_g": offset.amount_g,
        "country": offset.country.code,
        "boundary": offset.boundary,
        "period": offset.period,
        "supplement": offset.supplement,
        **_footprint(offset),
        "project": project.reference,
        "project_title": project.name,
        "project_country": project.country.code,
        "project_type": project.project_type,
        "methodology": project.methodology.code,
        "registry": project.registry.code,
        "registry_name": project.registry.name,
        "registry_term": project.registry.retirement_term,
        "unit": project.registry.unit,
        **_retirement(trail),
        "beneficiary": offset.beneficiary,
        "audience": offset.audience,
        "language": offset.language,
        "wording": offset.wording,
        "issued_at": issued_at.isoformat(timespec="seconds"),
        "livemode": int(offset.livemode),
    }


def _footprint(offset: DeviceOffset) -> Facts:
    """The figures behind the amount, as they were shown when it was bought."""
    try:
        footprint = Footprint.from_json(offset.footprint)
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise CannotBeStated(f"The footprint of this claim does not read: {error!r}") from error
    sheet_kg = footprint.total_kg if footprint.sheet_total_kg is None else footprint.sheet_total_kg
    facts: Facts = {
        "footprint_kg": f"{Decimal(footprint.amount_g) / 1000:.3f}",  # rounded up, as the amount is
        "footprint_sheet_kg": f"{sheet_kg:.3f}",
        "footprint_years": footprint.years,
        "footprint_statistic": footprint.statistic,
        "footprint_error_percent": _percent(footprint),
        "footprint_source": footprint.source,
        "footprint_source_date": footprint.source_date,
        "footprint_licence": footprint.licence,
        "footprint_method": footprint.method,
        "footprint_grid": footprint.grid_note,
    }
    for stage in footprint.stages:
        facts[f"stage_{stage.key}_kg"] = f"{stage.kg:.3f}"
        facts[f"stage_{stage.key}_estimate"] = int(stage.estimate)
    for change in footprint.adjustments:
        facts[f"change_{change.key}"] = change.label
        facts[f"change_{change.key}_kg"] = f"{change.kg:+.3f}"
        facts[f"change_{change.key}_source"] = change.source
    return facts


def _percent(footprint: Footprint) -> str:
    return "" if footprint.error_ratio is None else f"{footprint.error_ratio * 100:.0f}"


def _retirement(trail: Sequence[TrailPart]) -> Facts:
    """Intervals in ledger order, and the retirements they lie in; several values are joined by "; ".

    `retirement`, `retirement_tonnes`, `registry_reference` and `retired_on` name each retirement once, in
    the same order; vintages are named once each.
    """
    retirements = list({part.retirement.pk: part.retirement for part in trail}.values())
    return {
        "intervals": "; ".join(
            f"[{part.from_g}, {part.to_g}) of {part.retirement.reference}" for part in trail
        ),
        "credit_serials": credit_serials_text(trail),
        "vintage": _distinct(row.block.vintage for row in retirements),
        "monitoring_period": _distinct(row.block.monitoring_period for row in retirements),
        "retirement": "; ".join(row.reference for row in retirements),
        "retirement_tonnes": "; ".join(str(row.credits) for row in retirements),
        "registry_reference": "; ".join(row.registry_reference for row in retirements),
        "retired_on": "; ".join(_day(row) for row in retirements),
    }


def _day(retirement: Retirement) -> str:
    if retirement.retired_on is None:
        raise CannotBeStated(f"The registry's date of {retirement.reference} is missing; run verify_ledger.")
    return retirement.retired_on.isoformat()


def credit_serials_text(trail: Sequence[TrailPart]) -> str:
    """The very credits of these grams, as printed; neighbouring runs of one series are joined."""
    runs: list[tuple[str, int, int]] = []
    for part in sorted(trail, key=lambda part: (part.retirement.block.series, part.first_number)):
        series = part.retirement.block.series
        if runs and runs[-1][0] == series and part.first_number <= runs[-1][2] + 1:
            runs[-1] = (series, runs[-1][1], max(runs[-1][2], part.last_number))
        else:
            runs.append((series, part.first_number, part.last_number))
    return "; ".join(format_credit_serials(*run) for run in runs)


def _distinct(values: Iterable[object]) -> str:
    """Each value once, in order of appearance."""
    return "; ".join(dict.fromkeys(str(value) for value in values if value not in (None, "")))
