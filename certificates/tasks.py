"""Sweeps of certificates: argument-free, bounded, safe to run twice, late, or beside themselves."""

import logging

from celery import shared_task
from django.db import DatabaseError
from django.utils import timezone

from certificates import selectors, services
from common import faults

log = logging.getLogger(__name__)
RENDER_BATCH = 50


@shared_task(name="certificates.tasks.issue_certificates")
def issue_certificates() -> int:
    """Issue a certificate for each covered claim, and end those whose claim has ended."""
    actor = "sweep:issue_certificates"
    ended = services.end_certificates(actor=actor)
    issued = services.issue_certificates(now=timezone.now(), actor=actor)
    faults.reach("certificates-issued")
    return issued + ended


@shared_task(name="certificates.tasks.render_certificates")
def render_certificates() -> int:
    """Render what was issued; one that fails does not stop the others."""
    rendered = 0
    for certificate in selectors.certificates_to_render().select_related("offset")[:RENDER_BATCH]:
        try:
            rendered += services.render_certificate(
                certificate, now=timezone.now(), actor="sweep:render_certificates"
            )
        except (DatabaseError, OSError) as error:
            log.error("rendering failed id=%s error=%s", certificate.pk, type(error).__name__)
    faults.reach("certificate-rendered")
    return rendered
