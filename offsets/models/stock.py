"""What we hold: the counter of a project, blocks of credits, and grams kept for a buyer."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from projects.models import Project

GRAMS_PER_CREDIT = 1_000_000


class ProjectStock(models.Model):
    """One counter per project and mode: `stocked_g - committed_g - kept_g` may still be promised.

    `kept_g` stands in companies' names beyond what their own promises take; nobody else may have it.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="stocks")
    livemode = models.BooleanField(_("live"))
    stocked_g = models.BigIntegerField(_("stocked, g"), default=0)
    committed_g = models.BigIntegerField(_("committed, g"), default=0)
    kept_g = models.BigIntegerField(_("kept for names, g"), default=0, db_default=0)
    # Set when a registry's report shows our credits in other hands: nothing is sold, retired or allocated.
    alarm = models.CharField(_("alarm"), max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "livemode"], name="one_stock_per_project_and_mode"),
            models.CheckConstraint(
                condition=Q(committed_g__gte=0, committed_g__lte=F("stocked_g")),
                name="never_sell_more_than_stock",
            ),
            models.CheckConstraint(condition=Q(kept_g__gte=0), name="kept_not_negative"),
        ]
        verbose_name = _("stock of a project")
        verbose_name_plural = _("stocks of projects")

    def __str__(self) -> str:
        return f"{self.project.reference} {'live' if self.livemode else 'sandbox'}"

    @property
    def available_g(self) -> int:
        """Grams that can still be promised; never negative."""
        return max(0, self.stocked_g - self.committed_g - self.kept_g)


class CreditBlock(models.Model):
    """A contiguous range of credit serials that we hold: one vintage of one project. Append-only."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="blocks")
    livemode = models.BooleanField(_("live"))
    series = models.CharField(_("series"), max_length=120)  # every part of the serial but the running number
    first_number = models.BigIntegerField(_("first number"))
    last_number = models.BigIntegerField(_("last number"))
    vintage = models.PositiveSmallIntegerField(_("vintage"))
    unit = models.CharField(_("unit"), max_length=20)  # CER, CRT
    monitoring_period = models.CharField(_("monitoring period"), max_length=60, blank=True)
    acquired_on = models.DateField(_("acquired on"))
    source = models.CharField(_("where it came from"), max_length=200)
    created_at = models.DateTimeField(_("imported"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(last_number__gte=F("first_number")), name="block_range_forward"
            ),
            models.CheckConstraint(condition=Q(first_number__gte=0), name="block_numbers_not_negative"),
            models.UniqueConstraint(fields=["series", "first_number"], name="block_starts_once"),
        ]
        ordering = ["project", "vintage", "id"]
        permissions = [("import_credits", "Can take credit blocks into stock")]
        verbose_name = _("credit block")
        verbose_name_plural = _("credit blocks")

    def __str__(self) -> str:
        return f"{self.series}-{self.first_number} to {self.last_number}"

    @property
    def credits(self) -> int:
        """How many credits the block holds: last - first + 1."""
        return self.last_number - self.first_number + 1


class Reservation(models.Model):
    """Grams held for one unit of an open checkout, quote or unshipped order; `holder` is opaque ("order-
    unit:17").
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="reservations")
    livemode = models.BooleanField(_("live"))
    holder = models.CharField(_("holder"), max_length=60, unique=True)
    amount_g = models.BigIntegerField(_("amount, g"))
    expires_at = models.DateTimeField(
        _("expires"), null=True, blank=True
    )  # null: held until shipped or released
    created_at = models.DateTimeField(_("held since"))

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_g__gt=0), name="reservation_amount_positive")
        ]
        indexes = [
            models.Index(fields=["project", "livemode"], name="reservation_by_project"),
            models.Index(
                fields=["expires_at"], condition=Q(expires_at__isnull=False), name="reservation_expiring"
            ),
        ]
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")

    def __str__(self) -> str:
        return f"{self.holder}: {self.amount_g} g"
