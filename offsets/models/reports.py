"""What registries' public reports say of us, and whether this database may call registries."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from offsets.models.retirements import Retirement


class RegistryReport(models.Model):
    """A registry's public report that our retirements were held against. Append-only."""

    registry = models.CharField(_("registry"), max_length=20)
    name = models.CharField(_("file"), max_length=120)
    digest = models.CharField(_("SHA-256 of the file"), max_length=64)
    rows = models.PositiveIntegerField(_("rows"))
    as_of = models.DateField(_("as of"))
    livemode = models.BooleanField(_("live"))
    actor = models.CharField(_("by"), max_length=60)
    created_at = models.DateTimeField(_("read"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("registry report")
        verbose_name_plural = _("registry reports")

    def __str__(self) -> str:
        return f"{self.registry} {self.as_of}"


class Reconciliation(models.Model):
    """What a report said of one retirement, and the rows it rests on. Append-only; the newest counts."""

    report = models.ForeignKey(RegistryReport, on_delete=models.PROTECT, related_name="reconciliations")
    retirement = models.ForeignKey(Retirement, on_delete=models.PROTECT, related_name="reconciliations")
    verdict = models.CharField(_("verdict"), max_length=10)
    detail = models.CharField(_("detail"), max_length=300)
    lines = models.JSONField(
        _("rows of the report"), default=list
    )  # row, serials, date, holder, reason, SHA-256

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["report", "retirement"], name="one_verdict_per_report")
        ]
        ordering = ["-id"]
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")

    def __str__(self) -> str:
        return f"{self.retirement_id}: {self.verdict}"


class LedgerEpoch(models.Model):
    """One row: which history this database tells, and whether it may call registries (offsets/epoch.py)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    epoch = models.UUIDField(_("epoch"), default=uuid.uuid4)
    held_since = models.DateTimeField(_("held since"), null=True, blank=True)
    reason = models.CharField(_("why it is held"), max_length=300, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_ledger_epoch")]
        verbose_name = _("epoch of the ledger")
        verbose_name_plural = _("epochs of the ledger")

    def __str__(self) -> str:
        return str(self.epoch)
