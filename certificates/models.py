"""The proof a buyer keeps. Facts are frozen when it is issued; a withdrawn one keeps only its code and
digest.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from offsets.models import Allocation, DeviceOffset, Retirement


class Certificate(models.Model):
    """One issue of a device offset's certificate. Issued again or moved: a new row that names the old one."""

    class State(models.TextChoices):
        VALID = "valid", _("valid")
        SUPERSEDED = "superseded", _("issued again")
        REVERSED = "reversed", _("reversed")
        MOVED = "moved", _("moved to a replacement device")
        WITHDRAWN = "withdrawn", _("withdrawn at the holder's request")

    code = models.CharField(_("code"), max_length=19, unique=True)  # 16 Crockford characters in four groups
    offset = models.ForeignKey(DeviceOffset, on_delete=models.PROTECT, related_name="certificates")
    livemode = models.BooleanField(_("live"))
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.VALID)
    replaces = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by"
    )
    facts = models.JSONField(
        _("facts"), null=True
    )  # certificates.facts: flat, ASCII keys, strings and integers
    nonce = models.BinaryField(_("nonce"), null=True, max_length=32)
    digest = models.CharField(
        _("digest"), max_length=64
    )  # commitment to the facts, PROOF: SHA-256(tag, nonce, JCS)
    wording = models.CharField(_("wording"), max_length=40)
    language = models.CharField(_("language"), max_length=10)
    issued_at = models.DateTimeField(_("issued"))
    # The first checkpoint of the public log that holds its grams; nothing is rendered before it is signed.
    checkpoint = models.ForeignKey(
        "LogCheckpoint", on_delete=models.PROTECT, null=True, blank=True, related_name="certificates"
    )
    # Once it has ended: when the log said so too, and its grams may be entered for another device.
    left_log_at = models.DateTimeField(_("reversed in the log"), null=True, blank=True)
    rendered_at = models.DateTimeField(_("rendered"), null=True, blank=True)
    render_attempts = models.PositiveSmallIntegerField(_("tries to render"), default=0)
    needs_person_at = models.DateTimeField(_("needs a person since"), null=True, blank=True)
    problem = models.CharField(_("what is wrong"), max_length=300, blank=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)
    # Named once it is rendered, and on a withdrawn certificate until the file is deleted.
    pdf = models.FileField(_("PDF"), upload_to="certificates/", blank=True)
    pdf_sha256 = models.CharField(_("SHA-256 of the PDF"), max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["offset"], condition=Q(state="valid"), name="one_valid_certificate"
            ),
            models.CheckConstraint(
                condition=Q(facts__isnull=False, nonce__isnull=False) | Q(state="withdrawn"),
                name="only_withdrawn_has_no_facts",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(
                    rendered_at__isnull=True, needs_person_at__isnull=True, withdrawn_at__isnull=True
                ),
                name="certificate_to_render",
            ),
            models.Index(
                fields=["id"],
                condition=Q(withdrawn_at__isnull=False) & ~Q(pdf=""),
                name="certificate_file_to_delete",
            ),
            models.Index(
                fields=["id"],
                condition=Q(checkpoint__isnull=True, state="valid"),
                name="certificate_to_log",
            ),
            models.Index(
                fields=["id"],
                condition=Q(checkpoint__isnull=False, left_log_at__isnull=True) & ~Q(state="valid"),
                name="certificate_to_reverse",
            ),
        ]
        ordering = ["-id"]
        verbose_name = _("certificate")
        verbose_name_plural = _("certificates")
        permissions = [
            ("issue_again", _("issue a certificate again")),
            ("withdraw_certificate", _("withdraw a certificate")),
        ]

    def __str__(self) -> str:
        return self.code


class LogHead(models.Model):
    """One row per log (live, sandbox): its length and its key. Its lock is the sequencer's."""

    livemode = models.BooleanField(unique=True)
    size = models.BigIntegerField(default=0)
    origin = models.CharField(max_length=240)
    public_key = models.CharField(max_length=64)  # hexadecimal; another key refuses to go on

    def __str__(self) -> str:
        return self.origin


class FormerLogKey(models.Model):
    """A key that signed a log before the one in its head. Append-only."""

    livemode = models.BooleanField()
    origin = models.CharField(max_length=240, unique=True)
    public_key = models.CharField(max_length=64)  # hexadecimal
    replaced_at = models.DateTimeField()

    class Meta:
        ordering = ["livemode", "-id"]

    def __str__(self) -> str:
        return self.origin


class LogEntry(models.Model):
    """One entry of a public log, exactly as published. Append-only."""

    livemode = models.BooleanField()
    index = models.BigIntegerField()
    data = models.CharField(max_length=400)  # ASCII, every line ends in LF
    retirement = models.ForeignKey(
        Retirement, on_delete=models.PROTECT, null=True, related_name="log_entries"
    )
    certificate = models.ForeignKey(
        Certificate, on_delete=models.PROTECT, null=True, related_name="log_entries"
    )
    allocation = models.ForeignKey(
        Allocation, on_delete=models.PROTECT, null=True, related_name="log_entries"
    )
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="reversed_by")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["livemode", "index"], name="log_index_once"),
            models.UniqueConstraint(
                fields=["retirement"], condition=Q(retirement__isnull=False), name="retirement_logged_once"
            ),
            models.UniqueConstraint(
                fields=["certificate", "allocation"],
                condition=Q(certificate__isnull=False),
                name="grams_logged_once_per_certificate",
            ),
        ]
        ordering = ["livemode", "index"]
        verbose_name = _("entry of the public log")
        verbose_name_plural = _("entries of the public log")

    def __str__(self) -> str:
        return f"{self.index}: {self.data.splitlines()[0]}"


class LogNode(models.Model):
    """A complete subtree's hash; written once, so that roots and proofs need no other entry."""

    livemode = models.BooleanField()
    level = models.PositiveSmallIntegerField()
    index = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["livemode", "level", "index"], name="log_node_once"),
        ]

    def __str__(self) -> str:
        return f"{self.level}/{self.index}"


class LogCheckpoint(models.Model):
    """Size and root, stored before they are signed; `text` is the checkpoint as published."""

    livemode = models.BooleanField()
    size = models.BigIntegerField()
    root = models.CharField(max_length=44)  # base64
    edge = models.BinaryField(default=b"", db_default=b"")  # merkle.edge_roots by their starts; older: none
    text = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["livemode", "size"], name="one_checkpoint_per_size")]
        indexes = [
            models.Index(fields=["id"], condition=Q(text=""), name="checkpoint_to_sign"),
        ]
        ordering = ["livemode", "size"]
        verbose_name = _("checkpoint of the public log")
        verbose_name_plural = _("checkpoints of the public log")

    def __str__(self) -> str:
        return f"{self.size} {self.root}"
