"""What is retired: credits that are set aside, the calls of a registry, and what stands as proof."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from offsets.models.stock import GRAMS_PER_CREDIT, CreditBlock
from projects.models import Project


class Retirement(models.Model):
    """One contiguous run of one block, one line in the registry. Confirmed is final."""

    class State(models.TextChoices):
        OPEN = "open", _("set aside, not yet confirmed")
        CONFIRMED = "confirmed", _("confirmed by the registry")
        VOID = "void", _("refused; its credits are free again")
        NEEDS_PERSON = "needs_person", _("needs a person")

    reference = models.CharField(_("our reference"), max_length=20, unique=True)  # CL-2026-11-7Q2M
    request_id = models.UUIDField(_("request id"), default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="retirements")
    block = models.ForeignKey(CreditBlock, on_delete=models.PROTECT, related_name="retirements")
    livemode = models.BooleanField(_("live"))
    adapter = models.CharField(_("retired through"), max_length=20)
    first_number = models.BigIntegerField(_("first number"))
    last_number = models.BigIntegerField(_("last number"))
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.OPEN)
    beneficiary = models.CharField(
        _("beneficiary"), max_length=120, blank=True
    )  # public for ever: nobody by default
    reason = models.CharField(_("reason text"), max_length=300)  # public for ever
    created_at = models.DateTimeField(_("opened"))
    attempted_at = models.DateTimeField(_("registry called"), null=True, blank=True)
    looks = models.PositiveIntegerField(_("looks since the call"), default=0)
    not_before = models.DateTimeField(_("look again at"), null=True, blank=True)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    registry_reference = models.CharField(_("registry reference"), max_length=80, blank=True)
    # The registry retired this run where it was asked for that one; the reason text names that one.
    replaces = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by"
    )
    retired_on = models.DateField(_("date in the registry"), null=True, blank=True)
    problem = models.CharField(_("what is wrong"), max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(last_number__gte=F("first_number")), name="retirement_range_forward"
            ),
            models.CheckConstraint(
                condition=~Q(state="confirmed")
                | Q(confirmed_at__isnull=False, retired_on__isnull=False) & ~Q(registry_reference=""),
                name="confirmed_names_its_proof",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(state="open"), name="retirement_to_settle"),
            models.Index(fields=["project", "livemode", "state"], name="retirement_by_project"),
        ]
        ordering = ["-id"]
        permissions = [
            ("confirm_retirement", "Can enter what a registry confirmed, or free a refused retirement"),
            ("retire_ahead", "Can retire credits ahead of demand"),
        ]
        verbose_name = _("retirement")
        verbose_name_plural = _("retirements")

    def __str__(self) -> str:
        return self.reference

    @property
    def credits(self) -> int:
        """Whole credits (tonnes) of this retirement."""
        return self.last_number - self.first_number + 1

    @property
    def amount_g(self) -> int:
        """Grams of this retirement."""
        return self.credits * GRAMS_PER_CREDIT


class RetirementEntry(models.Model):
    """What one person of staff says became of a retirement: above a limit a second must enter the same.
    Append-only.
    """

    class Kind(models.TextChoices):
        CONFIRM = "confirm", _("it was confirmed")
        ADOPT = "adopt", _("another run was retired")
        FREE = "free", _("it did not happen")

    retirement = models.ForeignKey(Retirement, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    entry = models.JSONField(_("what was entered"), default=dict)
    evidence = models.CharField(_("where it was read"), max_length=300)
    actor = models.CharField(_("by"), max_length=60)
    created_at = models.DateTimeField(_("entered"))

    class Meta:
        ordering = ["id"]
        verbose_name = _("entry about a retirement")
        verbose_name_plural = _("entries about retirements")

    def __str__(self) -> str:
        return f"{self.kind} of {self.retirement_id} by {self.actor}"


class Attestation(models.Model):
    """A file that a registry gave as proof of a retirement, kept under its SHA-256. Append-only."""

    retirement = models.ForeignKey(Retirement, on_delete=models.PROTECT, related_name="attestations")
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    media_type = models.CharField(_("type"), max_length=20)
    size = models.PositiveIntegerField(_("bytes"))
    name = models.CharField(_("name as uploaded"), max_length=120)  # shown only, never used as a path
    actor = models.CharField(_("by"), max_length=60)
    created_at = models.DateTimeField(_("kept"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["retirement", "sha256"], name="one_copy_of_an_attestation")
        ]
        ordering = ["id"]
        verbose_name = _("attestation")
        verbose_name_plural = _("attestations")

    def __str__(self) -> str:
        return f"{self.name} ({self.sha256[:12]})"


class Credit(models.Model):
    """One registry unit. `retirement` is set when it is set aside and final once that retirement is
    confirmed.
    """

    series = models.CharField(max_length=120)
    number = models.BigIntegerField()
    block = models.ForeignKey(CreditBlock, on_delete=models.PROTECT, related_name="block_credits")
    retirement = models.ForeignKey(
        Retirement, on_delete=models.PROTECT, null=True, blank=True, related_name="retired_credits"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["series", "number"], name="credit_exists_once")]
        indexes = [
            models.Index(
                fields=["block", "number"], condition=Q(retirement__isnull=True), name="credit_free"
            ),
        ]
        verbose_name = _("credit")
        verbose_name_plural = _("credits")

    def __str__(self) -> str:
        return f"{self.series}-{self.number}"


class Attempt(models.Model):
    """One committed decision to call the registry. Without an outcome it is unknown: we only look.
    Append-only.
    """

    retirement = models.OneToOneField(Retirement, on_delete=models.PROTECT, related_name="attempt")
    actor = models.CharField(max_length=60)
    intent = models.JSONField()  # exactly what we ask for
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")

    def __str__(self) -> str:
        return f"attempt of {self.retirement_id}"


class AttemptOutcome(models.Model):
    """What the registry said of an attempt, what a later look found, that it is asked again. Append-only."""

    class Kind(models.TextChoices):
        CONFIRMED = "confirmed", _("confirmed")
        REFUSED = "refused", _("refused")
        UNKNOWN = "unknown", _("unknown")
        AGAIN = "again", _("asked again")
        DIFFERS = "differs", _("differs from what we asked")

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="outcomes")
    kind = models.CharField(max_length=10, choices=Kind)
    receipt = models.JSONField(default=dict)
    detail = models.CharField(max_length=300, blank=True)
    actor = models.CharField(max_length=60)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["attempt"], condition=Q(kind="confirmed"), name="confirmed_once")
        ]
        ordering = ["id"]
        verbose_name = _("outcome of an attempt")
        verbose_name_plural = _("outcomes of attempts")

    def __str__(self) -> str:
        return f"{self.kind} of attempt {self.attempt_id}"
