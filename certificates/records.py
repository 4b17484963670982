"""The public record of a certificate: what its page shows. Names no owner and only the end of the device
serial.
"""

from dataclasses import dataclass, field

from django.urls import reverse

from certificates import sheet
from certificates.badges import badge_text
from certificates.models import Certificate
from certificates.publiclog import logged_of
from claims.wording import Wording, say, wording_by_id
from offsets.models import Retirement
from offsets.selectors import last_checked, retirement_trail


@dataclass(frozen=True)
class RecordStep:
    """One row of the line: its node is filled when the step is done; a link leads on where there is one."""

    key: str
    label: str
    parts: tuple[sheet.Part, ...]
    link_url: str = ""
    link_label: str = ""


@dataclass(frozen=True)
class Record:
    """Everything that the record page shows."""

    certificate: Certificate
    state: str
    state_label: str
    title: str
    intro: str = ""
    note: str = ""
    demo: str = ""
    steps: list[RecordStep] = field(default_factory=list)
    line_title: str = ""
    proves_title: str = ""
    proves: str = ""
    does_not_prove_title: str = ""
    does_not_prove: str = ""
    boundary: str = ""
    og_description: str = ""
    badge_alt: str = ""
    source: str = ""
    licence: str = ""
    changes: list[str] = field(default_factory=list)
    digest: str = ""
    successor: Certificate | None = None
    predecessor: Certificate | None = None
    wording: str = ""


def record_of(certificate: Certificate) -> Record:
    """The record as of now. A withdrawn one has its state, its digest and a note, and nothing else."""
    wording = wording_by_id(certificate.wording)
    if certificate.facts is None:
        return Record(
            certificate=certificate,
            state=certificate.state,
            state_label=say("state_withdrawn", wording=wording),
            title=say("record_title_withdrawn", wording=wording),
            note=say("record_note_withdrawn", wording=wording),
            digest=certificate.digest,
            wording=wording.id,
        )
    facts = certificate.facts
    serial_end = str(facts["device_serial"])[-4:]
    trail = retirement_trail(certificate.offset)
    tonnes = sheet.tonnes_text(int(facts["amount_g"]))
    retired_tonnes = " + ".join(str(facts["retirement_tonnes"]).split("; "))
    return Record(
        certificate=certificate,
        state=certificate.state,
        state_label=_state_label(certificate, wording),
        title=say(_title_slot(certificate), wording=wording, tonnes=tonnes, product=str(facts["product"])),
        intro=say(
            "record_intro",
            wording=wording,
            serial_end=serial_end,
            code=certificate.code,
            date=sheet.day_text(str(facts["issued_at"]), wording),
        ),
        note=note_of(certificate),
        demo="" if certificate.livemode else say("certificate_demo", wording=wording),
        steps=_steps(certificate, wording, [part.retirement for part in trail], serial_end=serial_end),
        line_title=say("record_line_title", wording=wording),
        proves_title=say("record_proves_title", wording=wording),
        proves=say("record_proves", wording=wording, tonnes=retired_tonnes),
        does_not_prove_title=say("record_does_not_prove_title", wording=wording),
        does_not_prove=say("record_does_not_prove", wording=wording),
        boundary=say("certificate_boundary", wording=wording, boundary=sheet.boundary_text(facts, wording)),
        og_description=_in_brief(certificate, wording),
        badge_alt=badge_text(facts, state=certificate.state).alt,
        source=str(facts["footprint_source"]),
        licence=str(facts["footprint_licence"]),
        changes=[f"{label} {kg} ({source})" for label, kg, source in sheet.changes(facts, wording)],
        digest=certificate.digest,
        successor=getattr(certificate, "replaced_by", None),
        predecessor=certificate.replaces,
        wording=wording.id,
    )


def _in_brief(certificate: Certificate, wording: Wording) -> str:
    """One sentence for whoever shows a link to the record: what became of it, where it is not valid any more,
    and that it is a demonstration, where it is one.
    """
    facts = certificate.facts or {}
    kg, product = sheet.kg_text(int(facts["amount_g"])), str(facts["product"])
    said = note_of(certificate) or say("og_description", wording=wording, kg=kg, product=product)
    return said if certificate.livemode else f"{say('certificate_demo', wording=wording)} {said}"


def _state_label(certificate: Certificate, wording: Wording) -> str:
    if certificate.state == Certificate.State.SUPERSEDED:
        return say("record_state_superseded", wording=wording)
    ended = {"reversed": "state_reversed", "moved": "state_moved"}
    return say(ended.get(certificate.state, "state_certified"), wording=wording)


def _title_slot(certificate: Certificate) -> str:
    ended = {"reversed": "record_title_reversed", "moved": "record_title_moved"}
    return ended.get(certificate.state, "record_title")


def note_of(certificate: Certificate) -> str:
    """What became of a certificate that is not valid any more; "" of a valid or withdrawn one."""
    wording, ended_at = wording_by_id(certificate.wording), certificate.offset.ended_at
    if certificate.state == Certificate.State.SUPERSEDED:
        successor = getattr(certificate, "replaced_by", None)
        code = successor.code if successor else ""
        return say("record_note_superseded", wording=wording, code=code)
    if certificate.state not in {Certificate.State.REVERSED, Certificate.State.MOVED} or ended_at is None:
        return ""
    day = sheet.day_text(ended_at.date().isoformat(), wording)
    return say(f"record_note_{certificate.state}", wording=wording, date=day)


def _steps(
    certificate: Certificate, wording: Wording, retirements: list[Retirement], *, serial_end: str
) -> list[RecordStep]:
    facts = certificate.facts or {}
    checked = [day for row in retirements if (day := last_checked(row))]
    days = min(checked).isoformat() if checked and len(checked) == len(retirements) else ""
    retirement = reverse("retirement", args=[retirements[0].reference]) if retirements else ""
    project = reverse("project", args=[facts["project"]])
    links = {
        "amount": "#source",
        "grams": retirement,
        "credits": project,
        "registry": certificate.offset.project.registry_url,
        "log": reverse("verify"),
    }
    said = sheet.day_text(days, wording)
    return [
        RecordStep(
            step.key,
            step.label,
            step.all_parts,
            links.get(step.key, ""),
            say(f"record_link_{step.key}", wording=wording) if step.key in links else "",
        )
        for step in sheet.steps(
            facts, wording, device_serial=f"…{serial_end}", checked=said, logged=logged_of(certificate)
        )
    ]
