"""A registry's public report: read, and held against our retirements."""

from datetime import date
from pathlib import Path

import pytest

from offsets.registries.reports import UnreadableReport, read_report
from offsets.serials import CreditRange, parse_credit_serials
from offsets.verdicts import Claimed, Verdict, alarms, judge

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
HEADER = (
    "Vintage,Offset Credit Serial Numbers, Quantity of  Offset Credits ,Status Effective,Project ID,"
    "Account Holder,Retirement Reason Details,Unnamed: 22"
)
SERIES = "DEMO-CAR-1-US-1480-46-1156-FL-2024-8287"
AS_OF = date(2026, 3, 31)


def row(first: int, last: int, **other: str) -> str:
    cells = {
        "vintage": "2024",
        "quantity": str(last - first + 1),
        "on": "03/10/2026",
        "project": "CAR1480",
        "holder": "Clearline",
        "reason": "CL-2026-03-7Q2M Retired for devices",
        **other,
    }
    return (
        f'{cells["vintage"]},{SERIES}-{first} to {last},"{cells["quantity"]}",{cells["on"]},'
        f'{cells["project"]},{cells["holder"]},"{cells["reason"]}",'
    )


def report(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows]).encode()


def claim(first: int = 100, last: int = 199, retired_on: date = date(2026, 3, 10)) -> Claimed:
    return Claimed(
        reference="CL-2026-03-7Q2M",
        serials=parse_credit_serials(f"{SERIES}-{first} to {last}"),
        project="CAR1480",
        vintage=2024,
        retired_on=retired_on,
        holders=frozenset({"Clearline"}),
    )


def verdict(*rows: str, our: Claimed | None = None) -> tuple[Verdict, str]:
    [judgement] = judge([our or claim()], read_report(report(*rows)), as_of=AS_OF)
    return judgement.verdict, judgement.detail


def test_a_row_that_is_exactly_ours_confirms() -> None:
    assert verdict(row(1, 50, reason="somebody"), row(100, 199)) == (Verdict.CONFIRMED, "row 2")


def test_one_retirement_may_stand_in_two_rows() -> None:
    assert verdict(row(100, 149), row(150, 199))[0] == Verdict.CONFIRMED


def test_the_neighbour_in_the_same_series_says_nothing_of_ours() -> None:
    assert verdict(row(200, 300, reason="somebody"))[0] == Verdict.MISSING


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row(100, 150)], Verdict.SHORT),
        ([row(90, 199)], Verdict.BEYOND),
        ([row(100, 199, project="CAR1335")], Verdict.DIFFERS),
        ([row(100, 199, vintage="2023")], Verdict.DIFFERS),
        ([row(100, 199, on="03/11/2026")], Verdict.DIFFERS),
        ([row(100, 199, holder="Somebody")], Verdict.DIFFERS),
        ([row(100, 199), row(150, 199)], Verdict.DIFFERS),
        ([row(500, 599)], Verdict.FOREIGN),
    ],
)
def test_what_is_not_as_we_said_is_named(rows: list[str], expected: Verdict) -> None:
    assert verdict(*rows)[0] == expected


def test_a_registry_has_fourteen_days_to_show_it() -> None:
    assert verdict(our=claim(retired_on=date(2026, 3, 17)))[0] == Verdict.NOT_YET
    assert verdict(our=claim(retired_on=date(2026, 3, 16)))[0] == Verdict.MISSING


def held(first: int = 1, last: int = 1000) -> CreditRange:
    return parse_credit_serials(f"{SERIES}-{first} to {last}")


def test_credits_of_ours_in_a_row_that_is_not_ours_raise_an_alarm() -> None:
    read = read_report(report(row(100, 199), row(300, 310, reason="somebody"), row(2000, 2001, reason="x")))
    [alarm] = alarms([claim()], [held()], read)
    assert "row 2" in alarm.detail


