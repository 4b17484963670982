"""What the certificate's page says, in order: frozen facts and frozen wording in, text out. Pure.

The PDF and the record page show these same steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django_countries import countries

from claims.wording import Wording, say

Facts = Mapping[str, str | int]

STATISTICS = {"mean", "p95", "single", "unknown"}
YEARS = {1: "one year", 2: "two years", 3: "three years", 4: "four years", 5: "five years"}
STAGES = ("manufacture", "transport", "not_parted", "use", "eol")


@dataclass(frozen=True)
class Part:
    """A run of text; `code` marks serials, codes and grams, `strong` what the eye should find."""

    text: str
    code: bool = False
    strong: bool = False


@dataclass(frozen=True)
class Step:
    """One node of the line: its name and what stands beside it."""

    key: str
    label: str
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts)


def kg_text(amount_g: int) -> str:
    """Exact kilograms, no trailing zeros: 385412 -> "385.412"."""
    text = f"{Decimal(amount_g) / 1000:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def tonnes_text(amount_g: int) -> str:
    """Exact tonnes, at least three decimals: 508000 -> "0.508"."""
    whole, fraction = divmod(amount_g, 1_000_000)
    return f"{whole}.{f'{fraction:06d}'.rstrip('0').ljust(3, '0')}"


def thousands(number: int) -> str:
    """Thin groups of three, with a narrow space that does not break."""
    return f"{number:,}".replace(",", "\u202f")


def day_text(iso: str) -> str:
    """24 November 2026; several dates stay apart."""
    return "; ".join(_day(part) for part in iso.split("; ") if part)


def _day(iso: str) -> str:
    moment = datetime.fromisoformat(iso).date() if "T" in iso else date.fromisoformat(iso)
    return f"{moment.day} {moment:%B %Y}"


def years_words(facts: Facts) -> str:
    """The years of use in words."""
    return YEARS[int(facts["footprint_years"])]


def boundary_text(facts: Facts, wording: Wording) -> str:
    """What the amount spans, as a sentence part."""
    slot = "boundary_with_eol" if str(facts["boundary"]).endswith("-eol") else "boundary_without_eol"
    return say(slot, wording=wording, years_words=years_words(facts))


def statistic_text(facts: Facts, wording: Wording) -> str:
    """Which figure the sheet prints."""
    return say(f"statistic_{facts['footprint_statistic']}", wording=wording)


def intro_text(facts: Facts, wording: Wording, *, device_serial: str) -> str:
    """The sentence under the title."""
    return say(
        "certificate_intro",
        wording=wording,
        kg=kg_text(int(facts["amount_g"])),
        tonnes=tonnes_text(int(facts["amount_g"])),
        serial=device_serial,
        boundary=boundary_text(facts, wording),
        registry=str(facts["registry"]),
    )


def stage_lines(facts: Facts, wording: Wording) -> list[str]:
    """Each published or estimated stage with its kilograms, e.g. "Use 7.1 kg (our estimate)"."""
    lines = []
    for stage in STAGES:
        if f"stage_{stage}_kg" not in facts:
            continue
        label = say(f"stage_{stage}", wording=wording)
        if stage == "use":
            country = countries.name(str(facts["country"]))
            label = say(
                "stage_use_in", wording=wording, years_words=years_words(facts).capitalize(), country=country
            )
        ours = f" ({say('our_estimate', wording=wording)})" if facts[f"stage_{stage}_estimate"] else ""
        lines.append(f"{label} {Decimal(str(facts[f'stage_{stage}_kg'])):.1f} kg{ours}")
    return lines


def steps(facts: Facts, wording: Wording, *, device_serial: str, checked: str = "") -> list[Step]:
    """The line from the device to the registry. `device_serial` is the whole one, or its end on a public
    page.
    """
    return [
        Step("device", say("step_device", wording=wording), tuple(_device(facts, device_serial))),
        Step("amount", say("certificate_footprint_label", wording=wording), tuple(_amount(facts, wording))),
        Step("grams", say("step_grams", wording=wording), tuple(_grams(facts))),
        Step("credits", say("step_credits", wording=wording), tuple(_credits(facts, wording))),
        Step("registry", say("step_registry", wording=wording), tuple(_registry(facts, wording, checked))),
    ]


def _device(facts: Facts, device_serial: str) -> list[Part]:
    name = " ".join(part for part in (str(facts["manufacturer"]), str(facts["product"])) if part)
    configuration = f", {facts['configuration']}" if facts["configuration"] else ""
    return [Part(f"{name}{configuration} · serial "), Part(device_serial, code=True, strong=True)]


def _amount(facts: Facts, wording: Wording) -> list[Part]:
    headline = say(
        "certificate_footprint",
        wording=wording,
        kg=kg_text(int(facts["amount_g"])),
        statistic=statistic_text(facts, wording),
        sheet_date=str(facts["footprint_source_date"]) or "an unstated date",
    )
    return [Part(f"{headline}. "), Part("; ".join(stage_lines(facts, wording)) + ".")]


def _grams(facts: Facts) -> list[Part]:
    parts: list[Part] = []
    tonnes = dict(
        zip(str(facts["retirement"]).split("; "), str(facts["retirement_tonnes"]).split("; "), strict=False)
    )
    for interval in str(facts["intervals"]).split("; "):
        run, reference = interval.split(" of ")
        from_g, to_g = run.strip("[)").split(", ")
        parts += [
            Part("; " if parts else ""),
            Part(f"[{thousands(int(from_g))}, {thousands(int(to_g))})", code=True),
            Part(" g of "),
            Part(reference, code=True),
            Part(f", {tonnes[reference]} t" if reference in tonnes else ""),
        ]
    return parts


def _credits(facts: Facts, wording: Wording) -> list[Part]:
    part_of_one = int(facts["amount_g"]) < 1_000_000 and ";" not in str(facts["credit_serials"])
    partly = f" ({say('credit_part', wording=wording)})" if part_of_one and _single(facts) else ""
    place = countries.name(str(facts["project_country"]))
    vintage = str(facts["monitoring_period"] or facts["vintage"])
    label = "monitoring period" if facts["monitoring_period"] else "vintage"
    return [
        Part(str(facts["credit_serials"]), code=True),
        Part(
            f"{partly} · {facts['project_title']}, {place} · {_project_name(facts)}"
            f" · {facts['methodology']} · {label} {vintage}"
        ),
    ]


def _project_name(facts: Facts) -> str:
    """The registry's own reference, with the registry before it where it does not name it."""
    registry, reference = str(facts["registry"]), str(facts["project"])
    return reference if reference.startswith(registry) else f"{registry} {reference}"


