"""The floors of the house, as import-linter holds them, and the proof that it would notice."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINTER: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
PURE = ("claims", "catalog.pcf", "certificates.translog", "offsets.serials")
pytestmark = pytest.mark.embedded


def contract(kind: str, word: str) -> dict[str, Any]:
    [found] = [c for c in LINTER["contracts"] if c["type"] == kind and word in c["name"]]
    return dict(found)


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as main; main(['--no-cache'])",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The packages and their contracts, in a folder where a test may break them."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in LINTER["root_packages"]:
        shutil.copytree(
            ROOT / package,
            tmp_path / package,
            ignore=lambda folder, names: [
                n for n in names if not ((Path(folder) / n).is_dir() or n.endswith(".py"))
            ],
        )
    return tmp_path


def test_the_floors_are_those_of_the_house_and_have_no_exception() -> None:
    floors = contract("layers", "Floors")
    assert floors["layers"] == [
        "config",
        "storefront | partners",
        "checkout",
        "certificates",
        "offsets",
        "projects | catalog",
        "accounts",
        "claims",
        "common",
    ]
    assert not set(floors) & {"ignore_imports", "unmatched_ignore_imports_alerting"}
    assert set(LINTER["root_packages"]) == set(" | ".join(floors["layers"]).split(" | "))


def test_every_package_of_the_checkout_stands_on_a_floor() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {
        "tests",
        "benchmarks",
        "tools",
        "ops",
    }
    assert packages == set(LINTER["root_packages"])


def test_every_pure_module_that_exists_is_kept_free_of_django() -> None:
    existing = [
        name
        for name in PURE
        if (ROOT / name.replace(".", "/")).is_dir() or (ROOT / f"{name.replace('.', '/')}.py").exists()
    ]
    kept = contract("forbidden", "Pure")
    assert set(kept["source_modules"]) == set(existing)
    assert "django" in kept["forbidden_modules"]


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("common/errors.py", "import accounts", "Floors"),
        ("partners/models.py", "import storefront.urls", "Floors"),
        ("catalog/models.py", "import projects.models", "Floors"),
        ("claims/__init__.py", "import django.utils.html", "Pure modules"),
        ("checkout/models.py", "import weasyprint", "Only certificates.rendering"),
    ],
)
def test_an_import_that_breaks_a_floor_is_noticed(copy: Path, module: str, line: str, broken: str) -> None:
    path = copy / module
    path.write_text(f"{path.read_text()}\n{line}\n")
    answer = lint(copy)
    assert answer.returncode == 1
    [said] = [text for text in answer.stdout.splitlines() if text.startswith(broken) and " BROKEN" in text]
    assert said


def test_the_code_as_it_stands_keeps_every_contract() -> None:
    answer = lint(ROOT)
    assert answer.returncode == 0, answer.stdout
