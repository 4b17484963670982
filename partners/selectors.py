"""What a partner may see: its own rows, in the mode of its key. Dicts in the shape of `representations`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet, Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from certificates.bundles import Bundle
from certificates.models import Certificate
from claims.wording import wording_by_id
from common.codes import normalise_code
from common.errors import NotFound
from offsets.models import DeviceOffset, OffsetRequest
from offsets.selectors import TrailPart, retirement_trails, state_of
from offsets.serials import normalise_device
from partners.idempotency import scope_of
from partners.models import ApiKey

Row = dict[str, Any]


class UnknownOffsets(NotFound):
    """No such request, or another partner's, or of the other mode: all answer alike."""

    code = "unknown_offsets"


class UnknownCertificate(NotFound):
    """No such certificate, or another partner's, or of the other mode: all answer alike."""

    code = "unknown_certificate"


def requests_of(
    key: ApiKey, *, device_serial: str = "", buyer_reference: str = ""
) -> QuerySet[OffsetRequest]:
    """The partner's requests in the mode of its key, newest first."""
    rows = OffsetRequest.objects.filter(scope=scope_of(key))
    devices = DeviceOffset.objects.filter(request__scope=scope_of(key))
    if device_serial:
        _maker, serial = normalise_device("-", device_serial)
        rows = rows.filter(pk__in=devices.filter(device_serial=serial).values("request"))
    if buyer_reference:
        rows = rows.filter(pk__in=devices.filter(buyer_reference=buyer_reference).values("request"))
    return rows.order_by("-pk")


def request_by_id(key: ApiKey, public_id: str) -> OffsetRequest:
    """The partner's request of this id. Raises UnknownOffsets."""
    request = requests_of(key).filter(public_id=public_id).first()
    if request is None:
        raise UnknownOffsets(_("You have no offsets with this id; /api/v1/offsets/ lists those you have."))
    return request


def bundle_of(request: OffsetRequest, *, now: datetime) -> Bundle:
    """A request's devices, and those that replace them, for the files of the whole request."""
    offsets = request.offsets.all()
    return Bundle(
        reference=request.public_id,
        offsets=offsets,
        wording=wording_by_id(offsets.order_by("pk").values_list("wording", flat=True)[0]),
        livemode=request.livemode,
        as_of=now,
    )


def certificate_by_code(key: ApiKey, code: str) -> Certificate:
    """The certificate of a device of the partner, by its code as typed. Raises UnknownCertificate."""
    certificate = (
        Certificate.objects.select_related("offset__request", "replaces", "replaced_by")
        .filter(
            code=normalise_code(code, groups=4) or "",
            livemode=key.livemode,
            offset__owner=key.partner.account,
        )
        .first()
    )
    if certificate is None:
        raise UnknownCertificate(
            _("None of your devices has a certificate of this code; check it on the PDF.")
        )
    return certificate


def summaries(requests: Sequence[OffsetRequest]) -> list[Row]:
    """One row per request, as it was asked for; one statement."""
    asked = Q(replaces__isnull=True)  # a replacement device came later
    facts = {
        row["request"]: row
        for row in DeviceOffset.objects.filter(asked, request__in=[request.pk for request in requests])
        .order_by()
        .values("request")
        .annotate(
            device_count=Count("pk"),
            amount_g=Sum("amount_g"),
            project=Min("project__reference"),
            country=Min("country"),
            period=Min("period"),
            buyer_reference=Min("buyer_reference"),
            beneficiary=Min("beneficiary"),
        )
    }
    return [_summary(request, facts[request.pk]) for request in requests]


def _summary(request: OffsetRequest, facts: Mapping[str, Any]) -> Row:
    return {
        "id": request.public_id,
        "livemode": request.livemode,
        "created_at": request.created_at,
        "device_count": facts["device_count"],
        "amount_g": facts["amount_g"],
        "project": facts["project"],
        "country": facts["country"],
        "years": int(facts["period"].removeprefix("years-")),
        "buyer_reference": facts["buyer_reference"],
        "beneficiary": facts["beneficiary"],
        "url": _address("partners:offsets", public_id=request.public_id),
    }