def _single(facts: Facts) -> bool:
    """Whether the printed range is one credit."""
    first, _to, last = str(facts["credit_serials"]).rpartition("-")[2].partition(" to ")
    return first == last


def _registry(facts: Facts, wording: Wording, checked: str) -> list[Part]:
    slot = "registry_line_cdm" if facts["registry"] == "CDM" else "registry_line"
    parts: list[Part] = []
    references = str(facts["registry_reference"]).split("; ")
    dates = str(facts["retired_on"]).split("; ")
    for number, reference in enumerate(references):
        day = day_text(dates[min(number, len(dates) - 1)])
        line = say(slot, wording=wording, reference=reference, date=day)
        before, _reference, after = line.partition(reference)
        parts += [
            Part(f"; {before}" if parts else before[:1].upper() + before[1:]),
            Part(reference, code=True),
            Part(after),
        ]
    parts.append(Part(f" · {facts['registry_name']}"))
    if facts["beneficiary"]:
        parts.append(
            Part(". " + say("beneficiary_named", wording=wording, beneficiary=str(facts["beneficiary"])))
        )
    else:
        parts.append(Part(". " + say("beneficiary_none", wording=wording)))
    said = say("registry_checked", wording=wording, date=checked) if checked else ""
    if said:
        parts.append(Part(" " + said[:1].upper() + said[1:] + "."))
    return parts
