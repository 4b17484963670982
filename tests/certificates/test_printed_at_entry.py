"""What a certificate cannot show is refused where it is typed, by buyers, partners and staff."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.http import HttpResponse
from django.test import Client, RequestFactory

from accounts.models import Account
from catalog.models import Option, PcfSheet, Product
from catalog.products import import_products
from common.errors import DomainError
from offsets.models import OffsetRequest
from offsets.serials import normalise_device
from projects.models import Methodology, Project, Registry
from storefront.forms_checkout import CheckoutForm
from tests.factories.partners import body_for, make_caller, make_partner, make_product, make_shop

pytestmark = pytest.mark.django_db

GOOD = ["Zoë & Søn AB", "Ελληνική Α.Ε.", "ООО Жуков", "Công ty Ước", "<b>&amp;</b> {{ x }}"]
BAD = ["机械 AB", "شركة", "חברה", "Emoji 😀", "z\u0335\u0336lgo"]
HIDDEN = ["A\ue000B", "A\u200bB", "A\u202eB", "A\u2066B", "A\u00adB", "A\x07B", "A\ufeffB"]


def order(**changes: Any) -> HttpResponse:
    return make_caller(make_partner()).order(body_for("PF-1", **changes))


@pytest.mark.parametrize("name", GOOD)
def test_a_partner_names_a_beneficiary_as_it_writes_itself(name: str) -> None:
    make_shop()
    answer = order(beneficiary=name)
    assert answer.status_code == 201, answer.content
    assert OffsetRequest.objects.get().offsets.get().beneficiary == name


@pytest.mark.parametrize("name", [*BAD, *HIDDEN])
def test_a_beneficiary_that_cannot_be_printed_is_refused_with_the_reason(name: str) -> None:
    make_shop()
    answer = order(beneficiary=name)
    assert answer.status_code == 422
    [error] = answer.json()["error"]["fields"]
    assert error["field"] == "beneficiary"
    assert "A certificate cannot show these characters: " in error["detail"]
    assert not OffsetRequest.objects.exists()


def test_what_is_not_seen_is_named_by_its_number() -> None:
    make_shop()
    assert "U+202E" in order(beneficiary="A\u202eB").content.decode()


def test_a_serial_that_cannot_be_printed_is_refused_in_its_place() -> None:
    make_shop()
    answer = make_caller(make_partner()).order(body_for("PF-1", "机械-2"))
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["error"]["fields"]] == ["devices.1.device_serial"]
    assert not OffsetRequest.objects.exists()


def checkout_errors(company: str) -> dict[str, list[str]]:
    data = {"email": "a@example.org", "name": "A", "address": "B", "kind": "business", "company": company}
    form = CheckoutForm({**data, "seen_gross_minor": "1"}, companies=[], consent_text="")
    form.is_valid()
    return {name: [str(text) for text in texts] for name, texts in form.errors.items()}


@pytest.mark.parametrize("company", [*BAD, *HIDDEN])
def test_a_company_that_cannot_be_named_on_a_certificate_is_told_at_the_checkout(company: str) -> None:
    [text] = checkout_errors(company)["company"]
    assert text.startswith("A certificate cannot show these characters: ")


@pytest.mark.parametrize("company", [*GOOD, " Zoë\t& Søn\n AB "])
def test_a_company_is_taken_as_it_writes_itself_on_one_line(company: str) -> None:
    assert "company" not in checkout_errors(company)


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (Account, "name"),
        (Product, "name"),
        (Product, "manufacturer"),
        (Option, "label"),
        (Project, "name"),
        (Project, "reference"),
        (Registry, "name"),
        (Methodology, "code"),
        (PcfSheet, "source"),
        (PcfSheet, "licence"),
    ],
)
def test_staff_cannot_type_what_a_certificate_cannot_show(model: Any, field: str, dana: Any) -> None:
    request = RequestFactory().get("/")
    request.user = dana
    form_class = admin.site._registry[model].get_form(request)
    for text in [*BAD, "A\u202eB"]:
        form = form_class({field: text})
        assert any("certificate cannot show" in error for error in form.errors[field]), text
    form = form_class({field: "Zoë & Søn"})
    assert not any("certificate cannot show" in error for error in form.errors.get(field, []))


@pytest.mark.parametrize("maker", ["Άννα Ώρα ΐ", "ǰ AB", "№" * 31])
def test_a_maker_that_the_ledger_could_not_compare_is_refused_before_anything_is_sold(
    maker: str, dana: Any, tmp_path: Path
) -> None:
    with pytest.raises(DomainError):
        normalise_device(maker, "PF-1")
    request = RequestFactory().get("/")
    request.user = dana
    form = admin.site._registry[Product].get_form(request)({"manufacturer": maker})
    assert len(form.errors["manufacturer"]) == 1
    assert "capital" in form.errors["manufacturer"][0]
    path = tmp_path / "products.csv"
    path.write_text(f"sku,manufacturer,name,form_factor\nA-1,{maker},X1,laptop\n", encoding="utf-8")
    with pytest.raises(DomainError, match="row 1, manufacturer: .*capital"):
        import_products([path])


def test_an_option_beside_its_product_is_held_to_the_same(dana: Any, client: Client) -> None:
    product = make_product()
    dana.is_superuser = True
    dana.save()
    client.force_login(dana)
    first = product.options.order_by("pk").first()
    rows = list(product.options.order_by("pk"))
    data = {
        "options-TOTAL_FORMS": str(len(rows)),
        "options-INITIAL_FORMS": str(len(rows)),
        "prices-TOTAL_FORMS": "0",
        "prices-INITIAL_FORMS": "0",
    }
    for number, row in enumerate(rows):
        data |= {f"options-{number}-id": str(row.pk), f"options-{number}-label": "16 机"}
    page = client.post(f"/admin/catalog/product/{product.pk}/change/", data).content.decode()
    assert "A certificate cannot show these characters: 机." in page
    assert first is not None
    first.refresh_from_db()
    assert first.label == "16 GB"


def test_a_file_of_products_with_such_a_name_is_refused_whole(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text(
        "sku,manufacturer,name,form_factor\nA-1,Lenovo,ThinkPad,laptop\nA-2,机械,革命,laptop\n",
        encoding="utf-8",
    )
    with pytest.raises(DomainError, match="row 2, manufacturer: A certificate cannot show"):
        import_products([path])
    assert not Product.objects.exists()
