"""Settings that would hurt somebody are reported with an id."""

import pytest
from django.core.checks import run_checks
from pytest_django.fixtures import Settings

from tests.factories.offsets import make_project


def ids(**kwargs: object) -> set[str | None]:
    return {message.id for message in run_checks(**kwargs)}  # type: ignore[arg-type]


@pytest.mark.django_db
def test_a_live_shop_with_a_sandbox_registry_is_an_error(settings: Settings) -> None:
    make_project(adapter="sandbox")
    assert "clearline.E002" not in ids(databases=["default"])
    settings.LIVEMODE = True
    assert "clearline.E002" in ids(databases=["default"])
    make_project(adapter="manual")
    assert "clearline.E002" not in ids(databases=["default"])


def test_a_fault_point_in_production_is_an_error(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARLINE_FAULT_POINT", "order-paid")
    assert "clearline.E001" not in ids(include_deployment_checks=True)
    settings.PRODUCTION = True
    assert "clearline.E001" in ids(include_deployment_checks=True)


@pytest.mark.django_db
def test_a_registry_that_retires_through_a_broker_needs_its_address_and_our_key(settings: Settings) -> None:
    make_project(adapter="manual")
    assert "clearline.E003" not in ids(databases=["default"])
    make_project(adapter="broker")
    [error] = [message for message in run_checks(databases=["default"]) if message.id == "clearline.E003"]
    assert error.hint == "Set BROKER_URL (https) and BROKER_API_KEY in the environment; see docs/brokers.md."
    settings.BROKER_URL, settings.BROKER_API_KEY = "https://api.broker.example", "key-of-a-test"
    assert "clearline.E003" not in ids(databases=["default"])


@pytest.mark.parametrize(
    ("url", "production", "wrong"),
    [
        ("", True, False),
        ("https://api.broker.example", True, False),
        ("http://api.broker.example", False, True),
        ("http://127.0.0.1:8099", False, False),
        ("http://127.0.0.1:8099", True, True),
    ],
)
def test_a_brokers_address_is_https_outside_of_tests(
    settings: Settings, url: str, production: bool, wrong: bool
) -> None:
    settings.BROKER_URL, settings.PRODUCTION = url, production
    assert ("clearline.E004" in ids()) is wrong
