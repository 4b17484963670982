"""Keys are shown once, kept as a digest, and revoked for good."""

import hashlib
from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from common.models import Event
from offsets.models import OffsetRequest
from partners.keys import create_key, revoke_key
from partners.models import ApiKey, Partner
from tests.factories.partners import OFFSETS, Caller, body_for, make_partner

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ADD = "/admin/partners/apikey/add/"


def test_a_key_holds_256_random_bits_and_is_stored_as_a_digest_only(partner: Partner) -> None:
    key, text = create_key(partner, "write", False)
    other, other_text = create_key(partner, "read", True)
    assert (text[:9], other_text[:9]) == ("clk_test_", "clk_live_")
    assert len(text) == len("clk_test_") + 43
    assert text[9:] != other_text[9:]
    stored = ApiKey.objects.filter(pk=key.pk).values().get()
    assert stored["digest"] == hashlib.sha256(text.encode()).hexdigest()
    assert stored["prefix"] == text[:17]
    assert all(text not in str(value) and text[17:] not in str(value) for value in stored.values())
    assert (other.scope, other.livemode) == ("read", True)


def test_what_is_recorded_of_a_key_never_holds_its_text(partner: Partner) -> None:
    key, text = create_key(partner, "write", False, actor="staff:5")
    revoke_key(key, actor="staff:5", reason="left on a train", now=NOON)
    created, revoked = Event.objects.order_by("pk")
    assert (created.kind, created.actor, created.data) == (
        "api_key.created",
        "staff:5",
        {"scope": "write", "livemode": False},
    )
    assert (revoked.kind, revoked.data) == ("api_key.revoked", {"reason": "left on a train"})
    assert text[9:] not in str(list(Event.objects.values()))


def test_a_key_is_revoked_once(writer: Caller) -> None:
    assert writer.key is not None
    assert revoke_key(writer.key, actor="staff:5", reason="lost", now=NOON)
    assert not revoke_key(writer.key, actor="staff:6", reason="again", now=datetime(2027, 1, 1, tzinfo=UTC))
    writer.key.refresh_from_db()
    assert writer.key.revoked_at == NOON
    assert Event.objects.filter(kind="api_key.revoked").count() == 1


def test_an_unknown_scope_is_no_key(partner: Partner) -> None:
    with pytest.raises(ValueError, match="admin"):
        create_key(partner, "admin", False)
    assert not ApiKey.objects.exists()


def test_the_day_of_use_is_written_once_a_day(reader: Caller) -> None:
    def updates() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert reader.get(OFFSETS).status_code == 200
        return sum(query["sql"].startswith("UPDATE") for query in queries)

    assert reader.key is not None
    assert reader.key.last_used_on is None
    assert [updates(), updates(), updates()] == [1, 0, 0]
    reader.key.refresh_from_db()
    assert reader.key.last_used_on == datetime.now(UTC).date()
    ApiKey.objects.update(last_used_on=date(2026, 1, 1))
    assert [updates(), updates()] == [1, 0]


def test_the_text_of_a_key_stands_in_no_log_line_and_no_answer(
    shop: None, writer: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    answers = [
        writer.get(OFFSETS),
        writer.order(body_for("PF-1")),
        writer.order(b"{"),
        writer.get("/api/v1/nothing/"),
        Caller(text=writer.text + "x").get(OFFSETS),
    ]
    assert [answer.status_code for answer in answers] == [200, 201, 400, 404, 401]
    assert "/api/v1/" in caplog.text
    written = caplog.text + str(
        [*Event.objects.values(), *ApiKey.objects.values(), *OffsetRequest.objects.values()]
    )
    assert writer.text[17:] not in written
    assert all(writer.text[17:].encode() not in answer.content for answer in answers)


@pytest.fixture
def dana(db: None) -> Client:
    """Staff who may manage keys."""
    user = User.objects.create_user("dana@example.com", "a long passphrase", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(content_type__app_label="partners"))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def viewer(db: None) -> Client:
    """Staff who may look at keys."""
    user = User.objects.create_user("viewer@example.com", "a long passphrase", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_apikey"))
    client = Client()
    client.force_login(user)
    return client


def test_staff_see_a_new_key_once(dana: Client, partner: Partner) -> None:
    answer = dana.post(ADD, {"partner": partner.pk, "scope": "write"})
    assert answer.status_code == 200
    key = ApiKey.objects.get()
    text = answer.content.decode().partition("<code>")[2].partition("</code>")[0]
    assert key.digest == hashlib.sha256(text.encode()).hexdigest()
    assert "no-store" in answer["Cache-Control"]
    for path in (
        "/admin/partners/apikey/",
        f"/admin/partners/apikey/{key.pk}/change/",
        "/admin/partners/partner/",
    ):
        page = dana.get(path)
        assert page.status_code == 200
        assert text[17:] not in page.content.decode()
    assert text[17:] not in str([*dana.session.items(), dana.cookies])
    assert Caller(text=text).get(OFFSETS).status_code == 200


def test_a_sandbox_shop_makes_no_live_key(dana: Client, partner: Partner) -> None:
    answer = dana.post(ADD, {"partner": partner.pk, "scope": "write", "livemode": "on"})
    assert answer.status_code == 200
    assert "takes no live keys" in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_staff_revoke_a_key_with_a_reason(dana: Client, writer: Caller) -> None:
    assert writer.key is not None
    action = {"action": "revoke", "_selected_action": [writer.key.pk]}
    dana.post("/admin/partners/apikey/", action)
    assert writer.get(OFFSETS).status_code == 200  # no reason, nothing done
    dana.post("/admin/partners/apikey/", {**action, "reason": "lost"})
    assert writer.get(OFFSETS).status_code == 401


def test_staff_without_the_permission_neither_make_nor_revoke_keys(viewer: Client, writer: Caller) -> None:
    assert viewer.get(ADD).status_code == 403
    assert viewer.post(ADD, {"partner": Partner.objects.get().pk, "scope": "write"}).status_code == 403
    assert writer.key is not None
    viewer.post(
        "/admin/partners/apikey/",
        {"action": "revoke", "_selected_action": [writer.key.pk], "reason": "mischief"},
    )
    assert ApiKey.objects.count() == 1
    assert writer.get(OFFSETS).status_code == 200


def test_no_one_edits_or_deletes_a_key(dana: Client, writer: Caller, partner: Partner) -> None:
    assert writer.key is not None
    path = f"/admin/partners/apikey/{writer.key.pk}"
    assert dana.post(f"{path}/change/", {"scope": "read", "livemode": "on"}).status_code == 403
    assert dana.post(f"{path}/delete/", {"post": "yes"}).status_code == 403
    assert dana.post(f"/admin/partners/partner/{partner.pk}/delete/", {"post": "yes"}).status_code == 403
    writer.key.refresh_from_db()
    assert (writer.key.scope, writer.key.livemode) == ("write", False)


def test_a_partner_is_switched_off_by_staff_and_keeps_its_account(
    dana: Client, writer: Caller, partner: Partner
) -> None:
    other = make_partner("Another").account_id
    dana.post(f"/admin/partners/partner/{partner.pk}/change/", {"account": other})
    partner.refresh_from_db()
    assert not partner.active
    assert partner.account_id != other
    assert writer.get(OFFSETS).status_code == 401
