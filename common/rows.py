"""Insert new rows by as few statements as may be, at less than half of what `bulk_create` costs.

For tables that a busy ledger grows by: no signals, no defaults of the database, keys given by the table.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)
MAX_PARAMETERS = 30_000  # SQLite takes 32,766 to a statement
AS_IT_IS = frozenset(
    {int, str, type(None)}
)  # a value of these goes to its column unchanged, unless it is JSON


def insert(rows: Iterable[Row]) -> list[Row]:
    """Insert these rows of one model in order, and give each its key. Raises what the database raises."""
    made = list(rows)
    if not made:
        return made
    fields = _fields(type(made[0]))
    values = [[field.pre_save(row, add=True) for field in fields.values()] for row in made]
    for row, key in zip(made, insert_values(type(made[0]), tuple(fields), values), strict=True):
        row.pk = key
        row._state.adding, row._state.db = False, connection.alias
    return made


def insert_values(
    model: type[models.Model], names: tuple[str, ...], rows: Sequence[Sequence[Any]]
) -> list[int]:
    """The same for rows that nobody needs as objects: values of the columns `names`; returns their keys.

    Every column but the key is named (a foreign key as `span_id`).
    """
    keys: list[int] = []
    size = max(1, MAX_PARAMETERS // len(names))
    for start in range(0, len(rows), size):
        keys += _insert_batch(model, names, rows[start : start + size])
    return keys


def _insert_batch(
    model: type[models.Model], names: tuple[str, ...], rows: Sequence[Sequence[Any]]
) -> list[int]:
    fields = [_fields(model)[name] for name in names]
    marks = f"({', '.join(['%s'] * len(names))})"
    with connection.cursor() as cursor:
        columns = [
            _prepared(field, column, cursor.db)
            for field, column in zip(fields, zip(*rows, strict=True), strict=True)
        ]
        values = [value for row in zip(*columns, strict=True) for value in row]
        cursor.execute(f"{_head(model, names)} {', '.join([marks] * len(rows))} RETURNING id", values)
        return sorted(key for (key,) in cursor.fetchall())


def _prepared(field: Any, column: Sequence[Any], db: Any) -> Sequence[Any]:
    """The column's values as the database takes them."""
    if set(map(type, column)) <= AS_IT_IS and not isinstance(field, models.JSONField):
        return column
    return [field.get_db_prep_save(value, db) for value in column]


@cache
def _fields(model: type[models.Model]) -> dict[str, Any]:
    return {field.attname: field for field in model._meta.concrete_fields if not field.primary_key}


@cache
def _head(model: type[models.Model], names: tuple[str, ...]) -> str:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(_fields(model)[name].column) for name in names)
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES"
