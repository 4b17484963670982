"""Issue, render, issue again, end and withdraw certificates. Each function is one durable transaction, or
says so.
"""

import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from certificates import events as kinds
from certificates import facts as facts_module
from certificates import selectors
from certificates.commitment import commit, new_nonce
from certificates.models import Certificate
from certificates.rendering_pool import RenderingFailed, render
from common import events, faults
from common.codes import random_code
from common.errors import Conflict
from offsets.models import DeviceOffset
from offsets.selectors import retirement_trails

log = logging.getLogger(__name__)

CODE_GROUPS = 4
ISSUE_BATCH = 500
MAX_RENDER_ATTEMPTS = 3


@transaction.atomic(durable=True)
def issue_certificates(*, now: datetime, actor: str) -> int:
    """A certificate for each covered live offset that has none, a batch at a time; returns how many.

    A device that replaces another names that device's certificate. Two sweeps beside each other issue one.
    """
    offsets = list(
        selectors.offsets_to_certify().select_for_update(of=("self",), skip_locked=True)[:ISSUE_BATCH]
    )
    certificates = _new_certificates(offsets, now=now)
    Certificate.objects.bulk_create(certificates)
    events.record_all(kinds.CERTIFICATE_ISSUED, certificates, actor=actor)
    return len(certificates)


def _new_certificates(
    offsets: Sequence[DeviceOffset], *, now: datetime, replaces: Certificate | None = None
) -> list[Certificate]:
    trails = retirement_trails(offsets)
    moved = selectors.certificates_of([offset.replaces_id for offset in offsets if offset.replaces_id])
    certificates = []
    for offset in offsets:
        code, nonce = random_code(groups=CODE_GROUPS), new_nonce()
        facts = facts_module.facts_for(offset, code=code, issued_at=now, trail=trails[offset.pk])
        certificates.append(
            Certificate(
                code=code,
                offset=offset,
                livemode=offset.livemode,
                replaces=replaces or moved.get(offset.replaces_id or 0),
                facts=facts,
                nonce=nonce,
                digest=commit(facts, nonce).hex(),
                wording=offset.wording,
                language=offset.language,
                issued_at=now,
            )
        )
    return certificates


def render_certificate(certificate: Certificate, *, now: datetime, actor: str) -> bool:
    """Write the certificate's PDF once; False when it could not be, or was already.

    After three failures it needs a person, and the others go on. The file is whole before the row names
    it.
    """
    try:
        content = render(certificate)
    except RenderingFailed as error:
        _count_failure(certificate, str(error), now=now, actor=actor)
        return False
    name = default_storage.save(f"certificates/{certificate.code}.pdf", ContentFile(content))
    faults.reach("pdf-written")
    with transaction.atomic(durable=True):
        won = Certificate.objects.filter(
            pk=certificate.pk, rendered_at=None, withdrawn_at=None, facts__isnull=False
        ).update(rendered_at=now, pdf=name, pdf_sha256=hashlib.sha256(content).hexdigest(), problem="")
        if won:
            events.record(kinds.CERTIFICATE_RENDERED, certificate, actor=actor)
    if not won:
        default_storage.delete(name)
    return bool(won)


@transaction.atomic(durable=True)
def _count_failure(certificate: Certificate, problem: str, *, now: datetime, actor: str) -> None:
    attempts = certificate.render_attempts + 1
    last = attempts >= MAX_RENDER_ATTEMPTS
    changed = Certificate.objects.filter(
        pk=certificate.pk, rendered_at=None, render_attempts=certificate.render_attempts
    ).update(render_attempts=attempts, problem=problem[:300], needs_person_at=now if last else None)
    log.error("certificate cannot be rendered id=%s attempt=%s problem=%s", certificate.pk, attempts, problem)
    if changed and last:
        events.record(kinds.CERTIFICATE_NEEDS_PERSON, certificate, actor=actor)


@transaction.atomic(durable=True)
def issue_again(certificate: Certificate, *, reason: str, actor: str, now: datetime) -> Certificate:
    """Replace a valid certificate by a new one of the same offset, with a new code; the old one names the
    new.

    Raises Conflict unless it is valid and its device's claim is live and covered.
    """
    old = Certificate.objects.select_for_update().get(pk=certificate.pk)
    offset = selectors.offsets_with_facts().get(pk=old.offset_id)
    if old.state != Certificate.State.VALID or offset.ended_at or not offset.covered_at:
        raise Conflict("Only a valid certificate of a live claim can be issued again.")
    _end(old, Certificate.State.SUPERSEDED)
    [new] = _new_certificates([offset], now=now, replaces=old)
    new.save()
    events.record(kinds.CERTIFICATE_ENDED, old, actor=actor, data={"state": old.state, "reason": reason})
    events.record(kinds.CERTIFICATE_ISSUED, new, actor=actor, data={"reason": reason})
    return new


@transaction.atomic(durable=True)
def try_again(certificate: Certificate, *, reason: str, actor: str) -> None:
    """A certificate that needed a person is rendered anew by the next sweep. Raises Conflict when it waits
    for none.
    """
    changed = Certificate.objects.filter(pk=certificate.pk, needs_person_at__isnull=False).update(
        needs_person_at=None, render_attempts=0, problem=""
    )
    if not changed:
        raise Conflict("This certificate does not wait for a person.")
    events.record(kinds.CERTIFICATE_ISSUED, certificate, actor=actor, data={"reason": reason})


@transaction.atomic(durable=True)
def end_certificates(*, actor: str) -> int:
    """Certificates whose device's claim has ended say so: reversed, or moved to another device."""
    ended = list(
        Certificate.objects.filter(state=Certificate.State.VALID, offset__ended_at__isnull=False)
        .select_related("offset")
        .select_for_update(of=("self",), skip_locked=True)[:ISSUE_BATCH]
    )
    for certificate in ended:
        moved = certificate.offset.ended_reason == DeviceOffset.Ended.MOVED
        _end(certificate, Certificate.State.MOVED if moved else Certificate.State.REVERSED)
    events.record_all(kinds.CERTIFICATE_ENDED, ended, actor=actor)
    return len(ended)


def _end(certificate: Certificate, state: Certificate.State) -> None:
    certificate.state = state
    Certificate.objects.filter(pk=certificate.pk, state=Certificate.State.VALID).update(state=state)


@transaction.atomic(durable=True)
def withdraw(certificate: Certificate, *, reason: str, actor: str, now: datetime) -> None:
    """Delete facts, nonce and PDF at the holder's request; the code answers 410 and the grams stay
    allocated.

    Raises Conflict when it was withdrawn before.
    """
    old = Certificate.objects.select_for_update().get(pk=certificate.pk)
    if old.withdrawn_at:
        raise Conflict("This certificate was withdrawn before.")
    name = old.pdf.name
    Certificate.objects.filter(pk=old.pk).update(
        state=Certificate.State.WITHDRAWN, facts=None, nonce=None, pdf="", pdf_sha256="", withdrawn_at=now
    )
    events.record(kinds.CERTIFICATE_WITHDRAWN, old, actor=actor, data={"reason": reason})
    if name:
        transaction.on_commit(lambda: default_storage.delete(name))
