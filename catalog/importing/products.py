"""Read our own files of products and options (docs/importing.md). Nothing is stored; every error is named."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.guarded import require_sayable
from catalog.errors import BadFile
from catalog.importing.tables import Row, Table
from catalog.models import (
    SPOKEN_OF_OPTIONS,
    SPOKEN_OF_PRODUCTS,
    Option,
    OptionPrice,
    Product,
    ProductPrice,
)
from common.printed import require_comparable, require_printable

PRICE = "price_minor:"  # and a market's code: net price in minor units of its currency
SURCHARGE = "surcharge_minor:"
PRODUCT_FIELDS = (
    "slug",
    "manufacturer",
    "name",
    "series",
    "form_factor",
    "summary",
    "base_memory_gb",
    "base_storage_gb",
    "stock_units",
    "ships_in_days",
    "price_note",
    "published",
    "position",
)
OPTION_FIELDS = ("kind", "value", "label", "gigabytes", "is_default", "position")
PRINTED = {"manufacturer", "name", "label"}  # on the certificate
SPOKEN = {*SPOKEN_OF_PRODUCTS, *SPOKEN_OF_OPTIONS}  # in words of ours
_NEED_GIGABYTES = {Option.Kind.MEMORY, Option.Kind.STORAGE}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row: the SKU that it belongs to, its fields, and prices by market code."""

    row: int
    sku: str
    values: Mapping[str, Any]
    prices: Mapping[str, int]
    sheet: str | None = None  # reference of a sheet; None when the file has no such column


@dataclass
class Problems:
    """What is wrong in one file, row by row."""

    path: Path
    found: list[dict[str, Any]] = field(default_factory=list)

    def add(self, row: int, column: str, message: str) -> None:
        self.found.append({"file": self.path.name, "row": row, "column": column, "message": message})


def raise_if_any(problems: Sequence[Problems]) -> None:
    """Raise BadFile naming every problem; nothing has been stored."""
    found = [problem for one in problems for problem in one.found]
    if found:
        lines = [f"{one['file']}, row {one['row']}, {one['column']}: {one['message']}" for one in found]
        raise BadFile(_("Nothing was stored.") + "\n" + "\n".join(lines), details=found)


def is_products(table: Table) -> bool:
    """Whether the header is that of products; else it must be that of options. Raises BadFile."""
    if "kind" in table.columns:
        table.require(["sku", "kind", "value", "label", "is_default"], what=_("a file of options"))
        return False
    table.require(["sku", "manufacturer", "name", "form_factor"], what=_("a file of products or options"))
    return True


def read_products(table: Table, *, markets: Collection[str], problems: Problems) -> list[Entry]:
    """The file's products. A column that it has not leaves a stored product's field as it is."""
    entries = []
    for row in table.rows:
        values = _values(Product, PRODUCT_FIELDS, row, problems)
        if not values.get("slug"):
            values["slug"] = slugify(str(values.get("name", "")))[:80]
        entries.append(
            Entry(
                row=row.number,
                sku=_sku(row, problems),
                values=values,
                prices=_prices(ProductPrice, "price_minor", PRICE, row, markets, problems),
                sheet=row.cells.get("sheet"),
            )
        )
    _refuse_twice(entries, lambda entry: entry.sku, "sku", problems)
    _refuse_twice(entries, lambda entry: str(entry.values["slug"]), "slug", problems)
    return entries


def read_options(table: Table, *, markets: Collection[str], problems: Problems) -> list[Entry]:
    """The file's options: one default for each product and kind that the file names."""
    entries = []
    for row in table.rows:
        values = {"position": row.number % 1000} | _values(Option, OPTION_FIELDS, row, problems)
        if values.get("kind") in _NEED_GIGABYTES and not values.get("gigabytes"):
            problems.add(row.number, "gigabytes", _("memory and storage need their gigabytes"))
        entries.append(
            Entry(
                row=row.number,
                sku=_sku(row, problems),
                values=values,
                prices=_prices(OptionPrice, "surcharge_minor", SURCHARGE, row, markets, problems),
            )
        )
    _refuse_twice(
        entries,
        lambda entry: (entry.sku, entry.values.get("kind"), entry.values.get("value")),
        "value",
        problems,
    )
    _require_one_default(entries, problems)
    return entries


def _values(model: type[models.Model], names: Sequence[str], row: Row, problems: Problems) -> dict[str, Any]:
    """The row's fields as the model wants them; an empty cell is the field's empty or default value."""
    values: dict[str, Any] = {}
    for name in names:
        if name not in row.cells:
            continue
        column = model._meta.get_field(name)
        if not isinstance(column, models.Field):
            continue
        text = row.cells[name]
        if not text and (column.has_default() or column.null):
            values[name] = column.get_default()
            continue
        if not text and name == "slug":
            continue
        try:
            values[name] = column.clean(text, None)
            if name in PRINTED:
                require_printable(text)
            if name in SPOKEN:
                require_sayable(text)
            if name == "manufacturer":
                require_comparable(text)
        except ValidationError as error:
            problems.add(row.number, name, " ".join(error.messages))
    if row.extra:
        problems.add(row.number, "row", _("more cells than the header has columns"))
    return values


def _sku(row: Row, problems: Problems) -> str:
    try:
        sku: str = Product._meta.get_field("sku").clean(row.cells["sku"], None)
    except ValidationError as error:
        problems.add(row.number, "sku", " ".join(error.messages))
        return ""
    return sku


def _prices(
    model: type[models.Model],
    name: str,
    prefix: str,
    row: Row,
    markets: Collection[str],
    problems: Problems,
) -> dict[str, int]:
    """Minor units by market code; an empty cell leaves the price as it is."""
    column = model._meta.get_field(name)
    prices: dict[str, int] = {}
    for header, text in row.cells.items():
        if not header.startswith(prefix) or not text:
            continue
        market = header.removeprefix(prefix)
        try:
            if market not in markets:
                raise ValidationError(
                    _("there is no market %(market)s; there are %(markets)s")
                    % {"market": market, "markets": ", ".join(sorted(markets)) or _("none yet")}
                )
            prices[market] = column.clean(text, None)  # type: ignore[union-attr]  # a field of the model, by name
        except ValidationError as error:
            problems.add(row.number, header, " ".join(error.messages))
    return prices


def _refuse_twice(entries: Sequence[Entry], key: Any, column: str, problems: Problems) -> None:
    first: dict[Any, int] = {}
    for entry in entries:
        row = first.setdefault(key(entry), entry.row)
        if row != entry.row and entry.sku:
            problems.add(entry.row, column, _("stands in row %(row)d already") % {"row": row})


def _require_one_default(entries: Sequence[Entry], problems: Problems) -> None:
    defaults: Counter[tuple[str, Any]] = Counter()
    rows: dict[tuple[str, Any], int] = defaultdict(int)
    for entry in entries:
        key = entry.sku, entry.values.get("kind")
        rows[key] = entry.row
        defaults[key] += bool(entry.values.get("is_default"))
    for (sku, kind), row in rows.items():
        if sku and kind and defaults[sku, kind] != 1:
            problems.add(
                row,
                "is_default",
                _("%(sku)s has %(count)d defaults of %(kind)s in this file; it needs exactly one")
                % {"sku": sku, "count": defaults[sku, kind], "kind": kind},
            )
