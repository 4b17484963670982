"""The projects that a new shop starts with: real, told honestly, in words that every market may read."""

import csv
from datetime import date
from pathlib import Path

import pytest

from accounts.models import Market
from accounts.seed import load_markets
from claims import guard
from projects.models import OUR_SENTENCES, Project, ProjectPrice, QualityFact, Registry
from projects.seed import load_projects
from projects.selectors import projects_for_sale

pytestmark = pytest.mark.django_db

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
CDM = {
    "CL-33", "CL-4449", "CN-4744", "IN-1254", "IN-6315", "KH-363", "KR-222", "MW-9933", "MX-4634",
    "PH-7980", "PH-8960",
}  # fmt: skip
CAR = {"CAR1335", "CAR1480", "CAR2029", "CAR1948", "CAR866"}


@pytest.fixture(autouse=True)
def shop() -> None:
    load_markets()
    load_projects(adapter="sandbox")


def test_every_real_project_is_there_under_its_registrys_reference() -> None:
    assert set(Project.objects.filter(registry__code="CDM").values_list("reference", flat=True)) == CDM
    assert set(Project.objects.filter(registry__code="CAR").values_list("reference", flat=True)) == CAR


def test_every_market_chooses_from_four_continents_and_both_hemispheres() -> None:
    for market in Market.objects.all():
        projects = [offer.project for offer in projects_for_sale(market=market, on=date(2026, 11, 24))]
        assert len(projects) == 16
        assert {p.continent for p in projects} == {"africa", "asia", "north-america", "south-america"}
        assert {p.country.code for p in projects if p.southern_hemisphere} == {"CL", "MW"}


def test_loading_again_changes_nothing() -> None:
    before = [
        list(m._default_manager.order_by("id").values())
        for m in (Project, ProjectPrice, QualityFact, Registry)
    ]
    assert len(load_projects().unchanged) == 16
    after = [
        list(m._default_manager.order_by("id").values())
        for m in (Project, ProjectPrice, QualityFact, Registry)
    ]
    assert after == before
    assert set(Registry.objects.values_list("adapter", flat=True)) == {"sandbox"}


def test_the_words_of_the_registries_are_kept() -> None:
    cdm, car = Registry.objects.get(code="CDM"), Registry.objects.get(code="CAR")
    assert (cdm.unit, cdm.retirement_term) == ("CER", "voluntary cancellation")
    assert (car.unit, car.retirement_term) == ("CRT", "retirement")


def test_the_end_of_the_cdm_is_told_as_reported_and_sets_no_date_by_itself() -> None:
    cdm = Registry.objects.get(code="CDM")
    assert cdm.last_retirement_on is None
    assert "reported, from draft decision text only" in cdm.sunset_note
    assert "end of 2026" in cdm.sunset_note


def test_what_comes_through_climeco_says_so_and_its_own_project_does_not() -> None:
    supplied = Project.objects.filter(supplied_through="ClimeCo").values_list("reference", flat=True)
    assert set(supplied) == CAR - {"CAR1335"}
    assert Project.objects.get(reference="CAR1335").developer == "ClimeCo Corp MCK NAP2, LLC."


def test_the_ccp_label_of_phlogiston_is_yes_on_some_issuances_and_blank_on_a_later_one() -> None:
    labels = QualityFact.objects.filter(
        project__reference="CAR1480", name="CCP Approved", issued_on__isnull=False
    )
    assert list(labels.order_by("issued_on").values_list("issued_on", "value")) == [
        (date(2025, 6, 25), "Yes"),
        (date(2025, 9, 26), "Yes"),
        (date(2025, 12, 17), "Yes"),
        (date(2026, 3, 19), ""),
    ]


def test_our_sentences_hold_no_word_that_register_a_forbids() -> None:
    for project in Project.objects.all():
        for field in OUR_SENTENCES:
            assert guard.check(getattr(project, field), register="A") == [], (project.reference, field)
    for registry in Registry.objects.all():
        assert guard.check(registry.sunset_note, register="A") == []


def test_every_project_says_what_is_said_against_it_where_it_stands_and_since_when() -> None:
    for project in Project.objects.all():
        assert len(project.what_is_said_against_it) > 150, project.reference
        assert "!" not in project.what_it_does + project.what_is_said_against_it
        assert "2026" in project.source
        assert project.registry_url.startswith("https://")
    assert not QualityFact.objects.exclude(source__contains="2026").exists()


def test_prices_are_invented_and_say_so() -> None:
    assert set(ProjectPrice.objects.values_list("note", flat=True)) == {"invented for the demonstration"}
    emea = ProjectPrice.objects.filter(market__code="emea").values_list("price_minor_per_tonne", flat=True)
    assert 800 <= min(emea) <= max(emea) <= 2500


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the folder of real data beside the checkout")
def test_titles_countries_and_facts_are_those_of_the_public_reports() -> None:
    with (DATA / "carbon-projects.csv").open(encoding="utf-8", newline="") as file:
        known = {row["project_id"]: row for row in csv.DictReader(file)}
    checked = 0
    for project in Project.objects.all():
        number = project.reference.rsplit("-", 1)[-1]
        row = known.get(project.reference) or known.get(f"CDM{number.zfill(4)}")
        if row:
            assert (project.name, project.country.code) == (row["name"], row["country_alpha2"])
            assert project.developer == row["developer"]
            checked += 1
    assert checked == 7


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the folder of real data beside the checkout")
def test_facts_of_issuances_are_those_of_the_public_reports() -> None:
    with (DATA / "car-issuances.csv").open(encoding="utf-8", newline="") as file:
        printed = {
            (row["Project ID"], row["Date Issued"], name): row[name]
            for row in csv.DictReader(file)
            for name in (
                "CCP Approved",
                "Corresponding Adjustment",
                "Protocol and Version",
                "Reduction/Removal",
            )
        }
    names = {name for _project, _day, name in printed}
    facts = QualityFact.objects.filter(project__registry__code="CAR", issued_on__isnull=False, name__in=names)
    assert facts.count() == 24
    for fact in facts.select_related("project"):
        assert fact.issued_on is not None
        assert fact.value == printed[(fact.project.reference, f"{fact.issued_on:%m/%d/%Y}", fact.name)]
    with (DATA / "cdm-issuances.csv").open(encoding="utf-8", newline="") as file:
        periods = {
            (row["CDM project reference number"], row["Issuance date"], start_to_end(row)): row[
                "Units - Total"
            ]
            for row in csv.DictReader(file)
        }
    monitored = QualityFact.objects.filter(name="Monitoring period").select_related("project")
    assert monitored.count() == 9
    for fact in monitored:
        number = fact.project.reference.rsplit("-", 1)[-1]
        assert (number, str(fact.issued_on), fact.value) in periods


def start_to_end(row: dict[str, str]) -> str:
    return f"{row['Monitoring report started']} to {row['Monitoring report ended']}"
