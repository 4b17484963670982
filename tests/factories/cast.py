"""One cast everywhere: Alice buys, Bob is in her company, Charlie is an outsider, Dana is staff.

Parts-R-Us is a partner; another person of staff is in sales.

A conftest imports the fixtures that its folder needs.
"""

import pytest
from django.contrib.auth.models import Group

from accounts.models import Account, Membership, User
from accounts.roles import MANAGER, SALES
from tests.factories.accounts import AccountFactory, CompanyFactory, MembershipFactory, UserFactory


@pytest.fixture
def alices_company(db: None) -> Account:
    """A verified Swedish company."""
    return CompanyFactory(name="Alice & Bob AB")


@pytest.fixture
def alice(alices_company: Account) -> User:
    """Buys, and is admin of her company."""
    user = UserFactory(email="alice@example.com", name="Alice")
    MembershipFactory(user=user, account=alices_company, role=Membership.Role.ADMIN)
    return user


@pytest.fixture
def bob(alices_company: Account) -> User:
    """May look at what Alice's company has."""
    user = UserFactory(email="bob@example.com", name="Bob")
    MembershipFactory(user=user, account=alices_company, role=Membership.Role.VIEWER)
    return user


@pytest.fixture
def charlie(db: None) -> User:
    """An outsider with a personal account."""
    user = UserFactory(email="charlie@example.com", name="Charlie")
    MembershipFactory(user=user, account=AccountFactory(name="Charlie"), role=Membership.Role.ADMIN)
    return user


@pytest.fixture
def dana(db: None) -> User:
    """Staff in the role of manager."""
    user = UserFactory(email="dana@example.com", name="Dana", is_staff=True)
    user.groups.add(Group.objects.get(name=MANAGER))
    return user


@pytest.fixture
def sales_person(db: None) -> User:
    """Staff in the role of sales, for what managers only may do."""
    user = UserFactory(email="sales@example.com", name="Sales", is_staff=True)
    user.groups.add(Group.objects.get(name=SALES))
    return user


@pytest.fixture
def parts_r_us(db: None) -> Account:
    """The account of a partner, a verified German company."""
    return CompanyFactory(name="Parts-R-Us GmbH", country="DE", vat_id="DE136695976")
