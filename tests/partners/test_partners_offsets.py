"""A partner asks for offsets of its devices by one call."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Product
from offsets.models import DeviceOffset, OffsetRequest, ProjectStock
from partners import selectors
from partners.models import Partner
from partners.serializers import DeviceBody, OffsetsBody
from projects.models import ProjectPrice
from tests.factories.offsets import make_project, stock
from tests.factories.partners import (
    OFFSETS,
    SKU,
    SWEDEN_G,
    Caller,
    body_for,
    make_caller,
    make_partner,
    make_product,
)

pytestmark = pytest.mark.usefixtures("shop")


def committed_g() -> int:
    return ProjectStock.objects.get().committed_g


def nothing_happened() -> bool:
    return not OffsetRequest.objects.exists() and not DeviceOffset.objects.exists() and committed_g() == 0


def test_one_call_promises_the_footprint_of_each_device(writer: Caller, partner: Partner) -> None:
    answer = writer.order(body_for("PF-1", "pf-2", buyer_reference="PO 77"))
    assert answer.status_code == 201
    data = answer.json()
    assert answer["Location"] == data["url"] == f"http://127.0.0.1:8000/api/v1/offsets/{data['id']}/"
    assert "Idempotent-Replayed" not in answer
    assert (data["device_count"], data["amount_g"], data["livemode"]) == (2, 2 * SWEDEN_G, False)
    assert (data["project"], data["country"], data["years"]) == ("CL-4449", "SE", 5)
    assert (data["buyer_reference"], data["beneficiary"]) == ("PO 77", "")
    assert data["devices"][1] == {
        "device_serial": "PF-2",
        "manufacturer": "LENOVO",
        "product": "ThinkPad LAPTOP-1",
        "sku": SKU,
        "configuration": "16 GB · 512 GB",
        "amount_g": SWEDEN_G,
        "state": "promised",
        "certificate": None,
        "retirements": [],
    }
    [first, second] = DeviceOffset.objects.order_by("pk")
    assert first.owner == second.owner == partner.account
    assert (first.audience, first.wording, first.period) == ("company", "eu-company-en-1", "years-5")
    assert Decimal(first.footprint["total_kg"]) == 310
    assert first.footprint["amount_g"] == SWEDEN_G
    assert committed_g() == 2 * SWEDEN_G


def test_the_amount_follows_memory_country_and_years(writer: Caller) -> None:
    devices = [
        {"device_serial": "PF-1", "sku": SKU, "ram": 32},
        {"device_serial": "PF-2", "sku": SKU, "memory": "16"},
    ]
    answer = writer.order(body_for(devices=devices, years=3))
    extra_kg = Decimal("2.2") * 16 / Decimal("1.2444")
    amounts = [device["amount_g"] for device in answer.json()["devices"]]
    assert amounts == [338_287 - 4_000, 306_000]
    assert 334_286 < (306 + extra_kg) * 1000 < 334_287  # rounded up to the whole gram


def test_a_partner_that_is_no_verified_company_reads_the_words_for_consumers() -> None:
    caller = make_caller(make_partner("Unverified", verified=False))
    assert caller.order(body_for("PF-1")).status_code == 201
    assert DeviceOffset.objects.get().wording == "eu-consumer-en-1"


EVERY_FIELD = sorted(
    {field.name for model in (OffsetRequest, DeviceOffset, Product) for field in model._meta.get_fields()}
    | {"price_minor", "currency", "total_kg", "project_id", "owner_id", "ledger"}
)


@pytest.mark.parametrize("value", [1, None])
def test_a_client_can_set_neither_grams_nor_price_nor_mode_nor_any_other_field(
    writer: Caller, value: object
) -> None:
    assert {"amount_g", "livemode", "owner", "scope", "supplement", "covered_at"} <= set(EVERY_FIELD)
    for field in EVERY_FIELD:
        device = {"device_serial": "PF-1", "sku": SKU}
        calls = {}
        if field not in DeviceBody().fields:
            calls[f"devices.0.{field}"] = body_for(devices=[device | {field: value}])
        if field not in OffsetsBody().fields:
            calls[field] = body_for("PF-1", **{field: value})
        for path, body in calls.items():
            answer = writer.order(body)
            assert answer.status_code == 422
            assert [row["field"] for row in answer.json()["error"]["fields"]] == [path]
    assert nothing_happened()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"project": "CAR9999"}, "project"),
        ({"project": ""}, "project"),
        ({"project": None}, "project"),
        ({"country": "AQ"}, "country"),
        ({"country": "SWE"}, "country"),
        ({"years": 6}, "years"),
        ({"years": 0}, "years"),
        ({"years": "5"}, "years"),
        ({"years": True}, "years"),
        ({"years": 10**30}, "years"),
        ({"devices": []}, "devices"),
        ({"devices": {}}, "devices"),
        ({"devices": None}, "devices"),
        ({"devices": [7]}, "devices.0"),
        ({"buyer_reference": "line\nbreak"}, "buyer_reference"),
        ({"buyer_reference": "x" * 81}, "buyer_reference"),
        ({"buyer_reference": "net\u200bzero"}, "buyer_reference"),
        ({"buyer_reference": "climate neutral"}, "buyer_reference"),
        ({"beneficiary": "right\u202eleft"}, "beneficiary"),
        ({"beneficiary": "x" * 121}, "beneficiary"),
        ({"beneficiary": 7}, "beneficiary"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_done(
    writer: Caller, change: dict[str, object], field: str
) -> None:
    answer = writer.order(body_for("PF-1", **change))
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid_input"
    assert answer.json()["error"]["fields"][0]["field"] == field
    assert answer.json()["error"]["fields"][0]["detail"]
    assert nothing_happened()


@pytest.mark.parametrize(
    ("device", "field"),
    [
        ({"sku": "NOPE"}, "sku"),
        ({"sku": "NO\x00PE"}, "sku"),
        ({"sku": 7}, "sku"),
        ({"ram": 64}, "memory"),
        ({"ram": "lots"}, "memory"),
        ({"ram": 32, "memory": 32}, "ram"),
        ({"ram": True}, "ram"),
        ({"ram": []}, "ram"),
        ({"storage": 77}, "storage"),
        ({"manufacturer": "Dell"}, "manufacturer"),
        ({"device_serial": ""}, "device_serial"),
        ({"device_serial": " "}, "device_serial"),
        ({"device_serial": 42}, "device_serial"),
        ({"device_serial": "PF\t1"}, "device_serial"),
        ({"device_serial": "PF 1"}, "device_serial"),
        ({"device_serial": "PF\u200b1"}, "device_serial"),
        ({"device_serial": "x" * 65}, "device_serial"),
        ({"device_serial": "x" * 10_000}, "device_serial"),
    ],
)
def test_every_wrong_device_is_named_by_its_place(
    writer: Caller, device: dict[str, object], field: str
) -> None:
    good = {"device_serial": "PF-1", "sku": SKU}
    bad = {"device_serial": "PF-2", "sku": SKU, **device}
    answer = writer.order(body_for(devices=[good, bad, {**good, "device_serial": "PF-3"}]))
    assert answer.status_code == 422
    assert [row["field"] for row in answer.json()["error"]["fields"]] == [f"devices.1.{field}"]
    assert nothing_happened()


def test_an_option_that_the_product_lacks_is_answered_with_those_it_has(writer: Caller) -> None:
    answer = writer.order(body_for(devices=[{"device_serial": "PF-1", "sku": SKU, "ram": 64}]))
    assert "16, 32" in answer.json()["error"]["fields"][0]["detail"]


def test_a_product_without_a_lifetime_is_not_offered(writer: Caller) -> None:
    make_product("LAPTOP-2", lifetime_years=None)
    answer = writer.order(body_for(devices=[{"device_serial": "PF-1", "sku": "LAPTOP-2"}]))
    assert answer.status_code == 422
    assert answer.json()["error"]["fields"] == [
        {"field": "devices.0.sku", "detail": "ThinkPad LAPTOP-2 cannot be offered: it states no lifetime."}
    ]
    assert nothing_happened()


def test_a_covered_device_refuses_the_whole_call_and_is_named(writer: Caller, rival: Caller) -> None:
    assert rival.order(body_for("PF-2")).status_code == 201
    answer = writer.order(body_for("PF-1", "pf-2"))
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "already_covered"
    assert [row["field"] for row in answer.json()["error"]["fields"]] == ["devices.1.device_serial"]
    assert DeviceOffset.objects.count() == 1
    assert committed_g() == SWEDEN_G


def test_a_device_named_twice_refuses_the_whole_call(writer: Caller) -> None:
    answer = writer.order(body_for("PF-1", "PF-2", "pf-1 "))
    assert answer.status_code == 409
    fields = [row["field"] for row in answer.json()["error"]["fields"]]
    assert fields == ["devices.0.device_serial", "devices.2.device_serial"]
    assert nothing_happened()


def test_more_than_the_stock_is_sold_out_and_nothing_moves(writer: Caller) -> None:
    answer = writer.order(body_for(*(f"PF-{number}" for number in range(17))))  # 5.27 t of 5 t
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "sold_out"
    assert "5000 kg" in answer.json()["error"]["detail"]
    assert nothing_happened()


def test_a_beneficiary_is_named_only_by_a_verified_company(writer: Caller) -> None:
    unverified = make_caller(make_partner("Unverified", verified=False))
    refused = unverified.order(body_for("PF-1", beneficiary="Nordkontor AB"))
    assert refused.status_code == 422
    assert refused.json()["error"]["fields"][0]["field"] == "beneficiary"
    assert nothing_happened()
    assert (
        writer.order(body_for("PF-1", beneficiary="Nordkontor AB")).json()["beneficiary"] == "Nordkontor AB"
    )


def test_a_repeated_call_is_done_once_and_answered_alike(writer: Caller) -> None:
    first = writer.order(body_for("PF-1"), key="k-1")
    devices = b'[{"sku": "LAPTOP-1", "device_serial": "PF-1"}]'
    reordered = b'{ "years":5,"devices":' + devices + b',"country":"SE","project":"CL-4449"}'
    again = writer.order(reordered, key="k-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotent-Replayed"] == "true"
    assert again.content == first.content
    assert DeviceOffset.objects.count() == 1
    assert committed_g() == SWEDEN_G


def test_a_repeated_call_is_answered_though_the_catalogue_has_changed(writer: Caller) -> None:
    first = writer.order(body_for("PF-1"), key="k-1")
    assert first.status_code == 201
    Product.objects.filter(sku=SKU).update(published=False)
    ProjectPrice.objects.all().delete()
    again = writer.order(body_for("PF-1"), key="k-1")
    assert again.content == first.content
    assert again["Idempotent-Replayed"] == "true"


def test_the_same_key_with_another_body_is_refused(writer: Caller) -> None:
    writer.order(body_for("PF-1"), key="k-1")
    answer = writer.order(body_for("PF-2"), key="k-1")
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "idempotency_conflict"
    assert DeviceOffset.objects.count() == 1


def test_idempotency_keys_of_partners_are_apart(writer: Caller, rival: Caller) -> None:
    mine = writer.order(body_for("PF-1"), key="k-1")
    theirs = rival.order(body_for("PF-1"), key="k-1")
    assert theirs.status_code == 409  # the device is covered, and the rival never sees the answer to my call
    other = rival.order(body_for("PF-2"), key="k-1")
    assert "Idempotent-Replayed" not in other
    assert other.json()["id"] != mine.json()["id"]


def test_all_keys_of_a_partner_share_its_idempotency_keys(writer: Caller, partner: Partner) -> None:
    first = writer.order(body_for("PF-1"), key="k-1")
    again = make_caller(partner).order(body_for("PF-1"), key="k-1")
    assert again["Idempotent-Replayed"] == "true"
    assert again.json()["id"] == first.json()["id"]


@pytest.mark.parametrize("value", [None, "", "x" * 121, "caf\xe9", "tab\there"])
def test_without_a_usable_idempotency_key_nothing_is_done(writer: Caller, value: str | None) -> None:
    headers = {} if value is None else {"Idempotency-Key": value}
    answer = writer.send("POST", OFFSETS, b"{}", **headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_idempotency_key"
    assert nothing_happened()


def test_devices_are_listed_page_by_page(writer: Caller) -> None:
    asked = writer.order(body_for("PF-1", "PF-2", "PF-3")).json()
    page = writer.get(f"{OFFSETS}{asked['id']}/?limit=2").json()
    assert [device["device_serial"] for device in page["devices"]] == ["PF-1", "PF-2"]
    assert page["next"] == f"{asked['url']}?limit=2&offset=2"
    rest = writer.get(f"{OFFSETS}{asked['id']}/?limit=2&offset=2").json()
    assert [device["device_serial"] for device in rest["devices"]] == ["PF-3"]
    assert (rest["next"], rest["device_count"]) == (None, 3)


def test_requests_are_listed_newest_first_and_found_by_device_or_reference(writer: Caller) -> None:
    first = writer.order(body_for("PF-1", buyer_reference="PO 1")).json()
    second = writer.order(body_for("PF-2", "PF-3", buyer_reference="PO 2")).json()

    def ids(query: str) -> list[str]:
        return [row["id"] for row in writer.get(f"{OFFSETS}{query}").json()["results"]]

    assert ids("") == [second["id"], first["id"]]
    assert ids("?device_serial=pf-3") == [second["id"]]
    assert ids("?buyer_reference=PO+1") == [first["id"]]
    assert ids("?limit=1&offset=1") == [first["id"]]
    assert writer.get(OFFSETS).json()["results"][0]["amount_g"] == 2 * SWEDEN_G


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "limit=999999", "offset=-1", "offset=" + "9" * 30, "colour=1"]
)
def test_a_wrong_page_is_refused(writer: Caller, query: str) -> None:
    answer = writer.get(f"{OFFSETS}?{query}")
    assert answer.status_code == 422
    assert answer.json()["error"]["fields"][0]["field"] == query.partition("=")[0]


def statements(call: Callable[[], HttpResponse]) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert call().status_code in {200, 201}
    return len(queries)


def test_statements_do_not_grow_with_the_number_of_devices(writer: Caller) -> None:
    stock(make_project(), credits=2_000, first=10_001)
    writer.get(OFFSETS)  # the first call of a day notes the day
    ordered, read = {}, {}
    for count in (10, 100, 1_000):
        body = body_for(*(f"N{count}-{number}" for number in range(count)))
        ordered[count] = statements(lambda body=body: writer.order(body))
        asked = OffsetRequest.objects.latest("pk").public_id
        read[count] = statements(lambda asked=asked: writer.get(f"{OFFSETS}{asked}/"))
    if connection.vendor == "postgresql":
        assert ordered[10] == ordered[100] == ordered[1_000]
    else:
        assert ordered[1_000] - ordered[10] <= 1_000 // 20  # SQLite takes rows in fixed batches
    assert read[10] == read[100] == read[1_000] <= 8


def test_a_call_killed_before_its_answer_is_found_by_the_next(
    writer: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.delattr(selectors, "accepted")  # the effect is committed; the answer is never made
        assert (
            Client(raise_request_exception=False)
            .post(
                OFFSETS,
                body_for("PF-1"),
                "application/json",
                headers={**writer.headers(), "Idempotency-Key": "k-1"},
            )
            .status_code
            == 500
        )
    assert DeviceOffset.objects.count() == 1
    again = writer.order(body_for("PF-1"), key="k-1")
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert again.json()["amount_g"] == SWEDEN_G == committed_g()
