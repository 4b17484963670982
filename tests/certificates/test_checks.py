"""A machine that cannot render as designed says so at the start, with what to install."""

import ctypes.util

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from pytest_django.fixtures import Settings

from certificates import checks
from tests.factories.certificates import make_certificate


def found(
    monkeypatch: pytest.MonkeyPatch, *, library: str | None, families: set[str]
) -> list[tuple[str, str]]:
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: library)
    monkeypatch.setattr(checks, "installed_families", lambda: families)
    return [(check.id or "", check.hint or "") for check in checks.certificates_can_be_rendered(None)]


def test_nothing_is_said_when_all_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch, library="lib.so.0", families={"Inter", "DejaVu Sans Mono"}) == []


def test_a_missing_library_and_missing_fonts_name_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch, library=None, families={"Noto Sans"}) == [
        ("certificates.W001", "Install the package libharfbuzz-subset0."),
        ("certificates.W002", "Install the package fonts-inter."),
        ("certificates.W002", "Install the package fonts-dejavu-core."),
    ]


@pytest.mark.django_db
def test_another_key_or_name_of_the_log_refuses_to_start(settings: Settings) -> None:
    make_certificate()
    call_command("check", databases=["default"])
    seeds = settings.LOG_SEEDS
    settings.LOG_SEEDS = {**seeds, "sandbox": "11" * 32}
    with pytest.raises(SystemCheckError, match="CLEARLINE_LOG_SEED_"):
        call_command("migrate", verbosity=0, skip_checks=False)
    settings.LOG_SEEDS = seeds
    settings.LOG_ORIGIN = "log.other.example"
    with pytest.raises(SystemCheckError, match="signed by another key or under another name"):
        call_command("check", databases=["default"])


@pytest.mark.django_db
def test_a_log_of_the_other_mode_needs_no_key_to_start(settings: Settings) -> None:
    make_certificate()
    settings.LOG_SEEDS = {**settings.LOG_SEEDS, "sandbox": ""}
    call_command("check", databases=["default"])
