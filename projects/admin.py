"""Staff's view of projects. A project is paused and resumed by a named action with a reason."""

# Django's admin classes take no type parameters at run time.
# mypy: disable-error-code="type-arg"

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.staff import ReasonForm, actor_of, reason_from
from common.errors import DomainError
from common.printed import PrintedFieldsForm
from projects import services
from projects.models import Methodology, Project, ProjectPrice, QualityFact, Registry

HTTPS: dict[Any, dict[str, Any]] = {models.URLField: {"assume_scheme": "https"}}


class ProjectPriceInline(admin.TabularInline):
    model = ProjectPrice
    extra = 0
    autocomplete_fields = ("market",)


class QualityFactInline(admin.TabularInline):
    model = QualityFact
    extra = 0


class RegistryForm(PrintedFieldsForm):
    """How a certificate names the registry."""

    printed = ("name", "code")


@admin.register(Registry)
class RegistryAdmin(admin.ModelAdmin):
    form = RegistryForm
    list_display = ("name", "code", "unit", "retirement_term", "adapter", "last_retirement_on")
    list_filter = ("adapter",)
    search_fields = ("name", "code")
    formfield_overrides = HTTPS


class MethodologyForm(PrintedFieldsForm):
    """How a certificate names the methodology."""

    printed = ("code",)


@admin.register(Methodology)
class MethodologyAdmin(admin.ModelAdmin):
    form = MethodologyForm
    list_display = ("code", "name")
    search_fields = ("code", "name")


class ProjectForm(PrintedFieldsForm):
    """How a certificate names the project."""

    printed = ("reference", "name")


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin):
    form = ProjectForm
    action_form = ReasonForm
    actions = ("pause_projects", "resume_projects")
    list_display = (
        "reference",
        "short_name",
        "registry",
        "country",
        "project_type",
        "supplied_through",
        "paused_at",
    )
    list_filter = (
        "registry",
        "continent",
        "southern_hemisphere",
        ("paused_at", admin.EmptyFieldListFilter),
        "methodology",
    )
    list_select_related = ("registry",)
    search_fields = ("reference", "name", "short_name", "developer")
    autocomplete_fields = ("registry", "methodology")
    readonly_fields = ("paused_at", "pause_reason")
    inlines = (ProjectPriceInline, QualityFactInline)
    formfield_overrides = HTTPS

    def has_pause_project_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("projects.pause_project")

    @admin.action(description=_("Pause the sale (give a reason)"), permissions=["pause_project"])
    def pause_projects(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        try:
            changed = services.pause_projects(
                projects=list(queryset),
                reason=reason_from(request),
                actor=actor_of(request),
                now=timezone.now(),
            )
        except DomainError as error:
            self.message_user(request, error.message, messages.ERROR)
            return
        self.message_user(request, ngettext("%d project paused.", "%d projects paused.", changed) % changed)

    @admin.action(description=_("Resume the sale (give a reason)"), permissions=["pause_project"])
    def resume_projects(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        try:
            changed = services.resume_projects(
                projects=list(queryset), reason=reason_from(request), actor=actor_of(request)
            )
        except DomainError as error:
            self.message_user(request, error.message, messages.ERROR)
            return
        self.message_user(request, ngettext("%d project resumed.", "%d projects resumed.", changed) % changed)


@admin.register(ProjectPrice)
class ProjectPriceAdmin(admin.ModelAdmin):
    list_display = ("project", "market", "price_minor_per_tonne", "note")
    list_filter = ("market", "project__registry")
    list_select_related = ("project", "market")
    search_fields = ("project__reference", "project__name")
    autocomplete_fields = ("project", "market")


@admin.register(QualityFact)
class QualityFactAdmin(admin.ModelAdmin):
    list_display = ("project", "vintage", "issued_on", "name", "value")
    list_filter = ("name", "vintage")
    list_select_related = ("project",)
    search_fields = ("project__reference", "project__name", "name", "value")
    autocomplete_fields = ("project",)
