"""Whatever JSON arrives, the answer is one that the document describes, and never 5xx."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories.partners import SKU, Caller, body_for

pytestmark = pytest.mark.usefixtures("shop")

FIXTURES_ARE_SHARED = settings(
    max_examples=75,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
text = st.text(max_size=30)
number = st.integers(min_value=-(2**70), max_value=2**70)
anything = st.recursive(
    st.none() | st.booleans() | number | st.floats() | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
FIELDS = [
    "project",
    "country",
    "years",
    "buyer_reference",
    "beneficiary",
    "devices",
    "device_serial",
    "sku",
    "ram",
]


def is_a_clear_answer(writer: Caller, body: Any) -> None:
    """Caller.send holds the answer against the OpenAPI document."""
    answer = writer.order(json.dumps(body).encode())
    assert answer.status_code in {201, 400, 409, 422}
    if answer.status_code != 201:
        assert answer.json()["error"]["detail"]


@FIXTURES_ARE_SHARED
@given(body=anything)
def test_any_json_is_answered_clearly(writer: Caller, body: Any) -> None:
    is_a_clear_answer(writer, body)


@FIXTURES_ARE_SHARED
@given(field=st.sampled_from(FIELDS), value=anything)
def test_any_value_of_any_field_is_answered_clearly(writer: Caller, field: str, value: Any) -> None:
    device = {"device_serial": "PF-1", "sku": SKU}
    in_device = field in {"device_serial", "sku", "ram"}
    is_a_clear_answer(
        writer,
        body_for(devices=[device | {field: value}]) if in_device else body_for("PF-1", **{field: value}),
    )


@FIXTURES_ARE_SHARED
@given(serial=text, reference=text, beneficiary=text)
def test_any_text_is_taken_whole_or_refused(
    writer: Caller, serial: str, reference: str, beneficiary: str
) -> None:
    body = body_for(serial, buyer_reference=reference, beneficiary=beneficiary)
    answer = writer.order(json.dumps(body).encode())
    assert answer.status_code in {201, 400, 409, 422}
    if answer.status_code == 201:
        assert answer.json()["device_count"] == 1


@FIXTURES_ARE_SHARED
@given(data=st.binary(max_size=200))
def test_any_bytes_are_answered_clearly(writer: Caller, data: bytes) -> None:
    assert writer.order(data).status_code in {400, 422}
