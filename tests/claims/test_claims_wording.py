"""The sentences: every slot in every register, its facts, its versions."""

import hashlib
import json
import re
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from claims.languages import DATA
from claims.registers import Register
from claims.slots import FACTS, SLOTS
from claims.wording import (
    BrokenWording,
    MissingFact,
    UnknownSlot,
    UnknownWording,
    Wording,
    all_wordings,
    current_wording,
    parse_template,
    read_wordings,
    say,
    slots,
    wording_by_id,
)

PUBLISHED = Path(__file__).with_name("published_wordings.toml")
A = current_wording(register="A", language="en")
B = current_wording(register="B", language="en")
C = current_wording(register="C", language="en")
CQ = current_wording(register="CQ", language="en")


def facts_of(slot: str) -> dict[str, str | int]:
    return {name: FACTS[name].example for name in SLOTS[slot]}


def digest(wording: Wording) -> str:
    return hashlib.sha256(json.dumps(dict(wording.slots), sort_keys=True).encode()).hexdigest()


def write_language(folder: Path, text: str) -> Path:
    """A data folder with one wording, based on the real English sentences."""
    (folder / "en").mkdir()
    (folder / "en" / "common-1.toml").write_bytes((DATA / "en" / "common-1.toml").read_bytes())
    offers = 'offer_button = "Retire"\noffer_button_many = "Retire"\noffer_note = "Note"\n'
    (folder / "en" / "eu-consumer-1.toml").write_text(f'based_on = "common-1"\n[slots]\n{offers}{text}')
    return folder


@pytest.mark.parametrize(
    ("wording", "button"),
    [
        (A, "Retire 508 kg of carbon credits with this laptop"),
        (B, "CO2 Offset Service: 508 kg"),
        (C, "Offset 508 kg CO2e"),
        (CQ, "Offset 508 kg CO2e by retiring carbon credits"),
    ],
)
def test_the_button_says_what_each_register_may_say(wording: Wording, button: str) -> None:
    assert say("offer_button", wording=wording, kg="508", device="laptop") == button


@pytest.mark.parametrize(
    ("wording", "title"),
    [
        (A, "Record of carbon-credit retirement"),
        (B, "Certificate of CO2 offset"),
        (C, "Certificate of carbon offset"),
        (CQ, "Certificate of offset by carbon-credit retirement"),
    ],
)
def test_the_certificate_bears_the_title_of_its_register(wording: Wording, title: str) -> None:
    assert say("certificate_title", wording=wording) == title


@pytest.mark.parametrize("wording", all_wordings(), ids=lambda wording: wording.id)
@pytest.mark.parametrize("state", ["reversed", "moved", "withdrawn"])
def test_the_title_of_a_certificate_follows_its_state(wording: Wording, state: str) -> None:
    titles = {say(f"certificate_title{suffix}", wording=wording) for suffix in ("", f"_{state}")}
    assert len(titles) == 2


@pytest.mark.parametrize("register", [Register.A, Register.C_QUALIFIED])
def test_beside_the_button_stands_that_the_footprint_stays(register: Register) -> None:
    wording = current_wording(register=register, language="en")
    note = say(
        "offer_note", wording=wording, price="€9.40", project="Burgos Wind", registry="CDM", device="laptop"
    )
    assert note.startswith("+ €9.40. ")
    assert note.endswith("It does not change the laptop's own footprint.")


@pytest.mark.parametrize(
    "slot", ["offer_note", "certificate_intro", "collective_intro", "mail_certificates_intro", "record_intro"]
)
def test_a_company_reads_beside_every_offset_that_devices_still_cause_emissions(slot: str) -> None:
    assert "still cause" in say(slot, wording=B, **facts_of(slot))


@pytest.mark.parametrize("slot", [slot for slot in SLOTS if "offset" in CQ.slots[slot].lower()])
def test_in_the_uk_an_offset_never_stands_without_its_means(slot: str) -> None:
    assert "credit" in CQ.slots[slot]


