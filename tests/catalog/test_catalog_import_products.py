"""`import_products`: all the rows of all the files, or nothing."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Option, OptionPrice, Product, ProductPrice
from catalog.products import import_products
from tests.factories.catalog import PcfSheetFactory

pytestmark = pytest.mark.django_db

PRODUCTS = "sku,slug,manufacturer,name,form_factor,sheet,stock_units,price_minor:nordics,price_minor:emea"
T490 = "20N2,thinkpad-t490,Lenovo,ThinkPad T490,laptop,t490,34,1149000,100900"
OPTIONS = "sku,kind,value,label,gigabytes,is_default,surcharge_minor:nordics"
MEMORY = ("20N2,memory,16,16 GB,16,1,0", "20N2,memory,32,32 GB,32,0,160000")


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def products(tmp_path: Path, markets: object) -> Path:
    PcfSheetFactory(lineage="t490")
    return write(tmp_path / "products.csv", PRODUCTS, T490)


@pytest.fixture
def options(tmp_path: Path) -> Path:
    return write(tmp_path / "options.csv", OPTIONS, *MEMORY)


def test_products_options_and_prices_arrive_together(products, options):
    done = import_products([products, options])
    assert (done.products, done.options, done.prices) == (1, 2, 4)
    product = Product.objects.get()
    assert (product.sku, product.sheet.lineage, product.stock_units) == ("20N2", "t490", 34)
    assert dict(product.prices.values_list("market__code", "price_minor")) == {
        "nordics": 1_149_000,
        "emea": 100_900,
    }
    assert OptionPrice.objects.get(option__value="32").surcharge_minor == 160_000


def test_importing_twice_changes_nothing(products, options):
    import_products([products, options])
    before = [list(model.objects.values()) for model in (Product, ProductPrice, Option, OptionPrice)]
    import_products([options, products])
    assert [list(model.objects.values()) for model in (Product, ProductPrice, Option, OptionPrice)] == before


def test_a_changed_row_changes_the_product_and_an_absent_column_leaves_it(products, tmp_path):
    import_products([products])
    Product.objects.update(summary="14″")
    changed = T490.replace(",34,", ",12,").replace("1149000", "")
    import_products([write(tmp_path / "again.csv", PRODUCTS, changed)])
    product = Product.objects.get()
    assert (product.stock_units, product.summary) == (12, "14″")
    assert product.prices.get(market__code="nordics").price_minor == 1_149_000


def test_another_default_takes_the_place_of_the_old_one(products, options, tmp_path):
    import_products([products, options])
    import_products(
        [
            write(
                tmp_path / "o2.csv",
                OPTIONS,
                MEMORY[0].replace("16,1,0", "16,0,0"),
                MEMORY[1].replace(",0,", ",1,"),
            )
        ]
    )
    assert list(Option.objects.filter(is_default=True).values_list("value", flat=True)) == ["32"]
    import_products([options])
    assert list(Option.objects.filter(is_default=True).values_list("value", flat=True)) == ["16"]


def test_the_newest_version_of_a_sheet_is_taken(products):
    newer = PcfSheetFactory(lineage="t490", version=2)
    import_products([products])
    assert Product.objects.get().sheet == newer


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        (T490.replace("laptop", "toaster"), "form_factor", "toaster"),
        (T490.replace(",t490,", ",t999,"), "sheet", "there is no sheet t999"),
        (T490.replace(",34,", ",-1,"), "stock_units", "greater than or equal to 0"),
        (T490.replace(",34,", ",many,"), "stock_units", "integer"),
        (T490.replace("1149000", "11490.00"), "price_minor:nordics", "integer"),
        (T490.replace("ThinkPad T490,", ","), "name", "blank"),
        (T490.replace("20N2,", ",", 1), "sku", "blank"),
        (T490.replace("thinkpad-t490", "think pad"), "slug", "slug"),
        (T490 + ",extra", "row", "more cells"),
    ],
)
def test_a_wrong_cell_is_named_with_its_row_and_column_and_nothing_is_stored(
    products, tmp_path, line, column, message
):
    good = T490.replace("20N2", "20NX").replace("thinkpad-t490", "thinkpad-t490s")
    path = write(tmp_path / "bad.csv", PRODUCTS, good, line)
    with pytest.raises(CommandError, match=f"bad.csv, row 2, {column}: .*{message}"):
        call_command("import_products", path)
    assert not Product.objects.exists()


def test_every_wrong_row_of_every_file_is_named(products, tmp_path):
    bad_products = write(tmp_path / "p.csv", PRODUCTS, T490, T490, T490.replace("20N2", "20NX"))
    bad_options = write(
        tmp_path / "o.csv",
        OPTIONS,
        "20ZZ,memory,16,16 GB,16,1,0",
        "20N2,memory,8,8 GB,,1,0",
        "20N2,storage,256,256 GB SSD,256,0,0",
        "20N2,colour,red,Red,,1,0",
    )
    with pytest.raises(CommandError) as refused:
        call_command("import_products", bad_products, bad_options)
    said = str(refused.value)
    assert "p.csv, row 2, sku: stands in row 1 already" in said
    assert "p.csv, row 3, slug: stands in row 1 already" in said
    assert "o.csv, row 1, sku: there is no product 20ZZ" in said
    assert "o.csv, row 2, gigabytes: memory and storage need their gigabytes" in said
    assert "o.csv, row 3, is_default: 20N2 has 0 defaults of storage in this file" in said
    assert "o.csv, row 4, kind:" in said
    assert not Product.objects.exists()


def test_a_market_that_is_not_there_is_named(products, tmp_path):
    path = write(tmp_path / "p.csv", PRODUCTS.replace("emea", "mars"), T490)
    with pytest.raises(CommandError, match="there is no market mars; there are asia-pacific, emea"):
        call_command("import_products", path)


def test_the_address_of_another_product_is_refused(products, tmp_path):
    import_products([products])
    path = write(tmp_path / "p.csv", PRODUCTS, T490.replace("20N2", "20NX"))
    with pytest.raises(CommandError, match="slug: is the address of 20N2"):
        call_command("import_products", path)
    assert Product.objects.count() == 1


def test_a_file_that_is_neither_products_nor_options_is_refused(tmp_path):
    path = write(tmp_path / "x.csv", "a,b", "1,2")
    with pytest.raises(CommandError, match="no column sku, manufacturer, name, form_factor"):
        call_command("import_products", path)


def test_a_dry_run_checks_and_stores_nothing(products, options, capsys):
    call_command("import_products", products, options, "--dry-run")
    assert "1 products, 2 options and 4 prices would be stored." in capsys.readouterr().out
    assert not Product.objects.exists()


def test_a_thousand_products_take_no_more_statements_than_ten(markets, tmp_path):
    header = "sku,manufacturer,name,form_factor,price_minor:nordics"

    def statements(count: int, prefix: str) -> int:
        rows = [f"{prefix}{n},Lenovo,{prefix} {n},laptop,100000" for n in range(count)]
        path = write(tmp_path / f"{prefix}.csv", header, *rows)
        with CaptureQueriesContext(connection) as seen:
            import_products([path])
        return len([query for query in seen.captured_queries if not query["sql"].startswith("INSERT")])

    assert statements(10, "a") == statements(1000, "b")
