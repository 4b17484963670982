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


def test_a_fault_point_in_production_is_an_error(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEARLINE_FAULT_POINT", "order-paid")
    assert "clearline.E001" not in ids(include_deployment_checks=True)
    settings.PRODUCTION = True
    assert "clearline.E001" in ids(include_deployment_checks=True)
