"""The locks: exact versions and hashes, no registry's address, and all that the .in files name."""

import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"
pytestmark = pytest.mark.embedded


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower().split("[")[0]


def locked(name: str) -> dict[str, tuple[str, list[str]]]:
    """package -> (version, hashes) of one lock."""
    text = (REQUIREMENTS / f"{name}.txt").read_text().replace("\\\n", " ")
    entries = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    found = {}
    for entry in entries:
        package = re.match(r"([A-Za-z0-9._\[\]-]+)==(\S+)", entry)
        assert package, f"{name}.txt holds a line without an exact version: {entry[:80]}"
        found[normalised(package[1])] = (package[2], re.findall(r"--hash=sha256:([0-9a-f]{64})\b", entry))
    return found


def wanted(name: str) -> dict[str, str | None]:
    """package -> pinned version or None, as the .in file says."""
    lines = (REQUIREMENTS / f"{name}.in").read_text().splitlines()
    names = [
        line.split("#")[0].strip() for line in lines if line.strip() and not line.startswith(("#", "-r"))
    ]
    return {normalised(n.partition("==")[0]): n.partition("==")[2] or None for n in names}


@pytest.mark.parametrize("name", ["tool", "runtime", "dev"])
def test_a_lock_holds_hashes_for_every_package_and_no_address(name: str) -> None:
    lock = locked(name)
    assert lock
    assert [package for package, (_, hashes) in lock.items() if not hashes] == []
    text = (REQUIREMENTS / f"{name}.txt").read_text()
    assert "://" not in text
    assert "index-url" not in text
    assert "find-links" not in text


@pytest.mark.parametrize("name", ["tool", "runtime", "dev"])
def test_what_is_asked_for_is_in_the_lock_at_that_version(name: str) -> None:
    lock = locked(name)
    for package, version in wanted(name).items():
        assert package in lock
        assert version in (None, lock[package][0])


def test_development_runs_on_the_very_versions_that_production_runs_on() -> None:
    runtime, dev = locked("runtime"), locked("dev")
    assert {name: dev.get(name) for name in runtime} == runtime


def test_no_lock_lets_psycopg_3_in_beside_psycopg2() -> None:
    for name in ("runtime", "dev"):
        assert "psycopg" not in locked(name)
        assert "psycopg2-binary" in locked(name)
