"""Store a file's products, options and prices: one transaction, statements that do not grow with the rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Market
from catalog.importing import products as files
from catalog.importing.products import Entry, Problems, raise_if_any
from catalog.importing.tables import Table, read_table
from catalog.models import Option, OptionPrice, PcfSheet, Product, ProductPrice


@dataclass(frozen=True, kw_only=True)
class ProductImport:
    """How many of each the files name."""

    products: int
    options: int
    prices: int


@dataclass
class _Files:
    """What the files hold, and what is wrong with them."""

    products: list[tuple[Table, Problems, list[Entry]]] = field(default_factory=list)
    options: list[tuple[Table, Problems, list[Entry]]] = field(default_factory=list)

    @property
    def problems(self) -> list[Problems]:
        return [problems for _table, problems, _entries in [*self.products, *self.options]]


def import_products(paths: Sequence[Path], *, dry_run: bool = False) -> ProductImport:
    """Add or change the products and options of these files, with prices in each market. All or nothing.

    Products are known by SKU, options by SKU, kind and value; importing twice changes nothing, and nothing is
    ever deleted.
    Raises BadFile naming every wrong row of every file.
    """
    tables = [(path, read_table(path)) for path in paths]
    with transaction.atomic(durable=True):
        markets = {market.code: market.pk for market in Market.objects.all()}
        found = _Files()
        for path, table in tables:
            problems = Problems(path)
            if files.is_products(table):
                entries = files.read_products(table, markets=markets, problems=problems)
                found.products.append((table, problems, entries))
            else:
                entries = files.read_options(table, markets=markets, problems=problems)
                found.options.append((table, problems, entries))
        sheets = _check_products(found)
        _check_options(found)
        raise_if_any(found.problems)
        prices = 0
        for table, _problems, entries in found.products:
            prices += _store_products(table, entries, sheets, markets)
        for table, _problems, entries in found.options:
            prices += _store_options(table, entries, markets)
        if dry_run:
            transaction.set_rollback(True)
    return ProductImport(
        products=sum(len(entries) for _t, _p, entries in found.products),
        options=sum(len(entries) for _t, _p, entries in found.options),
        prices=prices,
    )


def _check_products(found: _Files) -> dict[str, int]:
    """Name unknown sheets and addresses of other products. Returns the newest version of each sheet."""
    sheets = dict(PcfSheet.objects.order_by("version").values_list("lineage", "pk"))
    owner = {slug: sku for sku, slug in Product.objects.values_list("sku", "slug")}
    for _table, problems, entries in found.products:
        for entry in entries:
            if entry.sheet and entry.sheet not in sheets:
                problems.add(entry.row, "sheet", _("there is no sheet %(name)s") % {"name": entry.sheet})
            taken = owner.get(str(entry.values["slug"]))
            if taken not in (None, entry.sku):
                problems.add(entry.row, "slug", _("is the address of %(sku)s") % {"sku": taken})
    return sheets


def _check_options(found: _Files) -> None:
    """Name options of products that are neither stored nor in these files."""
    known = set(Product.objects.values_list("sku", flat=True))
    known |= {entry.sku for _table, _problems, entries in found.products for entry in entries}
    for _table, problems, entries in found.options:
        for entry in entries:
            if entry.sku and entry.sku not in known:
                problems.add(entry.row, "sku", _("there is no product %(sku)s") % {"sku": entry.sku})


def _store_products(
    table: Table, entries: Sequence[Entry], sheets: Mapping[str, int], markets: Mapping[str, int]
) -> int:
    """Add or change products and their prices. Returns how many prices the file names."""
    changed = [name for name in files.PRODUCT_FIELDS if name in table.columns]
    rows = [Product(sku=entry.sku, **entry.values) for entry in entries]
    if "sheet" in table.columns:
        changed.append("sheet")
        for row, entry in zip(rows, entries, strict=True):
            row.sheet_id = sheets[entry.sheet] if entry.sheet else None
    Product.objects.bulk_create(rows, update_conflicts=True, unique_fields=["sku"], update_fields=changed)
    ids = dict(Product.objects.values_list("sku", "pk"))
    prices = [
        ProductPrice(product_id=ids[entry.sku], market_id=markets[market], price_minor=minor)
        for entry in entries
        for market, minor in entry.prices.items()
    ]
    ProductPrice.objects.bulk_create(
        prices, update_conflicts=True, unique_fields=["product", "market"], update_fields=["price_minor"]
    )
    return len(prices)


def _store_options(table: Table, entries: Sequence[Entry], markets: Mapping[str, int]) -> int:
    """Add or change options and their surcharges. Returns how many surcharges the file names."""
    ids = dict(Product.objects.values_list("sku", "pk"))
    for kind in sorted({entry.values["kind"] for entry in entries}):
        of_kind = {ids[entry.sku] for entry in entries if entry.values["kind"] == kind}
        Option.objects.filter(kind=kind, product__in=of_kind).update(is_default=False)
    rows = [Option(product_id=ids[entry.sku], **entry.values) for entry in entries]
    Option.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["product", "kind", "value"],
        update_fields=_option_fields(table),
    )
    stored: dict[tuple[Any, ...], int] = {
        (sku, kind, value): pk
        for sku, kind, value, pk in Option.objects.values_list("product__sku", "kind", "value", "pk")
    }
    prices = [
        OptionPrice(
            option_id=stored[entry.sku, entry.values["kind"], entry.values["value"]],
            market_id=markets[market],
            surcharge_minor=minor,
        )
        for entry in entries
        for market, minor in entry.prices.items()
    ]
    OptionPrice.objects.bulk_create(
        prices, update_conflicts=True, unique_fields=["option", "market"], update_fields=["surcharge_minor"]
    )
    return len(prices)


def _option_fields(table: Table) -> list[str]:
    return [name for name in ("label", "gigabytes", "is_default", "position") if name in table.columns]
