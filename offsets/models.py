"""The ledger's rows. `offsets/ledger.py` is the only code that moves grams or credits between them.

1 credit = 1 t CO2e = 1,000,000 g. Grams are half-open intervals [from_g, to_g) of a confirmed retirement.
"""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from accounts.models import Account
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
