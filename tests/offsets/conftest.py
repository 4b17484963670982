"""The cast, for this folder."""

from tests.factories.cast import (  # noqa: F401 fixtures
    alice,
    alices_company,
    bob,
    charlie,
    dana,
    parts_r_us,
    sales_person,
)
