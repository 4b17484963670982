"""Which sheets of a file are new, which are new versions of known ones, and which are known already.

A sheet is known by maker, model, date, source, configuration and statistic: makers print two sheets under one
name, and two statistics of one sheet are two figures. Its reference is a digest of these, unless given.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.importing import findings
from catalog.importing.formats import COMPARED
from catalog.importing.sheets import Reading
from catalog.models import PcfSheet

Values = Mapping[str, Any]


@dataclass
class Plan:
    """What an import will store, in file order, and each row's findings with those about its neighbours."""

    readings: list[Reading]
    sheets: list[PcfSheet] = field(default_factory=list)
    unchanged: int = 0

    @property
    def new_versions(self) -> int:
        return sum(1 for sheet in self.sheets if sheet.version > 1)


@dataclass(frozen=True)
class _Known:
    pk: int
    lineage: str
    version: int
    values: Values


def plan_import(readings: Sequence[Reading]) -> Plan:
    """Compare the rows with one another and with what is stored. Reads the database once, writes nothing."""
    plan = Plan(_compare_rows(readings))
    kept = [reading for reading in plan.readings if reading.values is not None]
    references = _references(kept)
    known = _known({reading.manufacturer for reading in kept})
    successors = _successors(kept, references, known)
    for reading, reference in zip(kept, references, strict=True):
        lineage = successors.get(reference, reference)
        versions = known.get(lineage, [])
        if any(_agrees(reading, version.values) for version in versions):
            plan.unchanged += 1
            continue
        sheet = _sheet(reading, lineage, versions[-1] if versions else None)
        plan.sheets.append(sheet)
        known[lineage] = [*versions, _Known(0, lineage, sheet.version, reading.values or {})]
    return plan


def plan_version(reading: Reading, after: PcfSheet) -> PcfSheet | None:
    """The row as the next version of that sheet; None if it states exactly what the newest version does.

    Unlike an import, an empty figure counts: staff may take back what was wrong.
    """
    newest = _known({after.manufacturer})[after.lineage][-1]
    stated = reading.values or {}
    if all((stated.get(name) or None) == (newest.values[name] or None) for name in COMPARED):
        return None
    return _sheet(reading, after.lineage, newest)


def _compare_rows(readings: Sequence[Reading]) -> list[Reading]:
    """Name the rows that repeat, contradict or equal an earlier row of the same file."""
    by_identity: dict[tuple[Any, ...], Reading] = {}
    by_figures: dict[tuple[Any, ...], Reading] = {}
    compared = []
    for reading in readings:
        if reading.values is not None:
            first = by_identity.setdefault(_identity(reading), reading)
            if first is not reading:
                word = (
                    findings.REPEATS_ROW
                    if _agrees(reading, first.values)
                    else findings.OTHER_FIGURES_THAN_ROW
                )
                reading = reading.found(word.format(first.row))
            else:
                twin = by_figures.setdefault(_figures(reading), reading)
                if twin is not reading and twin.name != reading.name:
                    reading = reading.found(findings.SAME_FIGURES_AS_ROW.format(twin.row))
        compared.append(reading)
    return compared


def _identity(reading: Reading) -> tuple[Any, ...]:
    """What makes a sheet this sheet, whatever its figures are."""
    values = reading.values or {}
    names = ("manufacturer", "name", "configuration", "statistic", "report_date", "source")
    return reading.reference, *(values.get(name, "") for name in names)


def _model(reading: Reading) -> tuple[str, ...]:
    """The same device in the same statistic, on whatever sheet."""
    values = reading.values or {}
    return tuple(values.get(name, "") for name in ("manufacturer", "name", "configuration", "statistic"))


def _figures(reading: Reading) -> tuple[Any, ...]:
    values = reading.values or {}
    names = [name for name in COMPARED if name not in ("source", "configuration")]
    return reading.manufacturer, *(values.get(name) for name in names)


def _agrees(reading: Reading, values: Values | None) -> bool:
    """Whether all that the row states is in these values. An empty cell states nothing."""
    stated = reading.values or {}
    return values is not None and all(
        stated.get(name) in (None, "") or stated[name] == values.get(name) for name in COMPARED
    )


def _references(readings: Sequence[Reading]) -> list[str]:
    """One reference per row: its own, or a digest. A second sheet under the same one is numbered."""
    seen: dict[str, list[Reading]] = defaultdict(list)
    references = []
    for reading in readings:
        text = "\x1f".join(str(part) for part in _identity(reading))
        reference = reading.reference or hashlib.sha256(text.encode()).hexdigest()[:16]
        others = seen[reference]
        place = next((n for n, other in enumerate(others) if _agrees(reading, other.values)), len(others))
        if place == len(others):
            others.append(reading)
        references.append(reference if place == 0 else f"{reference}-{place + 1}")
    return references


def _known(manufacturers: Iterable[str]) -> dict[str, list[_Known]]:
    """Every stored version of these makers' sheets, by reference, oldest first: one statement."""
    names = {"manufacturer", "name", *COMPARED}
    rows = PcfSheet.objects.filter(manufacturer__in=set(manufacturers)).order_by("version")
    known: dict[str, list[_Known]] = defaultdict(list)
    for row in rows.values("pk", "lineage", "version", *names):
        known[row["lineage"]].append(_Known(row["pk"], row["lineage"], row["version"], row))
    return known


def _successors(
    readings: Sequence[Reading], references: Sequence[str], known: Mapping[str, Sequence[_Known]]
) -> dict[str, str]:
    """Rows whose date or source is new while the model is known once: they continue that model's sheet.

    Only where neither the file nor the store has the model twice; else nobody can say which continues which.
    """
    models = Counter(_model(reading) for reading in readings)
    taken = set(references)
    stored: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for lineage, versions in known.items():
        values = versions[-1].values
        stored[values["manufacturer"], values["name"], values["configuration"], values["statistic"]].add(
            lineage
        )
    successors = {}
    for reading, reference in zip(readings, references, strict=True):
        if reference in known or reading.reference or models[_model(reading)] > 1:
            continue
        lineages = stored.get(_model(reading), set())
        if len(lineages) == 1 and not lineages & taken:
            [successors[reference]] = lineages
    return successors


def _sheet(reading: Reading, lineage: str, before: _Known | None) -> PcfSheet:
    return PcfSheet(
        **(reading.values or {}),
        lineage=lineage,
        version=before.version + 1 if before else 1,
        supersedes_id=before.pk if before else None,
        flags=list(reading.reasons),
    )
