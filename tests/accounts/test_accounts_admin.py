"""Staff's view of accounts: named actions, each with a reason where it overrules a check."""

from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import Account, User
from common.events import history
from common.models import Event
from tests.factories.accounts import AccountFactory, CompanyFactory, MarketCountryFactory


def act(client: Client, action: str, *accounts: Account, reason: str = "") -> str:
    answer = client.post(
        reverse("admin:accounts_account_changelist"),
        {"action": action, "_selected_action": [account.pk for account in accounts], "reason": reason},
        follow=True,
    )
    return answer.content.decode()


def test_a_manager_verifies_a_company_by_its_vat_id(client: Client, dana: User) -> None:
    account = AccountFactory(country="SE", vat_id="556012579001")
    client.force_login(dana)
    assert "is a verified company" in act(client, "verify_by_vat_id", account)
    account.refresh_from_db()
    assert account.kind == "company"
    assert account.company_verified_at is not None
    assert history(account).get().actor == f"staff:{dana.pk}"


def test_a_vat_id_that_does_not_check_is_named_and_the_others_go_on(client: Client, dana: User) -> None:
    bad = AccountFactory(name="Bad AB", country="SE", vat_id="SE1")
    good = AccountFactory(name="Good AB", country="SE", vat_id="SE556012579001")
    client.force_login(dana)
    assert "Bad AB: This VAT id does not check" in act(client, "verify_by_vat_id", bad, good)
    bad.refresh_from_db()
    good.refresh_from_db()
    assert bad.company_verified_at is None
    assert good.company_verified_at is not None


def test_vouching_for_a_company_needs_a_reason(client: Client, dana: User) -> None:
    account = AccountFactory()
    client.force_login(dana)
    assert "Say why" in act(client, "vouch_for_company", account)
    account.refresh_from_db()
    assert account.company_verified_at is None
    assert not history(account).exists()
    assert "1 account changed" in act(client, "vouch_for_company", account, reason="extract seen")
    account.refresh_from_db()
    assert account.company_verified_at is not None


def test_withdrawing_a_verification_leaves_an_event(client: Client, dana: User) -> None:
    account = CompanyFactory()
    client.force_login(dana)
    act(client, "withdraw_verification", account, reason="dissolved")
    account.refresh_from_db()
    assert account.company_verified_at is None
    assert history(account).get().data == {"reason": "dissolved"}


def test_sales_and_buyers_may_not_verify_a_company(client: Client, sales_person: User, alice: User) -> None:
    account = AccountFactory(country="SE", vat_id="SE556012579001")
    for user in (sales_person, alice):
        client.force_login(user)
        act(client, "verify_by_vat_id", account)
        act(client, "vouch_for_company", account, reason="please")
    account.refresh_from_db()
    assert account.company_verified_at is None
    assert not Event.objects.exists()


def test_changed_details_end_a_verification(client: Client, dana: User) -> None:
    account = CompanyFactory(name="Alice & Bob AB")
    client.force_login(dana)
    form = {
        "kind": "company",
        "name": "Alice AB",
        "country": "SE",
        "vat_id": account.vat_id,
        "memberships-TOTAL_FORMS": 0,
        "memberships-INITIAL_FORMS": 0,
    }
    url = reverse("admin:accounts_account_change", args=[account.pk])
    assert client.post(url, form).status_code == 302
    account.refresh_from_db()
    assert account.name == "Alice AB"
    assert account.company_verified_at is not None
    assert client.post(url, form | {"vat_id": "SE556703748501"}).status_code == 302
    account.refresh_from_db()
    assert account.company_verified_at is None


def test_a_date_of_verification_cannot_be_typed(client: Client, dana: User) -> None:
    account = AccountFactory(name="Charlie")
    client.force_login(dana)
    form = {
        "kind": "company",
        "name": "Charlie",
        "company_verified_at_0": "2026-11-24",
        "company_verified_at_1": "12:00",
        "memberships-TOTAL_FORMS": 0,
        "memberships-INITIAL_FORMS": 0,
    }
    client.post(reverse("admin:accounts_account_change", args=[account.pk]), form)
    account.refresh_from_db()
    assert account.kind == "company"
    assert account.company_verified_at is None


def test_staff_find_accounts_users_and_markets(client: Client, dana: User, alice: User) -> None:
    client.force_login(dana)
    MarketCountryFactory()
    searches = {"account": "alice@example.com", "user": "alice", "market": "nord", "marketcountry": "SE"}
    for name, query in searches.items():
        found = client.get(reverse(f"admin:accounts_{name}_changelist"), {"q": query})
        assert found.context["cl"].result_count == 1, name
        missed = client.get(reverse(f"admin:accounts_{name}_changelist"), {"q": "nothing like it"})
        assert missed.context["cl"].result_count == 0, name


def test_a_manager_may_not_make_a_superuser(client: Client, dana: User, charlie: User) -> None:
    client.force_login(dana)
    url = reverse("admin:accounts_user_change", args=[charlie.pk])
    assert client.post(url, {"email": charlie.email, "is_superuser": "on"}).status_code == 403
    charlie.refresh_from_db()
    assert not charlie.is_superuser


def test_a_superuser_adds_a_person_by_email_and_nobody_else_does(client: Client, dana: User) -> None:
    url = reverse("admin:accounts_user_add")
    new = {
        "email": "erin@example.com",
        "password1": "a long enough passphrase",
        "password2": "a long enough passphrase",
    }
    client.force_login(dana)
    assert client.post(url, new).status_code == 403
    assert not User.objects.filter(email="erin@example.com").exists()
    client.force_login(User.objects.create_superuser("root@example.com", "a long enough passphrase"))
    assert client.post(url, new).status_code == 302
    assert User.objects.get(email="erin@example.com").check_password("a long enough passphrase")


def test_the_admin_is_closed_to_buyers(client: Client, alice: User) -> None:
    alice.user_permissions.set(Permission.objects.all())
    client.force_login(alice)
    answer = client.get(reverse("admin:accounts_account_changelist"))
    assert answer.status_code == 302
    assert answer.url.startswith("/admin/login/")
