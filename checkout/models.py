"""Baskets and orders. What the server computed when the order was placed is frozen on it; money is minor
units.
"""

import secrets
import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from accounts.models import Account, Market
from catalog.models import Option, Product
from claims.registers import Audience
from offsets.models import DeviceOffset
from projects.models import Project


def access_token() -> str:
    """The secret part of an order page's address for a guest: 128 random bits."""
    return secrets.token_urlsafe(16)


class Basket(models.Model):
    """What a visitor has chosen so far. Holds choices only: every price and gram is computed when it is
    read.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    market = models.ForeignKey(Market, on_delete=models.PROTECT)
    country = CountryField(_("country"))
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("basket")
        verbose_name_plural = _("baskets")

    def __str__(self) -> str:
        return f"basket {self.pk}"


class BasketLine(models.Model):
    """A configuration, how many, where and how long it is used; an offset for some, all or none of the
    units.
    """

    basket = models.ForeignKey(Basket, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.CASCADE)
    options = models.ManyToManyField(Option)
    country_of_use = CountryField(_("country of use"))
    years = models.PositiveSmallIntegerField(_("years of use"), default=5)
    quantity = models.PositiveIntegerField(_("quantity"))
    offset_project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, blank=True)
    offset_units = models.PositiveIntegerField(_("units with credits"), default=0)
    added_at = models.DateTimeField(_("last added to"), default=timezone.now)
    added_quantity = models.PositiveIntegerField(_("added then"), default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gte=1), name="basket_line_not_empty"),
            models.CheckConstraint(condition=Q(years__gte=1, years__lte=5), name="basket_years_one_to_five"),
            models.CheckConstraint(
                condition=Q(offset_units__lte=F("quantity")), name="basket_offset_units_within"
            ),
            models.CheckConstraint(
                condition=Q(offset_units=0, offset_project__isnull=True)
                | Q(offset_units__gte=1, offset_project__isnull=False),
                name="basket_offset_has_project",
            ),
        ]
        ordering = ["id"]
        verbose_name = _("basket line")
        verbose_name_plural = _("basket lines")

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product}"


class Order(models.Model):
    """A placed order; amounts, market, audience and wording are frozen."""

    class PaymentMethod(models.TextChoices):
        CARD = "card", _("card (sandbox)")
        INVOICE = "invoice", _("invoice")

    number = models.CharField(_("number"), max_length=12, unique=True)
    token = models.CharField(
        _("access token"), max_length=30, unique=True, default=access_token, editable=False
    )
    basket_id = models.UUIDField(
        _("basket"), unique=True, editable=False
    )  # a double click finds the same order
    owner = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, blank=True, related_name="orders")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="orders"
    )
    livemode = models.BooleanField(_("live"))
    market = models.ForeignKey(Market, on_delete=models.PROTECT)
    currency = models.CharField(_("currency"), max_length=3)
    country = CountryField(_("country"))
    audience = models.CharField(_("audience"), max_length=10)  # claims.Audience, decided by the server
    language = models.CharField(_("language"), max_length=10)
    wording = models.CharField(_("wording"), max_length=40)  # claims.Wording.id
    email = models.EmailField(_("e-mail"))
    name = models.CharField(_("name"), max_length=120)
    company = models.CharField(_("company"), max_length=120, blank=True)
    vat_id = models.CharField(_("VAT id"), max_length=20, blank=True)
    address = models.TextField(_("address"), max_length=500)
    po_number = models.CharField(_("PO number"), max_length=40, blank=True)
    cost_centre = models.CharField(_("cost centre"), max_length=40, blank=True)
    payment_method = models.CharField(_("payment"), max_length=10, choices=PaymentMethod)
    on_terms = models.BooleanField(
        _("on approved terms"), default=False
    )  # shipment, not payment, releases it
    early_retirement_consent_at = models.DateTimeField(
        _("consent to retire within 14 days"), null=True, blank=True
    )
    net_minor = models.BigIntegerField(_("net"))
    tax_minor = models.BigIntegerField(_("VAT"))
    gross_minor = models.BigIntegerField(_("gross"))
    placed_at = models.DateTimeField(_("placed"), default=timezone.now)
    expires_at = models.DateTimeField(_("to be paid by"), null=True, blank=True)
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)
    cancel_reason = models.CharField(_("why cancelled"), max_length=120, blank=True)
    mailed_at = models.DateTimeField(
        _("confirmation sent"), null=True, blank=True
    )  # null: the queue of `email_orders`

    class Meta:
        permissions = [
            ("ship_order", "Can ship devices of an order"),
            ("record_payment", "Can record a payment that arrived"),
            ("approve_terms", "Can let an order ship before it is paid"),
            ("cancel_order", "Can cancel an order that is neither paid nor shipped"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(gross_minor=F("net_minor") + F("tax_minor")), name="gross_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(paid_at__isnull=True) | Q(cancelled_at__isnull=True), name="paid_or_cancelled"
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=Q(paid_at__isnull=True, cancelled_at__isnull=True, expires_at__isnull=False),
                name="order_expiring",
            ),
            models.Index(fields=["id"], condition=Q(mailed_at__isnull=True), name="order_to_mail"),
        ]
        ordering = ["-id"]
        verbose_name = _("order")
        verbose_name_plural = _("orders")

    def __str__(self) -> str:
        return self.number

    @property
    def net_prices(self) -> bool:
        """Companies read prices without VAT, everybody else with it."""
        return self.audience == Audience.COMPANY


class OrderLine(models.Model):
    """Devices of one configuration, frozen: names, prices, footprint."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField(_("line"))
    product = models.ForeignKey(Product, on_delete=models.PROTECT)
    sku = models.CharField(_("SKU"), max_length=40)
    manufacturer = models.CharField(_("manufacturer"), max_length=60)
    name = models.CharField(_("name"), max_length=120)
    configuration = models.CharField(_("configuration"), max_length=200)
    country_of_use = CountryField(_("country of use"))
    years = models.PositiveSmallIntegerField(_("years of use"))
    quantity = models.PositiveIntegerField(_("quantity"))
    unit_net_minor = models.BigIntegerField(_("price each, net"))
    vat_basis_points = models.PositiveIntegerField(_("VAT, hundredths of a per cent"))
    net_minor = models.BigIntegerField(_("net"))
    tax_minor = models.BigIntegerField(_("VAT"))
    footprint = models.JSONField(_("footprint, frozen"), null=True)  # null: no offer could be made

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "position"], name="order_line_once")]
        ordering = ["order", "position"]
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")

    def __str__(self) -> str:
        return f"{self.order_id}/{self.position}"

    @property
    def gross_minor(self) -> int:
        return self.net_minor + self.tax_minor


