"""What the certificate's page says, in order: frozen facts and frozen wording in, text out.

The PDF and the record page show these same steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from django.utils import translation
from django_countries import countries

from claims import formats
from claims.wording import Wording, say, years_text

Facts = Mapping[str, str | int]

NARROW_SPACE = "\u202f"
GRAMS_PER_CREDIT = 1_000_000

STAGES = ("manufacture", "transport", "not_parted", "use", "eol")
CHANGES = ("memory", "storage", "country", "years")


@dataclass(frozen=True)
class Part:
    """A run of text; `code` marks serials, codes and grams, `strong` what the eye should find, `soft` what
    may stand behind.
    """

    text: str
    code: bool = False
    strong: bool = False
    soft: bool = False


@dataclass(frozen=True)
class Step:
    """One node of the line: its name, what stands beside it, and what stands beneath that."""

    key: str
    label: str
    parts: tuple[Part, ...]
    more: tuple[Part, ...] = ()

    @property
    def all_parts(self) -> tuple[Part, ...]:
        """Both lines as one, the second one soft."""
        beneath = tuple(replace(part, soft=True) for part in self.more)
        return (*self.parts, Part(" · ", soft=True), *beneath) if beneath else self.parts

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.all_parts)


def kg_text(amount_g: int) -> str:
    """Exact kilograms, no trailing zeros: 385412 -> "385.412"."""
    whole, rest = divmod(amount_g, 1000)
    return thousands(whole) + (f".{rest:03d}".rstrip("0") if rest else "")


def decimal_text(kg: str | int) -> str:
    """Kilograms as the facts keep them, without idle zeros, with a true minus: "-34.500" -> "−34.5"."""
    number = Decimal(str(kg))
    plain = f"{abs(number):,f}".replace(",", NARROW_SPACE)
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    sign = "−" if number < 0 else "+" if str(kg).startswith("+") else ""
    return f"{sign}{plain}"


def tonnes_text(amount_g: int) -> str:
    """Exact tonnes, at least three decimals: 508000 -> "0.508"."""
    whole, fraction = divmod(amount_g, 1_000_000)
    return f"{whole}.{f'{fraction:06d}'.rstrip('0').ljust(3, '0')}"


def thousands(number: int) -> str:
    """Thin groups of three, with a narrow space that does not break."""
    return f"{number:,}".replace(",", NARROW_SPACE)


def cut(text: str, length: int) -> str:
    """The text, or as much of it as fits with an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def day_text(iso: str, wording: Wording) -> str:
    """24 November 2026, as the wording's language writes it; several dates stay apart."""
    days = (formats.day_text(part, language=wording.language) for part in iso.split("; ") if part)
    return "; ".join(days)


def kg_number(kg: str | int, wording: Wording) -> str:
    """Kilograms of the facts beside a unit, with the decimal mark of the wording's language."""
    return formats.number_text(decimal_text(kg), language=wording.language)


def country_text(code: str, wording: Wording) -> str:
    """The name of a country in the wording's language."""
    with translation.override(wording.language):
        return str(countries.name(code))


def years_words(facts: Facts, wording: Wording) -> str:
    """The years of use in words."""
    return years_text(int(facts["footprint_years"]), wording=wording)


def boundary_text(facts: Facts, wording: Wording) -> str:
    """What the amount spans, as a sentence part."""
    slot = "boundary_with_eol" if str(facts["boundary"]).endswith("-eol") else "boundary_without_eol"
    return say(slot, wording=wording, years_words=years_words(facts, wording))


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
            country, years = country_text(str(facts["country"]), wording), years_words(facts, wording)
            label = say("stage_use_in", wording=wording, years_words=years, country=country)
        ours = f" ({say('our_estimate', wording=wording)})" if facts[f"stage_{stage}_estimate"] else ""
        lines.append(f"{_capital(label)} {kg_number(facts[f'stage_{stage}_kg'], wording)} kg{ours}")
    return lines


def changes(facts: Facts, wording: Wording) -> list[tuple[str, str, str]]:
    """Label, signed kilograms and source of each change that we made to the maker's figure."""
    return [
        (
            say(f"change_{change}", wording=wording, change=str(facts[f"change_{change}"])),
            f"{kg_number(facts[f'change_{change}_kg'], wording)} kg",
            str(facts[f"change_{change}_source"]),
        )
        for change in CHANGES
        if f"change_{change}" in facts
    ]


@dataclass(frozen=True)
class Logged:
    """Where the public log holds these grams: the entries' numbers, the checkpoint's size and root."""

    entries: tuple[int, ...]
    size: int
    root: str


def steps(
    facts: Facts, wording: Wording, *, device_serial: str, checked: str = "", logged: Logged | None = None
) -> list[Step]:
    """The line from the device to the registry. `device_serial` is the whole one, or its end on a public
    page; `checked` the day of the registry's report that shows every retirement.
    """
    return [
        _device(facts, wording, device_serial),
        _amount(facts, wording),
        Step("grams", say("step_grams", wording=wording), tuple(_grams(facts, wording))),
        _credits(facts, wording),
        _registry(facts, wording, checked),
        *([_log(wording, logged)] if logged else []),
    ]


