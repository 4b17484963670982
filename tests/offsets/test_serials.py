"""Serial numbers of credits and devices."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offsets.serials import (
    InvalidCreditSerials,
    InvalidDeviceSerial,
    ceil_credits,
    credits_of_interval,
    format_credit_serials,
    normalise_device,
    parse_credit_serials,
)

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def test_a_real_car_serial_reads_and_prints_the_same() -> None:
    text = "CAR-1-US-1480-46-1156-FL-2024-8287-978278 to 980783"
    found = parse_credit_serials(text)
    assert (found.series, found.first, found.last) == (
        "CAR-1-US-1480-46-1156-FL-2024-8287",
        978_278,
        980_783,
    )
    assert (found.credits, found.project_number, found.vintage, found.demo) == (2506, "1480", 2024, False)
    assert str(found) == text


def test_a_demonstration_serial_cannot_be_taken_for_a_real_one() -> None:
    found = parse_credit_serials("DEMO-CDM-PH-CER-2-1 to 500")
    assert (found.demo, found.country, found.unit, found.credits) == (True, "PH", "CER", 500)
    assert found.series.startswith("DEMO-")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("CDM-PH-tCER-2-1 to 5", "temporary"),
        ("CDM-PH-lCER-2-1 to 5", "temporary"),
        ("CDM-PH-ERU-2-1 to 5", "must be CER"),
        ("CDM-PH-CER-2-5 to 1", "smaller than the first"),
        ("CDM-PH-CER-2-1 to 5000001", "split it"),
        ("CAR-1-US-1480-46-1156-FL-2024-8287-978278", "is not a range"),
        ("CAR-1-US-1480-46-1156-FL-2024-8287-٣ to 5", "is not a range"),
        ("", "is not a range"),
        ("x" * 100_000, "is not a range"),
    ],
)
def test_what_is_no_range_of_permanent_credits_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidCreditSerials, match=reason):
        parse_credit_serials(text)


@pytest.mark.skipif(not DATA.exists(), reason="the registries' reports are not beside the checkout")
@pytest.mark.parametrize("name", ["car-retirements.csv", "car-cancellations.csv"])
def test_every_real_car_row_reads_and_its_quantity_is_last_minus_first_plus_one(name: str) -> None:
    with (DATA / name).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) in {100, 50}
    for row in rows:
        found = parse_credit_serials(row["Offset Credit Serial Numbers"])
        assert found.credits == int(float(row["Quantity of Offset Credits"]))


@given(st.integers(0, 10**9), st.integers(0, 10**12), st.integers(1, 10**10))
def test_the_credits_of_an_interval_hold_all_its_grams(first: int, from_g: int, size: int) -> None:
    low, high = credits_of_interval(first, from_g, from_g + size)
    assert (low - first) * 1_000_000 <= from_g < (low - first + 1) * 1_000_000
    assert (high - first) * 1_000_000 < from_g + size <= (high - first + 1) * 1_000_000


def test_an_empty_interval_has_no_credits() -> None:
    with pytest.raises(ValueError, match="not an interval"):
        credits_of_interval(1, 5, 5)


@given(st.integers(0, 10**9), st.integers(1, 10**6))
def test_what_is_printed_reads_back(first: int, credits: int) -> None:
    text = format_credit_serials("DEMO-CDM-PH-CER-2", first, first + credits - 1)
    assert str(parse_credit_serials(text)) == text


@pytest.mark.parametrize(("grams", "credits"), [(-5, 0), (0, 0), (1, 1), (1_000_000, 1), (1_000_001, 2)])
def test_whole_credits_cover_the_grams(grams: int, credits: int) -> None:
    assert ceil_credits(grams) == credits


def test_device_serials_are_compared_without_case_blanks_and_width() -> None:
    assert normalise_device(" Lenovo ", "\uff30\uff26-1x ") == ("LENOVO", "PF-1X")


@pytest.mark.parametrize("serial", ["", " ", "a\nb", "a\u00adb", "a\u202eb", "1" * 65])
def test_a_device_serial_without_substance_is_refused(serial: str) -> None:
    with pytest.raises(InvalidDeviceSerial):
        normalise_device("Lenovo", serial)