def accepted(request: OffsetRequest) -> Row:
    """The answer to the call that asked: every device as promised, so a repeated call is answered alike."""
    offsets = request.offsets.filter(replaces__isnull=True).order_by("pk")
    devices = [
        {**_device(offset), "state": "promised", "certificate": None, "retirements": []} for offset in offsets
    ]
    return {**summaries([request])[0], "devices": devices, "next": None, "previous": None}


def devices_of(offsets: Sequence[DeviceOffset]) -> list[Row]:
    """Where each device stands now; two statements, however many."""
    trails = retirement_trails(offsets)
    certificates = _latest_certificates(offsets)
    return [_device_now(offset, trails[offset.pk], certificates.get(offset.pk)) for offset in offsets]


def _latest_certificates(offsets: Sequence[DeviceOffset]) -> dict[int, Certificate]:
    rows = (
        Certificate.objects.filter(offset__in=[offset.pk for offset in offsets]).defer("facts").order_by("pk")
    )
    return {certificate.offset_id: certificate for certificate in rows}


def _device(offset: DeviceOffset) -> Row:
    return {
        "device_serial": offset.device_serial,
        "manufacturer": offset.manufacturer,
        "product": offset.product,
        "sku": offset.sku,
        "configuration": offset.configuration,
        "amount_g": offset.amount_g,
    }


def _device_now(offset: DeviceOffset, trail: Sequence[TrailPart], certificate: Certificate | None) -> Row:
    return {
        **_device(offset),
        "state": _state(offset, certificate),
        "certificate": certificate_links(certificate) if certificate else None,
        "retirements": [_part(part) for part in trail],
    }


def _state(offset: DeviceOffset, certificate: Certificate | None) -> str:
    """The ledger's word, and from `retired` on the certificate's."""
    state = state_of(offset)
    if state != "retired" or certificate is None:
        return state
    if certificate.withdrawn_at:
        return "withdrawn"
    return "needs_person" if certificate.needs_person_at else "certified"


def _part(part: TrailPart) -> Row:
    retirement = part.retirement
    return {
        "reference": retirement.reference,
        "registry": retirement.project.registry.code,
        "registry_reference": retirement.registry_reference,
        "retired_on": retirement.retired_on,
        "vintage": retirement.block.vintage,
        "credit_serials": part.credit_serials,
        "from_g": part.from_g,
        "to_g": part.to_g,
    }


def certificate_links(certificate: Certificate) -> Row:
    """What a device's row says of its certificate."""
    return {
        "code": certificate.code,
        "state": certificate.state,
        "issued_at": certificate.issued_at,
        "record_url": f"{settings.SITE_URL}/c/{certificate.code}/",
        "url": _address("partners:certificate", code=certificate.code),
    }


def certificate_answer(certificate: Certificate) -> Row:
    """A certificate with its frozen facts and the addresses of its files; a withdrawn one has neither."""
    withdrawn = certificate.state == Certificate.State.WITHDRAWN
    links = certificate_links(certificate)
    request = certificate.offset.request
    by_api = request.scope.startswith("partner:")
    replacement = getattr(certificate, "replaced_by", None)
    return {
        **links,
        "livemode": certificate.livemode,
        "digest": certificate.digest,
        "facts": certificate.facts,
        "pdf_sha256": certificate.pdf_sha256,
        "replaces": certificate.replaces.code if certificate.replaces else None,
        "replaced_by": replacement.code if replacement else None,
        "offsets": _address("partners:offsets", public_id=request.public_id) if by_api else None,
        "files": {
            "pdf": f"{links['url']}certificate.pdf" if certificate.rendered_at and not withdrawn else None,
            "json": None if withdrawn else f"{links['url']}certificate.json",
            "badge": None if withdrawn else f"{links['url']}badge.svg",
        },
    }


def _address(name: str, **parts: str) -> str:
    return f"{settings.SITE_URL}{reverse(name, kwargs=parts)}"
