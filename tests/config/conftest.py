"""The cast for the tests of what only the composition root knows."""

from tests.factories.cast import (  # noqa: F401 fixtures of this folder
    alice,
    alices_company,
    dana,
)
