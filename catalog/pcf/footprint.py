"""The footprint of one configured device: from a published sheet, by country, years and options. Pure.

Decimals in, Decimals out, in kg CO2e per device. `Footprint.amount_g` is the one place that rounds, upwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import ROUND_CEILING, Decimal
from typing import Any, Self

from catalog.errors import FootprintUnknown
from catalog.pcf import method, sheet
from catalog.pcf.grid import Place
from catalog.pcf.sheet import SheetFigures, Split

MANUFACTURE, TRANSPORT, EOL, NOT_PARTED, USE = "manufacture", "transport", "eol", "not_parted", "use"
MEMORY, STORAGE, COUNTRY, YEARS = "memory", "storage", "country", "years"


@dataclass(frozen=True)
class Stage:
    """A part of the life cycle, kg CO2e; an estimate if our arithmetic changed the printed figure."""

    key: str
    kg: Decimal
    estimate: bool


@dataclass(frozen=True)
class Adjustment:
    """A change that we made to the sheet's figure, kg CO2e with its sign, and whose arithmetic it is."""

    key: str
    label: str
    kg: Decimal
    source: str


@dataclass(frozen=True)
class Component:
    """A memory or storage option: what the buyer chose and what the assessed device had, in GB."""

    key: str  # MEMORY or STORAGE
    chosen_gb: int
    base_gb: int
    base_is_default: bool  # the maker does not state it; the default option is taken


@dataclass(frozen=True)
class Footprint:
    """What is shown, bought for and frozen on an order line. Everything in it adds up to `total_kg`."""

    stages: tuple[Stage, ...]
    adjustments: tuple[Adjustment, ...]
    years: int
    country: str
    statistic: str
    error_ratio: Decimal | None
    boundary: str
    source: str
    source_date: str
    licence: str
    sheet_id: int | None
    sheet_version: int | None
    method: str
    grid_note: str
    error_meaning: str = ""
    sheet_total_kg: Decimal | None = None

    @property
    def total_kg(self) -> Decimal:
        return sum((stage.kg for stage in self.stages), Decimal(0))

    @property
    def amount_g(self) -> int:
        """Whole grams, rounded up."""
        return int((self.total_kg * 1000).to_integral_value(ROUND_CEILING))

    @property
    def use_kg(self) -> Decimal:
        return sum((stage.kg for stage in self.stages if stage.key == USE), Decimal(0))

    @property
    def non_use_kg(self) -> Decimal:
        return self.total_kg - self.use_kg

    @property
    def is_parted(self) -> bool:
        """Whether the source tells manufacture from shipping."""
        return any(stage.key == MANUFACTURE for stage in self.stages)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON with decimals as strings; `from_json` reads it back to an equal footprint."""
        plain: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        return plain | {
            "stages": [
                {"key": stage.key, "kg": _text(stage.kg), "estimate": stage.estimate} for stage in self.stages
            ],
            "adjustments": [
                {"key": change.key, "label": change.label, "kg": _text(change.kg), "source": change.source}
                for change in self.adjustments
            ],
            "error_ratio": _text(self.error_ratio),
            "sheet_total_kg": _text(self.sheet_total_kg),
            "total_kg": _text(self.total_kg),
            "amount_g": self.amount_g,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The footprint that `as_json` wrote."""
        names = {field.name for field in fields(cls)}
        plain = {name: value for name, value in data.items() if name in names}
        plain["stages"] = tuple(
            Stage(stage["key"], Decimal(stage["kg"]), stage["estimate"]) for stage in data["stages"]
        )
        plain["adjustments"] = tuple(
            Adjustment(change["key"], change["label"], Decimal(change["kg"]), change["source"])
            for change in data["adjustments"]
        )
        for name in ("error_ratio", "sheet_total_kg"):
            plain[name] = None if data.get(name) is None else Decimal(data[name])
        return cls(**plain)


