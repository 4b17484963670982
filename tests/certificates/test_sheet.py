"""How amounts, dates and steps are written."""

from typing import Any

import pytest

from certificates import sheet
from certificates.facts import facts_for
from claims.guard import Quotation, assert_clean
from claims.wording import all_wordings, wording_by_id
from tests.factories.certificates import ISSUED, make_covered, make_footprint

CODE = "7Q2M-K4VX-09AB-DJ3T"


@pytest.mark.parametrize(
    ("grams", "kg"),
    [(1, "0.001"), (386_000, "386"), (386_412, "386.412"), (2_506_000_100, "2\u202f506\u202f000.1")],
)
def test_kilograms_are_exact(grams: int, kg: str) -> None:
    assert sheet.kg_text(grams) == kg


@pytest.mark.parametrize(("grams", "tonnes"), [(1, "0.000001"), (508_000, "0.508"), (2_000_000, "2.000")])
def test_tonnes_are_exact_with_at_least_three_decimals(grams: int, tonnes: str) -> None:
    assert sheet.tonnes_text(grams) == tonnes


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("378.900", "378.9"),
        ("-35.000", "−35"),
        ("+28.300", "+28.3"),
        ("1234.500", "1\u202f234.5"),
        ("0.000", "0"),
    ],
)
def test_decimals_have_no_idle_zeros_and_a_true_minus(kept: str, shown: str) -> None:
    assert sheet.decimal_text(kept) == shown


@pytest.mark.parametrize(
    ("wording", "days"),
    [
        ("eu-consumer-en-1", "5 February 2026; 24 November 2026"),
        ("eu-consumer-de-1", "5. Februar 2026; 24. November 2026"),
    ],
)
def test_days_are_written_out_in_the_wordings_language(wording: str, days: str) -> None:
    assert sheet.day_text("2026-02-05; 2026-11-24T12:05:00+00:00", wording_by_id(wording)) == days


def texts(facts: Any) -> dict[str, str]:
    wording = wording_by_id(str(facts["wording"]))
    return {step.key: step.text for step in sheet.steps(facts, wording, device_serial="…1234")}


@pytest.mark.django_db
def test_a_figure_that_we_did_not_change_is_the_makers_alone() -> None:
    offset = make_covered(footprint=make_footprint(adjustments=(), sheet_total_kg=None))
    facts = facts_for(offset, code=CODE, issued_at=ISSUED)
    assert texts(facts)["amount"].startswith(
        "386 kg CO2e, the maker's estimate (mean, sheet of February 2019)"
    )


@pytest.mark.django_db
def test_a_public_page_shows_the_end_of_the_serial_only() -> None:
    facts = facts_for(make_covered(), code=CODE, issued_at=ISSUED)
    said = texts(facts)
    assert said["device"] == "Lenovo ThinkPad T490 · serial …1234 · 16 GB, 512 GB SSD · used in Sweden"
    assert "PF1X1234" not in " ".join(said.values())


@pytest.mark.django_db
def test_a_maker_is_named_once() -> None:
    facts = facts_for(make_covered(product="Lenovo Legion 5"), code=CODE, issued_at=ISSUED)
    assert texts(facts)["device"].startswith("Lenovo Legion 5 · ")


@pytest.mark.django_db
def test_the_day_of_the_registrys_report_is_said_only_when_there_is_one() -> None:
    facts = facts_for(make_covered(), code=CODE, issued_at=ISSUED)
    wording = wording_by_id("eu-consumer-en-1")
    said = [
        sheet.steps(facts, wording, device_serial="x", checked=day)[-1].text for day in ("", "1 May 2026")
    ]
    assert "report" not in said[0]
    assert said[1].endswith("Checked against the public report of 1 May 2026.")


@pytest.mark.django_db
@pytest.mark.parametrize("wording", all_wordings(), ids=lambda wording: wording.id)
def test_the_guard_reads_every_step_in_every_register(wording: Any) -> None:
    facts = facts_for(make_covered(wording=wording.id), code=CODE, issued_at=ISSUED)
    text = "\n\n".join(step.text for step in sheet.steps(facts, wording, device_serial="PF1X1234"))
    quoted = [Quotation(str(facts["project_title"]), "registry")]
    assert_clean(text, register=wording.register, language=wording.language, quotations=quoted)
