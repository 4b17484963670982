"""The guard where people type: staff's forms and files, partners' calls; any language, any disguise."""

from pathlib import Path

import pytest
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.test import RequestFactory
from django_countries import countries

from accounts.guarded import require_sayable
from accounts.models import MarketCountry, User
from accounts.seed import load_markets
from catalog.models import Option, Product
from catalog.products import import_products
from checkout.forms import ToldReasonForm
from claims.guard import ANY_LANGUAGE, Quotation, check
from common.errors import DomainError
from offsets.models import OffsetRequest
from projects.models import Project, Registry
from tests.factories.partners import body_for, make_caller, make_partner, make_shop

# One claim of each language, each dressed up in another way.
CLAIMS = {
    "plain": "klimatneutral",
    "soft hyphen": "umwelt\u00adfreundlich",
    "no width": "milj\u200bövänlig",
    "narrow blank": "neu\u200atral",
    "Cyrillic": "carbono nеutro",
    "Greek": "ΝΕUΤRΕ ΕΝ CΑRΒΟΝΕ",
    "Cherokee": "ᎡᎬDUᏟᎬᎠ",
    "Lisu": "ꓠꓰꓴꓔꓣꓮꓡ",
    "wide": "ｋｌｉｍａｎｅｕｔｒａｌ",
    "combined": "e\u0301cologique",
    "entity": "&#107;limaneutral",
    "entity, escaped once more": "gr&amp;uuml;n",
    "on discs": "🅝🅔🅤🅣🅡🅞",
    "dashed apart": "n-e-u-t-r-o",
    "capitals": "MILJÖVÄNLIG",
}
claims = pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS.keys())


def errors_of(model: type[Model], name: str, typed: str) -> list[str]:
    """What the admin's form says of this field, and of nothing else."""
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_staff=True, is_active=True)
    form = admin.site._registry[model].get_form(request)({name: typed})
    return [str(error) for error in form.errors.get(name, [])]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("model", "name"),
    [
        (Product, "name"),
        (Product, "summary"),
        (Product, "series"),
        (Product, "price_note"),
        (Option, "label"),
        (Project, "short_name"),
        (Project, "what_it_does"),
        (Project, "what_the_credit_is"),
        (Project, "what_is_said_against_it"),
        (Registry, "sunset_note"),
        (MarketCountry, "tax_note"),
    ],
)
def test_what_staff_type_in_our_own_words_is_read_first(model: type[Model], name: str) -> None:
    for claim in ("klimatneutral", "neutre en carbone", "kompensiert"):
        [error] = errors_of(model, name, f"Ett {claim} 14″")
        assert error == f"A page about a product may not say: “{claim.removesuffix(' en carbone')}”."
    assert errors_of(model, name, "ThinkPad 14″ Intel, Touch") == []


@claims
@pytest.mark.django_db
def test_no_disguise_gets_through_a_form_of_staff(claim: str) -> None:
    assert errors_of(Product, "name", claim)
    [error] = errors_of(Product, "summary", claim)
    assert error.startswith("A page about a product may not say: “")


@claims
def test_a_reason_that_the_buyer_reads_is_read_first(claim: str) -> None:
    assert "reason" in ToldReasonForm({"reason": f"now {claim}"}).errors
    assert ToldReasonForm({"reason": "not wanted any more"}).is_valid()


@pytest.mark.django_db
def test_a_short_name_is_made_of_the_registrys_words_and_claims_nothing_else() -> None:
    project = Project(
        name="N2O Emission Reduction in Onsan", project_type="N2O", short_name="Onsan Reduction"
    )
    project.clean()
    project.short_name = "Onsan Reductions"
    with pytest.raises(ValidationError, match="Reductions"):
        project.clean()


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["beneficiary", "buyer_reference"])
def test_a_partner_cannot_send_a_claim_of_any_language(field: str) -> None:
    make_shop()
    caller = make_caller(make_partner())
    for claim in CLAIMS.values():
        answer = caller.order(body_for("PF-1", **{field: f"Nord {claim} AB"}))
        assert answer.status_code == 422, claim
        [error] = answer.json()["error"]["fields"]
        assert error["field"] == field
    assert not OffsetRequest.objects.exists()


@pytest.mark.django_db
def test_a_verified_partner_is_named_as_it_is_called_and_only_so() -> None:
    make_shop()
    caller = make_caller(make_partner("Gröna Verket AB"))
    assert caller.order(body_for("PF-1", beneficiary="Gröna Verket AB")).status_code == 201
    for name in ("gröna verket AB", "Gröna Verket AB, klimatneutral", "Gröna"):
        assert caller.order(body_for("PF-2", beneficiary=name)).status_code == 422, name
    assert OffsetRequest.objects.count() == 1


@pytest.mark.django_db
def test_a_file_of_products_is_read_by_the_guard(tmp_path: Path) -> None:
    load_markets()
    path = tmp_path / "products.csv"
    row = "20N2,t490,Lenovo,ThinkPad T490,laptop,{}"
    path.write_text(f"sku,slug,manufacturer,name,form_factor,summary\n{row.format('klimatneutral 14')}\n")
    with pytest.raises(DomainError) as refused:
        import_products([path])
    [problem] = refused.value.details
    assert (problem["row"], problem["column"]) == (1, "summary")
    assert "“klimatneutral”" in problem["message"]
    assert not Product.objects.exists()
    path.write_text(f"sku,slug,manufacturer,name,form_factor,summary\n{row.format('14 Zoll')}\n")
    import_products([path])
    assert Product.objects.get().summary == "14 Zoll"


def test_every_list_at_once_lets_names_and_ordinary_words_stand() -> None:
    stands = [str(country.name) for country in countries]
    stands += ["ThinkPad T490s Gen 2", "HP EliteBook 840", "14″ IPS, 400 nits, Touch", "Rent a wind farm"]
    stands += ["demonstration price, invented", "Sales tax is not included.", "508\u202fkg for a laptop"]
    assert [text for text in stands if check(text, register="A", language=ANY_LANGUAGE)] == []


def test_a_quotation_stands_in_every_language_at_once() -> None:
    title = Quotation("Réduction des émissions de méthane", source="CDM project 1")
    require_sayable(f"Supports {title.text}.", quotations=[title])
    with pytest.raises(ValidationError, match="Réduction"):
        require_sayable(f"Supports {title.text}.")
