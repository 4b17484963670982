"""Claims of devices, and the calls that asked for them."""

# Django's admin classes take no type parameters at run time.
# mypy: disable-error-code="type-arg"

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from offsets import selectors
from offsets.admin.actions import OFFSET_ACTIONS
from offsets.admin.base import NEWEST_FIRST, SERIAL_HELP, LedgerAdmin, Search, kg, link, list_link
from offsets.models import DeviceOffset, OffsetRequest
from offsets.serials import find_credits

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class StandsFilter(admin.SimpleListFilter):
    """Where a claim stands, the queues first."""

    title = _("where it stands")
    parameter_name = "stands"
    CONDITIONS: dict[str, dict[str, Any]] = {
        "needs_person": {"ended_at": None, "problem__gt": ""},
        "promised": {"ended_at": None, "problem": "", "covered_at": None},
        "retired": {"ended_at": None, "covered_at__isnull": False},
        "ended": {"ended_at__isnull": False},
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> "list[tuple[str, StrOrPromise]]":
        return [
            ("needs_person", _("needs a person")),
            ("promised", _("promised, waits for grams")),
            ("retired", _("retired")),
            ("ended", _("cancelled, reversed or moved")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**self.CONDITIONS.get(self.value() or "", {}))


@admin.register(DeviceOffset)
class DeviceOffsetAdmin(LedgerAdmin):
    named_actions = OFFSET_ACTIONS
    linked_lookups = frozenset({"allocations__span__retirement__id__exact", "request__id__exact"})
    list_display = (
        "device_serial",
        "manufacturer",
        "product",
        "amount",
        "project",
        "stands",
        "livemode",
        "group",
        "created_at",
        "covered_at",
    )
    list_filter = (StandsFilter, "livemode", "project", "ended_reason", "audience")
    list_select_related = ("project",)
    search_fields = (
        "device_serial",
        "device_serial_typed",
        "product",
        "sku",
        "buyer_reference",
        "group",
        "request__public_id",
        "owner__name",
        "allocations__span__retirement__reference",
    )
    search_help_text = SERIAL_HELP
    date_hierarchy = "created_at"
    ordering = NEWEST_FIRST
    readonly_fields = ("stands", "amount", "trail", "request_link", "replaces_link", "history")

    def facts(self, row: Any) -> "list[tuple[StrOrPromise, object]]":
        return [
            (_("device"), f"{row.manufacturer} {row.product}, {row.device_serial}"),
            (_("amount"), kg(row.amount_g)),
            (_("project"), row.project),
            (_("where it stands"), self.stands(row)),
            (_("credits"), self.trail(row) or "-"),
        ]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Search:
        if credits := find_credits(search_term):
            return queryset & selectors.offsets_on_credits(credits), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description=_("amount"), ordering="amount_g")
    def amount(self, row: DeviceOffset) -> str:
        return kg(row.amount_g)

    @admin.display(description=_("where it stands"))
    def stands(self, row: DeviceOffset) -> str:
        return selectors.state_of(row)

    @admin.display(description=_("its grams"))
    def trail(self, row: DeviceOffset) -> str:
        """Each interval with its retirement and the very credits; those that were given back say so."""
        lines = (
            (
                link(part.retirement),
                part.credit_serials,
                kg(part.amount_g),
                f"[{part.from_g}, {part.to_g})",
                _("given back") if row.ended_at else "",
            )
            for part in selectors.retirement_trail(row)
        )
        return format_html_join("", "<div>{} &nbsp; {} &nbsp; {} &nbsp; {} {}</div>", lines)

    @admin.display(description=_("request"))
    def request_link(self, row: DeviceOffset) -> str:
        return link(row.request)

    @admin.display(description=_("took over from"))
    def replaces_link(self, row: DeviceOffset) -> str:
        return link(row.replaces)


@admin.register(OffsetRequest)
class OffsetRequestAdmin(LedgerAdmin):
    list_display = ("public_id", "scope", "key", "owner", "livemode", "actor", "created_at")
    list_filter = ("livemode", "scope")
    list_select_related = ("owner",)
    search_fields = ("public_id", "key", "owner__name", "offsets__device_serial")
    date_hierarchy = "created_at"
    ordering = NEWEST_FIRST
    readonly_fields = ("devices",)

    @admin.display(description=_("devices"))
    def devices(self, row: OffsetRequest) -> str:
        return list_link(DeviceOffset, _("Devices of this request"), request__id__exact=row.pk)
