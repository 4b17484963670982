"""Where a device stands, as its partner reads it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from certificates.models import Certificate
from offsets import services
from offsets.models import DeviceOffset
from tests.factories.offsets import NOON, allocate, make_project, open_retirements
from tests.factories.partners import OFFSETS, SWEDEN_G, Caller, body_for

pytestmark = pytest.mark.usefixtures("shop", "dealt_in_order")

CODE = "7Q2M-K4VX-09AB-DJ3T"
CERTIFICATE = f"/api/v1/certificates/{CODE}/"
FACTS = {"device_serial": "PF-1", "amount_g": SWEDEN_G}


@pytest.fixture
def asked(shop: None, writer: Caller) -> dict[str, Any]:
    """Three devices, promised."""
    return writer.order(body_for("PF-1", "PF-2", "PF-3"), key="k-1").json()


def retire() -> None:
    """The sandbox registry confirms one tonne, which the devices' grams come from."""
    for retirement in open_retirements(make_project()):
        services.settle(retirement, now=NOON)
    allocate(make_project())


def certify(**changes: Any) -> Certificate:
    """A certificate of the first device, as it is before its PDF is drawn."""
    values = {"facts": FACTS, "nonce": b"n" * 32, "digest": "d" * 64, "wording": "eu-company-en-1", **changes}
    return Certificate.objects.create(
        code=CODE,
        offset=DeviceOffset.objects.get(device_serial="PF-1"),
        livemode=False,
        language="en",
        issued_at=NOON,
        **values,
    )


def devices(writer: Caller, asked: dict[str, Any]) -> list[dict[str, Any]]:
    return writer.get(f"{OFFSETS}{asked['id']}/").json()["devices"]


def states(writer: Caller, asked: dict[str, Any]) -> list[str]:
    return [device["state"] for device in devices(writer, asked)]


def test_before_the_registry_confirms_nothing_is_claimed(writer: Caller, asked: dict[str, Any]) -> None:
    open_retirements(make_project())
    assert states(writer, asked) == ["promised"] * 3
    assert all(
        device["retirements"] == [] and device["certificate"] is None for device in devices(writer, asked)
    )


def test_a_retired_device_names_the_credits_of_its_very_grams(writer: Caller, asked: dict[str, Any]) -> None:
    retire()
    assert states(writer, asked) == ["retired"] * 3
    parts = [device["retirements"][0] for device in devices(writer, asked)]
    assert [(part["from_g"], part["to_g"]) for part in parts] == [
        (0, SWEDEN_G),
        (SWEDEN_G, 2 * SWEDEN_G),
        (2 * SWEDEN_G, 3 * SWEDEN_G),
    ]
    assert {part["credit_serials"] for part in parts} == {"DEMO-CDM-CL-CER-2-1 to 1"}
    assert {(part["registry"], part["vintage"]) for part in parts} == {("CDM", 2021)}
    today = f"{datetime.now(UTC):%Y-%m-%d}"  # the sandbox registry's
    assert all(part["registry_reference"] and part["retired_on"] == today for part in parts)


def test_a_claim_that_spans_two_retirements_names_both(writer: Caller, asked: dict[str, Any]) -> None:
    retire()  # 930,000 of 1,000,000 g
    more = writer.order(body_for("PF-4")).json()
    retire()
    [device] = devices(writer, more)
    assert [part["to_g"] - part["from_g"] for part in device["retirements"]] == [70_000, 240_000]
    assert len({part["reference"] for part in device["retirements"]}) == 2


def test_a_repeated_call_gets_the_first_answer_though_the_devices_have_moved_on(
    writer: Caller, asked: dict[str, Any]
) -> None:
    retire()
    certify()
    again = writer.order(body_for("PF-1", "PF-2", "PF-3"), key="k-1")
    assert again.json() == asked
    assert states(writer, asked) == ["certified", "retired", "retired"]


