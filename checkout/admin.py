"""Staff's view of orders: rows are frozen and read-only; named actions on an order call the services."""

# Django's admin classes take no type parameters at run time.
# mypy: disable-error-code="type-arg"

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.staff import ReasonForm, actor_of, reason_from
from checkout import services, staff
from checkout.formatting import kg_text, money_text
from checkout.links import order_url
from checkout.models import Basket, BasketLine, OffsetLine, Order, OrderedDevice, OrderLine, Payment, Shipment
from common.errors import DomainError


class ReadOnly:
    """Rows are looked at; no route of the admin adds, changes or deletes one."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LineInline(ReadOnly, admin.TabularInline):
    model = OrderLine
    extra = 0
    fields = ("position", "name", "configuration", "country_of_use", "years", "quantity", "price", "credits")
    readonly_fields = ("price", "credits")

    @admin.display(description=_("net"))
    def price(self, line: OrderLine) -> str:
        return money_text(line.net_minor, line.order.currency)

    @admin.display(description=_("credits"))
    def credits(self, line: OrderLine) -> str:
        offset = getattr(line, "offset_line", None)
        if offset is None:
            return "–"
        return f"{offset.units} × {kg_text(offset.unit_amount_g)} kg · {offset.project.short_name}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderLine]:
        return super().get_queryset(request).select_related("order", "offset_line__project")


class ShipmentInline(ReadOnly, admin.TabularInline):
    model = Shipment
    extra = 0
    fields = ("shipped_at", "carrier", "tracking", "offsets_not_before", "actor")


class PaymentInline(ReadOnly, admin.TabularInline):
    model = Payment
    extra = 0
    fields = ("received_at", "method", "reference", "amount_minor", "currency", "livemode", "actor")


class StandFilter(admin.SimpleListFilter):
    """The queues of the people who work with orders come first."""

    title = _("where it stands")
    parameter_name = "stand"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("to-pay", _("waits for payment")),
            ("to-ship", _("to ship")),
            ("problem", _("a device needs a person")),
            ("shipped", _("all shipped")),
            ("cancelled", _("cancelled")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        unshipped = OrderedDevice.objects.filter(shipment=None).values("line__order")
        troubled = OrderedDevice.objects.exclude(problem="").values("line__order")
        released = Q(cancelled_at=None) & (Q(paid_at__isnull=False) | Q(on_terms=True))
        stands = {
            "to-pay": Q(paid_at=None, cancelled_at=None),
            "to-ship": released & Q(pk__in=unshipped),
            "problem": Q(pk__in=troubled),
            "shipped": released & ~Q(pk__in=unshipped),
            "cancelled": Q(cancelled_at__isnull=False),
        }
        return queryset.filter(stands[self.value() or ""]) if self.value() in stands else queryset


@admin.register(Order)
class OrderAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("number", "placed_at", "buyer", "market", "devices", "total", "payment_method", "stand")
    list_filter = (StandFilter, "payment_method", "on_terms", "audience", "market", "livemode")
    search_fields = ("number", "email", "company", "po_number", "lines__devices__device_serial")
    date_hierarchy = "placed_at"
    inlines = (LineInline, ShipmentInline, PaymentInline)
    exclude = ("token", "net_minor", "tax_minor", "gross_minor")
    readonly_fields = ("total", "page", "device_list")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        orders: QuerySet[Order] = super().get_queryset(request).select_related("owner", "market")
        of_order = OrderLine.objects.filter(order=OuterRef("pk")).order_by().values("order")
        return orders.annotate(ordered=Subquery(of_order.annotate(total=Sum("quantity")).values("total")))

    @admin.display(description=_("buyer"), ordering="name")
    def buyer(self, order: Order) -> str:
        return order.company or order.name

    @admin.display(description=_("devices"))
    def devices(self, order: Any) -> int:
        return int(order.ordered or 0)

    @admin.display(description=_("total"), ordering="gross_minor")
    def total(self, order: Order) -> str:
        return money_text(order.gross_minor, order.currency)

    @admin.display(description=_("where it stands"))
    def stand(self, order: Order) -> str:
        if order.cancelled_at:
            return str(_("cancelled"))
        if order.paid_at:
            return str(_("paid"))
        return str(_("on terms")) if order.on_terms else str(_("waits for payment"))

    @admin.display(description=_("order page"))
    def page(self, order: Order) -> str:
        return format_html('<a href="{}">{}</a>', order_url(order), order.number)

    @admin.display(description=_("devices"))
    def device_list(self, order: Order) -> str:
        address = reverse("admin:checkout_ordereddevice_changelist")
        return format_html('<a href="{}?q={}">{}</a>', address, order.number, _("each with its number"))

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<int:pk>/ship/", wrap(staff.ship_order), name="checkout_order_ship"),
            path("<int:pk>/ship/serials.csv", wrap(staff.serials_template), name="checkout_order_serials"),
            path("<int:pk>/payment/", wrap(staff.record_payment), name="checkout_order_payment"),
            path("<int:pk>/terms/", wrap(staff.approve_terms), name="checkout_order_terms"),
            path("<int:pk>/cancel/", wrap(staff.cancel_order), name="checkout_order_cancel"),
        ]
        return own + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        order = self.get_object(request, object_id)
        more = {"links": self._links(request, order) if order else []}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    def _links(self, request: HttpRequest, order: Order) -> list[tuple[str, Any]]:
        """What this person may do with the order as it stands: name of the page and words of its button."""
        if order.cancelled_at:
            return []
        unshipped = OrderedDevice.objects.filter(line__order=order, shipment=None).exists()
        shipped = order.shipments.exists()
        links = [
            ("ship", _("Ship devices"), services.released(order) and unshipped, "checkout.ship_order"),
            ("payment", _("Record a payment"), not order.paid_at, "checkout.record_payment"),
            ("terms", _("Approve terms"), not (order.paid_at or order.on_terms), "checkout.approve_terms"),
            ("cancel", _("Cancel the order"), not (order.paid_at or shipped), "checkout.cancel_order"),
        ]
        return [
            (f"admin:checkout_order_{name}", words)
            for name, words, possible, permission in links
            if possible and request.user.has_perm(permission)
        ]


@admin.register(OrderedDevice)
class OrderedDeviceAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("__str__", "order_number", "name", "with_offset", "shipment", "offset", "problem")
    list_filter = (
        ("problem", admin.EmptyFieldListFilter),
        "with_offset",
        ("shipment", admin.EmptyFieldListFilter),
        ("offset", admin.EmptyFieldListFilter),
    )
    search_fields = ("device_serial", "line__order__number", "line__name")
    list_select_related = ("line__order", "shipment", "offset")
    action_form = ReasonForm
    actions = ("put_right", "refund")

    @admin.display(description=_("order"), ordering="line__order__number")
    def order_number(self, device: OrderedDevice) -> str:
        return device.line.order.number

    @admin.display(description=_("name"), ordering="line__name")
    def name(self, device: OrderedDevice) -> str:
        return device.line.name

    def has_ship_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("checkout.ship_order")

    @admin.action(description=_("The problem is put right: ask for the credits again"), permissions=["ship"])
    def put_right(self, request: HttpRequest, queryset: QuerySet[OrderedDevice]) -> None:
        reason = reason_from(request)
        if not reason:
            messages.error(request, _("Say why, in a few words; the reason stays in the history."))
            return
        done = sum(
            services.clear_problem(device=device, reason=reason, actor=actor_of(request))
            for device in queryset
        )
        messages.success(request, _("%(count)s devices go on.") % {"count": done})

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("checkout.cancel_order")

    @admin.action(description=_("The money for the credits went back"), permissions=["cancel"])
    def refund(self, request: HttpRequest, queryset: QuerySet[OrderedDevice]) -> None:
        reason = reason_from(request)
        if not reason:
            messages.error(request, _("Say why, in a few words; the reason stays in the history."))
            return
        done = 0
        for device in queryset:
            try:
                done += services.refund_credits(
                    device=device, reason=reason, actor=actor_of(request), now=timezone.now()
                )
            except DomainError as error:
                messages.error(request, f"{device}: {error.message}")
        messages.success(request, _("%(count)s refunds are recorded.") % {"count": done})


@admin.register(Shipment)
class ShipmentAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("order", "shipped_at", "count", "carrier", "tracking", "offsets_not_before", "actor")
    list_filter = ("shipped_at", "carrier")
    search_fields = ("order__number", "tracking")
    list_select_related = ("order",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shipment]:
        shipments: QuerySet[Shipment] = super().get_queryset(request)
        return shipments.annotate(count=Count("devices"))

    @admin.display(description=_("devices"))
    def count(self, shipment: Any) -> int:
        return int(shipment.count)


@admin.register(Payment)
class PaymentAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("reference", "order", "method", "amount", "received_at", "livemode", "actor")
    list_filter = ("method", "livemode", "currency")
    search_fields = ("reference", "order__number")
    list_select_related = ("order",)

    @admin.display(description=_("amount"), ordering="amount_minor")
    def amount(self, payment: Payment) -> str:
        return money_text(payment.amount_minor, payment.currency)


@admin.register(OffsetLine)
class OffsetLineAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("line", "project", "units", "amount", "text")
    list_filter = ("project",)
    search_fields = ("line__order__number",)
    list_select_related = ("line__order", "project")

    @admin.display(description=_("kg each"), ordering="unit_amount_g")
    def amount(self, offset_line: OffsetLine) -> str:
        return kg_text(offset_line.unit_amount_g)


class BasketLineInline(ReadOnly, admin.TabularInline):
    model = BasketLine
    extra = 0
    fields = ("product", "country_of_use", "years", "quantity", "offset_project", "offset_units")


@admin.register(Basket)
class BasketAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("id", "user", "market", "country", "created_at", "expires_at")
    list_filter = ("market", "country")
    inlines = (BasketLineInline,)
