"""Who may call which address by which method, and that a refusal leaves no trace."""

import json
from dataclasses import replace
from itertools import product

import pytest
from django.test import override_settings
from django.urls import URLPattern
from django.utils import timezone

from offsets.models import DeviceOffset, OffsetRequest
from partners.keys import revoke_key
from partners.models import Partner
from partners.urls import urlpatterns
from tests.factories.partners import OFFSETS, SKU, Caller, body_for, make_caller

pytestmark = pytest.mark.usefixtures("shop")

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
NOBODY = Caller()
CODE = "7Q2M-K4VX-09AB-DJ3T"
KEYED = {
    "offsets_list": OFFSETS,
    "offsets": f"{OFFSETS}ofr_7Q2MK4VX09ABDJ3T/",
    "collective": f"{OFFSETS}ofr_7Q2MK4VX09ABDJ3T/collective.pdf",
    "archive": f"{OFFSETS}ofr_7Q2MK4VX09ABDJ3T/certificates.zip",
    "labels": f"{OFFSETS}ofr_7Q2MK4VX09ABDJ3T/labels.pdf",
    "certificate": f"/api/v1/certificates/{CODE}/",
    "pdf": f"/api/v1/certificates/{CODE}/certificate.pdf",
    "json": f"/api/v1/certificates/{CODE}/certificate.json",
    "badge": f"/api/v1/certificates/{CODE}/badge.svg",
}
PUBLIC = {
    "schema": "/api/schema/",
    "product_list": "/api/v1/products/",
    "product": f"/api/v1/products/{SKU}/",
    "footprint": f"/api/v1/products/{SKU}/footprint/?country=SE&ram=32&storage=512&years=3",
    "project_list": "/api/v1/projects/",
    "project": "/api/v1/projects/CL-4449/",
}
BROKEN = b'{"project": '


def test_every_address_is_in_this_matrix() -> None:
    names = {pattern.name for pattern in urlpatterns if isinstance(pattern, URLPattern)}
    assert names == {*KEYED, *PUBLIC, "unknown"}


@pytest.mark.parametrize("name", KEYED)
def test_without_a_good_key_every_method_is_401_before_anything_else(writer: Caller, name: str) -> None:
    revoked = make_caller(Partner.objects.get())
    assert revoked.key is not None
    revoke_key(revoked.key, actor="staff:1", reason="test", now=timezone.now())
    strangers = {
        "no key": NOBODY,
        "unknown": replace(NOBODY, text="clk_test_" + "A" * 43),
        "revoked": revoked,
        "prefix only": replace(NOBODY, text=revoked.key.prefix),
        "digest": replace(NOBODY, text=writer.key.digest if writer.key else ""),
        "another case": replace(NOBODY, text=writer.text.swapcase()),
        "not ASCII": replace(NOBODY, text="clé"),
    }
    for method, (who, stranger) in product(METHODS, strangers.items()):
        for path in (KEYED[name], f"{KEYED[name]}?colour=1"):
            answer = stranger.send(method, path, BROKEN)
            assert answer.status_code == 401, (method, who)
            assert answer["WWW-Authenticate"] == "Bearer"
            assert answer["Cache-Control"] == "no-store"
            if method != "HEAD":
                assert answer.json()["error"]["code"] in {"not_authenticated", "authentication_failed"}
    assert not OffsetRequest.objects.exists()


@pytest.mark.parametrize("header", ["Basic dTpw", "Bearer", "Token x", "bearer"])
def test_another_scheme_is_401(header: str) -> None:
    answer = NOBODY.send("POST", OFFSETS, BROKEN, Authorization=header)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("name", KEYED)
def test_a_read_key_writes_nothing(reader: Caller, name: str) -> None:
    body = json.dumps(body_for("PF-1")).encode()
    for method, data in product(["POST", "PUT", "PATCH", "DELETE", "BREW"], [body, BROKEN]):
        answer = reader.send(method, KEYED[name], data, **{"Idempotency-Key": "k-1"})
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "read_only_key"
    assert not OffsetRequest.objects.exists()


