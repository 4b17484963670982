"""Which gram belongs to which device: spans that can be handed out, and intervals that were."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from offsets.models.devices import DeviceOffset
from offsets.models.retirements import Retirement


class Span(models.Model):
    """Grams of a confirmed retirement (or of a reversed allocation) that can be handed out; `next_g` only
    rises.
    """

    retirement = models.ForeignKey(Retirement, on_delete=models.PROTECT, related_name="spans")
    reverses = models.OneToOneField(
        "Allocation", on_delete=models.PROTECT, null=True, blank=True, related_name="reversal"
    )
    from_g = models.BigIntegerField(_("from, g"))
    to_g = models.BigIntegerField(_("to, g"))
    next_g = models.BigIntegerField(_("next free, g"))
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    from_g__gte=0, from_g__lt=F("to_g"), next_g__gte=F("from_g"), next_g__lte=F("to_g")
                ),
                name="span_counter_inside",
            ),
            models.UniqueConstraint(
                fields=["retirement"],
                condition=Q(reverses__isnull=True),
                name="one_first_span_per_retirement",
            ),
        ]
        indexes = [
            models.Index(fields=["retirement"], condition=Q(next_g__lt=F("to_g")), name="span_with_surplus")
        ]
        verbose_name = _("span")
        verbose_name_plural = _("spans")

    def __str__(self) -> str:
        return f"[{self.from_g}, {self.to_g}) of {self.retirement_id}"


class Allocation(models.Model):
    """The interval [from_g, to_g) of a span's retirement belongs to this offset. Append-only."""

    span = models.ForeignKey(Span, on_delete=models.PROTECT, related_name="allocations")
    offset = models.ForeignKey(DeviceOffset, on_delete=models.PROTECT, related_name="allocations")
    from_g = models.BigIntegerField(_("from, g"))
    to_g = models.BigIntegerField(_("to, g"))
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["span", "from_g"], name="gram_allocated_once"),
            models.CheckConstraint(
                condition=Q(from_g__gte=0, from_g__lt=F("to_g")), name="allocation_not_empty"
            ),
        ]
        ordering = ["span", "from_g"]
        verbose_name = _("allocation")
        verbose_name_plural = _("allocations")

    def __str__(self) -> str:
        return f"[{self.from_g}, {self.to_g}) for {self.offset_id}"
