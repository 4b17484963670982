"""The two formats of a file of product carbon footprints: which column fills which field of a sheet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.models import Statistic

STAGES = ("manufacturing", "transport", "use", "eol")

STATISTICS = {
    "mean": Statistic.MEAN,
    "95th percentile": Statistic.P95,
    "p95": Statistic.P95,
    "single modelled value": Statistic.SINGLE,
    "single": Statistic.SINGLE,
    "not stated": Statistic.UNKNOWN,
    "unknown": Statistic.UNKNOWN,
    "": Statistic.UNKNOWN,
}

BOAVIZTA_LICENCE = (
    "ODbL 1.0, contents DbCL 1.0. Contains data from Boavizta environmental-footprint-data, "
    "made available under the ODbL"
)

# Fields that make a sheet what it is. Two sheets that agree in all of them are the same sheet.
COMPARED = (
    "total_kg",
    "std_kg",
    "error_ratio",
    "manufacturing_kg",
    "transport_kg",
    "eol_kg",
    "use_kg",
    "lifetime_years",
    "tec_kwh_per_year",
    "use_location",
    "statistic",
    "configuration",
    "report_date",
    "source",
)


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format: its column of the total, whether stages are shares of it, and field -> column."""

    total: str
    has_shares: bool
    columns: Mapping[str, str]
    texts: tuple[str, ...]  # fields that a cell fills as it is
    constants: Mapping[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()  # columns that are known and fill nothing


_SHARED_TEXTS = ("category", "subcategory", "report_date", "assembly_location", "note", "source")

BOAVIZTA = Format(
    total="gwp_total",
    has_shares=True,
    columns={
        "manufacturer": "manufacturer",
        "name": "name",
        "category": "category",
        "subcategory": "subcategory",
        "report_date": "report_date",
        "use_location": "use_location",
        "assembly_location": "assembly_location",
        "note": "comment",
        "source": "sources",
        "total_kg": "gwp_total",
        "manufacturing_kg": "gwp_manufacturing_ratio",
        "transport_kg": "gwp_transport_ratio",
        "use_kg": "gwp_use_ratio",
        "eol_kg": "gwp_eol_ratio",
        "error_ratio": "gwp_error_ratio",
        "lifetime_years": "lifetime",
        "tec_kwh_per_year": "yearly_tec",
        "weight_kg": "weight",
        "screen_inch": "screen_size",
        "memory_gb": "memory",
    },
    texts=_SHARED_TEXTS,
    constants={"licence": BOAVIZTA_LICENCE, "source_kind": "row of the Boavizta list"},
    ignored=(
        "sources_hash",
        "server_type",
        "hard_drive",
        "number_cpu",
        "height",
        "added_date",
        "add_method",
        "gwp_electronics_ratio",
        "gwp_battery_ratio",
        "gwp_hdd_ratio",
        "gwp_ssd_ratio",
        "gwp_othercomponents_ratio",
    ),
)

_OWN_FIELDS = (
    "manufacturer",
    "name",
    *_SHARED_TEXTS,
    "configuration",
    "source_kind",
    "licence",
    "statistic",
    "use_location",
    "total_kg",
    "std_kg",
    "manufacturing_kg",
    "transport_kg",
    "use_kg",
    "eol_kg",
    "error_ratio",
    "lifetime_years",
    "tec_kwh_per_year",
    "weight_kg",
    "screen_inch",
    "memory_gb",
    "storage_gb",
)

OWN = Format(
    total="total_kg",
    has_shares=False,
    columns={name: name for name in _OWN_FIELDS},
    texts=(*_SHARED_TEXTS, "configuration", "source_kind", "licence"),
    ignored=("reference",),
)