def compute_footprint(
    *,
    figures: SheetFigures,
    years: int,
    country: str,
    use_place: Place,
    sheet_place: Place,
    components: Sequence[Component] = (),
) -> Footprint:
    """The sheet's figure with use over `years` at the grid of `use_place`, and with the chosen components.

    Use, in this order: from TEC when the sheet names no place of use but its energy; as printed when the
    buyer's grid is the sheet's own; else printed use x factor(country) / factor(sheet's place). Options
    change manufacture, or what is unparted. End of life is left out only where the source parts all stages.
    Raises FootprintUnknown without use or lifetime, or when the options take away more than there is.
    """
    if figures.use_kg is None or figures.lifetime_years is None:
        missing = "use phase" if figures.use_kg is None else "lifetime"
        raise FootprintUnknown(
            f"The source states no {missing}, so no footprint over years of use can be given."
        )
    use, use_changes = _use(
        figures,
        printed_kg=figures.use_kg,
        lifetime=figures.lifetime_years,
        years=years,
        use_place=use_place,
        sheet_place=sheet_place,
    )
    option_changes = [_component_change(component) for component in components]
    option_changes = [change for change in option_changes if change.kg]
    parts = sheet.split(figures)
    stages = _stages(
        figures, parts, sum((change.kg for change in option_changes), Decimal(0)), bool(option_changes)
    )
    return Footprint(
        stages=(*stages, Stage(USE, use, bool(use_changes))),
        adjustments=(*option_changes, *use_changes),
        years=years,
        country=country,
        statistic=figures.statistic,
        error_ratio=figures.error_ratio or None,  # 0 is printed where no error was worked out
        boundary=_boundary(parts),
        source=figures.source,
        source_date=figures.source_date,
        licence=figures.licence,
        sheet_id=figures.sheet_id,
        sheet_version=figures.version,
        method=method.METHOD,
        grid_note=_grid_note(use_place, None if _counts_from_tec(figures) else sheet_place),
        error_meaning=sheet.error_meaning(figures) if figures.error_ratio else "",
        sheet_total_kg=figures.total_kg,
    )


def _use(
    figures: SheetFigures,
    *,
    printed_kg: Decimal,
    lifetime: Decimal,
    years: int,
    use_place: Place,
    sheet_place: Place,
) -> tuple[Decimal, list[Adjustment]]:
    """Use over `years` in the country of use, and the changes that lead there from the printed use."""
    at_sheet = printed_kg * years / lifetime
    changes = []
    if at_sheet != printed_kg:
        label = method.ONE_YEAR_LABEL if years == 1 else method.YEARS_LABEL
        changes.append(
            Adjustment(
                YEARS,
                label.format(years=years, lifetime=_text(lifetime.normalize())),
                at_sheet - printed_kg,
                method.YEARS_SOURCE,
            )
        )
    grid, sheet_grid = use_place.grid, sheet_place.grid
    if _counts_from_tec(figures):
        use = (figures.tec_kwh_per_year or Decimal(0)) * years * grid.kg_per_kwh
        label, source = method.COUNTRY_FROM_TEC_LABEL.format(place=grid.place), str(grid)
    elif grid.key == sheet_grid.key:
        return at_sheet, changes
    else:
        use = printed_kg * years * grid.kg_per_kwh / (lifetime * sheet_grid.kg_per_kwh)
        label = method.COUNTRY_LABEL.format(place=grid.place, sheet_place=sheet_grid.place)
        source = f"{grid}; {sheet_grid}"
    if use != at_sheet:
        changes.append(Adjustment(COUNTRY, label, use - at_sheet, f"{source}; {grid.source}"))
    return use, changes


def _counts_from_tec(figures: SheetFigures) -> bool:
    """Whether the sheet names no place of use, so that its energy says more than its use figure."""
    return not figures.use_location.strip() and figures.tec_kwh_per_year is not None


def _component_change(component: Component) -> Adjustment:
    """What another size of memory or storage adds to manufacture: one part against one part."""
    weigh, label = (
        (method.memory_kg, method.MEMORY_LABEL)
        if component.key == MEMORY
        else (method.storage_kg, method.STORAGE_LABEL)
    )
    return Adjustment(
        component.key,
        label.format(chosen=component.chosen_gb, base=component.base_gb)
        + (method.BASE_IS_DEFAULT if component.base_is_default else ""),
        weigh(Decimal(component.chosen_gb)) - weigh(Decimal(component.base_gb)),
        method.COMPONENT_SOURCE,
    )


def _stages(figures: SheetFigures, parts: Split | None, change_kg: Decimal, changed: bool) -> list[Stage]:
    """The stages before use that the amount covers; the options' change goes to manufacture."""
    if parts is None:
        rest = sheet.non_use_kg(figures)
        stages = [Stage(NOT_PARTED, (rest or Decimal(0)) + change_kg, changed)]
    else:
        stages = [
            Stage(MANUFACTURE, parts.manufacture_kg + change_kg, changed),
            Stage(TRANSPORT, parts.transport_kg, estimate=False),
        ]
        if parts.rest_kg:
            stages.append(Stage(NOT_PARTED, parts.rest_kg, estimate=False))
    if stages[0].kg < 0:
        raise FootprintUnknown("These options take away more than the source counts for manufacture.")
    return stages


def _boundary(parts: Split | None) -> str:
    parted = parts is not None and parts.eol_kg is not None
    return method.BOUNDARY_WITHOUT_EOL if parted else method.BOUNDARY_WITH_EOL


def _grid_note(use_place: Place, sheet_place: Place | None) -> str:
    """The factors used, their year and source, and what had to be assumed."""
    places = [use_place] if sheet_place is None else [use_place, sheet_place]
    used = {place.grid.key: str(place.grid) for place in places}
    notes = [place.note for place in places if place.note]
    return "; ".join([*used.values(), use_place.grid.source, *notes])


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")
