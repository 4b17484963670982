"""Staff's view: sheets and factors are added, never changed; a correction is a new version."""

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import GridFactor, PcfSheet, Product
from tests.factories.catalog import OptionFactory, PcfSheetFactory, ProductFactory, ProductPriceFactory

pytestmark = pytest.mark.django_db

ADD = reverse("admin:catalog_pcfsheet_add")
SHEET = {
    "manufacturer": "Lenovo",
    "name": "ThinkPad X390",
    "total_kg": "229",
    "use_kg": "34.35",
    "lifetime_years": "5",
    "use_location": "EU",
    "report_date": "September 2019",
    "statistic": "mean",
    "std_kg": "37",
    "source": "https://sheets.example/x390.pdf",
}


@pytest.fixture
def dana_at_work(client: Client, dana) -> Client:
    client.force_login(dana)
    return client


@pytest.mark.parametrize("model", ["pcfsheet", "gridfactor", "product", "option"])
def test_every_list_opens_and_searches(dana_at_work, model):
    product = ProductFactory()
    ProductPriceFactory(product=product)
    OptionFactory(product=product, is_default=True)
    ProductFactory(sheet=PcfSheetFactory(lifetime_years=None))
    url = reverse(f"admin:catalog_{model}_changelist")
    assert dana_at_work.get(url, {"q": "ThinkPad"}).status_code == 200
    if model in ("pcfsheet", "product"):
        offered = dana_at_work.get(url, {"offered": "yes"}).context["cl"].queryset
        assert offered.count() == 1
        assert dana_at_work.get(url, {"offered": "no"}).context["cl"].queryset.count() == 1
    if model == "pcfsheet":
        assert dana_at_work.get(url, {"newest": "no"}).context["cl"].queryset.count() == 0


def test_a_typed_sheet_is_read_like_an_imported_row(dana_at_work):
    answer = dana_at_work.post(ADD, SHEET)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    sheet = PcfSheet.objects.get()
    assert (sheet.version, sheet.report_year, sheet.flags) == (1, 2019, [])
    assert round(sheet.error_ratio, 4) == round(sheet.std_kg / sheet.total_kg, 4)
    page = dana_at_work.get(reverse("admin:catalog_pcfsheet_change", args=[sheet.pk]))
    assert page.status_code == 200
    assert b'name="total_kg"' not in page.content


def test_a_correction_is_the_next_version_and_products_follow_it(dana_at_work):
    old = PcfSheetFactory()
    product = ProductFactory(sheet=old)
    answer = dana_at_work.post(ADD, SHEET | {"name": old.name, "after": str(old.pk), "lifetime_years": ""})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    new = PcfSheet.objects.get(supersedes=old)
    assert (new.version, new.lineage, new.lifetime_years) == (2, old.lineage, None)
    assert new.flags == ["no_lifetime"]
    product.refresh_from_db()
    assert product.sheet == new


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"use_kg": "230"}, "use_ratio_out_of_range"),
        ({"total_kg": "0"}, "total_not_positive"),
        ({"total_kg": ""}, "This field is required"),
        ({"after": "999999"}, "Select a valid choice"),
    ],
)
def test_a_sheet_that_cannot_be_true_is_refused_with_its_reason(dana_at_work, cells, message):
    answer = dana_at_work.post(ADD, SHEET | cells)
    assert answer.status_code == 200
    assert message in answer.content.decode()
    assert not PcfSheet.objects.exists()


def test_figures_that_are_stored_already_are_refused(dana_at_work):
    dana_at_work.post(ADD, SHEET)
    again = dana_at_work.post(ADD, SHEET)
    same = dana_at_work.post(ADD, SHEET | {"after": str(PcfSheet.objects.get().pk)})
    for answer in (again, same):
        assert "These figures are stored already." in answer.content.decode()
    assert PcfSheet.objects.count() == 1


def test_a_stored_sheet_and_a_factor_cannot_be_changed_or_deleted(dana_at_work):
    sheet = PcfSheetFactory()
    factor = GridFactor.objects.create(country="SE", name="Sweden", year=2024, kg_co2e_per_kwh="0.03")
    for row in (sheet, factor):
        name = f"admin:catalog_{row._meta.model_name}"
        assert dana_at_work.post(reverse(f"{name}_change", args=[row.pk]), {"name": "x"}).status_code == 403
        assert dana_at_work.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert PcfSheet.objects.get().name == "ThinkPad T490"
    assert GridFactor.objects.get().name == "Sweden"


def test_sales_may_price_products_and_may_not_add_sheets(client, sales_person):
    client.force_login(sales_person)
    product = ProductFactory()
    assert client.get(reverse("admin:catalog_product_change", args=[product.pk])).status_code == 200
    assert client.post(ADD, SHEET).status_code == 403
    assert PcfSheet.objects.count() == 1
    assert Product.objects.count() == 1


def test_a_buyer_sees_nothing_of_it(client, alice):
    client.force_login(alice)
    assert client.get(reverse("admin:catalog_pcfsheet_changelist")).status_code == 302
