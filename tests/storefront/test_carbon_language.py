"""The shop's sentences about carbon are those of claims/, in the reader's language, on every page."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Market, User
from checkout.models import Order
from claims.guard import check
from claims.markup import visible_text
from claims.wording import Wording, current_wording, say, wording_by_id
from tests.factories.checkout import LAPTOP, certify, make_order, make_shop, pay, ship
from tests.storefront.pages import choose_country, registry_words, text, words

LANGUAGES = ["en", "de", "sv", "fr", "es"]
PAGES = {
    "/": ("home_title", "home_step_grams", "home_step_credits", "totals_confirmed", "totals_devices_many"),
    "/products/": ("products_compare", "card_no_lifetime"),
    f"/products/{LAPTOP.lower()}/": (
        "source_title",
        "makers_sheet",
        "offer_title",
        "equivalent_car_kilometres",
    ),
    "/how-it-works/": ("how_amount", "how_grams", "how_credits", "how_registry", "how_proves"),
    "/impact/": ("totals_confirmed", "totals_surplus", "totals_nothing"),
    "/terms/": ("terms_irrevocable", "terms_substitution", "terms_withdrawal", "withdrawal_wait"),
    "/privacy/": ("privacy_public",),
    "/basket/": ("basket_empty",),
    "/projects/": ("projects_intro",),
    "/projects/CL-4449/": ("project_credit_title", "project_against_title", "project_held_title"),
    "/retirements/": ("retirements_intro", "totals_nothing"),
}
CARBON = re.compile(r"(?i)\b(carbon|co2e?|emissions?|footprint|offset\w*|climate)\b|\bcredits? (?!serial)")
LABELS = {"Show price and footprint"}  # of a button; the menu and the buttons of the shop are in English
VERIFIER = "verify.html"  # its page speaks as its tool and its script do
TRANSLATED = re.compile(
    r"{%\s*translate\s+(?:\"([^\"]*)\"|'([^']*)')|{%\s*blocktranslate[^%]*%}(.*?){%\s*endblocktranslate", re.S
)


def said(slot: str, *, wording: Wording, **facts: str) -> str:
    """The sentence as `words` reads it: with single blanks."""
    return " ".join(say(slot, wording=wording, **facts).split())


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_says_its_carbon_sentences_in_the_markets_language(client: Client, language: str) -> None:
    make_shop()
    Market.objects.update(language=language)
    wording, english = (current_wording(register="A", language=each) for each in (language, "en"))
    for path, slots in PAGES.items():
        response = client.get(path)
        page = words(response)
        assert [slot for slot in slots if said(slot, wording=wording) not in page] == [], path
        if language != "en":
            assert [slot for slot in slots if said(slot, wording=english) in page] == [], path
        found = check(
            visible_text(text(response)), register="A", language=language, quotations=registry_words()
        )
        assert found == [], path


@pytest.mark.django_db
def test_each_country_reads_its_own_register(client: Client) -> None:
    make_shop()
    Market.objects.update(language="fr")
    for country, register in (("DE", "A"), ("GB", "CQ"), ("US", "C")):
        choose_country(client, country)
        wording = current_wording(register=register, language="fr")
        assert said("offer_title", wording=wording) in words(client.get(f"/products/{LAPTOP.lower()}/"))
        assert said("terms_withdrawal", wording=wording) in words(client.get("/terms/"))


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_orders_page_keeps_the_language_of_the_order(client: Client, language: str) -> None:
    project = make_shop()
    Market.objects.update(language=language)
    order = make_order(project=project)
    Market.objects.update(language="sv" if language != "sv" else "de")
    wording = wording_by_id(order.wording)
    assert wording.language == language
    page = words(client.get(address(order)))
    kept = said("credits_kept", wording=wording, moment="|").split("|")[0]
    assert kept in page
    assert said("mail_where_title", wording=wording) in page
    pay(order)
    ship(order)
    [_certificate] = certify(order) or [None]
    page = client.get(address(order))
    found = check(visible_text(text(page)), register="A", language=language, quotations=registry_words())
    assert found == []


def address(order: Order) -> str:
    return f"/orders/{order.number}/{order.token}/"


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("country", "audience", "register"),
    [("DE", "consumer", "A"), ("SE", "company", "B"), ("GB", "company", "CQ"), ("US", "company", "C")],
)
def test_staff_preview_every_reader_in_every_language(
    client: Client, dana: User, language: str, country: str, audience: str, register: str
) -> None:
    make_shop()
    client.force_login(dana)
    client.post("/preview/", {"country": country, "audience": audience, "language": language})
    page = words(client.get(f"/products/{LAPTOP.lower()}/"))
    wording = current_wording(register=register, language=language)
    assert said("offer_title", wording=wording) in page
    kg = re.escape(said("offer_button", wording=wording, kg="0", device="laptop"))
    assert re.search(kg.replace("0", "[0-9,.]+", 1), page), page
    assert "Language: " in page
    client.post("/preview/", {"leave": "1"})
    english = current_wording(register="A", language="en")
    assert said("offer_title", wording=english) in words(client.get(f"/products/{LAPTOP.lower()}/"))


@pytest.mark.django_db
def test_a_language_without_sentences_opens_no_preview(client: Client, dana: User, alice: User) -> None:
    make_shop()
    client.force_login(dana)
    client.post("/preview/", {"country": "SE", "audience": "company", "language": "xx"})
    page = words(client.get("/"))
    assert "There are no sentences in this language." in page
    assert "Preview:" not in page
    client.force_login(alice)
    form = {"country": "SE", "audience": "company", "language": "sv"}
    assert client.post("/preview/", form).status_code == 403
    assert "Linjen" not in text(client.get("/"))


@pytest.mark.django_db
def test_the_admins_first_page_offers_every_language(client: Client, dana: User) -> None:
    client.force_login(dana)
    page = text(client.get("/admin/"))
    for code in LANGUAGES:
        assert page.count(f'name="language" value="{code}"') == 4


def test_no_template_of_the_shop_has_a_carbon_sentence_of_its_own() -> None:
    own = []
    folders = (Path(settings.BASE_DIR, "templates", name) for name in ("storefront", "checkout"))
    for path in sorted(path for folder in folders for path in folder.rglob("*.*")):
        for match in TRANSLATED.finditer(path.read_text(encoding="utf-8")):
            sentence = next(part for part in match.groups() if part is not None)
            if CARBON.search(sentence) and sentence not in LABELS and path.name != VERIFIER:
                own.append((path.name, sentence))
    assert own == []


@pytest.mark.django_db
def test_a_sentence_in_another_language_than_its_page_says_so(client: Client) -> None:
    make_shop()
    assert '<span lang="' not in text(client.get("/"))
    Market.objects.update(language="sv")
    page = text(client.get("/"))
    sentence = say("step_device", wording=current_wording(register="A", language="sv"))
    assert f'<span lang="sv">{sentence}</span>' in page
    assert 'aria-label="<span' not in page
