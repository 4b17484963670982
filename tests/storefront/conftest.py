"""The cast for the pages' tests."""

from tests.factories.cast import (  # noqa: F401 fixtures of this folder
    alice,
    alices_company,
    bob,
    charlie,
    dana,
    sales_person,
)
