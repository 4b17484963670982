"""Projects by continent, one project with what speaks against it, one retirement with its intervals."""

from datetime import date

import pytest
from django.test import Client

from offsets import services as ledger
from offsets.models import Retirement
from projects.models import Project, ProjectPrice, QualityFact, Registry
from tests.factories.certificates import cover, make_wish
from tests.factories.checkout import make_shop, make_sold_project
from tests.factories.offsets import NOON, open_retirements, promise, wish
from tests.storefront.pages import choose_country, counted, text, words


@pytest.fixture
def wind(db: None) -> Project:
    return make_shop()


@pytest.fixture
def shared(wind: Project, dealt_in_order: None) -> Retirement:
    """Two laptops share the first tonne: 386 kg and 500 kg."""
    cover(make_wish(wind, "PF-1", 386_000), make_wish(wind, "PF-2", 500_000))
    return Retirement.objects.get()


def test_projects_stand_under_their_continent_with_price_and_stock(client: Client, wind: Project) -> None:
    page = client.get("/projects/")
    assert list(page.context["continents"]) == ["South America"]
    shown = words(page)
    assert "CL-4449 · Chile" in shown
    assert "150 kr a tonne" in shown
    assert "5 t in stock" in shown


def test_a_project_that_is_paused_or_whose_registry_has_closed_is_not_sold(
    client: Client, wind: Project
) -> None:
    Project.objects.update(paused_at=NOON, pause_reason="Its registry looks into it.")
    assert "No project is on sale in this market at present." in words(client.get("/projects/"))
    page = words(client.get("/projects/CL-4449/"))
    assert "Not sold at present: Its registry looks into it." in page
    assert "not sold in this market" in page
    Project.objects.update(paused_at=None, pause_reason="")
    Registry.objects.update(last_retirement_on=date(2026, 1, 1))
    assert "No project is on sale in this market at present." in words(client.get("/projects/"))


def test_a_market_shows_its_own_projects_and_prices(client: Client, wind: Project) -> None:
    ProjectPrice.objects.exclude(market__code="nordics").delete()
    choose_country(client, "US")
    assert "No project is on sale in this market at present." in words(client.get("/projects/"))


def test_a_project_says_what_it_is_and_what_is_said_against_it(client: Client, wind: Project) -> None:
    shown = words(client.get("/projects/CL-4449/"))
    for fact in (
        "CL-4449 Wind Farm Project",
        "Makes electricity from wind.",
        "One CER is one credit in the CDM: one tonne of CO2e.",
        "The CDM calls a retirement a voluntary cancellation.",
        "What is said against it It is old.",
        "ACM0002",
        "150 kr a tonne, without VAT · 5 t in stock",
        "DEMO-CDM-CL-CER-2-1 to 5",
        "Nothing yet. The first device that chooses this project will stand here.",
    ):
        assert fact in shown, fact


def test_facts_of_issuances_stand_side_by_side_as_the_registry_prints_them(
    client: Client, wind: Project
) -> None:
    for vintage, issued_on, name, value in (
        (2024, date(2025, 6, 25), "CCP Approved", "Yes"),
        (2025, date(2026, 3, 19), "CCP Approved", ""),
        (2025, date(2026, 3, 19), "Crediting Period", "Initial"),
    ):
        QualityFact.objects.create(
            project=wind, vintage=vintage, issued_on=issued_on, name=name, value=value, source="a report"
        )
    quality = client.get("/projects/CL-4449/").context["quality"]
    assert quality.columns == [(2025, date(2026, 3, 19)), (2024, date(2025, 6, 25))]
    assert quality.rows == [("CCP Approved", ["", "Yes"]), ("Crediting Period", ["Initial", None])]
    shown = words(client.get("/projects/CL-4449/"))
    assert "CCP Approved empty Yes Crediting Period Initial –" in shown
    assert "Source: a report" in shown


def test_a_reference_is_found_in_any_case_and_an_unknown_one_is_a_page_that_helps(
    client: Client, wind: Project
) -> None:
    moved = client.get("/projects/cl-4449/")
    assert (moved.status_code, moved["Location"]) == (302, "/projects/CL-4449/")
    for reference in ("CL-1", "%00", "x" * 300):
        page = client.get(f"/projects/{reference}/")
        assert page.status_code == 404
        assert "There is no project with this reference." in words(page)
        assert 'href="/projects/"' in text(page)


def test_the_list_of_projects_takes_as_many_statements_for_9_as_for_1(client: Client, wind: Project) -> None:
    client.get("/projects/")
    with counted() as few:
        client.get("/projects/")
    for number in range(8):
        make_sold_project(f"MX-{number}", credits=1, first=100 + number)
    with counted() as many:
        client.get("/projects/")
    assert len(many) == len(few) <= 8


def test_a_retirement_shows_every_interval_and_what_is_left_and_names_no_device(
    client: Client, shared: Retirement
) -> None:
    page = client.get(f"/retirements/{shared.reference}/")
    rows = [(row["from_g"], row["to_g"], row["grams"]) for row in page.context["rows"]]
    assert rows == [
        ("0", "386\u202f000", "386\u202f000"),
        ("386\u202f000", "886\u202f000", "500\u202f000"),
    ]
    shown = words(page)
    assert "Surplus 114 000 g · the next devices of this project use it first" in shown
    assert "Devices 2 Allocated 886 000 g" in shown
    assert "DEMO-CDM-CL-CER-2-1 to 1" in shown
    assert "Demonstration: not a real retirement." in shown
    assert "Voluntary cancellation" in shown
    assert "PF-1" not in text(page)
    assert "PF-2" not in text(page)


def test_a_retirement_that_no_registry_has_confirmed_says_so_and_has_no_surplus(
    client: Client, wind: Project
) -> None:
    promise(wish(wind, "PF-9"))
    [opened] = open_retirements(wind)
    page = words(client.get(f"/retirements/{opened.reference}/"))
    assert "Receipt: allocated, pending retirement." in page
    assert "Surplus" not in page
    assert "No device has grams of it yet." in page
    ledger.settle(opened, now=NOON)
    assert "Surplus 1 000 000 g" in words(client.get(f"/retirements/{opened.reference}/"))


def test_many_intervals_are_shown_page_by_page_in_a_fixed_number_of_statements(
    client: Client, wind: Project
) -> None:
    cover(*(make_wish(wind, f"PF-{number}", 1_000) for number in range(3)))
    one = Retirement.objects.get()
    client.get(f"/retirements/{one.reference}/")
    with counted() as few:
        client.get(f"/retirements/{one.reference}/")
    cover(*(make_wish(wind, f"PG-{number}", 1_000) for number in range(250)), key="order-2")
    with counted() as many:
        first = client.get(f"/retirements/{one.reference}/")
    assert len(many) == len(few)
    assert len(first.context["rows"]) == 200
    second = client.get(f"/retirements/{one.reference}/?page=2")
    assert len(second.context["rows"]) == 53
    assert second.context["rows"][0]["from_g"] == "200\u202f000"


def test_an_unknown_retirement_is_not_found(client: Client, wind: Project) -> None:
    page = client.get("/retirements/CL-2026-11-ZZZZ/")
    assert page.status_code == 404
    assert 'href="/impact/"' in text(page)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["/projects/%00/", "/retirements/CL%00/", "/orders/%00/%00/", "/products/%00/", "/c/%00/"]
)
def test_a_nul_in_an_address_finds_nothing_on_either_database(client: Client, address: str) -> None:
    assert client.get(address).status_code == 404
