"""The shop and the cast of the checkout's tests."""

import pytest

from projects.models import Project
from tests.factories.cast import (  # noqa: F401 fixtures of this folder
    alice,
    alices_company,
    bob,
    charlie,
    dana,
    sales_person,
)
from tests.factories.checkout import make_shop


@pytest.fixture
def wind(db: None) -> Project:
    """A small shop with 5 t of one project; the project."""
    return make_shop()