def test_another_reference_on_our_retirement_raises_an_alarm() -> None:
    read = read_report(report(row(100, 199, reason="CL-2026-03-AAAA by mistake")))
    [alarm] = alarms([claim()], [held()], read)
    assert "CL-2026-03-AAAA" in alarm.detail


def test_our_own_retirement_raises_none() -> None:
    assert alarms([claim()], [held()], read_report(report(row(100, 199)))) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "of no report that is known"),
        (report(header="a,b,c"), "of no report that is known"),
        (report(row(1, 5, quantity="4")), "Row 1: .* is 5 credits"),
        (report(row(1, 5), row(6, 5, quantity="0")), "Row 2: .*smaller"),
        (report(row(1, 5, on="31/12/2026")), "Row 1: .*not a date"),
        (report(row(1, 5) + ",too,many"), "Row 1 has"),
        (report(row(1, 5)).decode().encode("utf-16"), "not UTF-8"),
        (report(row(1, 5, reason="\0")), "NUL"),
    ],
)
def test_a_report_that_does_not_read_stops_and_names_the_row(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableReport, match=reason):
        read_report(content)


@pytest.mark.parametrize("quantity", ["100", "100.0", " 100 "])
def test_numbers_as_registries_print_them(quantity: str) -> None:
    assert verdict(row(100, 199, quantity=quantity))[0] == Verdict.CONFIRMED


def test_thousands_commas_read() -> None:
    [line] = read_report(report(row(1, 2506, quantity="2,506"))).lines
    assert line.serials.credits == 2506


def test_the_cdm_list_has_no_vintage_and_no_holder_and_skips_temporary_units() -> None:
    header = "Completion Date,Serial Range,Project Identifier,Unit,CP (Commitment Period),Total"
    content = "\n".join(
        [header, "2026-03-10,1001 - 1200,DEMO-CL-4449,CER,2,200", "2026-03-10,5 - 6,DEMO-CL-9,tCER,2,2"]
    )
    read = read_report(content.encode())
    assert (read.registry, len(read.lines), read.skipped) == ("CDM", 1, 1)
    our = Claimed(
        reference="CL-2026-03-7Q2M",
        serials=parse_credit_serials("DEMO-CDM-CL-CER-2-1001 to 1200"),
        project="CL-4449",
        vintage=2019,
        retired_on=date(2026, 3, 9),
    )
    [judgement] = judge([our], read, as_of=AS_OF)
    assert judgement.verdict == Verdict.CONFIRMED
    other = Claimed(**{**vars(our), "project": "CL-33"})
    assert judge([other], read, as_of=AS_OF)[0].verdict == Verdict.DIFFERS


@pytest.mark.skipif(not DATA.exists(), reason="the registries' reports are not beside the checkout")
@pytest.mark.parametrize(
    ("name", "lines", "skipped"),
    [("car-retirements", 100, 0), ("car-cancellations", 50, 0), ("cdm-cancellations", 682, 44)],
)
def test_every_row_of_the_real_reports_reads(name: str, lines: int, skipped: int) -> None:
    read = read_report((DATA / f"{name}.csv").read_bytes())
    assert (len(read.lines), read.skipped) == (lines, skipped)


@pytest.mark.skipif(not DATA.exists(), reason="the registries' reports are not beside the checkout")
def test_the_two_pools_of_the_vendors_service_are_found_by_their_range() -> None:
    read = read_report((DATA / "car-retirements.csv").read_bytes())
    ours = [
        Claimed(
            reference=reference,
            serials=parse_credit_serials(f"CAR-1-US-1480-46-1156-FL-2024-8287-{run}"),
            project="CAR1480",
            vintage=2024,
            retired_on=day,
        )
        for reference, run, day in (
            ("CL-2026-02-AAAA", "978278 to 980783", date(2026, 2, 5)),
            ("CL-2026-03-BBBB", "981084 to 982961", date(2026, 3, 10)),
        )
    ]
    judgements = judge(ours, read, as_of=AS_OF)
    assert [judgement.verdict for judgement in judgements] == [Verdict.CONFIRMED, Verdict.CONFIRMED]
