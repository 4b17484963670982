"""Sign-up, log-in and the pages around them."""

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Membership, User
from tests.factories.accounts import PASSWORD

pytestmark = pytest.mark.django_db


def sign_up(client: Client, email: str = "Erin@Example.com", password: str = PASSWORD) -> int:
    form = {"email": email, "password1": password, "password2": password}
    return client.post(reverse("account_signup"), form).status_code


def test_a_sign_up_opens_a_personal_account_whose_admin_the_person_is(client: Client) -> None:
    assert sign_up(client) == 302
    user = User.objects.get()
    assert user.email == "erin@example.com"
    account = Account.objects.get()
    assert (account.kind, account.company_verified_at) == ("person", None)
    assert Membership.objects.get().role == Membership.Role.ADMIN
    assert list(user.accounts.all()) == [account]
    assert (user.is_staff, user.is_superuser, user.groups.count()) == (False, False, 0)


def test_a_refused_sign_up_leaves_no_user_and_no_account(client: Client) -> None:
    assert sign_up(client, password="short") == 200
    assert sign_up(client, email="no address") == 200
    assert not User.objects.exists()
    assert not Account.objects.exists()


def test_signing_up_twice_makes_no_second_user(client: Client) -> None:
    sign_up(client)
    client.logout()
    sign_up(Client(), email="erin@example.com")
    assert User.objects.count() == 1
    assert Account.objects.count() == 1


def test_the_mail_of_a_sign_up_names_the_shop_and_a_link(client: Client) -> None:
    sign_up(client)
    [message] = mail.outbox
    assert message.to == ["erin@example.com"]
    assert message.subject == "Confirm your e-mail address"
    assert "/account/confirm-email/" in message.body
    assert "Clearline" in message.body


def test_log_in_is_by_email_in_any_case(client: Client, alice: User) -> None:
    form = {"login": "ALICE@example.com", "password": PASSWORD}
    answer = client.post(reverse("account_login"), form)
    assert (answer.status_code, answer.url) == (302, "/account/")
    assert client.session["_auth_user_id"] == str(alice.pk)


def test_a_wrong_password_logs_nobody_in(client: Client, alice: User) -> None:
    answer = client.post(reverse("account_login"), {"login": alice.email, "password": "wrong"})
    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session
    assert 'aria-invalid="true"' in answer.content.decode() or 'role="alert"' in answer.content.decode()


def test_logging_out_takes_a_post(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get(reverse("account_logout")).status_code == 200
    assert "_auth_user_id" in client.session
    assert client.post(reverse("account_logout")).status_code == 302
    assert "_auth_user_id" not in client.session


def test_a_forgotten_password_is_set_anew_by_the_link_of_a_mail(client: Client, alice: User) -> None:
    client.post(reverse("account_reset_password"), {"email": alice.email})
    [message] = mail.outbox
    link = next(word for word in message.body.split() if "/account/password/reset/key/" in word)
    page = client.get("/account/" + link.split("/account/", 1)[1], follow=True)
    assert page.status_code == 200
    new = "another long passphrase"
    client.post(page.request["PATH_INFO"], {"password1": new, "password2": new})
    alice.refresh_from_db()
    assert alice.check_password(new)


def test_a_forgotten_password_does_not_tell_who_has_an_account(client: Client, alice: User) -> None:
    known = client.post(reverse("account_reset_password"), {"email": alice.email})
    unknown = client.post(reverse("account_reset_password"), {"email": "nobody@example.com"})
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)


@pytest.mark.parametrize(
    "name", ["account_login", "account_signup", "account_reset_password", "account_email_verification_sent"]
)
def test_pages_for_visitors_are_the_shops_own_and_carry_no_script(client: Client, name: str) -> None:
    answer = client.get(reverse(name))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "base.html" in [template.name for template in answer.templates]
    assert page.count("<h1") == 1
    assert "account.js" not in page


@pytest.mark.parametrize(
    "name",
    [
        "account_logout",
        "account_change_password",
        "account_email",
        "account_reauthenticate",
        "account_inactive",
    ],
)
def test_pages_for_members_are_the_shops_own_and_carry_no_script(
    client: Client, alice: User, name: str
) -> None:
    client.force_login(alice)
    answer = client.get(reverse(name))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "base.html" in [template.name for template in answer.templates]
    assert page.count("<h1") == 1
    assert "account.js" not in page


def test_every_field_of_the_sign_up_has_a_label_and_tells_the_browser_what_to_fill_in(client: Client) -> None:
    page = client.get(reverse("account_signup")).content.decode()
    for field, autocomplete in [
        ("email", "email"),
        ("password1", "new-password"),
        ("password2", "new-password"),
    ]:
        assert f'<label for="id_{field}"' in page
        assert f'autocomplete="{autocomplete}"' in page


def test_a_link_after_log_in_leads_only_into_the_shop(client: Client, alice: User) -> None:
    form = {"login": alice.email, "password": PASSWORD, "next": "https://evil.example/"}
    assert client.post(reverse("account_login"), form).url == "/account/"
