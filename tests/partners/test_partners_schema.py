"""The OpenAPI document is valid, complete and true."""

import pytest
from django.urls import URLPattern
from drf_spectacular.validation import validate_schema

from partners.urls import urlpatterns
from tests.factories.partners import Caller

ANYONE = Caller()
DOCUMENT = "/api/schema/"


def document() -> dict:
    answer = ANYONE.get(DOCUMENT)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    return answer.json()


def operations() -> list[tuple[str, str, dict]]:
    paths = document()["paths"]
    return [
        (path, method, operation) for path, methods in paths.items() for method, operation in methods.items()
    ]


@pytest.mark.django_db
def test_the_document_is_valid_openapi_and_needs_no_database(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        validate_schema(document())


def test_every_address_but_the_document_and_the_catch_all_is_described() -> None:
    described = {path for path, _method, _operation in operations()}
    routed = {
        "/api/" + str(pattern.pattern).replace("<str:", "{").replace(">", "}")
        for pattern in urlpatterns
        if isinstance(pattern, URLPattern) and pattern.name not in {"schema", "unknown"}
    }
    assert described == routed


def test_keyed_calls_name_the_bearer_scheme_and_public_ones_none() -> None:
    assert document()["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    for path, _method, operation in operations():
        keyed = path.startswith(("/api/v1/offsets", "/api/v1/certificates"))
        assert operation.get("security") == ([{"apiKey": []}] if keyed else [{}])
        assert ("401" in operation["responses"]) == keyed


def test_each_operation_has_a_sentence_a_name_and_one_shape_of_error() -> None:
    names = [operation["operationId"] for _path, _method, operation in operations()]
    assert len(set(names)) == len(names) == 15
    for _path, _method, operation in operations():
        assert operation["description"]
        for status, answer in operation["responses"].items():
            if status >= "400":
                assert answer["content"]["application/json"]["schema"] == {
                    "$ref": "#/components/schemas/Error"
                }


def test_the_call_that_writes_says_what_it_needs_and_takes_no_unknown_field() -> None:
    post = document()["paths"]["/api/v1/offsets/"]["post"]
    assert set(post["responses"]) == {"201", "400", "401", "403", "405", "409", "413", "415", "422"}
    [key] = [parameter for parameter in post["parameters"] if parameter["in"] == "header"]
    assert (key["name"], key["required"], key["schema"]["maxLength"]) == ("Idempotency-Key", True, 120)
    assert "Idempotent-Replayed" in post["responses"]["201"]["headers"]
    schemas = document()["components"]["schemas"]
    assert schemas["OffsetsBody"]["additionalProperties"] is False
    assert schemas["DeviceBody"]["additionalProperties"] is False
    assert schemas["OffsetsBody"]["required"] == ["country", "devices", "project"]
    assert schemas["OffsetsBody"]["properties"]["devices"]["maxItems"] == 10_000
