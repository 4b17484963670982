"""Rows of accounts/, as small as they may be."""

from datetime import UTC, date, datetime
from typing import Any

import factory
from factory.django import DjangoModelFactory

from accounts.models import Account, Market, MarketCountry, Membership, User

PASSWORD = "a long enough passphrase"


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"user{n}@example.com")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return model_class.objects.create_user(**{"password": PASSWORD, **kwargs})


class AccountFactory(DjangoModelFactory[Account]):
    class Meta:
        model = Account

    kind = Account.Kind.PERSON
    name = factory.Sequence(lambda n: f"Person {n}")


class CompanyFactory(AccountFactory):
    """A verified Swedish company."""

    kind = Account.Kind.COMPANY
    name = factory.Sequence(lambda n: f"Company {n} AB")
    country = "SE"
    vat_id = "SE556012579001"
    company_verified_at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class MembershipFactory(DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    account = factory.SubFactory(AccountFactory)
    role = Membership.Role.BUYER


class MarketFactory(DjangoModelFactory[Market]):
    class Meta:
        model = Market
        django_get_or_create = ("code",)

    code = "nordics"
    name = "Nordics"
    currency = "SEK"
    opened_on = date(2026, 1, 12)
    position = 1


class MarketCountryFactory(DjangoModelFactory[MarketCountry]):
    """Sweden: 25 % VAT, register A for consumers and B for companies."""

    class Meta:
        model = MarketCountry
        django_get_or_create = ("country",)

    market = factory.SubFactory(MarketFactory)
    country = "SE"
    vat_basis_points = 2500
    consumer_register = "A"
    company_register = "B"
    register_source = "a test's own rule, November 2026"
    is_default = True
