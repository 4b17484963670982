"""Constants, sources and labels of our footprint arithmetic. A changed figure means a new METHOD name."""

from decimal import Decimal

METHOD = "clearline-pcf-1"

SERVICE_LIFE_YEARS = 5  # the functional unit: one device, five years of use; a buyer may choose fewer
YEARS_TO_CHOOSE = (1, 2, 3, 4, 5)

# Stages that should make up the whole may miss it by this much (they are printed as whole per cent).
SPLIT_TOLERANCE = Decimal("0.02")

# Manufacture of one memory module and of one SSD, kg CO2e: die, GB per cm2 of it, and the rest of the part.
DIE_KG_PER_CM2 = Decimal("2.2")
MEMORY_GB_PER_CM2 = Decimal("1.2444")
MEMORY_MODULE_KG = Decimal("5.22")
STORAGE_GB_PER_CM2 = Decimal("54.884")
STORAGE_DRIVE_KG = Decimal("6.34")
COMPONENT_SOURCE = (
    "Boavizta component reference data: memory 2.2 x GB / 1.2444 + 5.22 kg per module, "
    "SSD 2.2 x GB / 54.884 + 6.34 kg per drive"
)

# What an error printed by a source means, where the source says it.
ERROR_IS_STANDARD_DEVIATION = "one standard deviation"
ERROR_NOT_EXPLAINED = "the source does not say what this error means"

BOUNDARY_WITHOUT_EOL = "manufacture-transport-use"
BOUNDARY_WITH_EOL = "manufacture-transport-use-eol"

MEMORY_LABEL = "Memory {chosen} GB instead of {base} GB: our estimate"
STORAGE_LABEL = "Storage {chosen} GB instead of {base} GB: our estimate"
BASE_IS_DEFAULT = "; the maker does not state what the assessed device had, so it is counted from the default"
COUNTRY_LABEL = "Electricity of {place} instead of {sheet_place}: our estimate"
COUNTRY_FROM_TEC_LABEL = "Electricity of {place}, from the stated energy use a year: our estimate"
YEARS_LABEL = "{years} years of use instead of {lifetime}: our estimate, in proportion"
ONE_YEAR_LABEL = "1 year of use instead of {lifetime}: our estimate, in proportion"
YEARS_SOURCE = "Use of the sheet divided by its lifetime"


def memory_kg(gigabytes: Decimal) -> Decimal:
    """Manufacture of one memory module, kg CO2e (an estimate; COMPONENT_SOURCE)."""
    return DIE_KG_PER_CM2 * gigabytes / MEMORY_GB_PER_CM2 + MEMORY_MODULE_KG


def storage_kg(gigabytes: Decimal) -> Decimal:
    """Manufacture of one SSD, kg CO2e (an estimate; COMPONENT_SOURCE)."""
    return DIE_KG_PER_CM2 * gigabytes / STORAGE_GB_PER_CM2 + STORAGE_DRIVE_KG