@pytest.mark.parametrize("wording", [A, B, CQ], ids=lambda wording: wording.id)
def test_the_order_button_of_europe_says_that_it_costs_money(wording: Wording) -> None:
    assert say("order_button", wording=wording) == "Order with obligation to pay"


def test_a_eu_consumer_consents_and_acknowledges_before_an_irrevocable_retirement() -> None:
    consent = say("withdrawal_consent", wording=A)
    assert "I ask you to retire" in consent
    assert "14-day" in consent
    assert "irrevocable" in consent
    assert "I lose my right to withdraw" in consent


def test_a_receipt_before_the_registry_has_confirmed_is_never_called_certified() -> None:
    receipts = {
        "en": ("Receipt: allocated, pending retirement.", "certified"),
        "de": ("Beleg: zugeordnet, Stilllegung steht aus.", "bescheinigt"),
        "sv": ("Kvitto: tilldelat, annullering återstår.", "intygat"),
        "fr": ("Reçu\u00a0: attribué, retrait en attente.", "certifié"),
        "es": ("Recibo: asignado, retirada pendiente.", "certificada"),
    }
    for wording in all_wordings():
        beginning, certified = receipts[wording.language]
        sentence = say("certificate_not_yet", wording=wording)
        assert sentence.startswith(beginning)
        assert certified not in sentence


@pytest.mark.parametrize("wording", all_wordings(), ids=lambda wording: wording.id)
def test_every_register_has_every_slot_and_each_says_something(wording: Wording) -> None:
    assert tuple(wording.slots) == slots()
    for slot in slots():
        sentence = say(slot, wording=wording, **facts_of(slot))
        assert sentence == sentence.strip()
        assert sentence
        assert "!" not in sentence
        assert "{" not in sentence


@pytest.mark.parametrize("wording", all_wordings(), ids=lambda wording: wording.id)
def test_a_sentence_prints_no_fact_that_its_slot_is_not_given(wording: Wording) -> None:
    for slot, template in wording.slots.items():
        assert {name for _, name in parse_template(template) if name} <= SLOTS[slot]


def test_every_fact_is_explained_and_given_to_some_slot() -> None:
    assert frozenset().union(*SLOTS.values()) == FACTS.keys()


def test_every_state_of_a_device_has_a_name_and_says_what_happens_next() -> None:
    states = ["ordered", "paid", "shipped", "promised", "retired", "certified"]
    states += ["reversed", "moved", "withdrawn", "refunded", "needs_person", "cancelled"]
    assert [slot for slot in slots() if slot.startswith("state_")] == [f"state_{state}" for state in states]
    assert [slot for slot in slots() if slot.startswith("next_")] == [f"next_{state}" for state in states]


@pytest.mark.parametrize("slot", [slot for slot, facts in SLOTS.items() if facts])
def test_a_missing_fact_is_named_in_every_register_even_where_it_is_not_printed(slot: str) -> None:
    for wording in all_wordings():
        for name in SLOTS[slot]:
            facts = facts_of(slot)
            del facts[name]
            with pytest.raises(MissingFact) as caught:
                say(slot, wording=wording, **facts)
            assert (caught.value.slot, caught.value.name) == (slot, name)


def test_an_unknown_slot_is_refused() -> None:
    with pytest.raises(UnknownSlot, match="offer_buton"):
        say("offer_buton", wording=A, kg="508", device="laptop")


def test_a_fact_is_printed_as_it_is_and_never_read_as_a_template() -> None:
    sentence = say("offer_button", wording=A, kg="{device}", device="<b>{kg.__class__}</b>")
    assert sentence == "Retire {device} kg of carbon credits with this <b>{kg.__class__}</b>"


def test_a_whole_number_may_be_given_as_a_number() -> None:
    assert say("badge_title", wording=A, kg=508) == "508 kg of credits retired"


