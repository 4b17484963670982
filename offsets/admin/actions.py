"""The named actions of staff on the ledger: what each says, who may do it, and the one service it calls."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from common.errors import Conflict
from offsets import selectors, services
from offsets.admin.base import NamedAction
from offsets.forms import (
    AttestForm,
    ConfirmRetirementForm,
    FreeCreditsForm,
    MoveOffsetForm,
    RetireAheadForm,
    SerialForm,
    SubstituteForm,
)
from offsets.models import DeviceOffset, ProjectStock, Retirement
from offsets.reconciling import clear_alarm
from offsets.registries import registry_for

Entry = Mapping[str, Any]


def _confirm(row: Retirement, entry: Entry, actor: str, now: datetime) -> str:
    done = services.confirm_by_person(
        row,
        registry_reference=entry["registry_reference"],
        credit_serials=entry["credit_serials"],
        retired_on=entry["retired_on"],
        reason=entry["reason"],
        actor=actor,
        now=now,
    )
    _keep_file(row, entry, actor, now)
    if not done:
        return _waits_for_second(row)
    return gettext("%(reference)s is confirmed; its grams go to the devices that wait.") % {
        "reference": row.reference
    }


def _keep_file(row: Retirement, entry: Entry, actor: str, now: datetime) -> None:
    if entry["attestation"]:
        name, content = entry["attestation"]
        services.keep_attestation(row, name=name, content=content, actor=actor, now=now)


def _attest(row: Retirement, entry: Entry, actor: str, now: datetime) -> str:
    name, content = entry["attestation"]
    kept = services.keep_attestation(
        row, name=name, content=content, reason=entry["reason"], actor=actor, now=now
    )
    if kept.created_at != now:
        raise Conflict(gettext("This very file is kept with this retirement already."))
    return gettext("The attestation is kept with %(reference)s.") % {"reference": row.reference}


def _waits_for_second(row: Retirement) -> str:
    return gettext(
        "Your entry about %(reference)s is kept. Nothing happens until a second person has entered the same."
    ) % {"reference": row.reference}


def _adopt(row: Retirement, entry: Entry, actor: str, now: datetime) -> str:
    real = services.adopt_by_person(
        row,
        registry_reference=entry["registry_reference"],
        credit_serials=entry["credit_serials"],
        retired_on=entry["retired_on"],
        evidence=entry["reason"],
        actor=actor,
        now=now,
    )
    _keep_file(real or row, entry, actor, now)
    if real is None:
        return _waits_for_second(row)
    return gettext("%(real)s is confirmed as what the registry did; %(reference)s is void.") % {
        "real": real.reference,
        "reference": row.reference,
    }


def _did_not_happen(row: Retirement, entry: Entry, actor: str, now: datetime) -> str:
    if not services.free_unconfirmed(row, evidence=entry["reason"], actor=actor, now=now):
        return _waits_for_second(row)
    return gettext("%(reference)s is void; its credits are free again.") % {"reference": row.reference}


def _void(row: Retirement, entry: Entry, actor: str, now: datetime) -> str:
    services.void_retirement(row, reason=entry["reason"], actor=actor, now=now, seen=entry["seen"])
    return gettext("%(reference)s is void; its credits are free again.") % {"reference": row.reference}


def _retire_ahead(row: ProjectStock, entry: Entry, actor: str, now: datetime) -> str:
    opened = services.open_retirements(
        project=row.project,
        livemode=row.livemode,
        ahead_credits=entry["credits"],
        seen=entry["seen"],
        reason=entry["reason"],
        actor=actor,
        now=now,
    )
    credits = sum(retirement.credits for retirement in opened)
    said = ngettext(
        "%(n)d credit was set aside: %(references)s.",
        "%(n)d credits were set aside: %(references)s.",
        credits,
    )
    return said % {"n": credits, "references": ", ".join(retirement.reference for retirement in opened)}


def _clear_alarm(row: ProjectStock, entry: Entry, actor: str, now: datetime) -> str:
    clear_alarm(row, reason=entry["reason"], actor=actor)
    return gettext("The alarm is cleared; %(project)s is sold and retired again.") % {"project": row.project}


def _newest_seen(row: ProjectStock) -> dict[str, int]:
    return {"seen": selectors.newest_retirement(project_id=row.project_id, livemode=row.livemode)}


def _resume(row: DeviceOffset, entry: Entry, actor: str, now: datetime) -> str:
    services.resume_offset(row, reason=entry["reason"], actor=actor)
    return gettext("%(device)s waits for its grams again.") % {"device": row.device_serial}


def _cancel(row: DeviceOffset, entry: Entry, actor: str, now: datetime) -> str:
    services.cancel_offset(row, reason=entry["reason"], actor=actor, now=now)
    return gettext("The promise for %(device)s is cancelled; its grams can be sold again.") % {
        "device": row.device_serial
    }


def _reverse(row: DeviceOffset, entry: Entry, actor: str, now: datetime) -> str:
    services.reverse_offset(row, reason=entry["reason"], actor=actor, now=now)
    return gettext("The claim of %(device)s is reversed; its grams are surplus.") % {
        "device": row.device_serial
    }


def _move(row: DeviceOffset, entry: Entry, actor: str, now: datetime) -> str:
    moved = services.move_to_replacement(
        row, device_serial=entry["device_serial"], reason=entry["reason"], actor=actor, now=now
    )
    return gettext("The claim moved to %(device)s, with the very same grams.") % {
        "device": moved.device_serial
    }


def _change_serial(row: DeviceOffset, entry: Entry, actor: str, now: datetime) -> str:
    right = services.change_device_serial(
        row, device_serial=entry["device_serial"], reason=entry["reason"], actor=actor, now=now
    )
    return gettext("The claim stands on %(device)s now, with the very same grams.") % {
        "device": right.device_serial
    }


def _substitute(row: DeviceOffset, entry: Entry, actor: str, now: datetime) -> str:
    services.substitute_project(row, project=entry["project"], consent=entry["reason"], actor=actor, now=now)
    return gettext("The promise for %(device)s is one of %(project)s now.") % {
        "device": row.device_serial,
        "project": entry["project"].short_name,
    }


def _can_be_entered(row: Retirement) -> bool:
    waits = row.state == Retirement.State.OPEN and not registry_for(row.adapter).unattended
    return waits or row.state == Retirement.State.NEEDS_PERSON


RETIREMENT_ACTIONS = (
    NamedAction(
        name="confirm",
        label=_("Enter what the registry confirmed"),
        explanation=_(
            "Type what the registry printed. It is compared with what was asked for, and a difference is "
            "refused. Once confirmed it is final."
        ),
        permission="offsets.confirm_retirement",
        form=ConfirmRetirementForm,
        run=_confirm,
        offered=_can_be_entered,
    ),
    NamedAction(
        name="void",
        label=_("Free the credits of a refused retirement"),
        explanation=_(
            "Only for a retirement that certainly did not happen: the registry refused it, or was never "
            "asked. Read the registry's own list first; if it is there, enter it instead. Its credits become "
            "free and another retirement opens for the devices that wait."
        ),
        permission="offsets.confirm_retirement",
        form=FreeCreditsForm,
        initial=lambda row: {"seen": row.state},
        run=_void,
        offered=lambda row: row.state in {Retirement.State.OPEN, Retirement.State.NEEDS_PERSON},
    ),
    NamedAction(
        name="adopt",
        label=_("Adopt what the registry did instead"),
        explanation=_(
            "The receipt differs from what was asked for. Enter what the registry really retired: a run of "
            "our own free credits of this project is confirmed as it happened, and the credits that were "
            "asked for are free again. Anything else stays as it is, with your evidence kept."
        ),
        permission="offsets.confirm_retirement",
        form=ConfirmRetirementForm,
        run=_adopt,
        offered=lambda row: row.state == Retirement.State.NEEDS_PERSON,
    ),
    NamedAction(
        name="did-not-happen",
        label=_("Say that it did not happen"),
        explanation=_(
            "The registry never answered, and you have seen that it retired nothing. Two persons must say "
            "so, each with evidence; then the credits are free and another retirement opens by itself."
        ),
        permission="offsets.confirm_retirement",
        run=_did_not_happen,
        offered=lambda row: row.state == Retirement.State.NEEDS_PERSON,
    ),
    NamedAction(
        name="attest",
        label=_("Attach an attestation"),
        explanation=_("The registry's own document about this retirement. It stays; nothing else changes."),
        permission="offsets.confirm_retirement",
        form=AttestForm,
        run=_attest,
        offered=lambda row: True,
    ),
)

STOCK_ACTIONS = (
    NamedAction(
        name="retire-ahead",
        label=_("Retire ahead"),
        explanation=_(
            "Set credits aside now, besides those that waiting devices need. They fill the surplus, so that "
            "certificates follow shipping within minutes. A retirement cannot be taken back."
        ),
        permission="offsets.retire_ahead",
        form=RetireAheadForm,
        run=_retire_ahead,
        offered=lambda row: True,
        initial=_newest_seen,
    ),
    NamedAction(
        name="clear-alarm",
        label=_("Clear the alarm"),
        explanation=_(
            "A registry's report showed credits of this project in other hands. Clear it once that is "
            "settled: sales, retirements and allocations go on."
        ),
        permission="offsets.confirm_retirement",
        run=_clear_alarm,
        offered=lambda row: bool(row.alarm),
    ),
)

OFFSET_ACTIONS = (
    NamedAction(
        name="serial",
        label=_("Correct the serial number"),
        explanation=_(
            "The serial number was mistyped. Before retirement it is corrected; after it the claim is "
            "reversed and issued again on the right number, with the very same grams and a certificate "
            "of its own."
        ),
        permission="offsets.reverse_offset",
        form=SerialForm,
        run=_change_serial,
        offered=lambda row: not row.ended_at,
    ),
    NamedAction(
        name="substitute",
        label=_("Take another project"),
        explanation=_(
            "Only with the buyer's consent, and only before credits are retired: the promise moves to "
            "another project. The price stays what was paid. Without consent the money goes back within "
            "30 days."
        ),
        permission="offsets.reverse_offset",
        form=SubstituteForm,
        run=_substitute,
        offered=lambda row: not row.ended_at and not row.covered_at,
    ),
    NamedAction(
        name="resume",
        label=_("Put it back into the queue"),
        explanation=_("What was wrong with this claim is put right: it waits for its grams again."),
        permission="offsets.reverse_offset",
        run=_resume,
        offered=lambda row: bool(row.problem) and not row.ended_at,
    ),
    NamedAction(
        name="cancel",
        label=_("Cancel the promise"),
        explanation=_(
            "No credit was retired for this device yet: the promise ends and its grams can be sold again."
        ),
        permission="offsets.reverse_offset",
        run=_cancel,
        offered=lambda row: not row.ended_at and not row.covered_at,
    ),
    NamedAction(
        name="reverse",
        label=_("Reverse the claim"),
        explanation=_(
            "The retirement stays; it cannot be taken back. The claim of this device ends, its grams return "
            "to the surplus, and the history keeps both."
        ),
        permission="offsets.reverse_offset",
        run=_reverse,
        offered=lambda row: bool(row.covered_at) and not row.ended_at,
    ),
    NamedAction(
        name="move",
        label=_("Move the claim to a replacement device"),
        explanation=_(
            "The very same grams go to the replacement device, which gets a certificate of its own."
        ),
        permission="offsets.reverse_offset",
        form=MoveOffsetForm,
        run=_move,
        offered=lambda row: bool(row.covered_at) and not row.ended_at,
    ),
)
