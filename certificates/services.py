"""Issue, render, issue again, end and withdraw certificates. Each function is one durable transaction, or
says so.
"""

import hashlib
import logging
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import transaction

from certificates import events as kinds
from certificates import selectors
from certificates.commitment import commit, new_nonce
from certificates.facts import CannotBeStated, facts_for
from certificates.models import Certificate
from certificates.rendering_pool import RenderingFailed, render
from common import events, faults
from common.codes import random_code
from common.errors import Conflict
from offsets import events as offset_kinds
from offsets.models import DeviceOffset
from offsets.selectors import TrailPart, retirement_trail, retirement_trails
from offsets.services import mark_certified

log = logging.getLogger(__name__)

CODE_GROUPS = 4
ISSUE_BATCH = 500
MAX_RENDER_ATTEMPTS = 3


@transaction.atomic(durable=True)
def issue_certificates(*, now: datetime, actor: str) -> int:
    """A certificate for each covered live offset that has none, a batch at a time; returns how many.

    A device that replaces another names that device's certificate. An offset that cannot be stated needs a
    person, and the others go on. Two sweeps beside each other issue one.
    """
    offsets = list(
        selectors.offsets_to_certify().select_for_update(of=("self",), skip_locked=True)[:ISSUE_BATCH]
    )
    trails = retirement_trails(offsets)
    before = selectors.certificates_of([offset.replaces_id for offset in offsets if offset.replaces_id])
    certificates = []
    for offset in offsets:
        try:
            certificate = _new_certificate(
                offset, now=now, trail=trails[offset.pk], replaces=before.get(offset.replaces_id or 0)
            )
        except CannotBeStated as error:
            _set_aside(offset, problem=error.message, actor=actor)
        else:
            certificates.append(certificate)
    Certificate.objects.bulk_create(certificates)
    mark_certified([certificate.offset_id for certificate in certificates], now=now)
    events.record_all(kinds.CERTIFICATE_ISSUED, certificates, actor=actor)
    return len(certificates)


def _set_aside(offset: DeviceOffset, *, problem: str, actor: str) -> None:
    """Out of the queue until a person resumes the claim."""
    log.error("certificate cannot be stated offset=%s problem=%s", offset.pk, problem)
    DeviceOffset.objects.filter(pk=offset.pk).update(problem=problem[:300])
    events.record(offset_kinds.OFFSET_NEEDS_PERSON, offset, actor=actor)


def _new_certificate(
    offset: DeviceOffset, *, now: datetime, trail: Sequence[TrailPart], replaces: Certificate | None
) -> Certificate:
    """A certificate on the facts as of now, not stored yet. Raises CannotBeStated."""
    code, nonce = random_code(groups=CODE_GROUPS), new_nonce()
    facts = facts_for(offset, code=code, issued_at=now, trail=trail)
    try:
        digest = commit(facts, nonce).hex()
    except ValueError as error:
        raise CannotBeStated(f"The facts of this claim have no canonical form: {error}") from error
    return Certificate(
        code=code,
        offset=offset,
        livemode=offset.livemode,
        replaces=replaces,
        facts=facts,
        nonce=nonce,
        digest=digest,
        wording=offset.wording,
        language=offset.language,
        issued_at=now,
    )


def file_name(code: str) -> str:
    """Where the PDF of this code is kept, in the media storage."""
    return f"certificates/{code}.pdf"


def render_certificate(certificate: Certificate, *, now: datetime, actor: str) -> bool:
    """Write the certificate's PDF once; False when it could not be, or was already.

    After three failures it needs a person, and the others go on. The file is whole before the row says so.
    Raises RendererUnavailable and OSError, which are no fault of the certificate and are not counted.
    """
    try:
        content = render(certificate)
    except RenderingFailed as error:
        _count_failure(certificate, str(error), now=now, actor=actor)
        return False
    name = file_name(certificate.code)
    _keep_file(name, content)
    faults.reach("pdf-written")
    with transaction.atomic(durable=True):
        won = Certificate.objects.filter(
            pk=certificate.pk, state=certificate.state, rendered_at=None, withdrawn_at=None
        ).update(rendered_at=now, pdf=name, pdf_sha256=hashlib.sha256(content).hexdigest(), problem="")
        if won:
            events.record(kinds.CERTIFICATE_RENDERED, certificate, actor=actor)
    if not won and Certificate.objects.filter(pk=certificate.pk, withdrawn_at__isnull=False).exists():
        default_storage.delete(name)
    return bool(won)


