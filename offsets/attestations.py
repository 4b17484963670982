"""Files that a registry gave as proof of a retirement: checked by content, kept under their SHA-256.

The name under which a file came is shown to staff and never used as a path. A file is on disk before its row
says so; the same file again is the same row.
"""

import hashlib
import os
from datetime import datetime
from pathlib import Path, PurePosixPath

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext as _

from common import events
from common.errors import InvalidInput, NotFound
from offsets import events as kinds
from offsets.models import Attestation, Retirement

MAX_BYTES = 5 * 1024 * 1024
EXTENSIONS = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}
PNG_START, PNG_END = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"IEND\xaeB`\x82"


class InvalidAttestation(InvalidInput):
    """The file is too large, empty, or neither PDF, PNG nor JPEG by its content."""

    code = "invalid_attestation"


class AttestationMissing(NotFound):
    """The row is there and its file is not, or is not the one that was kept."""

    code = "attestation_missing"


def media_type_of(content: bytes) -> str:
    """The type by what the file holds, from its first bytes to its last. Raises InvalidAttestation."""
    if len(content) > MAX_BYTES:
        raise InvalidAttestation(_("The file is larger than 5 MB. Scan it in fewer dots or fewer pages."))
    if content.startswith(b"%PDF-") and b"%%EOF" in content[-1024:]:
        return "application/pdf"
    if content.startswith(PNG_START) and content.endswith(PNG_END):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff") and content.rstrip(b"\0").endswith(b"\xff\xd9"):
        return "image/jpeg"
    raise InvalidAttestation(
        _("The file is no whole PDF, PNG or JPEG, whatever its name says. Attach what the registry sent.")
    )


def keep_attestation(
    retirement: Retirement, *, name: str, content: bytes, actor: str, now: datetime, reason: str = ""
) -> Attestation:
    """Keep the file and its row; the same file of the same retirement is kept once. Raises
    InvalidAttestation; then nothing is kept.
    """
    media_type = media_type_of(content)
    digest = hashlib.sha256(content).hexdigest()
    _write(path_of(digest, media_type), content)
    with transaction.atomic(durable=True):
        row, created = Attestation.objects.get_or_create(
            retirement=retirement,
            sha256=digest,
            defaults={
                "media_type": media_type,
                "size": len(content),
                "name": shown_name(name),
                "actor": actor,
                "created_at": now,
            },
        )
        if created:
            Retirement.objects.select_for_update().get(pk=retirement.pk)  # keeps its events in sequence
            data = {"sha256": digest, **({"reason": reason} if reason else {})}
            events.record(kinds.RETIREMENT_ATTESTED, retirement, actor=actor, data=data)
    return row


def read_attestation(row: Attestation) -> bytes:
    """The file as it was kept. Raises AttestationMissing when it is gone or was changed."""
    path = path_of(row.sha256, row.media_type)
    if default_storage.exists(path):
        with default_storage.open(path) as file:
            content: bytes = file.read()
        if hashlib.sha256(content).hexdigest() == row.sha256:
            return content
    raise AttestationMissing(_("The file is not what was kept. Restore the media folder from its backup."))


def path_of(digest: str, media_type: str) -> str:
    """Where a file of this digest is kept, in the media storage."""
    return f"attestations/{digest}.{EXTENSIONS[media_type]}"


def shown_name(name: str) -> str:
    """The last part of the name, printable, at most 120 characters."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return "".join(char for char in last if char.isprintable())[:120] or "attestation"


def _write(path: str, content: bytes) -> None:
    """Have this content under this path, on disk before anything names it."""
    if default_storage.exists(path):
        with default_storage.open(path) as file:
            if file.read() == content:
                return
        default_storage.delete(path)  # what a crash left half written
    stored = default_storage.save(path, ContentFile(content))
    if stored != path:
        default_storage.delete(stored)  # somebody keeps the very same file at this moment
        return
    place = Path(default_storage.path(stored))
    for synced in (place, place.parent):
        descriptor = os.open(synced, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
