"""Reports of issuances become dated quality facts; a report that does not read writes nothing."""

import csv
import io
from datetime import date
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from projects.errors import UnreadableIssuances
from projects.issuances import import_issuances, read_issuances
from projects.models import Project, QualityFact
from tests.factories.projects import ProjectFactory, RegistryFactory

pytestmark = pytest.mark.django_db
AS_OF = date(2026, 11, 24)
REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data"
CAR = {
    "Date Issued": "03/10/2026",
    "Project ID": "CAR1480",
    "Reduction/Removal": "Reduction",
    "Protocol and Version": "Adipic Acid Production, Version 1.0",
    "Eligible for CORSIA 2021-2023 Compliance Period": "",
    "Eligible for CORSIA 2024-2026 Compliance Period": "Yes",
    "Corresponding Adjustment": "No",
    "CCP Approved": "Yes",
    "Vintage": "2024",
    "Total Offset Credits Issued": "260,294",
    "Unnamed: 33": "",
}
CDM = {
    "PA/PoA": "PA",
    "CDM project reference number": "7980.0",
    "HostParty": "PH",
    "Issuance date": "2019-05-06",
    "Monitoring report started": "2017-01-01",
    "Monitoring report ended": "2018-06-30",
    "Units - Total": "260294.0",
    "CP": "2",
}


@pytest.fixture
def adipic() -> Project:
    return ProjectFactory(reference="CAR1480")


@pytest.fixture
def wind() -> Project:
    cdm = RegistryFactory(code="CDM", name="Clean Development Mechanism")
    return ProjectFactory(reference="PH-7980", registry=cdm)


