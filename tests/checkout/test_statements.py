"""An order of thousands of devices is one call: statements do not grow with the devices.

On PostgreSQL the number is the same for 10, 100 and 1,000. On SQLite inserts go in batches (999 parameters a
statement), so only those grow.
"""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from checkout import services
from checkout.models import Order
from checkout.rows import Column, fill_statement
from checkout.selectors import device_states
from projects.models import Project
from tests.factories.checkout import NOON, add, make_basket, make_sold_project, pay, place, ship, units

SIZES = (10, 100, 1_000)


@pytest.fixture
def much(wind: Project) -> Project:
    """A project with enough credits for all sizes."""
    return make_sold_project("MX-4634", credits=400, first=10_000)


def statements(act: Callable[[], object]) -> tuple[int, int]:
    """How many statements `act` sends: all but batches of inserts, and those batches."""
    with CaptureQueriesContext(connection) as captured:
        act()
    inserts = [query for query in captured.captured_queries if query["sql"].startswith("INSERT INTO")]
    return len(captured) - len(inserts), len(inserts)


def make_big_order(project: Project, size: int) -> Order:
    basket = make_basket()
    add(basket, quantity=size, project=project)
    return place(basket)


def assert_constant(counts: list[tuple[int, int]]) -> None:
    others = {count for count, _inserts in counts}
    assert len(others) == 1, counts
    inserts = [inserts for _count, inserts in counts]
    if connection.vendor == "postgresql":
        assert len(set(inserts)) == 1, counts
    else:  # batches of at least 83 rows (12 columns), for at most four kinds of rows
        assert inserts[-1] <= inserts[0] + 4 * (SIZES[-1] // 40), counts


def test_placing_an_order(much: Project) -> None:
    counts = []
    for size in SIZES:
        basket = make_basket()
        add(basket, quantity=size, project=much)
        counts.append(statements(lambda basket=basket: place(basket)))
    assert_constant(counts)


def test_shipping_it(much: Project) -> None:
    counts = []
    for size in SIZES:
        order = make_big_order(much, size)
        pay(order)
        counts.append(statements(lambda order=order: ship(order)))
    assert_constant(counts)
    # The two reads of the factory are among them; shipping itself writes no row per device.
    assert {inserts for _count, inserts in counts} == {2}


def test_asking_for_its_offsets(much: Project) -> None:
    counts = []
    for size in SIZES:
        order = make_big_order(much, size)
        pay(order)
        ship(order)
        counts.append(statements(lambda: services.request_offsets_for_shipped(NOON)))
        assert all(device.offset_id for device in units(order))
    assert_constant(counts)


def test_reading_where_its_devices_stand(much: Project) -> None:
    counts = []
    for size in SIZES:
        order = make_big_order(much, size)
        pay(order)
        ship(order)
        services.request_offsets_for_shipped(NOON)
        counts.append(statements(lambda order=order: device_states(order)))
    assert_constant(counts)


def test_cancelling_it(much: Project) -> None:
    counts = []
    for size in SIZES:
        order = make_big_order(much, size)
        counts.append(
            statements(
                lambda order=order: services.cancel_order(order=order, reason="no", actor="guest", now=NOON)
            )
        )
    assert_constant(counts)


@pytest.mark.parametrize("column", ["device_serial", "offset_id"])
def test_many_values_reach_their_rows_by_primary_key(wind: Project, column: Column) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by its statistics, which a test's tables do not have")
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {fill_statement(column)}", ['[[1, "2"]]'])
        plan = [row[-1] for row in cursor.fetchall()]
    assert "SEARCH checkout_ordereddevice USING INTEGER PRIMARY KEY (rowid=?)" in plan
