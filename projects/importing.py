"""Read a file of projects (docs/importing-projects.md) and write it: all of it or nothing."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction

from accounts.models import Market
from projects.errors import BadProjectFile
from projects.models import Methodology, Project, ProjectPrice, QualityFact, Registry

FORMAT = "clearline-projects-1"
MAX_CHARACTERS = 5_000_000

TYPE_NAMES = {
    str: "text in quotes",
    int: "a whole number",
    bool: "true or false",
    date: "a date",
    dict: "a table",
}
TOP_KEYS = {"format", "registries", "methodologies", "projects"}
Keys = Mapping[str, type]
Row = TypeVar("Row", bound=models.Model)
REGISTRY: Keys = {"code": str, "name": str, "url": str, "unit": str, "retirement_term": str}
REGISTRY_MAY: Keys = {"last_retirement_on": date, "sunset_note": str}
METHODOLOGY: Keys = {"code": str}
METHODOLOGY_MAY: Keys = {"name": str}
PROJECT: Keys = {
    "reference": str,
    "registry": str,
    "name": str,
    "short_name": str,
    "country": str,
    "continent": str,
    "project_type": str,
    "methodology": str,
    "registry_url": str,
    "what_it_does": str,
    "what_the_credit_is": str,
    "what_is_said_against_it": str,
    "source": str,
    "prices": dict,
}
PROJECT_MAY: Keys = {
    "region": str,
    "southern_hemisphere": bool,
    "supplied_through": str,
    "developer": str,
    "price_note": str,
    "issuances": list,
}
ISSUANCE_REPORT = "report of issuances as of"  # what import_issuances kept is not the file's to delete
NOT_COLUMNS = {"registry", "methodology", "prices", "price_note", "issuances"}
ISSUANCE: Keys = {"vintage": int, "source": str, "facts": dict}
ISSUANCE_MAY: Keys = {"issued_on": date}


@dataclass
class ImportResult:
    """What an import did to projects, by reference."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)


def import_projects(
    text: str, *, adapter: str = "manual", only_new: bool = False, dry_run: bool = False
) -> ImportResult:
    """Write the registries, methodologies, projects, prices and quality facts of a file.

    A project is known by its reference; the file states all of its prices and facts. The same file again
    changes nothing. `adapter` is how new registries retire; one that exists keeps its own. `only_new` leaves
    every row that exists as it is. Raises BadProjectFile, whose details name every error with its place;
    then, and in a dry run, nothing is written.
    """
    document = _parse(text)
    run = _Import(adapter=adapter, only_new=only_new)
    with transaction.atomic():
        run.write(document)
        if run.problems:
            raise _bad(run.problems)
        transaction.set_rollback(dry_run)
    return run.result


def _parse(text: str) -> dict[str, Any]:
    if len(text) > MAX_CHARACTERS:
        raise _bad([("file", f"longer than {MAX_CHARACTERS} characters; split it")])
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _bad([("file", f"not TOML: {error}")]) from None
    if document.get("format") != FORMAT:
        raise _bad([("format", f'must be "{FORMAT}"')])
    return document


def _bad(problems: list[tuple[str, str]]) -> BadProjectFile:
    return BadProjectFile(
        f"{len(problems)} error(s) in the file of projects. Nothing was written.",
        details=[{"place": place, "detail": detail} for place, detail in problems],
    )