def _device(facts: Facts, wording: Wording, device_serial: str) -> Step:
    maker, product = str(facts["manufacturer"]), str(facts["product"])
    name = product if product.lower().startswith(maker.lower()) else f"{maker} {product}".strip()
    place = say("device_used_in", wording=wording, country=country_text(str(facts["country"]), wording))
    return Step(
        "device",
        say("step_device", wording=wording),
        (
            Part(name, strong=True),
            Part(f" · {say('device_serial', wording=wording)} "),
            Part(device_serial, code=True, strong=True),
        ),
        (Part(" · ".join(filter(None, [str(facts["configuration"]), place]))),),
    )


def _amount(facts: Facts, wording: Wording) -> Step:
    """The maker's figure as printed, what we changed of it, and what the amount is made of."""
    printed = formats.sheet_date_text(str(facts["footprint_source_date"]), language=wording.language)
    headline = say(
        "certificate_footprint",
        wording=wording,
        kg=decimal_text(facts["footprint_sheet_kg"]),
        statistic=statistic_text(facts, wording),
        sheet_date=printed or say("sheet_date_unknown", wording=wording),
    )
    changed = "; ".join(f"{label}, {kg}" for label, kg, _source in changes(facts, wording))
    counted = "; ".join(stage_lines(facts, wording))
    together = say("amount_together", wording=wording, kg=decimal_text(facts["footprint_kg"]))
    return Step(
        "amount",
        say("certificate_footprint_label", wording=wording),
        (Part(headline),),
        (Part(f"{_capital(changed)}. " if changed else ""), Part(f"{counted}. {together}")),
    )


def _grams(facts: Facts, wording: Wording) -> list[Part]:
    parts: list[Part] = []
    references = str(facts["retirement"]).split("; ")
    tonnes = dict(zip(references, str(facts["retirement_tonnes"]).split("; "), strict=True))
    for interval in str(facts["intervals"]).split("; "):
        run, reference = interval.split(" of ")
        from_g, to_g = run.strip("[)").split(", ")
        parts += [Part("; ")] if parts else []
        parts += [
            Part(f"[{thousands(int(from_g))}, {thousands(int(to_g))})", code=True),
            Part(f" {say('grams_of', wording=wording)} "),
            Part(reference, code=True),
            Part(f", {thousands(int(tonnes[reference]))} t"),
        ]
    return parts


def _credits(facts: Facts, wording: Wording) -> Step:
    parts: list[Part] = []
    for run in str(facts["credit_serials"]).split("; "):
        parts += [Part("; ")] if parts else []
        parts.append(Part(run, code=True))
    if _single(facts):
        parts.append(Part(f" ({say('credit_part', wording=wording)})"))
    period = str(facts["monitoring_period"])
    dated = say(
        "credits_period" if period else "credits_vintage",
        wording=wording,
        vintage=period or str(facts["vintage"]),
    )
    return Step(
        "credits",
        say("step_credits", wording=wording),
        tuple(parts),
        (
            Part(str(facts["project_title"]), strong=True),
            Part(
                " · ".join(
                    [
                        "",
                        country_text(str(facts["project_country"]), wording),
                        _project_name(facts),
                        str(facts["methodology"]),
                        dated,
                    ]
                )
            ),
        ),
    )


def _project_name(facts: Facts) -> str:
    """The registry's own reference, with the registry before it where it does not name it."""
    registry, reference = str(facts["registry"]), str(facts["project"])
    return reference if reference.startswith(registry) else f"{registry} {reference}"


def _single(facts: Facts) -> bool:
    """Whether these grams are a part of one single credit."""
    serials = str(facts["credit_serials"])
    first, _to, last = serials.rpartition("-")[2].partition(" to ")
    return first == last and ";" not in serials and int(facts["amount_g"]) < GRAMS_PER_CREDIT


def _registry(facts: Facts, wording: Wording, checked: str) -> Step:
    slot = "registry_line_cdm" if facts["registry"] == "CDM" else "registry_line"
    parts: list[Part] = []
    references = str(facts["registry_reference"]).split("; ")
    for reference, day in zip(references, str(facts["retired_on"]).split("; "), strict=True):
        line = say(slot, wording=wording, reference=reference, date=day_text(day, wording))
        before, _reference, after = line.partition(reference)
        parts += [Part("; ")] if parts else []
        parts += [Part(_capital(before)), Part(reference, code=True), Part(after)]
    beneficiary = str(facts["beneficiary"])
    name_line = (
        say("beneficiary_named", wording=wording, beneficiary=beneficiary)
        if beneficiary
        else say("beneficiary_none", wording=wording)
    )
    said = say("registry_checked", wording=wording, date=checked) if checked else ""
    return Step(
        "registry",
        say("step_registry", wording=wording),
        tuple(parts),
        (
            Part(f"{facts['registry_name']}. {name_line}"),
            *((Part(f" {_capital(said)}."),) if said else ()),
        ),
    )


def _log(wording: Wording, logged: Logged) -> Step:
    numbers = ", ".join(thousands(number) for number in logged.entries)
    return Step(
        "log",
        say("step_log", wording=wording),
        (
            Part(say("log_line", wording=wording, entry=numbers, size=thousands(logged.size)) + " "),
            Part(logged.root, code=True),
        ),
    )


def _capital(text: str) -> str:
    """With a capital at the beginning, the rest as it is."""
    return text[:1].upper() + text[1:]
