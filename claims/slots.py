"""The slots: every sentence about carbon that the product says, and the facts that each is given.

A caller gives every fact of a slot, in every register, whether or not that register's sentence prints it: so
a missing fact shows in the first test and not in the first market that needs it. Facts arrive as text in the
reader's own format (kilograms, money, dates); `say` only puts them in place.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Fact(NamedTuple):
    """What a fact means, and an example, which previews and tests use."""

    meaning: str
    example: str


FACTS: Mapping[str, Fact] = {
    "amount": Fact("an amount with its unit, for an equivalent", "26 000 t"),
    "beneficiary": Fact("in whose name credits are retired", "Parts-R-Us Ltd"),
    "boundary": Fact(
        "what the estimate spans: `boundary_*`", "manufacture, shipping and five years of estimated use"
    ),
    "code": Fact("public code of a record", "7Q2M-K4VX-09AB-DJ3T"),
    "count": Fact("number of devices", "10"),
    "country": Fact("country of use", "Sweden"),
    "date": Fact("a day", "24 November 2026"),
    "device": Fact("the kind of device, singular, lower case", "laptop"),
    "devices": Fact("the kind of device, plural, lower case", "laptops"),
    "duration": Fact("a span of time", "6 days"),
    "equivalent": Fact("an equivalent in words, with its unit", "1.7 million aircraft miles"),
    "from_g": Fact("first gram of an interval", "1 500 000"),
    "grams": Fact("grams of one device", "508 000"),
    "kg": Fact("kilograms of one device", "508"),
    "order": Fact("order number", "10045"),
    "percent": Fact("an error in per cent, without the sign", "26"),
    "price": Fact("price with its currency", "€9.40"),
    "product": Fact("name of the product", "ThinkPad T490"),
    "project": Fact("title of the project as its registry writes it", "Burgos Wind Project"),
    "projects": Fact("number of projects", "3"),
    "reference": Fact("reference of a project or a retirement", "CL-2026-11-7Q2M"),
    "registry": Fact("short name of the registry", "CDM"),
    "serial": Fact("serial number of the device", "DEMOPF1X1234"),
    "serial_end": Fact("last four characters of the device's serial number", "1234"),
    "sheet_date": Fact("date of the maker's sheet", "February 2019"),
    "source": Fact("name of a source", "Boavizta reference data"),
    "statistic": Fact("which figure the sheet prints: a sentence of `statistic_*`", "mean"),
    "supplier": Fact("company that supplies the credits", "ClimeCo"),
    "to_g": Fact("gram after the last one of an interval", "2 008 000"),
    "tonnes": Fact("tonnes, of one device or of a whole, as the slot says", "0.508"),
    "total_kg": Fact("kilograms of all devices meant", "5 080"),
    "unit": Fact("name of the registry's credit", "CER"),
    "vintage": Fact("vintage or monitoring period of the credits", "2021"),
    "years_words": Fact("years of use in words", "five years"),
}

_SLOTS: dict[str, str] = {
    # The offer beside the price
    "offer_button": "kg device",
    "offer_button_many": "kg count devices",
    "offer_note": "price project registry device",
    "offer_scheme": "project registry vintage",
    "offer_remove": "kg",
    "amount_note": "kg device boundary",
    "amount_note_ours": "kg device boundary source",
    "not_offered": "device",
    "not_offered_no_use": "device",
    "not_offered_sold_out": "project",
    "withdrawal_consent": "",
    "withdrawal_wait": "",
    "project_substitution": "project",
    "step_promise_device": "device",
    "step_promise_grams": "grams",
    "step_promise_credits": "",
    "step_promise_registry": "",
    # Basket, order, invoice, mails
    "basket_line": "kg project",
    "order_line": "kg project",
    "invoice_line": "kg project registry product",
    "order_button": "",
    "mail_order_subject": "order",
    "mail_order_intro": "order total_kg",
    "mail_order_intro_plain": "order",
    "mail_certificates_subject": "order",
    "mail_certificates_intro": "order total_kg",
    # The footprint
    "product_emits_title": "device",
    "product_emits_sentence_mostly_making": "years_words kg",
    "product_emits_sentence_mostly_use": "years_words kg",
    "product_emits_sentence_plain": "years_words kg",
    "product_emits_sentence_unknown": "device",
    "stage_manufacture": "",
    "stage_transport": "",
    "stage_use": "",
    "stage_use_in": "years_words country",
    "stage_eol": "",
    "stage_not_parted": "",
    "statistic_mean": "",
    "statistic_p95": "",
    "statistic_single": "",
    "statistic_unknown": "",
    "sheet_line": "statistic sheet_date",
    "error_line": "percent",
    "our_estimate": "",
    "our_estimate_source": "source",
    "equivalent_sentence": "amount equivalent source",
    # What the estimate spans
    "boundary_without_eol": "years_words",
    "boundary_with_eol": "years_words",
    # The certificate
    "certificate_title": "",
    "certificate_title_reversed": "",
    "certificate_title_moved": "",
    "certificate_title_withdrawn": "",
    "certificate_intro": "kg tonnes serial boundary registry",
    "certificate_footprint_label": "",
    "certificate_footprint": "kg statistic sheet_date",
    "certificate_boundary": "boundary",
    "certificate_not_yet": "",
    "certificate_demo": "",
    # The badge
    "badge_title": "kg",
    "badge_alt": "kg product serial_end project date",
    "badge_link": "code",
    # The record page
    "record_title": "tonnes product",
    "record_title_pending": "tonnes product",
    "record_title_reversed": "tonnes product",
    "record_title_moved": "tonnes product",
    "record_title_withdrawn": "",
    "record_intro": "serial_end code date",
    "record_line_title": "",
    "record_grams": "from_g to_g reference tonnes",
    "record_proves_title": "",
    "record_proves": "tonnes",
    "record_does_not_prove_title": "",
    "record_does_not_prove": "",
    "record_note_reversed": "date",
    "record_note_moved": "date",
    "record_note_withdrawn": "",
    # The line
    "step_device": "",
    "step_amount": "",
    "step_grams": "",
    "step_credits": "",
    "step_registry": "",
    "step_log": "",
    # Where a device stands, and what happens next
    "state_ordered": "",
    "state_paid": "",
    "state_shipped": "",
    "state_promised": "",
    "state_retired": "",
    "state_certified": "",
    "state_reversed": "",
    "state_moved": "",
    "state_withdrawn": "",
    "state_refunded": "",
    "state_needs_person": "",
    "next_ordered": "",
    "next_paid": "",
    "next_shipped": "",
    "next_promised": "",
    "next_retired": "",
    "next_certified": "",
    "next_reversed": "",
    "next_moved": "",
    "next_withdrawn": "",
    "next_refunded": "",
    "next_needs_person": "",
    "step_took": "duration",
    # Projects and registries
    "project_un": "reference",
    "project_supplied": "supplier",
    "project_last_day": "registry date",
    "registry_line": "reference date",
    "registry_line_cdm": "reference date",
    "registry_checked": "date",
    "registry_not_checked": "",
    "credit_part": "",
    "beneficiary_named": "beneficiary",
    "beneficiary_none": "",
    "credit_explained": "unit registry",
    "voluntary_cancellation_note": "",
    # Totals, home, and what machines read
    "totals_title": "",
    "totals_intro": "",
    "totals_line": "tonnes count projects",
    "home_title": "",
    "home_intro": "",
    "site_description": "",
    "og_description": "kg product",
    "api_description": "",
    "demo_prices": "",
}

SLOTS: dict[str, frozenset[str]] = {name: frozenset(facts.split()) for name, facts in _SLOTS.items()}
"""Each slot with the facts that it is given. A wording may print fewer of them, never others."""
