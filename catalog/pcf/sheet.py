"""What a sheet says, and what follows from it without adding anything. Pure.

kg are kg CO2e per device over the sheet's own lifetime. None means that the source does not state it.
"""

from dataclasses import dataclass
from decimal import Decimal

from catalog.pcf import method

ONE = Decimal(1)


@dataclass(frozen=True, kw_only=True)
class SheetFigures:
    """A published sheet's figures, as printed."""

    total_kg: Decimal
    use_kg: Decimal | None = None
    lifetime_years: Decimal | None = None
    manufacturing_kg: Decimal | None = None
    transport_kg: Decimal | None = None
    eol_kg: Decimal | None = None
    tec_kwh_per_year: Decimal | None = None
    use_location: str = ""
    statistic: str = "unknown"
    std_kg: Decimal | None = None
    error_ratio: Decimal | None = None
    source: str = ""
    source_date: str = ""
    licence: str = ""
    sheet_id: int | None = None
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class Split:
    """The stages before use, in kg; `rest_kg` is what the source leaves unparted."""

    manufacture_kg: Decimal
    transport_kg: Decimal
    eol_kg: Decimal | None
    rest_kg: Decimal


def non_use_kg(figures: SheetFigures) -> Decimal | None:
    """Manufacture, transport and end of life together, kg. None without a use figure."""
    return None if figures.use_kg is None else figures.total_kg - figures.use_kg


def use_kg(figures: SheetFigures, *, years: Decimal) -> Decimal | None:
    """Use over `years`, in proportion to the sheet's lifetime, at the sheet's place of use, kg."""
    if figures.use_kg is None or figures.lifetime_years is None:
        return None
    return figures.use_kg * years / figures.lifetime_years


def total_kg(figures: SheetFigures, *, years: Decimal) -> Decimal | None:
    """Everything in the sheet, with use over `years`, kg."""
    use, rest = use_kg(figures, years=years), non_use_kg(figures)
    return None if use is None or rest is None else rest + use


def zero_means_unknown(figures: SheetFigures) -> bool:
    """Whether a shipping or end-of-life figure printed as 0 stands for a gap.

    It does where the printed stages stay below the total: some makers print 0 for what they did not part.
    """
    stages = (figures.manufacturing_kg, figures.transport_kg, figures.eol_kg, figures.use_kg)
    if figures.manufacturing_kg is None or figures.use_kg is None:
        return False
    has_zero = 0 in (figures.transport_kg, figures.eol_kg)
    return has_zero and sum((stage for stage in stages if stage is not None), Decimal(0)) < figures.total_kg


def adds_up(figures: SheetFigures) -> bool:
    """Whether the printed stages do not contradict the total.

    More than the total never holds; less does when a stage is missing, which then holds the rest.
    """
    stages = (figures.manufacturing_kg, figures.transport_kg, figures.eol_kg, figures.use_kg)
    printed = sum((stage for stage in stages if stage is not None), Decimal(0))
    slack = figures.total_kg * method.SPLIT_TOLERANCE
    if None in stages:
        return printed - figures.total_kg <= slack
    return abs(printed - figures.total_kg) <= slack


def split(figures: SheetFigures) -> Split | None:
    """The stages before use, if the source parts them and they make up the whole; else None: never invented.

    Manufacture, transport and use must be printed and, with end of life if it is, miss the total by at most
    two per cent. With all four, that rounding is spread over the stages before use in proportion; with end of
    life missing, what is left of the total stays unparted.
    """
    made, shipped, used = figures.manufacturing_kg, figures.transport_kg, figures.use_kg
    if made is None or shipped is None or used is None:
        return None
    ended = figures.eol_kg
    before_use, printed = figures.total_kg - used, made + shipped + (ended or 0)
    if abs(before_use - printed) > figures.total_kg * method.SPLIT_TOLERANCE or printed <= 0:
        return None
    if ended is None and printed <= before_use:
        return Split(manufacture_kg=made, transport_kg=shipped, eol_kg=None, rest_kg=before_use - printed)
    return Split(
        manufacture_kg=before_use * made / printed,
        transport_kg=before_use * shipped / printed,
        eol_kg=None if ended is None else before_use * ended / printed,
        rest_kg=Decimal(0),
    )


def error_meaning(figures: SheetFigures) -> str:
    """What the printed error is, if the source says so."""
    return method.ERROR_IS_STANDARD_DEVIATION if figures.std_kg is not None else method.ERROR_NOT_EXPLAINED
