"""Public totals: what registries have confirmed, what devices hold of it, what is left."""

from decimal import Decimal

import pytest
from django.test import Client

from catalog.pcf.equivalents import aircraft_miles, european_flights
from projects.models import Project
from tests.factories.certificates import cover, make_wish
from tests.factories.checkout import make_shop
from tests.factories.offsets import open_retirements, promise, wish
from tests.storefront.pages import counted, words


@pytest.fixture
def wind(db: None) -> Project:
    return make_shop()


def test_nothing_is_counted_before_a_registry_has_confirmed(client: Client, wind: Project) -> None:
    promise(wish(wind, "PF-9"))
    open_retirements(wind)
    page = words(client.get("/impact/"))
    assert "0 t confirmed by registries" in page
    assert "Nothing is confirmed yet." in page
    assert "km by" not in page


def test_totals_add_up_and_every_comparison_names_unit_and_source(client: Client, wind: Project) -> None:
    cover(make_wish(wind, "PF-1", 386_000), make_wish(wind, "PF-2", 800_000))
    page = words(client.get("/impact/"))
    assert "2 t confirmed by registries" in page
    assert "1.186 t belong to devices: 2" in page
    assert "0.814 t surplus: retired, and used by the next devices first" in page
    assert "8 047 km by a typical US passenger car (US EPA" in page  # 2,000 kg at 400 g a mile
    assert "131 miles flown by an airliner (Launch announcement" in page
    assert "retiring credits does not take back any of these journeys" in page
    assert "Demonstration: not a real retirement." in page


def test_a_comparison_that_comes_to_nothing_is_left_out(client: Client, wind: Project) -> None:
    cover(make_wish(wind, "PF-1", 386_000))
    page = words(client.get("/impact/"))
    assert "0.386 t belong to devices: 1" in page
    assert "miles flown by an airliner" in page
    assert "European flights" not in page.replace("1,789 European flights", "")


def test_the_launch_announcement_counted_whole_aircraft() -> None:
    launch = Decimal(26_000_000)
    assert round(aircraft_miles(launch).quantity, -5) == 1_700_000
    assert european_flights(launch).quantity == 1_789
    assert "whole aircraft, not of a passenger" in aircraft_miles(launch).source


def test_totals_take_as_many_statements_for_many_devices_as_for_one(client: Client, wind: Project) -> None:
    cover(make_wish(wind, "PF-0", 1_000))
    client.get("/impact/")
    with counted() as few:
        client.get("/impact/")
    cover(*(make_wish(wind, f"PG-{number}", 1_000) for number in range(20)), key="order-2")
    with counted() as many:
        client.get("/impact/")
    assert len(many) == len(few) <= 12
