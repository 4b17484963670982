"""What a certificate states, frozen when it is issued: flat facts, text and whole numbers only.

Kilograms are text as computed, grams whole numbers, dates ISO 8601. Everything that the PDF, the badge and
the record page show comes from here, so an issued certificate never changes with a new sheet, price or
wording.
"""

from collections.abc import Sequence
from datetime import datetime

from catalog.pcf.footprint import Footprint
from offsets.models import DeviceOffset
from offsets.selectors import TrailPart
from offsets.serials import format_credit_serials

Facts = dict[str, str | int]


def facts_for(offset: DeviceOffset, *, code: str, issued_at: datetime, trail: Sequence[TrailPart]) -> Facts:
    """The facts of a covered offset. `trail` is its intervals; raises ValueError when they are not all of
    it.
    """
    if sum(part.amount_g for part in trail) != offset.amount_g:
        raise ValueError(f"The intervals of offset {offset.pk} do not add up to its {offset.amount_g} g.")
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
    footprint = Footprint.from_json(offset.footprint)
    changes = [f"{change.label} {change.kg:+.1f} kg ({change.source})" for change in footprint.adjustments]
    facts: Facts = {
        "footprint_kg": f"{footprint.total_kg:.3f}",
        "footprint_years": footprint.years,
        "footprint_statistic": footprint.statistic,
        "footprint_error_percent": _percent(footprint),
        "footprint_source": footprint.source,
        "footprint_source_date": footprint.source_date,
        "footprint_licence": footprint.licence,
        "footprint_method": footprint.method,
        "footprint_grid": footprint.grid_note,
        "footprint_changes": "; ".join(changes),
    }
    for stage in footprint.stages:
        facts[f"stage_{stage.key}_kg"] = f"{stage.kg:.3f}"
        facts[f"stage_{stage.key}_estimate"] = int(stage.estimate)
    return facts


def _percent(footprint: Footprint) -> str:
    return "" if footprint.error_ratio is None else f"{footprint.error_ratio * 100:.0f}"


def _retirement(trail: Sequence[TrailPart]) -> Facts:
    """Intervals, credits and the registry's word for them; several are joined by "; " in ledger order."""
    retirements = list({part.retirement.pk: part.retirement for part in trail}.values())
    return {
        "intervals": "; ".join(
            f"[{part.from_g}, {part.to_g}) of {part.retirement.reference}" for part in trail
        ),
        "credit_serials": credit_serials_text(trail),
        "vintage": _joined(part.retirement.block.vintage for part in trail),
        "monitoring_period": _joined(part.retirement.block.monitoring_period for part in trail),
        "retirement": _joined(row.reference for row in retirements),
        "retirement_tonnes": _joined(row.credits for row in retirements),
        "registry_reference": _joined(row.registry_reference for row in retirements),
        "retired_on": _joined(row.retired_on for row in retirements),
    }


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


def _joined(values: object) -> str:
    """Distinct values in order of appearance."""
    return "; ".join(dict.fromkeys(str(value) for value in values if value not in (None, "")))  # type: ignore[attr-defined]
