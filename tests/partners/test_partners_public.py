"""What anyone may ask: products, footprints, projects."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Product
from projects.models import Project, QualityFact, Registry
from tests.factories.offsets import make_project, stock
from tests.factories.partners import SKU, Caller, body_for, make_product

pytestmark = pytest.mark.usefixtures("shop")

ANYONE = Caller()
FOOTPRINT = f"/api/v1/products/{SKU}/footprint/"
PROJECTS = "/api/v1/projects/"


def refused_fields(path: str) -> list[str]:
    answer = ANYONE.get(path)
    assert answer.status_code == 422
    return [row["field"] for row in answer.json()["error"]["fields"]]


def test_a_product_says_what_can_be_chosen() -> None:
    [product] = ANYONE.get("/api/v1/products/").json()["results"]
    assert product == ANYONE.get(f"/api/v1/products/{SKU}/").json()
    assert (product["sku"], product["manufacturer"], product["name"]) == (SKU, "Lenovo", "ThinkPad LAPTOP-1")
    assert product["offered"] is True
    assert product["options"] == {
        "memory": [
            {"value": "16", "label": "16 GB", "is_default": True},
            {"value": "32", "label": "32 GB", "is_default": False},
        ],
        "storage": [
            {"value": "512", "label": "512 GB", "is_default": True},
            {"value": "1024", "label": "1024 GB", "is_default": False},
        ],
    }
    assert product["footprint_url"] == f"http://127.0.0.1:8000{FOOTPRINT}"


def test_a_product_whose_source_says_too_little_is_listed_and_not_offered() -> None:
    make_product("LAPTOP-2", lifetime_years=None)
    assert ANYONE.get("/api/v1/products/LAPTOP-2/").json()["offered"] is False
    answer = ANYONE.get("/api/v1/products/LAPTOP-2/footprint/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "footprint_unknown")
    assert "lifetime" in answer.json()["error"]["detail"]


def test_products_are_searched_and_listed_page_by_page() -> None:
    for number in (2, 3):
        make_product(f"LAPTOP-{number}")
    page = ANYONE.get("/api/v1/products/?limit=2").json()
    assert (page["count"], len(page["results"]), page["previous"]) == (3, 2, None)
    assert page["next"] == "http://127.0.0.1:8000/api/v1/products/?limit=2&offset=2"
    found = ANYONE.get("/api/v1/products/?q=laptop-3").json()["results"]
    assert [product["sku"] for product in found] == ["LAPTOP-3"]
    assert ANYONE.get("/api/v1/products/?q=%25").json()["count"] == 0


def test_an_unpublished_product_answers_like_one_that_does_not_exist() -> None:
    Product.objects.update(published=False)
    for path in (
        f"/api/v1/products/{SKU}/",
        FOOTPRINT,
        "/api/v1/products/NOPE/",
        "/api/v1/products/NOPE/footprint/",
    ):
        answer = ANYONE.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_product")
    assert ANYONE.get("/api/v1/products/").json()["count"] == 0


def test_a_footprint_names_stages_changes_statistic_and_source() -> None:
    footprint = ANYONE.get(f"{FOOTPRINT}?country=SE&ram=16&storage=512&years=5").json()
    assert (footprint["total_kg"], footprint["amount_g"]) == ("310", 310_000)
    assert footprint["stages"] == [
        {"key": "not_parted", "kg": "300", "estimate": False},
        {"key": "use", "kg": "10", "estimate": True},
    ]
    [change] = footprint["adjustments"]
    assert (change["key"], change["kg"]) == ("country", "-90")
    assert "our estimate" in change["label"]
    assert change["source"]
    assert (footprint["statistic"], footprint["error_ratio"]) == ("unknown", None)
    assert (footprint["source"], footprint["boundary"]) == ("test sheet", "manufacture-transport-use-eol")
    assert (footprint["country"], footprint["years"], footprint["configuration"]) == (
        "SE",
        5,
        "16 GB · 512 GB",
    )


def test_ram_is_another_name_of_memory_and_more_of_it_weighs_more() -> None:
    by_ram = ANYONE.get(f"{FOOTPRINT}?country=SE&ram=32").json()
    assert by_ram == ANYONE.get(f"{FOOTPRINT}?country=se&memory=32").json()
    assert by_ram["amount_g"] == 338_287
    assert [change["key"] for change in by_ram["adjustments"]] == ["memory", "country"]


def test_without_parameters_the_default_configuration_is_used_in_sweden_for_five_years() -> None:
    assert (
        ANYONE.get(FOOTPRINT).json()
        == ANYONE.get(f"{FOOTPRINT}?country=SE&years=5&ram=16&storage=512").json()
    )


def test_a_country_without_a_factor_says_what_stands_in() -> None:
    footprint = ANYONE.get(f"{FOOTPRINT}?country=AX").json()
    assert footprint["amount_g"] == 400_000
    assert "stands in" in footprint["grid_note"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("ram=64", "memory"),
        ("ram=%00", "ram"),
        ("ram=", "ram"),
        ("ram=16&memory=16", "ram"),
        ("storage=1e400", "storage"),
        ("storage=" + "9" * 5000, "storage"),
        ("years=0", "years"),
        ("years=6", "years"),
        ("years=five", "years"),
        ("years=5.5", "years"),
        ("years=" + "9" * 5000, "years"),
        ("country=S", "country"),
        ("country=%F0%9F%87%B8", "country"),
        ("rma=32", "rma"),
        ("ram=16&ram=32", "ram"),
        ("%00=1", "\x00"),
        ("amount_g=1", "amount_g"),
    ],
)
def test_a_wrong_question_about_a_footprint_is_422_and_names_the_parameter(query: str, field: str) -> None:
    assert refused_fields(f"{FOOTPRINT}?{query}") == [field]


def test_a_wrong_option_is_answered_with_those_allowed() -> None:
    error = ANYONE.get(f"{FOOTPRINT}?ram=64").json()["error"]
    assert error["code"] == "unknown_option"
    assert error["fields"][0]["allowed"] == ["16", "32"]
    assert "16, 32" in error["detail"]


def test_an_unknown_country_is_422() -> None:
    answer = ANYONE.get(f"{FOOTPRINT}?country=ZZ")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "unknown_country")


def test_a_project_says_what_it_is_what_is_said_against_it_and_what_it_costs() -> None:
    QualityFact.objects.create(
        project=Project.objects.get(),
        vintage=2021,
        issued_on=date(2022, 1, 5),
        name="CCP Approved",
        value="",
        source="registry",
    )
    [project] = ANYONE.get(PROJECTS).json()["results"]
    assert project == ANYONE.get(f"{PROJECTS}CL-4449/").json()
    assert (project["reference"], project["continent"], project["methodology"]) == (
        "CL-4449",
        "south-america",
        "ACM0002",
    )
    assert project["what_is_said_against_it"] == "It is old."
    assert project["registry"]["code"] == "CDM"
    assert project["quality_facts"] == [
        {
            "vintage": 2021,
            "issued_on": "2022-01-05",
            "name": "CCP Approved",
            "value": "",
            "source": "registry",
        }
    ]
    assert (project["price_minor_per_tonne"], project["available_g"]) == (2_500, 5_000_000)


def test_the_price_is_that_of_the_buyers_market() -> None:
    nordics = ANYONE.get(f"{PROJECTS}?country=SE").json()["results"][0]
    assert (nordics["market"], nordics["currency"]) == ("nordics", "SEK")
    assert refused_fields(f"{PROJECTS}?country=AQ") == ["country"]
    assert refused_fields(f"{PROJECTS}CL-4449/?country=AQ") == ["country"]


def test_what_was_promised_is_no_longer_available(writer: Caller) -> None:
    assert writer.order(body_for("PF-1")).status_code == 201
    assert ANYONE.get(f"{PROJECTS}CL-4449/").json()["available_g"] == 5_000_000 - 310_000


@pytest.mark.parametrize("how", ["paused", "registry closed", "no price"])
def test_a_project_that_is_not_sold_answers_like_one_that_does_not_exist(writer: Caller, how: str) -> None:
    if how == "paused":
        Project.objects.update(paused_at=datetime(2026, 1, 5, tzinfo=UTC))
    elif how == "registry closed":
        Registry.objects.update(last_retirement_on=date(2020, 12, 31))
    else:
        Project.objects.get().prices.all().delete()
    assert ANYONE.get(PROJECTS).json()["count"] == 0
    for reference in ("CL-4449", "CAR0", "%00"):
        assert ANYONE.get(f"{PROJECTS}{reference}/").status_code == 404
    assert writer.order(body_for("PF-1")).status_code == 422


@pytest.mark.parametrize("path", ["/api/v1/products/", PROJECTS])
def test_lists_take_a_constant_number_of_statements(path: str) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert ANYONE.get(path).status_code == 200
        return len(queries)

    before = statements()
    for number in range(2, 6):
        make_product(f"LAPTOP-{number}")
        project = make_project(f"CL-{number}")
        project.prices.create(
            market=Project.objects.get(reference="CL-4449").prices.first().market, price_minor_per_tonne=1
        )
        stock(project, credits=1, first=number * 1_000)
    assert statements() == before
    assert before <= 7