def report(*rows: dict[str, str]) -> bytes:
    file = io.StringIO()
    writer = csv.DictWriter(file, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def facts(project: Project) -> dict[str, str]:
    return dict(project.quality_facts.values_list("name", "value"))


def test_a_car_report_fills_the_quality_facts_of_an_issuance(adipic: Project) -> None:
    done = import_issuances(report(CAR, {**CAR, "Project ID": "CAR9"}), as_of=AS_OF)
    assert (done.projects, done.issuances, done.new_facts, done.passed_over) == (1, 1, 7, 1)
    assert facts(adipic) == {
        "Total Offset Credits Issued": "260294",
        "Protocol and Version": "Adipic Acid Production, Version 1.0",
        "Reduction/Removal": "Reduction",
        "CCP Approved": "Yes",
        "Corresponding Adjustment": "No",
        "Eligible for CORSIA 2021-2023 Compliance Period": "",
        "Eligible for CORSIA 2024-2026 Compliance Period": "Yes",
    }
    [(vintage, issued_on)] = set(adipic.quality_facts.values_list("vintage", "issued_on"))
    assert (vintage, issued_on) == (2024, date(2026, 3, 10))
    assert adipic.quality_facts.first().source.startswith(  # type: ignore[union-attr]
        "CAR report of issuances as of 2026-11-24, SHA-256 "
    )


def test_a_cdm_list_says_period_units_and_the_year_the_period_ended(wind: Project) -> None:
    import_issuances(report(CDM), as_of=AS_OF)
    assert facts(wind) == {
        "Monitoring period": "2017-01-01 to 2018-06-30",
        "Units issued": "260294 CER",
        "Commitment period": "2",
    }
    assert set(wind.quality_facts.values_list("vintage", "issued_on")) == {(2018, date(2019, 5, 6))}


def test_the_same_report_again_changes_nothing(adipic: Project) -> None:
    import_issuances(report(CAR), as_of=AS_OF)
    before = list(QualityFact.objects.order_by("pk").values())
    assert import_issuances(report(CAR), as_of=date(2026, 12, 1)).new_facts == 0
    assert list(QualityFact.objects.order_by("pk").values()) == before


def test_a_label_of_one_issuance_says_nothing_of_a_later_one(adipic: Project) -> None:
    later = {**CAR, "Date Issued": "06/02/2026", "CCP Approved": ""}
    import_issuances(report(CAR, later), as_of=AS_OF)
    labels = adipic.quality_facts.filter(name="CCP Approved").values_list("issued_on", "value")
    assert sorted(labels) == [(date(2026, 3, 10), "Yes"), (date(2026, 6, 2), "")]


def test_what_a_later_report_states_otherwise_stands_beside_it_with_its_source(adipic: Project) -> None:
    import_issuances(report({**CAR, "CCP Approved": ""}), as_of=AS_OF)
    done = import_issuances(report(CAR), as_of=date(2027, 1, 5))
    assert done.new_facts == 1
    found = adipic.quality_facts.filter(name="CCP Approved").order_by("pk").values_list("value", "source")
    assert [(value, source[:40]) for value, source in found] == [
        ("", "CAR report of issuances as of 2026-11-24"),
        ("Yes", "CAR report of issuances as of 2027-01-05"),
    ]


@pytest.mark.parametrize(
    ("row", "change", "said"),
    [
        (CAR, {"Total Offset Credits Issued": "many"}, "not a whole number"),
        (CAR, {"Total Offset Credits Issued": "260294.5"}, "not a whole number"),
        (CAR, {"Total Offset Credits Issued": "26,02,94"}, "not a whole number"),
        (CAR, {"Total Offset Credits Issued": ""}, "not a whole number"),
        (CAR, {"Vintage": "24"}, "no vintage"),
        (CAR, {"Date Issued": "31/31/2026"}, "not a date"),
        (CAR, {"Project ID": ""}, "Project ID is empty"),
        (CAR, {"Protocol and Version": "x" * 301}, "longer than 300"),
        (CDM, {"Units - Total": "-5"}, "not a whole number"),
        (CDM, {"Monitoring report ended": "2016-12-31"}, "ends before it starts"),
        (CDM, {"Issuance date": ""}, "not a date"),
        (CDM, {"HostParty": " "}, "HostParty is empty"),
    ],
)
def test_a_row_that_does_not_read_stops_the_run_and_is_named(
    adipic: Project, wind: Project, row: dict[str, str], change: dict[str, str], said: str
) -> None:
    with pytest.raises(UnreadableIssuances, match=f"Row 2: .*{said}"):
        import_issuances(report(row, {**row, **change}), as_of=AS_OF)
    assert QualityFact.objects.count() == 0


@pytest.mark.parametrize("gone", ["Vintage", "CCP Approved", "Total Offset Credits Issued"])
def test_a_changed_layout_stops_the_run(adipic: Project, gone: str) -> None:
    row = {name: value for name, value in CAR.items() if name != gone}
    with pytest.raises(UnreadableIssuances, match="no report that is known"):
        import_issuances(report(row), as_of=AS_OF)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no report that is known"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (report(CAR) + b"03/10/2026,CAR1480\r\n", "Row 2 has 2 cells"),
        (b'"Vintage', "does not read as CSV"),
        (report(CAR).replace(b"Unnamed: 33", b"Vintage"), "stand twice: Vintage"),
    ],
)
def test_a_file_that_is_no_report_stops_the_run(adipic: Project, content: bytes, said: str) -> None:
    with pytest.raises(UnreadableIssuances, match=said):
        import_issuances(content, as_of=AS_OF)
    assert QualityFact.objects.count() == 0


def test_headers_may_end_in_blanks_and_junk_columns_are_passed_over(adipic: Project) -> None:
    content = report(CAR).replace(b"CCP Approved", b"CCP  Approved ", 1)
    assert import_issuances(content, as_of=AS_OF).new_facts == 7


def test_the_command_says_what_it_did_and_what_is_wrong(
    adipic: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "issuances.csv"
    file.write_bytes(report(CAR))
    call_command("import_issuances", str(file), "--as-of", "2026-11-24")
    assert "1 issuances of 1 projects: 7 new facts" in capsys.readouterr().out
    file.write_bytes(report({**CAR, "Vintage": "x"}))
    with pytest.raises(CommandError, match=r"Row 1: .*Nothing was written"):
        call_command("import_issuances", str(file))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_issuances", str(tmp_path / "none.csv"))


@pytest.mark.skipif(not REAL.is_dir(), reason="the real reports are not beside the checkout")
@pytest.mark.parametrize(("name", "registry", "rows"), [("car", "CAR", 100), ("cdm", "CDM", 1934)])
def test_the_real_reports_read_whole(name: str, registry: str, rows: int) -> None:
    found = read_issuances((REAL / f"{name}-issuances.csv").read_bytes())
    assert (found.registry, len(found.issuances)) == (registry, rows)
