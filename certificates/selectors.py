"""What certificates say, read-only."""

from collections.abc import Collection, Sequence

from django.db.models import Q, QuerySet

from certificates.models import Certificate, LogCheckpoint
from common.codes import normalise_code
from common.errors import DomainError, NotFound
from offsets.models import DeviceOffset, Retirement
from offsets.serials import InvalidDeviceSerial, normalise_device

CODE_GROUPS = 4


class UnknownCode(NotFound):
    """No certificate has this code; a malformed one answers alike."""

    code = "unknown_code"


class UnknownRecord(UnknownCode):
    """No record has this device serial and this beginning of a code; malformed ones answer alike."""

    code = "unknown_record"


class Withdrawn(DomainError):
    """The certificate was withdrawn: its facts and file are deleted."""

    code = "withdrawn"
    status = 410


def certificate_by_code(code: str) -> Certificate:
    """The certificate of this code, however it was typed. Raises UnknownCode; a withdrawn one is returned."""
    printed = normalise_code(code, groups=CODE_GROUPS)
    found = (
        Certificate.objects.select_related(
            "offset__project__registry", "offset__owner", "replaces", "replaced_by"
        )
        .filter(code=printed)
        .first()
        if printed
        else None
    )
    if found is None:
        raise UnknownCode(
            "No record has this code. Copy it from the certificate: four groups of four characters."
        )
    return found


def record_by_serial(
    *, device_serial: str, first_group: str = "", owners: Collection[int] | None = None
) -> Certificate:
    """The newest record of the device with this serial number: of those whose code begins with `first_group`,
    or, without one, of those that these accounts own. Raises UnknownRecord, for whatever is wrong alike.
    """
    try:
        _maker, serial = normalise_device("any", device_serial)
    except InvalidDeviceSerial:
        serial = ""
    group = normalise_code(first_group, groups=1)
    records = Certificate.objects.filter(offset__device_serial=serial, facts__isnull=False).order_by("-pk")
    if group:
        found = records.filter(code__startswith=f"{group}-").first()
    else:
        found = None if first_group.strip() else records.filter(offset__owner__in=owners or ()).first()
    if found is None or not serial:
        raise UnknownRecord(
            "No record has this serial number and a code that begins so. The code stands at the top of the "
            "certificate and on the badge; type the serial number as it stands on the device."
        )
    return found


def offsets_with_facts() -> QuerySet[DeviceOffset]:
    """Offsets with everything that facts are made of."""
    return DeviceOffset.objects.select_related("project__registry", "project__methodology")


def offsets_to_certify() -> QuerySet[DeviceOffset]:
    """Covered live claims that no certificate was issued for and that need no person, oldest first."""
    return (
        offsets_with_facts()
        .filter(covered_at__isnull=False, certified_at__isnull=True, ended_at__isnull=True, problem="")
        .order_by("pk")
    )


def certificates_to_render() -> QuerySet[Certificate]:
    """In a signed checkpoint, neither rendered nor given up nor withdrawn; failed ones come last."""
    return (
        Certificate.objects.filter(
            rendered_at__isnull=True, needs_person_at__isnull=True, withdrawn_at__isnull=True
        )
        .exclude(checkpoint=None)
        .exclude(checkpoint__text="")
        .select_related("checkpoint")
        .order_by("render_attempts", "pk")
    )


def files_to_delete() -> QuerySet[Certificate]:
    """Withdrawn certificates whose PDF is still there: a crash came between."""
    return Certificate.objects.filter(withdrawn_at__isnull=False).exclude(pdf="").order_by("pk")


def certificates_of(offset_ids: Sequence[int]) -> dict[int, Certificate]:
    """The newest certificate of each offset, by the offset's key; one query."""
    rows = Certificate.objects.filter(offset_id__in=offset_ids).select_related("checkpoint").order_by("pk")
    return {certificate.offset_id: certificate for certificate in rows}


def certificates_to_log(*, livemode: bool) -> QuerySet[Certificate]:
    """Certificates of live claims that the log does not hold yet, oldest first. One whose claim ended before
    it was entered never is: its grams may be another device's by now.
    """
    return Certificate.objects.filter(
        livemode=livemode, checkpoint=None, state=Certificate.State.VALID, offset__ended_at=None
    ).order_by("pk")


def certificates_to_reverse(*, livemode: bool) -> QuerySet[Certificate]:
    """Certificates that have ended and whose entries may be live in the log still, oldest first. A withdrawn
    one's grams stay entered until its claim ends.
    """
    return (
        Certificate.objects.filter(livemode=livemode, checkpoint__isnull=False, left_log_at=None)
        .filter(~Q(state=Certificate.State.VALID))
        .filter(~Q(state=Certificate.State.WITHDRAWN) | Q(offset__ended_at__isnull=False))
        .order_by("pk")
    )


def retirements_to_log(*, livemode: bool) -> QuerySet[Retirement]:
    """Confirmed retirements that the log does not hold yet, oldest first."""
    return Retirement.objects.filter(
        livemode=livemode, state=Retirement.State.CONFIRMED, log_entries=None
    ).order_by("pk")


def has_log_work(*, livemode: bool) -> bool:
    """Whether a log has something to enter or to sign: a mode that nobody uses needs no key."""
    return (
        retirements_to_log(livemode=livemode).exists()
        or certificates_to_log(livemode=livemode).exists()
        or certificates_to_reverse(livemode=livemode).exists()
        or LogCheckpoint.objects.filter(livemode=livemode, text="").exists()
    )
