"""Serial numbers from a pasted list or a CSV file; a file that is wrong says where."""

import pytest

from checkout.errors import SerialsRefused
from checkout.models import Order, OrderedDevice, Shipment
from checkout.serial_lists import read_csv, read_pasted, write_csv
from projects.models import Project
from tests.factories.checkout import add, make_basket, pay, place, ship, units

HEADER = b"line,unit,device_serial\n"


@pytest.fixture
def order(wind: Project) -> Order:
    """Two lines: two laptops with credits, one with more memory without; paid."""
    basket = make_basket()
    add(basket, quantity=2, project=wind)
    add(basket, memory="32")
    order = place(basket)
    pay(order)
    return order


@pytest.fixture
def waiting(order: Order) -> list[OrderedDevice]:
    rows = OrderedDevice.objects.filter(line__order=order).select_related("line")
    return list(rows.order_by("line__position", "position"))


def test_pasted_lines_go_to_the_devices_in_order(waiting: list[OrderedDevice]) -> None:
    first, second, third = (device.pk for device in waiting)
    assert read_pasted("PF-1\r\nPF-2\nPF-3\n\n", waiting) == {first: "PF-1", second: "PF-2", third: "PF-3"}
    assert read_pasted("PF-1", waiting) == {first: "PF-1"}
    assert read_pasted("PF-1\n\nPF-3", waiting) == {first: "PF-1", second: "", third: "PF-3"}
    assert read_pasted("  \n ", waiting) == {}


def test_more_lines_than_devices_are_refused(waiting: list[OrderedDevice]) -> None:
    with pytest.raises(SerialsRefused, match="4 serial numbers for 3 devices"):
        read_pasted("1\n2\n3\n4", waiting)


def test_a_file_names_line_and_unit_in_any_order(waiting: list[OrderedDevice]) -> None:
    first, second, third = (device.pk for device in waiting)
    data = "\ufeffline,unit,device_serial\r\n2,1,PF-3\r\n1,1,PF-1\r\n1,2,\r\n".encode()
    assert read_csv(data, waiting) == {third: "PF-3", first: "PF-1"}
    assert second not in read_csv(data, waiting)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "first row must be line,unit,device_serial"),
        (b"unit,line,device_serial\n1,1,PF\n", "first row must be"),
        (b"line;unit;device_serial\n1;1;PF\n", "first row must be"),
        (HEADER.decode().encode("utf-16"), "not UTF-8"),
        (HEADER + b"1,1,PF\xff\n", "not UTF-8"),
        (HEADER + b"1,1,PF\x00\n", "not UTF-8"),
        (HEADER + b'1,1,"PF\n', "does not read as CSV"),
        (HEADER + b"1,1\n", "row 2, it has 2 cells"),
        (HEADER + b"1,3,PF\n", "row 2, the order has no such line and unit"),
        (HEADER + b"one,1,PF\n", "row 2, the order has no such line"),
        (HEADER + "1,\u0661,PF\n".encode(), "no such line"),
        (HEADER + b"1,1,PF\n1,1,PG\n", "row 3, this line and unit stands above"),
        (HEADER + b"x" * 2_000_001, "larger than 2 MB"),
    ],
)
def test_a_wrong_file_says_what_to_mend(waiting: list[OrderedDevice], data: bytes, message: str) -> None:
    with pytest.raises(SerialsRefused, match=message):
        read_csv(data, waiting)


def test_every_wrong_row_is_named(waiting: list[OrderedDevice]) -> None:
    with pytest.raises(SerialsRefused, match="2 rows") as refused:
        read_csv(HEADER + b"9,1,PF\n1,1,PF-1\n1,9,PF\n", waiting)
    assert [detail["row"] for detail in refused.value.details] == [2, 4]


def test_one_bad_row_of_a_thousand_ships_nothing(wind: Project) -> None:
    basket = make_basket()
    add(basket, quantity=1_000)
    order = place(basket)
    pay(order)
    serials = [f"PF{number}" for number in range(1_000)]
    serials[500] = "PF 500 with blanks"
    with pytest.raises(SerialsRefused) as refused:
        ship(order, *serials)
    assert [detail["unit"] for detail in refused.value.details] == [501]
    assert Shipment.objects.count() == 0
    assert OrderedDevice.objects.filter(device_serial__isnull=False).count() == 0


def test_the_list_that_is_downloaded_is_the_list_that_is_read(
    order: Order, waiting: list[OrderedDevice]
) -> None:
    assert write_csv(waiting) == "line,unit,device_serial\r\n1,1,\r\n1,2,\r\n2,1,\r\n"
    ship(order, "=PF-1", "+PF2", "PF-3")
    shipped = list(OrderedDevice.objects.filter(line__order=order).select_related("line").order_by("pk"))
    text = write_csv(shipped)
    assert "1,1,'=PF-1\r\n1,2,'+PF2\r\n2,1,PF-3\r\n" in text  # no cell starts a formula
    assert read_csv(text.encode(), shipped) == {device.pk: device.device_serial for device in units(order)}
