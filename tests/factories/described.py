"""Holds an answer of the API against the OpenAPI document that the API serves."""

import re
from functools import cache
from typing import Any

from django.http import HttpResponse
from jsonschema import Draft202012Validator, FormatChecker

from partners.schema import openapi_document


def assert_described(method: str, path: str, answer: HttpResponse) -> None:
    """The document names this status for this call, and the body is as it says; other addresses pass."""
    template = _template(path.partition("?")[0])
    if not template:
        return
    operation = openapi_document()["paths"][template].get(method.lower())
    if operation is None:
        assert answer.status_code in {200, 401, 403, 404, 405} if method == "HEAD" else {401, 403, 405}, (
            f"{method} {path} answers {answer.status_code}"
        )
        return
    described = operation["responses"].get(str(answer.status_code))
    assert described, (
        f"{method} {template} does not say that it answers {answer.status_code}: {answer.content[:300]!r}"
    )
    [(media_type, content)] = described["content"].items()
    assert answer["Content-Type"] == media_type
    if media_type == "application/json" and content["schema"].get("format") != "binary":
        errors = list(_validator(content["schema"].get("$ref", "")).iter_errors(answer.json()))
        assert not errors, (
            f"{method} {template} {answer.status_code}: {errors[0].message} at {errors[0].json_path}"
        )


def _template(path: str) -> str:
    for template in openapi_document()["paths"]:
        if re.fullmatch(re.sub(r"\\{[^}]+\\}", "[^/]+", re.escape(template)), path):
            return str(template)
    return ""


@cache
def _validator(reference: str) -> Draft202012Validator:
    schemas = {"components": {"schemas": _plain(openapi_document()["components"]["schemas"])}}
    return Draft202012Validator({"$ref": reference, **schemas}, format_checker=FormatChecker())


def _plain(schema: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: `nullable` becomes a choice that includes null."""
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _plain(part) for name, part in schema.items() if name != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain
