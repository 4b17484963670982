"""A machine that cannot render as designed says so at the start, with what to install."""

import ctypes.util

import pytest

from certificates import checks


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
