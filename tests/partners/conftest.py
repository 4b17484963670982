"""The cast of the API's tests: Parts-R-Us with a key of each kind, and a rival."""

import pytest

from partners.models import Partner
from tests.factories.partners import Caller, make_caller, make_partner, make_shop


@pytest.fixture
def partner(db: None) -> Partner:
    return make_partner()


@pytest.fixture
def writer(partner: Partner) -> Caller:
    return make_caller(partner)


@pytest.fixture
def reader(partner: Partner) -> Caller:
    return make_caller(partner, "read")


@pytest.fixture
def rival(db: None) -> Caller:
    return make_caller(make_partner("Rival Parts"))


@pytest.fixture
def shop(db: None) -> None:
    make_shop()