def test_endings_are_told(writer: Caller, asked: dict[str, Any]) -> None:
    first, second, third = DeviceOffset.objects.order_by("pk")
    services.cancel_offset(first, reason="returned", actor="staff:5", now=NOON)
    retire()
    services.reverse_offset(second, reason="returned", actor="staff:5", now=NOON)
    services.move_to_replacement(third, device_serial="PF-9", reason="broken", actor="staff:5", now=NOON)
    found = devices(writer, asked)
    assert [(device["device_serial"], device["state"]) for device in found] == [
        ("PF-1", "cancelled"),
        ("PF-2", "reversed"),
        ("PF-3", "moved"),
        ("PF-9", "retired"),
    ]
    assert writer.get(f"{OFFSETS}{asked['id']}/").json()["device_count"] == 3


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "certified"),
        ({"needs_person_at": NOON}, "needs_person"),
        ({"state": "withdrawn", "withdrawn_at": NOON, "facts": None, "nonce": None}, "withdrawn"),
    ],
)
def test_from_retired_on_the_certificate_says_the_state(
    writer: Caller, asked: dict[str, Any], changes: dict[str, Any], state: str
) -> None:
    retire()
    certify(**changes)
    [device, *_others] = devices(writer, asked)
    assert device["state"] == state
    assert device["certificate"] == {
        "code": CODE,
        "state": changes.get("state", "valid"),
        "issued_at": "2026-11-24T12:00:00Z",
        "record_url": f"http://127.0.0.1:8000/c/{CODE}/",
        "url": f"http://127.0.0.1:8000{CERTIFICATE}",
    }


@pytest.mark.usefixtures("asked")
def test_a_certificate_is_read_by_its_partner_with_either_key(writer: Caller, reader: Caller) -> None:
    retire()
    certify()
    answer = reader.get(CERTIFICATE).json()
    assert answer == writer.get("/api/v1/certificates/7q2mk4vx09abdj3t/").json()
    assert (answer["facts"], answer["digest"], answer["replaces"]) == (FACTS, "d" * 64, None)
    assert answer["files"] == {
        "pdf": None,
        "json": f"http://127.0.0.1:8000{CERTIFICATE}certificate.json",
        "badge": f"http://127.0.0.1:8000{CERTIFICATE}badge.svg",
    }


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("name", ["", "certificate.pdf", "certificate.json", "badge.svg"])
def test_a_rivals_certificate_answers_like_one_that_does_not_exist(rival: Caller, name: str) -> None:
    retire()
    certify()
    foreign = rival.get(f"{CERTIFICATE}{name}")
    missing = rival.get(f"/api/v1/certificates/0000-0000-0000-0000/{name}")
    malformed = rival.get(f"/api/v1/certificates/nonsense/{name}")
    assert foreign.status_code == 404
    assert foreign.content == missing.content == malformed.content


@pytest.mark.usefixtures("asked")
def test_a_pdf_that_is_not_drawn_yet_is_409(writer: Caller) -> None:
    retire()
    certify()
    answer = writer.get(f"{CERTIFICATE}certificate.pdf")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_drawn_yet")


@pytest.mark.usefixtures("asked")
def test_a_pdf_whose_file_is_lost_is_never_served_empty(writer: Caller) -> None:
    retire()
    certify(rendered_at=datetime(2026, 11, 24, tzinfo=UTC), pdf="certificates/lost.pdf")
    assert writer.get(f"{CERTIFICATE}certificate.pdf").status_code == 409


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("name", ["certificate.pdf", "certificate.json", "badge.svg"])
def test_the_files_of_a_withdrawn_certificate_are_gone(writer: Caller, name: str) -> None:
    retire()
    certify(state="withdrawn", withdrawn_at=NOON, facts=None, nonce=None)
    answer = writer.get(f"{CERTIFICATE}{name}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "withdrawn")
    shown = writer.get(CERTIFICATE).json()
    assert (shown["facts"], shown["files"]) == (None, {"pdf": None, "json": None, "badge": None})
