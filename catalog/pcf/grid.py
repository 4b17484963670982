"""Which grid factor belongs to a country of use and to the place that a sheet names. Pure.

A country without a factor takes that of its region, a place that cannot be read the world's; `note` says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

WORLD = "World"

# Countries and territories that the factors in use leave out, with the region that stands in for each.
REGION_OF = {
    "Africa": "CF EH SH YT",
    "Asia": "TL",
    "Europe": "AD AX GG GI IM JE LI MC SJ SM VA",
    "Latin America and Caribbean": "AI BL BQ CW MF SX",
    "North America": "BM",
    "Oceania": "CC CX FM HM MH MP NF NU PN PW TK TV UM WF",
}
_REGION_BY_COUNTRY = {country: region for region, codes in REGION_OF.items() for country in codes.split()}

# Places of use as sheets print them. Two letters that are not here are read as a country code.
_REGION_BY_LOCATION = {
    "eu": "EU",
    "eu27": "EU",
    "european union": "EU",
    "europe": "Europe",
    "ww": WORLD,
    "worldwide": WORLD,
    "world": WORLD,
    "global": WORLD,
    "north america": "North America",
    "asia": "Asia",
    "africa": "Africa",
    "middle east": "Middle East",
    "oceania": "Oceania",
    "latin america": "Latin America and Caribbean",
}
_COUNTRY_BY_LOCATION = {"usa": "US", "united states": "US", "uk": "GB", "china": "CN", "germany": "DE"}


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Yearly average intensity of a place's electricity, kg CO2e per kWh."""

    key: str  # "SE" or "EU": the same key is the same factor
    place: str
    kg_per_kwh: Decimal
    year: int
    source: str

    def __str__(self) -> str:
        return f"{self.place} {self.kg_per_kwh} kg CO2e/kWh ({self.year})"


@dataclass(frozen=True)
class Grids:
    """The factors in force: by ISO alpha-2 country code, and by region name (`World` is always there)."""

    countries: Mapping[str, Grid]
    regions: Mapping[str, Grid]


@dataclass(frozen=True)
class Place:
    """A grid, and what had to be assumed to choose it (empty when nothing)."""

    grid: Grid
    note: str = ""


def is_known_location(location: str) -> bool:
    """Whether a sheet's place of use can be read: a region, a country name in use, or two letters."""
    text = location.strip().lower()
    return text in _REGION_BY_LOCATION or text in _COUNTRY_BY_LOCATION or (len(text) == 2 and text.isalpha())


def place_of_country(country: str, *, name: str, grids: Grids) -> Place:
    """The grid of a country of use; its region's, else the world's, where it has none of its own."""
    if grid := grids.countries.get(country):
        return Place(grid)
    region = grids.regions.get(_REGION_BY_COUNTRY.get(country, WORLD), grids.regions[WORLD])
    return Place(region, f"no factor is published for {name}, so that of {region.place} stands in")


def place_of_location(location: str, *, grids: Grids) -> Place:
    """The grid behind a sheet's place of use, as printed; the world's when it names none that we know."""
    text = location.strip().lower()
    if not text:
        return Place(grids.regions[WORLD], "the sheet names no place of use, so the world average is taken")
    if region := grids.regions.get(_REGION_BY_LOCATION.get(text, "")):
        return Place(region)
    country = _COUNTRY_BY_LOCATION.get(text, text.upper())
    if grid := grids.countries.get(country):
        return Place(grid)
    return Place(
        grids.regions[WORLD],
        f"no factor is published for the sheet's place of use, “{location}”: the world average is taken",
    )


def countries_behind(location: str) -> set[str]:
    """Country codes whose factor `place_of_location` may ask for."""
    text = location.strip().lower()
    return (
        {_COUNTRY_BY_LOCATION.get(text, text.upper())}
        if len(text) == 2 or text in _COUNTRY_BY_LOCATION
        else set()
    )