class OffsetLine(models.Model):
    """The credits bought with a line, apart from it: project, units, grams each, price."""

    line = models.OneToOneField(OrderLine, on_delete=models.PROTECT, related_name="offset_line")
    project = models.ForeignKey(Project, on_delete=models.PROTECT)
    units = models.PositiveIntegerField(_("units"))
    unit_amount_g = models.BigIntegerField(_("grams each"))
    price_minor_per_tonne = models.PositiveBigIntegerField(_("price per tonne, net"))
    unit_net_minor = models.BigIntegerField(_("price each, net"))
    vat_basis_points = models.PositiveIntegerField(_("VAT, hundredths of a per cent"))
    net_minor = models.BigIntegerField(_("net"))
    tax_minor = models.BigIntegerField(_("VAT"))
    text = models.CharField(_("text on the order"), max_length=300)  # said by claims/, frozen

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(unit_amount_g__gt=0, units__gt=0), name="offset_line_positive")
        ]
        verbose_name = _("offset line")
        verbose_name_plural = _("offset lines")

    def __str__(self) -> str:
        return f"{self.units} × {self.unit_amount_g} g"

    @property
    def gross_minor(self) -> int:
        return self.net_minor + self.tax_minor


class Shipment(models.Model):
    """Devices that left together."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="shipments")
    shipped_at = models.DateTimeField(_("shipped"))
    # A consumer in the EU who did not consent may withdraw until then (checkout/withdrawal.py).
    offsets_not_before = models.DateTimeField(_("credits not before"))
    carrier = models.CharField(_("carrier"), max_length=60, blank=True)
    tracking = models.CharField(_("tracking number"), max_length=80, blank=True)
    actor = models.CharField(_("by"), max_length=60)

    class Meta:
        ordering = ["id"]
        verbose_name = _("shipment")
        verbose_name_plural = _("shipments")

    def __str__(self) -> str:
        return f"{self.order_id} {self.shipped_at:%Y-%m-%d}"


class OrderedDevice(models.Model):
    """One row per ordered unit. Its serial number is known when it ships."""

    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="devices")
    position = models.PositiveIntegerField(_("unit"))
    with_offset = models.BooleanField(_("with credits"), default=False)
    device_serial = models.CharField(_("device serial"), max_length=64, null=True, blank=True)
    shipment = models.ForeignKey(
        Shipment, on_delete=models.PROTECT, null=True, blank=True, related_name="devices"
    )
    offset = models.OneToOneField(
        DeviceOffset, on_delete=models.PROTECT, null=True, blank=True, related_name="ordered_device"
    )
    # Null on a device with a certificate: the queue of `email_certificates`.
    certificate_mailed_at = models.DateTimeField(_("certificate sent"), null=True, blank=True)
    refunded_at = models.DateTimeField(_("refunded"), null=True, blank=True)
    problem = models.CharField(_("what is wrong"), max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["line", "position"], name="ordered_device_once"),
            models.CheckConstraint(
                condition=Q(shipment__isnull=True) | Q(device_serial__isnull=False), name="shipped_has_serial"
            ),
            models.CheckConstraint(
                condition=Q(offset__isnull=True) | Q(with_offset=True), name="offset_was_ordered"
            ),
        ]
        indexes = [
            # The queue of `request_offsets`: shipped, wanted, not yet asked for.
            models.Index(
                fields=["shipment"],
                condition=Q(with_offset=True, offset__isnull=True, shipment__isnull=False, problem=""),
                name="device_to_promise",
            ),
            models.Index(
                fields=["shipment"],
                condition=Q(offset__isnull=False, certificate_mailed_at__isnull=True),
                name="device_to_mail",
            ),
            models.Index(fields=["device_serial"], name="ordered_device_by_serial"),
        ]
        ordering = ["line", "position"]
        verbose_name = _("ordered device")
        verbose_name_plural = _("ordered devices")

    def __str__(self) -> str:
        return self.device_serial or f"{self.line_id}/{self.position}"

    @property
    def holder(self) -> str:
        """Under which name its grams are reserved until it ships."""
        return f"order-unit:{self.pk}"


class Payment(models.Model):
    """Money received for an order, as the payment adapter confirmed it."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="payments")
    method = models.CharField(_("method"), max_length=10, choices=Order.PaymentMethod)
    reference = models.CharField(_("reference"), max_length=80, unique=True)
    amount_minor = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    livemode = models.BooleanField(_("live"))
    received_at = models.DateTimeField(_("received"))
    actor = models.CharField(_("by"), max_length=60)

    class Meta:
        ordering = ["id"]
        verbose_name = _("payment")
        verbose_name_plural = _("payments")

    def __str__(self) -> str:
        return self.reference
