"""What races need beside real transactions."""

from collections.abc import Iterator

import pytest
from django.db import connection


@pytest.fixture
def stock_without_its_constraint(transactional_db: None) -> Iterator[None]:
    """The database would let somebody sell more than the stock, inside this test only."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE offsets_projectstock DROP CONSTRAINT never_sell_more_than_stock")
    yield
    with connection.cursor() as cursor:
        cursor.execute("UPDATE offsets_projectstock SET committed_g = 0")
        cursor.execute(
            "ALTER TABLE offsets_projectstock ADD CONSTRAINT never_sell_more_than_stock"
            " CHECK (committed_g >= 0 AND committed_g <= stocked_g)"
        )
