"""Sweeps of certificates: argument-free, bounded, safe to run twice, late, or beside themselves."""

import logging
import time

from celery import shared_task
from django.db import DatabaseError
from django.utils import timezone

from certificates import publiclog, selectors, services, settling
from certificates.rendering_pool import RendererUnavailable
from common import faults
from common.errors import DomainError

log = logging.getLogger(__name__)
ISSUE_BATCHES = 20
RENDER_BATCH = 500
RENDER_SECONDS = 40  # less than the minute after which the clock runs the sweep again


@shared_task(name="certificates.tasks.issue_certificates")
def issue_certificates() -> int:
    """Issue a certificate for each covered claim, and end those whose claim has ended."""
    actor = "sweep:issue_certificates"
    ended = services.end_certificates(actor=actor)
    issued = 0
    for _batch in range(ISSUE_BATCHES):
        count = services.issue_certificates(now=timezone.now(), actor=actor)
        faults.reach("certificates-issued")
        issued += count
        if count < services.ISSUE_BATCH:
            break
    return issued + ended


@shared_task(name="certificates.tasks.watch_mirror")
def watch_mirror() -> int:
    """Stop the projects of a log whose mirror is ahead of this database: it was restored. The number of logs
    that are behind is said in the log, not returned: a worker that loops until nothing is left would not end.
    """
    for livemode in (False, True):
        try:
            if settling.stop_where_behind(livemode=livemode, actor="sweep:watch_mirror"):
                log.error("the database is behind the mirror of its public log livemode=%s", livemode)
        except DomainError as error:
            log.error("the mirror of the public log cannot be read livemode=%s: %s", livemode, error.message)
    return 0


@shared_task(name="certificates.tasks.append_to_log")
def append_to_log() -> int:
    """Enter confirmed retirements and issued certificates in the public log of their mode, and sign it."""
    entered = 0
    for livemode in (False, True):
        if not selectors.has_log_work(livemode=livemode):
            continue
        try:
            while publiclog.append(livemode=livemode, now=timezone.now(), actor="sweep:append_to_log"):
                entered += 1
            publiclog.sign_checkpoints(livemode=livemode)
        except DomainError as error:
            log.error("the public log is not extended livemode=%s: %s", livemode, error.message)
    return entered


@shared_task(name="certificates.tasks.render_certificates")
def render_certificates() -> int:
    """Render what was issued; one that fails does not stop the others, a renderer that is not there does."""
    _delete_files()
    rendered, deadline = 0, time.monotonic() + RENDER_SECONDS
    queue = selectors.certificates_to_render().select_related("offset", "replaced_by")
    for certificate in queue[:RENDER_BATCH]:
        if time.monotonic() > deadline:
            break
        try:
            rendered += services.render_certificate(
                certificate, now=timezone.now(), actor="sweep:render_certificates"
            )
        except (DatabaseError, OSError) as error:
            log.error("rendering failed id=%s error=%s", certificate.pk, type(error).__name__)
        except RendererUnavailable as error:
            log.error("nothing can be rendered: %s", error)
            break
        faults.reach("certificate-rendered")
    return rendered


def _delete_files() -> None:
    """The PDFs of withdrawn certificates that a crash left behind."""
    for certificate in selectors.files_to_delete()[:RENDER_BATCH]:
        try:
            services.delete_file(certificate)
        except OSError as error:
            log.error("file not deleted id=%s error=%s", certificate.pk, type(error).__name__)
