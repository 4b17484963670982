"""Staff look at certificates, find them, and act by name; nobody edits one."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from certificates import services, tasks
from certificates.models import Certificate
from common import events
from tests.factories.accounts import UserFactory
from tests.factories.certificates import make_certificate

pytestmark = pytest.mark.django_db

LIST = "admin:certificates_certificate_changelist"
State = Certificate.State


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def act(user: User, action: str, certificate: Certificate, *, reason: str = "asked by telephone") -> str:
    data = {"action": action, "_selected_action": [certificate.pk], "reason": reason}
    return as_user(user).post(reverse(LIST), data, follow=True).content.decode()


def test_a_certificate_is_found_by_its_code_and_by_the_device_serial(dana: User) -> None:
    found = make_certificate("PF1X1234")
    other = make_certificate("PF2Y5678")
    for words in (found.code[:9].lower(), "pf1x"):
        page = as_user(dana).get(reverse(LIST), {"q": words}).content.decode()
        assert found.code in page
        assert other.code not in page


def test_those_that_need_a_person_can_be_listed(dana: User) -> None:
    make_certificate("PF1X1234", product="机械革命")
    well = make_certificate("PF2Y5678")
    for _round in range(3):
        tasks.render_certificates()
    page = as_user(dana).get(reverse(LIST), {"needs_person_at__isempty": "0"}).content.decode()
    assert "has no glyph for" in page
    assert well.code not in page


def test_nobody_adds_edits_or_deletes_one_and_the_nonce_is_not_shown(dana: User) -> None:
    certificate = make_certificate()
    root = UserFactory(is_staff=True, is_superuser=True)
    change = reverse("admin:certificates_certificate_change", args=[certificate.pk])
    for user in (dana, root):
        client = as_user(user)
        page = client.get(change)
        assert page.status_code == 200
        assert 'name="facts"' not in page.content.decode()
        assert bytes(certificate.nonce or b"").hex() not in page.content.decode()
        assert client.post(change, {"state": "withdrawn"}).status_code == 403
        assert client.get(reverse("admin:certificates_certificate_add")).status_code == 403
        assert (
            client.post(reverse("admin:certificates_certificate_delete", args=[certificate.pk])).status_code
            == 403
        )
    certificate.refresh_from_db()
    assert certificate.state == State.VALID


def test_a_manager_issues_again_with_a_reason_that_stays_in_the_history(dana: User) -> None:
    certificate = make_certificate()
    assert "Done for 1 certificates." in act(dana, "issue_again", certificate)
    old, new = Certificate.objects.order_by("pk")
    assert (old.state, new.state, new.replaces) == (State.SUPERSEDED, State.VALID, old)
    [issued] = events.history(new)
    assert (issued.actor, issued.data) == (f"staff:{dana.pk}", {"reason": "asked by telephone"})


def test_a_manager_withdraws_and_has_a_failed_one_rendered_again(dana: User) -> None:
    sick = make_certificate(product="机械革命")
    for _round in range(3):
        tasks.render_certificates()
    act(dana, "render_again", sick)
    sick.refresh_from_db()
    assert (sick.needs_person_at, sick.render_attempts) == (None, 0)
    act(dana, "withdraw", sick)
    sick.refresh_from_db()
    assert (sick.state, sick.facts, sick.nonce) == (State.WITHDRAWN, None, None)


@pytest.mark.parametrize("action", ["issue_again", "render_again", "withdraw"])
def test_without_a_reason_nothing_is_done(dana: User, action: str) -> None:
    certificate = make_certificate()
    assert "Type the reason beside the action." in act(dana, action, certificate, reason="  ")
    certificate.refresh_from_db()
    assert (certificate.state, Certificate.objects.count()) == (State.VALID, 1)
    assert events.history(certificate).count() == 1


@pytest.mark.parametrize("action", ["issue_again", "render_again", "withdraw"])
def test_sales_may_look_and_not_act(sales_person: User, action: str) -> None:
    certificate = make_certificate()
    page = as_user(sales_person).get(reverse(LIST))
    assert page.status_code == 200
    assert f'value="{action}"' not in page.content.decode()
    act(sales_person, action, certificate)
    certificate.refresh_from_db()
    assert (certificate.state, certificate.facts is None, Certificate.objects.count()) == (
        State.VALID,
        False,
        1,
    )
    assert events.history(certificate).count() == 1


def test_an_action_that_is_refused_says_why(dana: User) -> None:
    certificate = make_certificate()
    services.withdraw(certificate, reason="x", actor="staff:1", now=certificate.issued_at)
    page = act(dana, "issue_again", certificate)
    assert "Only a valid certificate of a live claim can be issued again." in page
    assert Certificate.objects.count() == 1


def test_staff_read_every_sentence_as_each_audience_does(dana: User) -> None:
    page = as_user(dana).get(reverse("admin:certificates_certificate_preview")).content.decode()
    for words in (
        "As a consumer in Germany",
        "As a company in Sweden",
        "As a company in the United States",
        "Record of carbon-credit retirement",
        "Certificate of CO2 offset",
        "Certificate of carbon offset",
        "eu-consumer-en-1",
        "eu-company-en-1",
        "international-en-1",
    ):
        assert words in page


@pytest.mark.parametrize("page", [LIST, "admin:certificates_certificate_preview"])
def test_who_is_no_staff_is_asked_to_log_in(db: Any, page: str) -> None:
    answer = as_user(UserFactory()).get(reverse(page))
    assert answer.status_code == 302
    assert "/login/" in answer["Location"]
    staff_without_role = UserFactory(is_staff=True)
    assert as_user(staff_without_role).get(reverse(page)).status_code == 403
