"""A company's name goes to registries when an admin of it says so, and nobody else."""

import pytest
from django.test import Client

from accounts.events import COMPANY_NAMED
from accounts.models import Account, Membership, User
from common.events import history
from tests.factories.accounts import AccountFactory


def address(account: Account) -> str:
    return f"/account/{account.pk}/registries/"


def named(account: Account) -> bool:
    account.refresh_from_db()
    return account.named_in_registries


def become(user: User, account: Account, role: str) -> None:
    Membership.objects.update_or_create(user=user, account=account, defaults={"role": role})


def test_an_admin_has_the_company_named_and_takes_it_back(
    client: Client, alice: User, alices_company: Account
) -> None:
    become(alice, alices_company, "admin")
    client.force_login(alice)
    assert f'action="{address(alices_company)}"' in client.get("/account/").content.decode()
    page = client.post(address(alices_company), {"named": "yes"}, follow=True)
    assert "ship from now on" in page.content.decode()
    assert named(alices_company)
    client.post(address(alices_company), {"named": "yes"})  # a second click says nothing new
    client.post(address(alices_company), {"named": "no"})
    assert not named(alices_company)
    said = [(row.actor, row.data["named"]) for row in history(alices_company) if row.kind == COMPANY_NAMED]
    assert said == [(f"user:{alice.pk}", True), (f"user:{alice.pk}", False)]


@pytest.mark.parametrize("role", ["buyer", "viewer", None])
def test_nobody_else_decides_it(
    client: Client, alice: User, bob: User, alices_company: Account, role: str | None
) -> None:
    Membership.objects.filter(user=bob, account=alices_company).delete()
    if role:
        become(bob, alices_company, role)
    assert client.post(address(alices_company), {"named": "yes"}).status_code == 302  # to the log-in
    client.force_login(bob)
    assert client.post(address(alices_company), {"named": "yes"}).status_code == 404
    assert address(alices_company) not in client.get("/account/").content.decode()
    assert client.get(address(alices_company)).status_code == 405
    assert client.post("/account/999999/registries/", {"named": "yes"}).status_code == 404
    assert not named(alices_company)


@pytest.mark.parametrize("kind", ["person", "company"])
def test_a_person_or_an_unverified_company_is_named_nowhere(client: Client, alice: User, kind: str) -> None:
    account = AccountFactory(kind=kind, company_verified_at=None)
    become(alice, account, "admin")
    client.force_login(alice)
    page = client.post(address(account), {"named": "yes"}, follow=True).content.decode()
    assert "VAT id has been checked" in page
    assert f'action="{address(account)}"' not in page
    assert not named(account)