def _keep_file(name: str, content: bytes) -> None:
    """Have exactly this content under this name, on disk. Raises OSError; then no row names it.

    What lies there already is the same page of another sweep, what a crash left, or the page of an earlier
    state.
    """
    if default_storage.exists(name):
        with default_storage.open(name) as file:
            if file.read() == content:
                return
        default_storage.delete(name)
    stored = default_storage.save(name, ContentFile(content))
    if stored != name:
        default_storage.delete(stored)
        raise FileExistsError(f"{name} was written by another process at the same moment.")
    if isinstance(default_storage, FileSystemStorage):
        _sync(Path(default_storage.path(name)))


def _sync(path: Path) -> None:
    """Through to the disk, and its name with it: no power cut leaves a row that names an empty file."""
    for place in (path, path.parent):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


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

    Raises Conflict unless it is valid and its device's claim is live and covered, and CannotBeStated.
    """
    old = Certificate.objects.select_for_update().get(pk=certificate.pk)
    offset = selectors.offsets_with_facts().get(pk=old.offset_id)
    if old.state != Certificate.State.VALID or offset.ended_at or not offset.covered_at:
        raise Conflict("Only a valid certificate of a live claim can be issued again.")
    _end(old, Certificate.State.SUPERSEDED)
    new = _new_certificate(offset, now=now, trail=retirement_trail(offset), replaces=old)
    new.save(force_insert=True)
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
    # The index offset_ended holds these; what is certified is covered.
    claims = DeviceOffset.objects.filter(covered_at__isnull=False, ended_at__isnull=False)
    ended = list(
        Certificate.objects.filter(state=Certificate.State.VALID, offset__in=claims)
        .select_related("offset")
        .select_for_update(of=("self",), skip_locked=True)[:ISSUE_BATCH]
    )
    for certificate in ended:
        moved = certificate.offset.ended_reason == DeviceOffset.Ended.MOVED
        _end(certificate, Certificate.State.MOVED if moved else Certificate.State.REVERSED)
    events.record_all(kinds.CERTIFICATE_ENDED, ended, actor=actor)
    return len(ended)


def _end(certificate: Certificate, state: Certificate.State) -> None:
    """Leave `valid`; its page is rendered anew, since the title follows the state."""
    certificate.state = state
    Certificate.objects.filter(pk=certificate.pk, state=Certificate.State.VALID).update(
        state=state, rendered_at=None, pdf="", render_attempts=0, needs_person_at=None, problem=""
    )


@transaction.atomic(durable=True)
def withdraw(certificate: Certificate, *, reason: str, actor: str, now: datetime) -> None:
    """Delete facts, nonce and PDF at the holder's request; the code answers 410 and the grams stay
    allocated.

    Raises Conflict when it was withdrawn before.
    """
    old = Certificate.objects.select_for_update().get(pk=certificate.pk)
    if old.withdrawn_at:
        raise Conflict("This certificate was withdrawn before.")
    Certificate.objects.filter(pk=old.pk).update(
        state=Certificate.State.WITHDRAWN,
        facts=None,
        nonce=None,
        pdf=file_name(old.code),  # until it is deleted, even where it was never there
        pdf_sha256="",
        problem="",
        withdrawn_at=now,
    )
    events.record(kinds.CERTIFICATE_WITHDRAWN, old, actor=actor, data={"reason": reason})
    transaction.on_commit(lambda: delete_file(old))


def delete_file(certificate: Certificate) -> None:
    """Delete the PDF of a withdrawn certificate; the row forgets its name once it is gone. May run twice."""
    default_storage.delete(file_name(certificate.code))
    Certificate.objects.filter(pk=certificate.pk, withdrawn_at__isnull=False).update(pdf="")
