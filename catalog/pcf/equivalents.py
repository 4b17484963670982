"""What an amount is like, with the unit and the source of every comparison. Pure."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

KM_PER_MILE = Decimal("1.609344")

CAR_KG_PER_MILE = Decimal("0.400")
CAR_SOURCE = (
    "US EPA, Tailpipe Greenhouse Gas Emissions from a Typical Passenger Vehicle, EPA-420-F-23-014, June 2023"
)

# Figures of a whole aircraft, not of a passenger: the launch announcement of February 2020 set 26,000 t
# equal to 1.7 million miles of airline flight and to 1,789 European flights: 15.3 kg a mile, 14.5 t a flight.
AIRCRAFT_KG_PER_MILE = Decimal("15.3")
AIRCRAFT_KG_PER_EUROPEAN_FLIGHT = Decimal("14533")
AIRCRAFT_SOURCE = (
    "Launch announcement of a computer maker, February 2020: 26,000 t set equal to 1.7 million miles of "
    "airline flight and to 1,789 European flights; figures of a whole aircraft, not of a passenger"
)


@dataclass(frozen=True)
class Equivalent:
    """`quantity` whole units are about as much as the amount asked for; one unit is `kg_per_unit` kg CO2e.

    `key` says which unit; its words are claims' (`equivalent_<key>`).
    """

    key: str
    quantity: int
    kg_per_unit: Decimal
    source: str


def car_kilometres(kg: Decimal) -> Equivalent:
    """Kilometres of a typical passenger car in the United States, tailpipe only, at 400 g CO2 a mile."""
    return _equivalent(kg, "car_kilometres", CAR_KG_PER_MILE / KM_PER_MILE, CAR_SOURCE)


def aircraft_miles(kg: Decimal) -> Equivalent:
    """Miles flown by one airliner, all seats together, at 15.3 kg a mile."""
    return _equivalent(kg, "aircraft_miles", AIRCRAFT_KG_PER_MILE, AIRCRAFT_SOURCE)


def european_flights(kg: Decimal) -> Equivalent:
    """Flights within Europe of one airliner, all seats together, at 14.5 t a flight."""
    return _equivalent(
        kg,
        "european_flights",
        AIRCRAFT_KG_PER_EUROPEAN_FLIGHT,
        AIRCRAFT_SOURCE,
    )


def _equivalent(kg: Decimal, key: str, kg_per_unit: Decimal, source: str) -> Equivalent:
    quantity = int((kg / kg_per_unit).to_integral_value(ROUND_HALF_UP))
    return Equivalent(key, quantity, kg_per_unit, source)
