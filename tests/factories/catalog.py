"""Rows of catalog/, and files for its imports."""

from decimal import Decimal
from pathlib import Path

import factory
from factory.django import DjangoModelFactory

from catalog.models import GridFactor, Option, PcfSheet, Product, ProductPrice
from tests.factories.accounts import MarketFactory

BOAVIZTA_HEADER = (
    "manufacturer,name,category,subcategory,gwp_total,gwp_use_ratio,yearly_tec,lifetime,use_location,report_date,"
    "sources,sources_hash,gwp_error_ratio,gwp_manufacturing_ratio,weight,assembly_location,screen_size,server_type,"
    "hard_drive,memory,number_cpu,height,added_date,add_method,gwp_transport_ratio,gwp_eol_ratio,"
    "gwp_electronics_ratio,gwp_battery_ratio,gwp_hdd_ratio,gwp_ssd_ratio,gwp_othercomponents_ratio,comment"
)


class PcfSheetFactory(DjangoModelFactory[PcfSheet]):
    """421 kg, a tenth of it use in five years at the EU's grid; not parted: the ThinkPad T490's sheet."""

    class Meta:
        model = PcfSheet

    lineage = factory.Sequence(lambda n: f"sheet-{n}")
    manufacturer = "Lenovo"
    name = "ThinkPad T490"
    category = "Workplace"
    subcategory = "Laptop"
    report_date = "February 2019"
    total_kg = Decimal(421)
    use_kg = Decimal("42.1")
    lifetime_years = Decimal(5)
    use_location = "EU"
    error_ratio = Decimal("0.2565")
    source = "https://sheets.example/t490.pdf"


class ProductFactory(DjangoModelFactory[Product]):
    class Meta:
        model = Product

    sku = factory.Sequence(lambda n: f"SKU-{n}")
    slug = factory.LazyAttribute(lambda product: product.sku.lower())
    manufacturer = "Lenovo"
    name = "ThinkPad T490"
    form_factor = Product.FormFactor.LAPTOP
    sheet = factory.SubFactory(PcfSheetFactory)


class OptionFactory(DjangoModelFactory[Option]):
    class Meta:
        model = Option

    product = factory.SubFactory(ProductFactory)
    kind = Option.Kind.MEMORY
    gigabytes = 16
    value = factory.LazyAttribute(lambda option: str(option.gigabytes))
    label = factory.LazyAttribute(lambda option: f"{option.gigabytes} GB")


class ProductPriceFactory(DjangoModelFactory[ProductPrice]):
    class Meta:
        model = ProductPrice

    product = factory.SubFactory(ProductFactory)
    market = factory.SubFactory(MarketFactory)
    price_minor = 1_149_000


def make_grid(**kg_by_place: str) -> None:
    """Factors of 2024 by country code or region name; World and EU unless given: `make_grid(SE="0.05")`."""
    for place, kg in ({"World": "0.5", "EU": "0.2"} | kg_by_place).items():
        country = place if len(place) == 2 and place != "EU" else ""
        GridFactor.objects.create(
            country=country,
            region="" if country else place,
            name=place,
            kg_co2e_per_kwh=Decimal(kg),
            year=2024,
            source="Test grid",
            licence="none",
        )


def boavizta_row(**cells: str) -> str:
    """A line of Boavizta's US file: the ThinkPad T490, changed where `cells` say so."""
    t490 = {
        "manufacturer": "Lenovo",
        "name": "ThinkPad T490",
        "category": "Workplace",
        "subcategory": "Laptop",
        "gwp_total": "421",
        "gwp_use_ratio": "0.1000",
        "lifetime": "5",
        "use_location": "EU",
        "report_date": "February 2019",
        "sources": "https://sheets.example/t490.pdf",
        "gwp_error_ratio": "0.2565",
        "weight": "1.431",
        "assembly_location": "CN",
    }
    return ",".join((t490 | cells).get(column, "") for column in BOAVIZTA_HEADER.split(","))


def write_boavizta(path: Path, *rows: str) -> Path:
    """A file of these rows, as Boavizta publishes it."""
    path.write_text("\n".join([BOAVIZTA_HEADER, *rows]) + "\n", encoding="utf-8")
    return path
