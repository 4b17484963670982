"""The soak harness itself: what it counts as held is what the documentation lists, and its command line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEDGER, TRUST = ROOT / "docs" / "ledger.md", ROOT / "docs" / "trust.md"


def documented() -> dict[str, str]:
    """Rows and columns of the table below "Which columns are held" in docs/ledger.md."""
    text = LEDGER.read_text().split("### Which columns are held")[1].split("\n\n## ")[0]
    rows = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|$", text, re.MULTILINE))
    return {name: columns for names, columns in rows.items() for name in names.split(", ")}


def words(columns: tuple[str, ...]) -> set[str]:
    """`first_number` and `last_number` as the documentation says it: the words, without units and keys."""
    names = {re.sub(r"(_id|_g)$", "", column) for column in columns}
    return {word for name in names for word in name.split("_")}


def test_the_mutated_columns_are_those_that_the_documentation_lists() -> None:
    from tests.soak.mutations import ALL, COLUMNS, ONCE_ASKED_FOR, ONCE_COVERED

    table = documented()
    for model, columns in COLUMNS.items():
        name = "stock" if model.__name__ == "ProjectStock" else str(model._meta.verbose_name)
        name = {"outcome of an attempt": "outcome"}.get(name, name)
        said = table[name]
        if columns == ALL:
            assert said == "all", name
            continue
        if name == "span":
            assert said == "all but its date"
            continue
        listed = set(re.findall(r"[a-z]+", said.split(";")[0]))
        assert words(columns) <= listed, name
        more = {"device offset": ONCE_COVERED, "retirement": ONCE_ASKED_FOR}.get(name, ())
        assert words(more) <= set(re.findall(r"[a-z]+", said)), name


@pytest.mark.embedded
def test_an_unknown_bar_is_named_and_those_that_exist_are_listed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak", "R99"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "there is no bar R99; there are R1, R2, R3, R4, R7, R12, R15, R16, R18" in done.stderr
    assert done.stdout == ""


@pytest.mark.embedded
def test_each_guard_that_is_deleted_stands_once_and_its_tests_exist() -> None:
    from tests.soak.guards import GUARDS

    assert len(GUARDS) >= 30
    for guard in GUARDS:
        assert (ROOT / guard.file).read_text().count(guard.old) == 1, (
            f"{guard.name}: mend tests/soak/guards.py"
        )
        assert all((ROOT / test).exists() for test in guard.tests), guard.name


@pytest.mark.embedded
def test_every_bar_of_the_harness_is_in_the_table_of_bars() -> None:
    from tests.soak.__main__ import MODULES

    rows = re.findall(r"^\| ([RS][0-9]+) \|", TRUST.read_text(), re.MULTILINE)
    assert set(MODULES) <= set(rows)
