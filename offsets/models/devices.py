"""What devices claim, and the requests by which they came to it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from accounts.models import Account
from projects.models import Project


class Boundary(models.TextChoices):
    """What the amount covers."""

    MANUFACTURE_TRANSPORT_USE = "manufacture-transport-use", _("manufacture, shipping and use")
    MANUFACTURE_TRANSPORT_USE_EOL = (
        "manufacture-transport-use-eol",
        _("manufacture, shipping, use and end of life"),
    )


class Period(models.TextChoices):
    """For how many years of use."""

    YEARS_1 = "years-1", _("one year of use")
    YEARS_2 = "years-2", _("two years of use")
    YEARS_3 = "years-3", _("three years of use")
    YEARS_4 = "years-4", _("four years of use")
    YEARS_5 = "years-5", _("five years of use")


class OffsetRequest(models.Model):
    """One call that asked for offsets: the same key and body give one answer, another body is refused."""

    public_id = models.CharField(max_length=30, unique=True)  # "ofr_7Q2MK4VX09ABDJ3T"
    scope = models.CharField(max_length=60)  # whose keys these are: "partner:2", "shop"
    key = models.CharField(max_length=120)
    body_digest = models.CharField(max_length=64)  # SHA-256 of the canonical body
    owner = models.ForeignKey(
        Account, on_delete=models.PROTECT, null=True, blank=True, related_name="offset_requests"
    )
    livemode = models.BooleanField()
    actor = models.CharField(max_length=60)
    created_at = models.DateTimeField()
    replayed = False  # not a column: this very call found the answer of an earlier one

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="idempotency_key_once")]
        ordering = ["-id"]
        verbose_name = _("offset request")
        verbose_name_plural = _("offset requests")

    def __str__(self) -> str:
        return self.public_id


class DeviceOffset(models.Model):
    """A device's claim on grams of a project. Promised until allocations cover it; live until `ended_at`."""

    class Ended(models.TextChoices):
        CANCELLED = "cancelled", _("cancelled before retirement")
        REVERSED = "reversed", _("reversed after retirement")
        MOVED = "moved", _("moved to a replacement device")

    request = models.ForeignKey(OffsetRequest, on_delete=models.PROTECT, related_name="offsets")
    owner = models.ForeignKey(
        Account, on_delete=models.PROTECT, null=True, blank=True, related_name="offsets"
    )
    livemode = models.BooleanField(_("live"))
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="offsets")
    manufacturer = models.CharField(
        _("manufacturer"), max_length=60
    )  # normalised, see serials.normalise_device
    device_serial = models.CharField(_("device serial"), max_length=64)  # normalised
    manufacturer_typed = models.CharField(_("manufacturer as typed"), max_length=80)
    device_serial_typed = models.CharField(_("device serial as typed"), max_length=80)
    product = models.CharField(_("product"), max_length=160)
    sku = models.CharField(_("SKU"), max_length=40, blank=True)
    configuration = models.CharField(_("configuration"), max_length=200, blank=True)
    amount_g = models.BigIntegerField(_("amount, g"))
    footprint = models.JSONField(_("footprint as shown to the buyer"))  # catalog.pcf Footprint.as_json()
    boundary = models.CharField(_("boundary"), max_length=40, choices=Boundary)
    period = models.CharField(_("period"), max_length=10, choices=Period)
    supplement = models.PositiveSmallIntegerField(_("supplement"), default=0)  # 0 the first, n the nth top-up
    country = CountryField(_("country of use"))
    audience = models.CharField(_("audience"), max_length=10)
    language = models.CharField(_("language"), max_length=10)
    wording = models.CharField(_("wording"), max_length=40)  # claims.Wording.id, frozen
    beneficiary = models.CharField(_("beneficiary"), max_length=120, blank=True)
    buyer_reference = models.CharField(_("buyer's reference"), max_length=80, blank=True)
    group = models.CharField(_("group"), max_length=60, blank=True, db_index=True)  # "order:10045"
    replaces = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by"
    )
    created_at = models.DateTimeField(_("promised"))
    covered_at = models.DateTimeField(_("covered"), null=True, blank=True)
    # The floor above marks the claims it has dealt with, so that its sweep finds the rest by one index.
    certified_at = models.DateTimeField(_("certified"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_reason = models.CharField(_("how it ended"), max_length=10, choices=Ended, blank=True)
    problem = models.CharField(_("what is wrong"), max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["manufacturer", "device_serial", "boundary", "period", "supplement", "livemode"],
                condition=Q(ended_at__isnull=True),
                name="one_live_offset_per_device",
            ),
            models.CheckConstraint(condition=Q(amount_g__gt=0), name="offset_amount_positive"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_reason="")
                | (Q(ended_at__isnull=False) & ~Q(ended_reason="")),
                name="ended_says_how",
            ),
        ]
        indexes = [
            models.Index(
                fields=["project", "livemode", "id"],
                condition=Q(covered_at__isnull=True, ended_at__isnull=True),
                name="offset_uncovered",
            ),
            models.Index(
                fields=["id"],
                condition=Q(covered_at__isnull=False, certified_at__isnull=True, ended_at__isnull=True),
                name="offset_to_certify",
            ),
            models.Index(
                fields=["id"],
                condition=Q(covered_at__isnull=False, ended_at__isnull=False),
                name="offset_ended",  # the sweep looks here for certificates that still say valid
            ),
            models.Index(fields=["device_serial"], name="offset_by_serial"),
            models.Index(
                fields=["project", "livemode", "beneficiary"],
                condition=~Q(beneficiary=""),
                name="offset_named",
            ),
        ]
        ordering = ["-id"]
        permissions = [("reverse_offset", "Can cancel, reverse or move the claim of a device")]
        verbose_name = _("device offset")
        verbose_name_plural = _("device offsets")

    def __str__(self) -> str:
        return f"{self.product} {self.device_serial}"
