"""What the tests of pages share: a page's text, the register that a page is checked against."""

from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import PcfSheet
from claims.guard import Quotation, check
from claims.markup import visible_text
from projects.models import Project, QualityFact


def text(response: Any) -> str:
    """The page's markup."""
    markup: str = response.content.decode()
    return markup


def words(response: Any) -> str:
    """What a reader of the page sees, with single blanks."""
    return " ".join(visible_text(text(response)).split())


URL_CHARACTERS = 79  # so much of an address is shown


def registry_words() -> list[Quotation]:
    """What registries print about the projects in stock, and the names of sources: not our sentences."""
    quoted: set[str] = set()
    for project in Project.objects.select_related("methodology"):
        quoted |= {project.name, project.short_name, project.project_type, project.methodology.name}
        quoted |= {project.methodology.code, project.developer}
    for fact in QualityFact.objects.all():
        quoted |= {fact.name, fact.value, fact.source}
    quoted |= set(Project.objects.values_list("source", flat=True))
    quoted |= {source[:URL_CHARACTERS] for source in PcfSheet.objects.values_list("source", flat=True)}
    return [Quotation(each, "the registry, or the source itself") for each in quoted if each.strip()]


def forbidden_words(client: Client, path: str, register: str, quotations: list[Quotation]) -> list[str]:
    """Words of a page that its register does not allow, each with the text around it."""
    found = check(visible_text(text(client.get(path))), register=register, quotations=quotations)
    return [f"{path}: {one.word} in “{one.excerpt}”" for one in found]


def choose_country(client: Client, country: str) -> None:
    """The visitor chooses where to have it delivered."""
    assert client.post("/market/", {"country": country, "next": "/"}).status_code == 302


def counted() -> CaptureQueriesContext:
    """The statements of a block: `with counted() as statements`."""
    return CaptureQueriesContext(connection)


def delivers_to(client: Client) -> tuple[str, str]:
    """Country and currency that the shop's pages name to this visitor."""
    page = client.get("/")
    country = page.context["market_country"].country
    assert country.name in words(page)
    return str(country.code), str(page.context["currency"])
