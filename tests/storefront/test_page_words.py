"""What pages say stays within the register of whoever reads them: the shop as it is sold, in each market."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Market, User
from accounts.seed import load_markets
from catalog.models import Product
from catalog.seed import load_catalogue
from certificates.models import Certificate
from config.demo.shop import CREDITS
from offsets.importing import import_blocks, read_blocks
from projects.models import Project
from projects.seed import load_projects
from tests.factories.certificates import cover, issue, make_wish
from tests.storefront.pages import choose_country, forbidden_words, registry_words

CONSUMERS = {"SE": "A", "DE": "A", "NO": "A", "GB": "CQ", "US": "C", "SG": "C"}
COMPANIES = {"SE": "B", "DE": "A", "GB": "CQ", "US": "C"}
PAGES = [
    "/",
    "/products/",
    "/products/?q=zzz",
    "/projects/",
    "/impact/",
    "/how-it-works/",
    "/terms/",
    "/privacy/",
    "/imprint/",
    "/verify/",
    "/verify/?code=x",
    "/find/",
    "/retirements/",
    "/retirements/?q=x",
    "/retirements/?q=DEMO-CDM-PH-CER-2-1",
    "/basket/",
    "/orders/find/",
    "/account/login/",
    "/account/signup/",
    "/nowhere/",
    "/products/nowhere/",
]
# Where a sentence differs between the registers.
CLAIMS = [
    "/",
    "/products/thinkpad-t490/?quantity=4",
    "/products/thinkpad-x1-carbon-gen-9/",
    "/projects/CAR1480/",
    "/projects/PH-7980/",
    "/impact/",
    "/how-it-works/",
    "/terms/",
]


@pytest.fixture
def shop(db: None) -> None:
    """Everything that the demonstration sells, in every market, with one record on two projects."""
    load_markets()
    Market.objects.update(opened_on="2026-01-01")
    load_projects(adapter="sandbox")
    load_catalogue()
    import_blocks(read_blocks(CREDITS.read_bytes()), actor="staff:1", now=timezone.now())
    for reference in ("CAR1480", "PH-7980"):
        project = Project.objects.get(reference=reference)
        cover(make_wish(project, f"PF-{reference}"), key=reference)
    issue()


def pages_of_the_shop() -> list[str]:
    projects = [f"/projects/{project.reference}/" for project in Project.objects.all()]
    kinds = {product.form_factor: product for product in Product.objects.filter(published=True)}
    devices = [f"/products/{product.slug}/" for product in kinds.values()]
    changed = "/products/thinkpad-t490/?memory=32&country=PL&years=3&quantity=4"
    wrong = "/products/thinkpad-t490/?memory=7&years=9&country=XX"
    return [*PAGES, *projects, *devices, changed, wrong]


def records() -> list[tuple[str, str]]:
    made = Certificate.objects.select_related("offset")
    retirements = {
        allocation.span.retirement.reference
        for one in made
        for allocation in one.offset.allocations.select_related("span__retirement")
    }
    pages = [(f"/c/{one.code}/", "A") for one in made] + [(f"/c/{one.code}/badge.svg", "A") for one in made]
    return pages + [(f"/retirements/{reference}/", "A") for reference in retirements]


def forbidden(client: Client, country: str, register: str, paths: list[str]) -> list[str]:
    """Forbidden words on these pages, as this visitor reads them in this country."""
    choose_country(client, country)
    quotations = registry_words()
    return [word for path in paths for word in forbidden_words(client, path, register, quotations)]


def test_a_visitor_of_whom_nothing_is_known_reads_register_a(client: Client, shop: None) -> None:
    quotations = registry_words()
    paths = pages_of_the_shop()
    found = [word for path in paths for word in forbidden_words(client, path, "A", quotations)]
    assert found == []


def test_a_consumer_reads_the_register_of_each_market(client: Client, shop: None) -> None:
    found = {country: forbidden(client, country, register, CLAIMS) for country, register in CONSUMERS.items()}
    assert found == {country: [] for country in CONSUMERS}


def test_a_verified_company_reads_the_register_of_each_market(
    client: Client, shop: None, alice: User
) -> None:
    client.force_login(alice)
    pages = [*CLAIMS, "/account/"]
    found = {country: forbidden(client, country, register, pages) for country, register in COMPANIES.items()}
    assert found == {country: [] for country in COMPANIES}


def test_a_record_reads_in_its_own_register_whoever_opens_it(
    client: Client, shop: None, alice: User, alices_company: Account
) -> None:
    quotations = registry_words()
    for country in ("SE", "US"):
        choose_country(client, country)
        for path, register in records():
            assert forbidden_words(client, path, register, quotations) == []
    client.force_login(alice)
    for path, register in records():
        if not path.startswith("/retirements/"):
            assert forbidden_words(client, path, register, quotations) == []


def test_the_guard_would_find_a_word_that_slipped_in(client: Client, shop: None) -> None:
    Product.objects.filter(slug="thinkpad-t490").update(summary="The climate neutral laptop")
    found = forbidden_words(client, "/products/thinkpad-t490/", "A", registry_words())
    assert any("neutral" in word for word in found)
