"""Rows that are inserted by few statements are the rows that `bulk_create` would have made."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from common import rows
from common.models import Event

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)


def event(number: int, **changes: object) -> Event:
    facts = {
        "kind": "test.happened",
        "subject": f"thing:{number}",
        "sequence": 1,
        "actor": "test",
        "data": {"number": number, "text": "å", "nested": [1, None, {"x": True}]},
        "created_at": NOON,
    }
    return Event(**{**facts, **changes})


def test_each_row_gets_its_own_key_and_is_what_was_given() -> None:
    made = rows.insert(event(number) for number in range(25))
    assert [row.subject for row in made] == [f"thing:{number}" for number in range(25)]
    for row in made:
        there = Event.objects.get(pk=row.pk)
        assert (there.subject, there.data, there.created_at) == (row.subject, row.data, NOON)
        assert not row._state.adding


def test_it_reads_back_like_what_the_orm_inserts() -> None:
    rows.insert([event(1)])
    Event.objects.bulk_create([event(2, data=event(1).data)])
    one, two = Event.objects.order_by("pk").values("kind", "sequence", "actor", "data", "created_at")
    assert one == two


def test_thousands_of_rows_take_a_few_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_PARAMETERS", 6_000)
    with CaptureQueriesContext(connection) as queries:
        rows.insert([event(number) for number in range(2_500)])
    assert len(queries) == 3
    assert Event.objects.count() == 2_500


def test_nothing_to_insert_is_no_statement(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    with django_assert_num_queries(0):
        assert rows.insert([]) == []


def test_a_row_that_the_database_refuses_refuses_them_all() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.insert([event(1), event(2), event(1)])
    assert not Event.objects.exists()
