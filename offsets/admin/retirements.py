"""Retirements, what was asked of the registry and what it answered, and the grams that came of it."""

# Django's admin classes take no type parameters at run time.
# mypy: disable-error-code="type-arg"

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from offsets import selectors
from offsets.admin import worklist
from offsets.admin.actions import RETIREMENT_ACTIONS
from offsets.admin.base import NEWEST_FIRST, SERIAL_HELP, LedgerAdmin, Search, form_methods, link, list_link
from offsets.attestations import EXTENSIONS, AttestationMissing, read_attestation
from offsets.models import (
    Allocation,
    Attempt,
    AttemptOutcome,
    Attestation,
    DeviceOffset,
    Reconciliation,
    RegistryReport,
    Retirement,
    RetirementEntry,
    Span,
)
from offsets.second_person import waiting_entries
from offsets.serials import find_credits, format_credit_serials

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def file_link(row: Attestation) -> str:
    """A link that downloads the file."""
    return format_html('<a href="{}">{}</a>', reverse("admin:offsets_attestation_file", args=[row.pk]), row)


@admin.register(Retirement)
class RetirementAdmin(LedgerAdmin):
    named_actions = RETIREMENT_ACTIONS
    linked_lookups = frozenset({"block__id__exact"})
    change_list_template = "admin/offsets/change_list.html"
    list_display = (
        "reference",
        "state",
        "project",
        "quantity",
        "serials",
        "adapter",
        "created_at",
        "registry_reference",
        "retired_on",
        "problem",
    )
    list_filter = ("state", "adapter", "livemode", "project")
    list_select_related = ("project", "block")
    search_fields = ("reference", "registry_reference", "project__reference", "block__series")
    search_help_text = SERIAL_HELP
    date_hierarchy = "created_at"
    ordering = (
        Case(
            When(state=Retirement.State.NEEDS_PERSON, then=Value(0)),
            When(state=Retirement.State.OPEN, then=Value(1)),
            default=Value(2),
            output_field=IntegerField(),
        ).asc(),
        "-pk",
    )
    readonly_fields = (
        "request_id",
        "quantity",
        "serials",
        "block_link",
        "answers",
        "devices",
        "proofs",
        "history",
    )

    def facts(self, row: Any) -> "list[tuple[StrOrPromise, object]]":
        return [
            (_("project"), row.project),
            (_("registry"), f"{row.project.registry.name} ({row.project.registry.retirement_term})"),
            (_("credit serials"), self.serials(row)),
            (_("credits"), row.credits),
            (_("reason text"), row.reason),
            (_("state"), row.get_state_display()),
            (_("what is wrong"), row.problem or "-"),
            (_("entered by"), self.entered_by(row)),
        ]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Search:
        if credits := find_credits(search_term):
            return queryset & selectors.retirements_of_credits(credits), False
        return super().get_search_results(request, queryset, search_term)

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.worklist)
        batch = self.admin_site.admin_view(form_methods(self.batch))
        return [
            path("worklist/", page, name="offsets_retirement_worklist"),
            path("worklist/<int:project_id>/<str:month>/", batch, name="offsets_retirement_batch"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        tools = [(_("Retirements to file"), "admin:offsets_retirement_worklist")]
        return super().changelist_view(request, {**(extra_context or {}), "tools": tools})

    def worklist(self, request: HttpRequest) -> HttpResponse:
        """What a person files with a registry, by project and month, ready to copy."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("Retirements to file"),
            "pools": worklist.pools(),
            "to_decide": [(row, self.serials(row)) for row in selectors.retirements_needing_person()],
            "may_confirm": request.user.has_perm("offsets.confirm_retirement"),
        }
        return TemplateResponse(request, "admin/offsets/worklist.html", context)

    def batch(self, request: HttpRequest, project_id: int, month: str) -> HttpResponse:
        """Several retirements of one project and month, entered in one form."""
        return worklist.batch_page(
            request,
            project_id=project_id,
            month=month,
            context={**self.admin_site.each_context(request), "opts": self.model._meta},
            back="admin:offsets_retirement_worklist",
        )

    def entered_by(self, row: Retirement) -> str:
        """Whose entries wait for a second person; not what they say."""
        if row.state in {Retirement.State.CONFIRMED, Retirement.State.VOID}:
            return "-"
        waiting = waiting_entries(row, now=timezone.now()).values()
        return ", ".join(f"{entry.actor} ({entry.get_kind_display()})" for entry in waiting) or "-"

    @admin.display(description=_("credits"))
    def quantity(self, row: Retirement) -> int:
        return row.credits

    @admin.display(description=_("credit serials"))
    def serials(self, row: Retirement) -> str:
        return format_credit_serials(row.block.series, row.first_number, row.last_number)

    @admin.display(description=_("block"))
    def block_link(self, row: Retirement) -> str:
        return link(row.block)

    @admin.display(description=_("what the registry answered"))
    def answers(self, row: Retirement) -> str:
        attempt = Attempt.objects.filter(retirement=row).first()
        if attempt is None:
            return "-"
        lines = ((link(outcome), outcome.detail) for outcome in attempt.outcomes.all())
        return format_html("<div>{}</div>", link(attempt)) + format_html_join("", "<div>{} {}</div>", lines)

    @admin.display(description=_("attestations"))
    def proofs(self, row: Retirement) -> str:
        files = ((file_link(proof),) for proof in row.attestations.all())
        return format_html_join("", "<div>{}</div>", files) or "-"

    @admin.display(description=_("whose grams"))
    def devices(self, row: Retirement) -> str:
        spans = list_link(Span, _("Spans"), retirement__id__exact=row.pk)
        devices = list_link(DeviceOffset, _("Devices"), allocations__span__retirement__id__exact=row.pk)
        return format_html("{} &nbsp; {}", spans, devices)


@admin.register(Attempt)
class AttemptAdmin(LedgerAdmin):
    list_display = ("__str__", "retirement", "actor", "created_at")
    list_select_related = ("retirement",)
    search_fields = ("retirement__reference", "actor")
    ordering = NEWEST_FIRST


@admin.register(AttemptOutcome)
class AttemptOutcomeAdmin(LedgerAdmin):
    list_display = ("__str__", "kind", "detail", "actor", "created_at")
    list_filter = ("kind",)
    list_select_related = ("attempt__retirement",)
    search_fields = ("attempt__retirement__reference", "detail", "actor")
    ordering = NEWEST_FIRST


@admin.register(Span)
class SpanAdmin(LedgerAdmin):
    list_display = ("__str__", "retirement", "from_g", "to_g", "next_g", "reverses", "created_at")
    list_filter = (("reverses", admin.EmptyFieldListFilter),)
    list_select_related = ("retirement", "reverses")
    search_fields = ("retirement__reference",)
    ordering = NEWEST_FIRST


@admin.register(Allocation)
class AllocationAdmin(LedgerAdmin):
    list_display = ("__str__", "span", "offset", "from_g", "to_g", "created_at")
    list_select_related = ("span__retirement", "offset")
    search_fields = ("span__retirement__reference", "offset__device_serial")
    ordering = NEWEST_FIRST


@admin.register(Attestation)
class AttestationAdmin(LedgerAdmin):
    list_display = ("name", "retirement", "media_type", "size", "sha256", "actor", "created_at")
    list_filter = ("media_type",)
    list_select_related = ("retirement",)
    search_fields = ("retirement__reference", "name", "sha256")
    ordering = NEWEST_FIRST
    readonly_fields = ("file",)

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(require_safe(self.download))
        return [path("<int:pk>/file/", page, name="offsets_attestation_file"), *super().get_urls()]

    def download(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The file itself, never shown inside a page of ours: whatever it holds, it runs nowhere."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = get_object_or_404(Attestation, pk=pk)
        try:
            content = read_attestation(row)
        except AttestationMissing as error:
            raise Http404(error.message) from error
        extension = EXTENSIONS[row.media_type]
        return HttpResponse(
            content,
            content_type=row.media_type,
            headers={
                "Content-Disposition": f'attachment; filename="{row.retirement.reference}.{extension}"',
                "X-Content-Type-Options": "nosniff",
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "Cache-Control": "private, no-store",
            },
        )

    @admin.display(description=_("file"))
    def file(self, row: Attestation) -> str:
        return file_link(row)


@admin.register(RetirementEntry)
class RetirementEntryAdmin(LedgerAdmin):
    """Without what was entered: the second person reads the registry, not the first one's entry."""

    list_display = ("__str__", "retirement", "kind", "actor", "evidence", "created_at")
    list_filter = ("kind",)
    list_select_related = ("retirement",)
    search_fields = ("retirement__reference", "actor", "evidence")
    ordering = NEWEST_FIRST
    exclude = ("entry",)


@admin.register(RegistryReport)
class RegistryReportAdmin(LedgerAdmin):
    list_display = ("__str__", "registry", "name", "rows", "as_of", "livemode", "actor", "created_at")
    list_filter = ("registry", "livemode")
    search_fields = ("name", "digest")
    ordering = NEWEST_FIRST


@admin.register(Reconciliation)
class ReconciliationAdmin(LedgerAdmin):
    list_display = ("retirement", "verdict", "detail", "report")
    list_filter = ("verdict", "report__registry")
    list_select_related = ("retirement", "report")
    search_fields = ("retirement__reference", "detail")
    ordering = NEWEST_FIRST
