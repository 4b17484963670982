"""Whose language a page's carbon sentences are in: the market's, and not the browser's."""

import pytest
from django.test import Client

from accounts.models import Market
from claims.guard import check
from claims.markup import visible_text
from claims.wording import current_wording, say
from tests.factories.checkout import LAPTOP, make_shop
from tests.storefront.pages import words

PAGE = f"/products/{LAPTOP.lower()}/"
EMITS = {
    "de": "Herstellung, Transport und fünf Jahre Nutzung verursachen etwa 310 kg CO2e",
    "sv": "Tillverkning, frakt och användning i fem år orsakar omkring 310 kg CO2e",
    "fr": "La fabrication, le transport et cinq ans d’utilisation causent environ 310 kg de CO2e",
    "es": "La fabricación, el transporte y cinco años de uso causan unos 310 kg de CO2e",
}
USE = {
    "de": "Fünf Jahre Nutzung (Schweden)",
    "sv": "Användning i fem år (Sverige)",
    "fr": "Cinq ans d’utilisation (Suède)",
    "es": "Cinco años de uso (Suecia)",
}


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["de", "sv", "fr", "es"])
def test_a_product_page_says_its_carbon_sentences_in_the_markets_language(
    client: Client, language: str
) -> None:
    make_shop()
    Market.objects.update(language=language)
    response = client.get(PAGE)
    page = words(response)
    wording = current_wording(register="A", language=language)
    assert EMITS[language] in page
    assert USE[language] in page
    assert say("offer_button", wording=wording, kg="310", device="laptop") in page
    assert say("our_estimate", wording=wording) in page
    assert "causes about" not in page
    assert check(visible_text(response.content.decode()), register="A", language=language) == []


@pytest.mark.django_db
def test_the_browsers_language_changes_nothing(client: Client) -> None:
    make_shop()
    page = words(client.get(PAGE, headers={"Accept-Language": "de-DE,de;q=0.9"}))
    assert "Five years of use in Sweden" in page
    assert "Germany" in page
    assert "Deutschland" not in page
    assert "Schweden" not in page
