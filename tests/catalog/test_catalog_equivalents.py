"""What an amount is like: every unit with its source."""

from decimal import Decimal

from catalog.pcf.equivalents import aircraft_miles, car_kilometres, european_flights

LAUNCH_KG = Decimal(26_000_000)


def test_the_announced_26_000_tonnes_are_1_7_million_miles_flown_by_aircraft():
    miles = aircraft_miles(LAUNCH_KG)
    assert miles.kg_per_unit == Decimal("15.3")
    assert miles.quantity == 1_699_346
    assert round(miles.quantity, -5) == 1_700_000
    assert "whole aircraft, not of a passenger" in miles.source


def test_the_announced_26_000_tonnes_are_1_789_european_flights_of_14_5_tonnes():
    flights = european_flights(LAUNCH_KG)
    assert flights.quantity == 1_789
    assert round(flights.kg_per_unit / 1000, 1) == Decimal("14.5")
    assert "whole aircraft, not of a passenger" in flights.source


def test_a_laptop_is_compared_with_driving_at_400_g_a_mile():
    driving = car_kilometres(Decimal(386))
    assert driving.quantity == 1_553  # 386 kg / 0.4 kg a mile x 1.609344 km
    assert driving.key == "car_kilometres"
    assert "EPA-420-F-23-014" in driving.source


def test_nothing_emitted_is_no_distance():
    assert car_kilometres(Decimal(0)).quantity == 0
