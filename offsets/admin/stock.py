"""What we hold and what is promised of it: counters, blocks, credits, reservations."""

# Django's admin classes take no type parameters at run time.
# mypy: disable-error-code="type-arg"

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.staff import actor_of
from offsets import selectors
from offsets.admin.actions import STOCK_ACTIONS
from offsets.admin.base import NEWEST_FIRST, SERIAL_HELP, LedgerAdmin, Search, form_methods, kg, list_link
from offsets.forms import CreditFileForm
from offsets.importing import InvalidCreditFile, import_blocks, read_blocks
from offsets.models import Credit, CreditBlock, DeviceOffset, ProjectStock, Reservation, Retirement
from offsets.serials import find_credits

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@admin.register(ProjectStock)
class ProjectStockAdmin(LedgerAdmin):
    named_actions = STOCK_ACTIONS
    list_display = (
        "project",
        "livemode",
        "stocked",
        "committed",
        "available",
        "waiting",
        "surplus",
        "in_flight",
        "alarm",
    )
    list_filter = ("livemode", ("alarm", admin.EmptyFieldListFilter), "project__registry")
    search_fields = ("project__reference", "project__name", "project__short_name")
    fields = (
        "project",
        "livemode",
        "stocked",
        "committed",
        "available",
        "waiting",
        "surplus",
        "in_flight",
        "alarm",
        "rows",
    )
    readonly_fields = ("stocked", "committed", "available", "waiting", "surplus", "in_flight", "rows")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProjectStock]:
        return selectors.stocks_with_queues()

    def facts(self, row: Any) -> "list[tuple[StrOrPromise, object]]":
        return [
            (_("project"), row.project),
            (_("mode"), _("live") if row.livemode else _("sandbox")),
            (_("can still be sold"), self.available(row)),
            (_("kept for companies in whose name it is retired"), kg(row.kept_g)),
            (_("surplus, retired and not claimed"), self.surplus(row)),
            (_("promised, waiting for grams"), self.waiting(row)),
            (_("credits set aside, not yet confirmed"), self.in_flight(row)),
        ]

    @admin.display(description=_("in stock"), ordering="stocked_g")
    def stocked(self, row: ProjectStock) -> str:
        return kg(row.stocked_g)

    @admin.display(description=_("committed"), ordering="committed_g")
    def committed(self, row: ProjectStock) -> str:
        return kg(row.committed_g)

    @admin.display(description=_("can still be sold"))
    def available(self, row: ProjectStock) -> str:
        return kg(row.available_g)

    @admin.display(description=_("promised, waiting"), ordering="uncovered_g")
    def waiting(self, row: Any) -> str:
        return kg(row.uncovered_g)

    @admin.display(description=_("surplus"), ordering="surplus_g")
    def surplus(self, row: Any) -> str:
        return kg(row.surplus_g)

    @admin.display(description=_("credits in flight"), ordering="in_flight_credits")
    def in_flight(self, row: Any) -> int:
        return int(row.in_flight_credits)

    @admin.display(description=_("its rows"))
    def rows(self, row: ProjectStock) -> str:
        of = {"project__id__exact": row.project_id, "livemode__exact": int(row.livemode)}
        models = (CreditBlock, Retirement, DeviceOffset, Reservation)
        return format_html_join(
            ", ", "{}", ((list_link(model, model._meta.verbose_name_plural or "", **of),) for model in models)
        )


@admin.register(CreditBlock)
class CreditBlockAdmin(LedgerAdmin):
    change_list_template = "admin/offsets/change_list.html"
    list_display = ("serials", "project", "vintage", "unit", "quantity", "livemode", "acquired_on", "source")
    list_filter = ("livemode", "vintage", "unit", "project")
    list_select_related = ("project",)
    search_fields = ("series", "project__reference", "project__name", "source")
    search_help_text = SERIAL_HELP
    ordering = NEWEST_FIRST
    readonly_fields = ("serials", "quantity", "retirements", "history")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Search:
        if credits := find_credits(search_term):
            return queryset & selectors.blocks_with_credits(credits), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description=_("credit serials"))
    def serials(self, block: CreditBlock) -> str:
        return str(block)

    @admin.display(description=_("credits"))
    def quantity(self, block: CreditBlock) -> int:
        return block.credits

    @admin.display(description=_("retirements"))
    def retirements(self, block: CreditBlock) -> str:
        return list_link(Retirement, _("Retirements of this block"), block__id__exact=block.pk)

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(form_methods(self.import_page))
        return [path("import/", page, name="offsets_creditblock_import"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        tools = [(_("Import credit blocks"), "admin:offsets_creditblock_import")]
        may = request.user.has_perm("offsets.import_credits")
        return super().changelist_view(request, {**(extra_context or {}), "tools": tools if may else []})

    def import_page(self, request: HttpRequest) -> HttpResponse:
        """Upload a CSV of blocks: a dry run shows what would be stored, or every row's error; all or none."""
        if not request.user.has_perm("offsets.import_credits"):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("Import credit blocks"),
        }
        form, status = CreditFileForm(), 200
        if request.method == "POST":
            form, status = CreditFileForm(request.POST, request.FILES), 422
            if form.is_valid():
                try:
                    blocks = read_blocks(form.cleaned_data["file"].read())
                    if form.cleaned_data["store"]:
                        import_blocks(blocks, actor=actor_of(request), now=timezone.now())
                        done = ngettext("%d block is in stock.", "%d blocks are in stock.", len(blocks))
                        self.message_user(request, done % len(blocks), messages.SUCCESS)
                        return redirect("admin:offsets_creditblock_changelist")
                    context["blocks"], status = blocks, 200
                except InvalidCreditFile as error:
                    form.add_error("file", error.message)
                    context["problems"] = error.details
        return TemplateResponse(
            request, "admin/offsets/import.html", {**context, "form": form}, status=status
        )


@admin.register(Credit)
class CreditAdmin(LedgerAdmin):
    list_display = ("__str__", "block", "retirement")
    list_filter = (("retirement", admin.EmptyFieldListFilter),)
    list_select_related = ("block", "retirement")
    search_fields = ("series", "retirement__reference")
    search_help_text = SERIAL_HELP

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Search:
        if credits := find_credits(search_term):
            return queryset.filter(series=credits.series, number__range=(credits.first, credits.last)), False
        return super().get_search_results(request, queryset, search_term)


@admin.register(Reservation)
class ReservationAdmin(LedgerAdmin):
    list_display = ("holder", "project", "amount", "livemode", "created_at", "expires_at")
    list_filter = ("livemode", ("expires_at", admin.EmptyFieldListFilter), "project")
    list_select_related = ("project",)
    search_fields = ("holder", "project__reference")
    ordering = NEWEST_FIRST

    @admin.display(description=_("amount"), ordering="amount_g")
    def amount(self, row: Reservation) -> str:
        return kg(row.amount_g)
