"""A file of projects is written whole or not at all, and each error is named with its place."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from projects import services
from projects.errors import BadProjectFile
from projects.importing import import_projects
from projects.models import Methodology, Project, ProjectPrice, QualityFact, Registry
from tests.factories.accounts import MarketFactory

pytestmark = pytest.mark.django_db

FILE = """
format = "clearline-projects-1"

[[registries]]
code = "CAR"
name = "Climate Action Reserve"
url = "https://www.climateactionreserve.org/"
unit = "CRT"
retirement_term = "retirement"

[[methodologies]]
code = "Adipic Acid"

[[projects]]
reference = "CAR1480"
registry = "CAR"
name = "Phlogiston Phase I"
short_name = "Phlogiston"
country = "US"
continent = "north-america"
project_type = "Adipic Acid"
methodology = "Adipic Acid"
registry_url = "https://thereserve2.apx.com/"
what_it_does = "Destroys nitrous oxide."
what_the_credit_is = "One tonne of CO2e."
what_is_said_against_it = "It is cheap to do."
source = "a test, November 2026"
prices = { nordics = 15550, emea = 1390 }

[[projects.issuances]]
vintage = 2025
issued_on = 2025-06-25
source = "public report, November 2026"
[projects.issuances.facts]
"CCP Approved" = "Yes"
"Corresponding Adjustment" = "No"
"""


@pytest.fixture(autouse=True)
def markets() -> None:
    MarketFactory()
    MarketFactory(code="emea", name="EMEA", currency="EUR", position=2)


def problems(text: str) -> list[tuple[str, str]]:
    with pytest.raises(BadProjectFile) as caught:
        import_projects(text)
    return [(problem["place"], problem["detail"]) for problem in caught.value.details]


def rows() -> list[Any]:
    models = (Registry, Methodology, Project, ProjectPrice, QualityFact)
    return [list(model._default_manager.order_by("id").values()) for model in models]


def test_a_file_brings_a_project_with_its_prices_and_facts() -> None:
    result = import_projects(FILE)
    assert (result.created, result.updated, result.unchanged) == (["CAR1480"], [], [])
    project = Project.objects.get()
    assert (project.registry.code, project.methodology.code, project.country.code) == (
        "CAR",
        "Adipic Acid",
        "US",
    )
    assert {p.market.code: p.price_minor_per_tonne for p in project.prices.all()} == {
        "nordics": 15550,
        "emea": 1390,
    }
    assert {(f.vintage, f.issued_on, f.name, f.value) for f in project.quality_facts.all()} == {
        (2025, date(2025, 6, 25), "CCP Approved", "Yes"),
        (2025, date(2025, 6, 25), "Corresponding Adjustment", "No"),
    }


def test_the_same_file_again_changes_nothing() -> None:
    import_projects(FILE)
    before = rows()
    assert import_projects(FILE).unchanged == ["CAR1480"]
    assert rows() == before


def test_a_new_version_of_the_file_changes_only_what_it_says() -> None:
    import_projects(FILE)
    pk = Project.objects.get().pk
    newer = FILE.replace("emea = 1390", "emea = 1490").replace(
        '"CCP Approved" = "Yes"', '"CCP Approved" = ""'
    )
    assert import_projects(newer).updated == ["CAR1480"]
    project = Project.objects.get()
    assert project.pk == pk
    assert project.prices.get(market__code="emea").price_minor_per_tonne == 1490
    assert project.prices.get(market__code="nordics").price_minor_per_tonne == 15550
    assert project.quality_facts.get(name="CCP Approved").value == ""
    assert project.quality_facts.count() == 2


def test_a_market_that_the_file_no_longer_names_does_not_sell_the_project() -> None:
    import_projects(FILE)
    assert import_projects(FILE.replace(", emea = 1390", "")).updated == ["CAR1480"]
    assert [price.market.code for price in ProjectPrice.objects.all()] == ["nordics"]


def test_an_import_resumes_no_project_and_keeps_how_a_registry_retires() -> None:
    import_projects(FILE, adapter="sandbox")
    now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    services.pause_projects(projects=[Project.objects.get()], reason="audit", actor="staff:5", now=now)
    import_projects(FILE.replace("It is cheap", "It is very cheap"), adapter="manual")
    assert Project.objects.get().paused_at == now
    assert Registry.objects.get().adapter == "sandbox"


def test_only_new_leaves_what_staff_wrote() -> None:
    import_projects(FILE)
    Project.objects.update(short_name="Staff's own")
    assert import_projects(FILE, only_new=True).unchanged == ["CAR1480"]
    assert Project.objects.get().short_name == "Staff's own"


IN_PROJECT = "projects 1 (CAR1480), "
WHOLE = "must be a whole number above 0"


@pytest.mark.parametrize(
    ("old", "new", "place", "detail"),
    [
        ("clearline-projects-1", "other-2", "format", 'must be "clearline-projects-1"'),
        ('unit = "CRT"', "", "registries 1, unit", "missing"),
        ('unit = "CRT"', "unit = 5", "registries 1, unit", "must be text in quotes"),
        ('unit = "CRT"', 'unit = "CRT"\nadapter = "manual"', "registries 1, adapter", "unknown key"),
        ('source = "a test, November 2026"', "", "projects 1, source", "missing"),
        ("emea = 1390", "mars = 1390", IN_PROJECT + "prices.mars", "no such market; there are nordics, emea"),
        ("emea = 1390", "emea = 13.90", IN_PROJECT + "prices.emea", WHOLE),
        ("emea = 1390", "emea = 0", IN_PROJECT + "prices.emea", WHOLE),
        ("emea = 1390", "emea = true", IN_PROJECT + "prices.emea", WHOLE),
        ('registry = "CAR"', 'registry = "VCS"', IN_PROJECT + "registry", '"VCS" is neither in the file'),
        ('country = "US"', 'country = "XX"', IN_PROJECT + "country", "not a valid choice"),
        ('"north-america"', '"atlantis"', IN_PROJECT + "continent", "not a valid choice"),
        ('"https://thereserve2.apx.com/"', '"here"', IN_PROJECT + "registry_url", "valid URL"),
        ('= "Phlogiston"', f'= "{"x" * 61}"', IN_PROJECT + "short_name", "at most 60"),
        ("Destroys", "Is climate neutral and destroys", IN_PROJECT + "what_it_does", "“climate neutral”"),
        ("vintage = 2025", 'vintage = "2025"', IN_PROJECT + "issuances 1, vintage", "must be a whole number"),
        ("2025-06-25", '"June"', IN_PROJECT + "issuances 1, issued_on", "must be a date"),
        ('"CCP Approved" = "Yes"', '"CCP" = true', IN_PROJECT + "issuances 1, facts.CCP", "must be text"),
        ("[[methodologies]]", "[methodologies]", "methodologies", "write [[methodologies]]"),
        ("[[methodologies]]", "[[methods]]", "methods", "unknown"),
    ],
)
def test_each_error_is_named_with_its_place_and_nothing_is_written(
    old: str, new: str, place: str, detail: str
) -> None:
    assert old in FILE
    found = problems(FILE.replace(old, new, 1))
    assert any(where == place and detail in what for where, what in found), found
    assert rows() == [[], [], [], [], []]


def test_a_file_that_is_not_toml_says_where_it_breaks() -> None:
    [(place, detail)] = problems("format = \n" + FILE)
    assert place == "file"
    assert "line 1" in detail


def test_all_errors_are_named_at_once_and_the_good_project_is_not_written_either() -> None:
    head, project = FILE.split("[[projects]]", 1)
    second = project.replace("CAR1480", "CAR1335").replace('country = "US"', 'country = "XX"')
    third = project.replace("CAR1480", "CAR866").replace("nordics = 15550", "nordics = -1")
    found = problems("[[projects]]".join([head, project, second, third]))
    assert [place for place, _detail in found] == [
        "projects 2 (CAR1335), country",
        "projects 3 (CAR866), prices.nordics",
    ]
    assert not Project.objects.exists()


def test_a_project_may_stand_only_once_in_a_file() -> None:
    head, project = FILE.split("[[projects]]", 1)
    assert problems("[[projects]]".join([head, project, project])) == [
        ("projects 2 (CAR1480)", "stands twice in the file")
    ]


def test_a_dry_run_says_what_would_happen_and_writes_nothing(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "projects.toml"
    path.write_text(FILE, encoding="utf-8")
    call_command("import_projects", path, "--dry-run")
    assert "created: 1\n  CAR1480" in capsys.readouterr().out
    assert rows() == [[], [], [], [], []]
    call_command("import_projects", path)
    assert Project.objects.count() == 1


def test_the_command_names_each_error_and_fails(tmp_path: Path) -> None:
    path = tmp_path / "projects.toml"
    path.write_text(FILE.replace('country = "US"', 'country = "XX"'), encoding="utf-8")
    with pytest.raises(CommandError, match=r"projects 1 \(CAR1480\), country: .*\n.*Nothing was written"):
        call_command("import_projects", path)
    assert not Project.objects.exists()


@pytest.mark.parametrize(("content", "message"), [(b"\xff\xfe", "not UTF-8"), (None, "cannot be read")])
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "projects.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CommandError, match=message):
        call_command("import_projects", path)


def test_a_file_beyond_the_limit_is_refused() -> None:
    assert problems("#" * 5_000_001)[0][0] == "file"
