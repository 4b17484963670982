"""Arbitrary values into many rows by one statement: the values travel as one JSON parameter."""

import json
from collections.abc import Mapping
from typing import Literal

from django.db import connection

from checkout.models import OrderedDevice

Column = Literal["device_serial", "offset_id"]
_TYPES = {"device_serial": "text", "offset_id": "bigint"}


def fill_devices(column: Column, values: Mapping[int, str | int]) -> int:
    """Write `column` of ordered devices by primary key, where it is still empty; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(fill_statement(column), [json.dumps(list(values.items()))])
        return int(cursor.rowcount)


def fill_statement(column: Column) -> str:
    """The statement: one parameter, a JSON list of [primary key, value].

    COALESCE keeps the index on the column out of it: SQLite would walk all empty rows for each value.
    """
    table = OrderedDevice._meta.db_table
    if connection.vendor == "postgresql":
        rows = (
            f"SELECT (value->>0)::bigint AS id, (value->>1)::{_TYPES[column]} AS content"  # noqa: S608 constants only
            " FROM jsonb_array_elements(%s::jsonb)"
        )
    else:
        rows = (
            "SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS content"
            " FROM json_each(%s)"
        )
    return (
        f"UPDATE {table} SET {column} = wanted.content FROM ({rows}) AS wanted"  # noqa: S608 constants only
        f" WHERE {table}.id = wanted.id AND COALESCE(CAST({table}.{column} AS text), '') = ''"
    )