def test_a_language_without_sentences_reads_english_and_says_so() -> None:
    wording = current_wording(register="A", language="xx-YY")
    assert (wording.id, wording.language) == ("eu-consumer-en-1", "en")


def test_a_path_for_a_language_reads_english() -> None:
    assert current_wording(register="C", language="../en") == C


def test_a_certificate_finds_the_wording_that_it_was_issued_with() -> None:
    wording = wording_by_id("uk-qualified-en-1")
    assert (wording.register, wording.language, wording.version) == (Register.C_QUALIFIED, "en", 1)
    assert wording == CQ


@pytest.mark.parametrize("wording_id", ["", "eu-consumer-en-99", "eu-consumer-en", "common-en-1"])
def test_an_unknown_wording_is_refused(wording_id: str) -> None:
    with pytest.raises(UnknownWording):
        wording_by_id(wording_id)


def test_a_wording_cannot_be_changed_while_it_runs() -> None:
    with pytest.raises(TypeError):
        A.slots["offer_button"] = "Buy"  # type: ignore[index]


def test_the_newest_version_is_current_and_the_older_ones_stay(tmp_path: Path) -> None:
    data = write_language(tmp_path, "")
    first = (data / "en" / "eu-consumer-1.toml").read_text()
    for version in (2, 10):
        path = data / "en" / f"eu-consumer-{version}.toml"
        path.write_text(first.replace('"Retire"', f'"Retire {version}"'))
    assert {w.id: w.slots["offer_button"] for w in read_wordings(data)} == {
        "eu-consumer-en-1": "Retire",
        "eu-consumer-en-2": "Retire 2",
        "eu-consumer-en-10": "Retire 10",
    }
    assert max(read_wordings(data), key=lambda w: w.version).version == 10


def test_a_file_with_a_slot_too_many_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BrokenWording, match=r"eu-consumer-1\.toml: .* offer_buttom"):
        list(read_wordings(write_language(tmp_path, 'offer_buttom = "Retire"')))


def test_a_file_with_a_slot_too_few_is_refused_by_name(tmp_path: Path) -> None:
    data = write_language(tmp_path, "")
    path = data / "en" / "eu-consumer-1.toml"
    path.write_text(path.read_text().replace("offer_note", "home_title"))
    with pytest.raises(BrokenWording, match="write the sentences offer_note"):
        list(read_wordings(data))


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("{kgs} kg", "is not given kgs"),
        ("{kg:>9} kg", "only plain"),
        ("{kg!r} kg", "only plain"),
        ("{kg.real} kg", "only plain"),
        ("{0} kg", "only plain"),
        ("{} kg", "only plain"),
        ("{kg kg", "expected '}'"),
    ],
)
def test_a_sentence_with_an_ill_written_field_is_refused(tmp_path: Path, sentence: str, reason: str) -> None:
    with pytest.raises(BrokenWording, match=reason):
        list(read_wordings(write_language(tmp_path, f'offer_remove = "{sentence}"')))


def test_a_published_wording_is_never_edited() -> None:
    """When this fails: restore the file, add the next version, and enter that version's digest."""
    published = tomllib.loads(PUBLISHED.read_text(encoding="utf-8"))["sha256"]
    assert {wording.id: digest(wording) for wording in all_wordings()} == published


def test_the_page_of_claims_says_which_rule_every_sentence_answers() -> None:
    page = (Path(__file__).parents[2] / "docs" / "claims.md").read_text(encoding="utf-8")
    table = page.partition("## Which rule each sentence answers")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")]
    named = {name for row in rows if len(row) == 3 for name in re.findall(r"`([a-z0-9_*]+)`", row[1])}
    assert [slot for slot in SLOTS if not any(fnmatchcase(slot, name) for name in named)] == []
    assert [name for name in named if not any(fnmatchcase(slot, name) for slot in SLOTS)] == []
