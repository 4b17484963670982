"""The certificate in five languages: nothing of it in another, one page in each register."""

import io
import re
import shutil
import subprocess
from decimal import Decimal

import pikepdf
import pytest

from catalog.pcf.footprint import Adjustment
from certificates import badges, document, rendering
from certificates.facts import Facts, facts_for
from certificates.records import record_of
from claims.guard import Quotation, check
from claims.markup import visible_text
from claims.wording import Wording, all_wordings, wording_by_id
from tests.factories.certificates import ISSUED, make_certificate, make_covered, make_footprint

pytestmark = pytest.mark.django_db

CODE = "7Q2M-K4VX-09AB-DJ3T"
URL = "https://clearline.example/c/7Q2M-K4VX-09AB-DJ3T/"
TRANSLATED = [wording for wording in all_wordings() if wording.language != "en"]
ENGLISH = re.compile(
    r"\b(the|of|and|for|is|were|not|used|serial|issued|check|device|credits|retired|retirement|maker|mean|"
    r"year|years|two|together|vintage|period|our|estimate|Sweden|February|instead)\b",
    re.IGNORECASE,
)


def facts_in(wording: Wording) -> Facts:
    """Every change that we can make, an amount with decimals, two years of use."""
    changes = tuple(
        Adjustment(key, f"{key} changed: our estimate", Decimal("-1.5"), "Grid")
        for key in ("memory", "storage", "country", "years")
    )
    offset = make_covered(
        amount_g=385_412,
        footprint=make_footprint(years=2, adjustments=changes),
        wording=wording.id,
        language=wording.language,
    )
    retired = {"retired_on": "2026-11-24"}  # the sandbox registry's day is the day of the test
    return facts_for(offset, code=CODE, issued_at=ISSUED) | retired


def page_text(facts: Facts) -> str:
    airy = document.pages(facts, state="valid", note="", record_url=URL, digest="0" * 64)[0]
    return visible_text(airy)


def without_facts(text: str, facts: Facts) -> str:
    """The page without what others wrote: titles, names, addresses, codes, the serials' own "to"."""
    for name, fact in facts.items():
        if isinstance(fact, str) and len(fact) > 3 and not name.startswith("change_"):
            text = text.replace(fact, "")
    return text


@pytest.mark.parametrize("wording", TRANSLATED, ids=lambda wording: wording.id)
def test_no_word_of_a_translated_certificate_is_left_in_english(wording: Wording) -> None:
    facts = facts_in(wording)
    text = without_facts(page_text(facts), facts)
    assert ENGLISH.findall(text) == []
    english = without_facts(page_text(facts | {"wording": "eu-consumer-en-1"}), facts)
    assert len(set(map(str.lower, ENGLISH.findall(english)))) > 20


@pytest.mark.parametrize(
    ("wording_id", "shown"),
    [
        (
            "eu-consumer-de-1",
            [
                "385,412 kg CO2-Gutschriften dauerhaft stillgelegt",
                "Seriennummer PF1X1234",
                "Nutzung: Schweden",
                "421 kg CO2e, Schätzung des Herstellers (Mittelwert; Datenblatt: Februar 2019)",
                "Arbeitsspeicher anders als im Datenblatt: unsere Schätzung, −1,5 kg",
                "Zwei Jahre Nutzung (Schweden) 7,1 kg (unsere Schätzung). Zusammen 386 kg.",
                "Überwachungszeitraum 2021",
                "vom 24. November 2026",
                "Ausgestellt am 24. November 2026. Textfassung eu-consumer-de-1.",
            ],
        ),
        (
            "eu-consumer-sv-1",
            [
                "385,412 kg koldioxidkrediter har annullerats",
                "användning: Sverige",
                "datablad: februari 2019",
                "Användning i två år (Sverige) 7,1 kg (vår uppskattning)",
                "Utfärdat den 24 november 2026.",
            ],
        ),
        (
            "eu-company-fr-1",
            [
                "385,412 kg de crédits carbone",
                "utilisation\u00a0: Suède",
                "fiche\u00a0: février 2019",
                "Deux ans d’utilisation (Suède) 7,1 kg (notre estimation)",
                "Délivré le 24 novembre 2026.",
            ],
        ),
        (
            "international-es-1",
            [
                "0,385412 t de créditos del registro CDM",
                "uso: Suecia",
                "ficha: febrero de 2019",
                "Dos años de uso (Suecia) 7,1 kg (estimación nuestra)",
                "Expedido el 24 de noviembre de 2026.",
            ],
        ),
    ],
)
def test_days_numbers_and_countries_are_written_as_the_language_writes_them(
    wording_id: str, shown: list[str]
) -> None:
    text = " ".join(page_text(facts_in(wording_by_id(wording_id))).split())
    plain = text.replace("\u202f", " ")
    assert [part for part in shown if part.replace("\u202f", " ").replace("\u00a0", " ") not in plain] == []


@pytest.mark.parametrize("wording", all_wordings(), ids=lambda wording: wording.id)
def test_every_register_in_every_language_is_one_a4_page_that_the_guard_lets_pass(wording: Wording) -> None:
    facts = facts_in(wording)
    pages = document.pages(facts, state="valid", note="", record_url=URL, digest="0" * 64)
    quoted = [Quotation(str(facts["project_title"]), "registry")]
    for page in pages:
        assert (
            check(visible_text(page), register=wording.register, language=wording.language, quotations=quoted)
            == []
        )
    content = rendering.render_pdf(
        pages=pages, certificate_json=b"{}", issued_at=ISSUED, identifier=b"x" * 16
    )
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert len(pdf.pages) == 1
        assert str(pdf.Root.Lang) == wording.language
    if shutil.which("pdftotext"):
        read = subprocess.run(
            ["pdftotext", "-layout", "-", "-"], input=content, capture_output=True, check=True
        ).stdout.decode()
        assert wording.slots["certificate_title"].split()[0] in read
        assert "\ufffd" not in read


@pytest.mark.parametrize("wording", TRANSLATED, ids=lambda wording: wording.id)
@pytest.mark.parametrize("state", ["valid", "superseded", "reversed", "moved"])
def test_a_badge_shows_its_whole_title_in_every_language(wording: Wording, state: str) -> None:
    facts = facts_in(wording) | {"amount_g": 1_385_412_000}
    svg = badges.badge_svg(facts, state=state)
    shown = re.findall(r'y="27"[^>]*>([^<]*)<', svg)
    assert len(shown) == 1
    assert "…" not in shown[0]
    assert ENGLISH.findall(shown[0]) == []


@pytest.mark.parametrize("language", ["de", "sv", "fr", "es"])
def test_the_record_reads_in_its_language_whatever_the_visitor_speaks(language: str) -> None:
    certificate = make_certificate(wording=f"eu-consumer-{language}-1", language=language)
    record = record_of(certificate)
    said = [record.title, record.intro, record.demo, record.proves, record.does_not_prove, record.boundary]
    said += [step.label for step in record.steps] + [step.link_label for step in record.steps]
    assert ENGLISH.findall(" ".join(said).replace("ThinkPad", "")) == []
    device = "".join(part.text for part in record.steps[0].parts)
    assert {"de": "Schweden", "sv": "Sverige", "fr": "Suède", "es": "Suecia"}[language] in device