class _Import:
    """One run: what was written so far and what is wrong. Lives inside one transaction."""

    def __init__(self, *, adapter: str, only_new: bool) -> None:
        self.adapter, self.only_new = adapter, only_new
        self.problems: list[tuple[str, str]] = []
        self.result = ImportResult()
        self.markets = {market.code: market for market in Market.objects.all()}
        self.seen: set[str] = set()

    def write(self, document: dict[str, Any]) -> None:
        for key in sorted(set(document) - TOP_KEYS):
            self.problems.append((key, f"unknown; a file has {', '.join(sorted(TOP_KEYS))}"))
        for place, raw in self._tables(document, "registries"):
            if values := self._values(raw, REGISTRY, REGISTRY_MAY, place):
                new = {"adapter": self.adapter}
                self._save(Registry, {"code": values["code"]}, values, place, only_when_new=new)
        for place, raw in self._tables(document, "methodologies"):
            if values := self._values(raw, METHODOLOGY, METHODOLOGY_MAY, place):
                self._save(Methodology, {"code": values["code"]}, values, place)
        for place, raw in self._tables(document, "projects"):
            if values := self._values(raw, PROJECT, PROJECT_MAY, place):
                self._project(values, f"{place} ({values['reference']})")

    # What the file says

    def _tables(self, document: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
        tables = document.get(key, [])
        if not isinstance(tables, list):
            self.problems.append((key, f"must be a list of tables: write [[{key}]]"))
            return []
        return [(f"{key} {number}", raw) for number, raw in enumerate(tables, start=1)]

    def _values(self, raw: Any, must: Keys, may: Keys, place: str) -> dict[str, Any] | None:
        """The table's values, or None when a key is missing, unknown or of another type: each is named."""
        if not isinstance(raw, dict):
            self.problems.append((place, "must be a table"))
            return None
        known = {**must, **may}
        before = len(self.problems)
        for key in sorted(must.keys() - raw.keys()):
            self.problems.append((f"{place}, {key}", "missing"))
        for key, value in raw.items():
            if key not in known:
                self.problems.append((f"{place}, {key}", "unknown key"))
            elif type(value) is not known[key]:
                self.problems.append((f"{place}, {key}", f"must be {TYPE_NAMES.get(known[key], 'a list')}"))
        return raw if len(self.problems) == before else None

    # What is written

    def _project(self, values: dict[str, Any], place: str) -> None:
        reference = values["reference"]
        if reference in self.seen:
            self.problems.append((place, "stands twice in the file"))
            return
        self.seen.add(reference)
        if self.only_new and Project.objects.filter(reference=reference).exists():
            self.result.unchanged.append(reference)
            return
        columns = {key: value for key, value in values.items() if key not in NOT_COLUMNS}
        columns["registry"] = self._known(Registry, values["registry"], f"{place}, registry")
        columns["methodology"] = self._known(Methodology, values["methodology"], f"{place}, methodology")
        if columns["registry"] is None or columns["methodology"] is None:
            return
        project, change = self._save(Project, {"reference": reference}, columns, place)
        if project is None:
            return
        related = self._prices(project, values, place) | self._facts(project, values, place)
        if change == "created":
            self.result.created.append(reference)
        elif change == "updated" or related:
            self.result.updated.append(reference)
        else:
            self.result.unchanged.append(reference)

    def _known(self, model: type[Registry] | type[Methodology], code: str, place: str) -> models.Model | None:
        row = model.objects.filter(code=code).first()
        if row is None:
            self.problems.append((place, f'"{code}" is neither in the file nor known here'))
        return row

    def _save(
        self,
        model: type[Row],
        key: dict[str, Any],
        values: dict[str, Any],
        place: str,
        *,
        only_when_new: Mapping[str, Any] | None = None,
    ) -> tuple[Row | None, str]:
        """The row of this key with these values (None if they do not hold), and what became of it."""
        row = model._default_manager.filter(**key).first()
        if row is not None and self.only_new:
            return row, "unchanged"
        change = "updated" if row is not None else "created"
        if row is None:
            row = model(**key, **(only_when_new or {}))
        if change == "updated" and all(getattr(row, name) == value for name, value in values.items()):
            return row, "unchanged"
        for name, value in values.items():
            setattr(row, name, value)
        if not self._holds(row, place):
            return None, change
        row.save()
        return row, change

    def _holds(self, row: models.Model, place: str) -> bool:
        try:
            row.full_clean()
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                where = place if name == NON_FIELD_ERRORS else f"{place}, {name}"
                self.problems.append((where, " ".join(messages)))
            return False
        return True

    def _prices(self, project: Project, values: dict[str, Any], place: str) -> bool:
        """Make the project's prices those of the file; whether anything changed."""
        note = values.get("price_note", "")
        kept, changed = [], False
        for code, price in values["prices"].items():
            where = f"{place}, prices.{code}"
            if code not in self.markets:
                self.problems.append(
                    (where, f"no such market; there are {', '.join(self.markets) or 'none'}")
                )
            elif type(price) is not int or price <= 0:
                self.problems.append(
                    (where, "must be a whole number above 0, in minor units of its currency")
                )
            else:
                row, change = self._save(
                    ProjectPrice,
                    {"project": project, "market": self.markets[code]},
                    {"price_minor_per_tonne": price, "note": note},
                    where,
                )
                kept += [row.pk] if row else []
                changed |= change != "unchanged"
        gone, _by_model = project.prices.exclude(pk__in=kept).delete()
        return changed or gone > 0

    def _facts(self, project: Project, values: dict[str, Any], place: str) -> bool:
        """Make the project's quality facts those of the file, besides what registries' reports of issuances
        stated; whether anything changed.
        """
        wanted: set[tuple[int, date | None, str, str, str]] = set()
        for number, raw in enumerate(values.get("issuances", []), start=1):
            where = f"{place}, issuances {number}"
            issuance = self._values(raw, ISSUANCE, ISSUANCE_MAY, where)
            if issuance is None:
                continue
            for name, value in issuance["facts"].items():
                if type(value) is str:
                    key = (issuance["vintage"], issuance.get("issued_on"), name, value, issuance["source"])
                    wanted.add(key)
                else:
                    self.problems.append((f"{where}, facts.{name}", f"must be {TYPE_NAMES[str]}"))
        rows = {
            (fact.vintage, fact.issued_on, fact.name, fact.value, fact.source): fact.pk
            for fact in project.quality_facts.exclude(source__contains=ISSUANCE_REPORT)
        }
        new = [
            QualityFact(
                project=project, vintage=vintage, issued_on=issued_on, name=name, value=value, source=source
            )
            for vintage, issued_on, name, value, source in sorted(wanted - rows.keys(), key=repr)
        ]
        wrong = [fact for fact in new if not self._holds(fact, f"{place}, {fact.name} of {fact.vintage}")]
        if not wrong:
            QualityFact.objects.bulk_create(new)
        project.quality_facts.filter(pk__in=[pk for key, pk in rows.items() if key not in wanted]).delete()
        return rows.keys() != wanted