@pytest.mark.parametrize("name", [*KEYED, *PUBLIC])
def test_a_write_key_is_told_the_methods_of_an_address(writer: Caller, name: str) -> None:
    path = {**KEYED, **PUBLIC}[name]
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        answer = writer.send(method, path, b"{}")
        assert answer.status_code == 405
        assert answer.json()["error"]["code"] == "method_not_allowed"
        assert "GET" in answer["Allow"]


@pytest.mark.parametrize("name", PUBLIC)
def test_public_addresses_need_no_key_and_ignore_a_bad_one(name: str) -> None:
    for caller in (NOBODY, replace(NOBODY, text="nonsense")):
        answer = caller.get(PUBLIC[name])
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "public, max-age=300"
        assert "Set-Cookie" not in answer


def test_a_key_reads_its_own_requests_with_either_scope(writer: Caller, reader: Caller) -> None:
    asked = writer.order(body_for("PF-1")).json()
    for caller in (writer, reader):
        answer = caller.get(f"{OFFSETS}{asked['id']}/")
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "private, no-store"
        assert caller.get(OFFSETS).json()["count"] == 1


def test_a_rivals_request_answers_like_one_that_does_not_exist(writer: Caller, rival: Caller) -> None:
    asked = writer.order(body_for("PF-1")).json()
    foreign = rival.get(f"{OFFSETS}{asked['id']}/")
    missing = rival.get(f"{OFFSETS}ofr_0000000000000000/")
    assert (foreign.status_code, foreign.content) == (404, missing.content)
    assert rival.get(OFFSETS).json() == {"count": 0, "next": None, "previous": None, "results": []}
    assert rival.get(f"{OFFSETS}?device_serial=PF-1").json()["count"] == 0


def test_a_partner_that_is_switched_off_is_401_at_once(writer: Caller, partner: Partner) -> None:
    Partner.objects.filter(pk=partner.pk).update(active=False)
    assert writer.get(OFFSETS).status_code == 401


def test_a_sandbox_takes_no_live_key(partner: Partner) -> None:
    live = make_caller(partner, livemode=True)
    answer = live.order(body_for("PF-1"))
    assert answer.status_code == 401
    assert "clk_test_" in answer.json()["error"]["detail"]
    assert not DeviceOffset.objects.exists()


@override_settings(LIVEMODE=True)
def test_the_mode_of_the_key_decides_the_mode_of_the_rows(partner: Partner, writer: Caller) -> None:
    live = make_caller(partner, livemode=True)
    in_test = writer.order(body_for("PF-1"), key="k-1").json()
    assert in_test["livemode"] is False
    refused = live.order(body_for("PF-2"), key="k-1")
    assert (refused.status_code, refused.json()["error"]["code"]) == (
        409,
        "sold_out",
    )  # all stock is sandbox stock
    assert live.get(f"{OFFSETS}{in_test['id']}/").status_code == 404
    assert live.get(OFFSETS).json()["count"] == 0
    assert DeviceOffset.objects.filter(livemode=True).count() == 0


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/", "/api/v1/offsets", "/api/v2/offsets/", "/api/v1/nothing/here"]
)
def test_an_unknown_address_is_answered_in_json_and_never_redirected(path: str, method: str) -> None:
    answer = NOBODY.send(method, path, b"{}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("path", [f"{OFFSETS}a%00b/", "/api/v1/certificates/a%00b/", f"{OFFSETS}%ff/"])
def test_an_address_with_strange_characters_is_404(writer: Caller, path: str) -> None:
    assert writer.get(path).status_code == 404


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense", "*/*;q=0", ""])
def test_whatever_a_client_accepts_it_gets_json(writer: Caller, accept: str) -> None:
    for caller, status in ((writer, 200), (NOBODY, 401)):
        answer = caller.send("GET", OFFSETS, Accept=accept)
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/json")
