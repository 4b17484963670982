"""What the admin pages of the ledger share: rows nobody can edit, links across, history, named actions.

A named action has a page of its own, outside the transaction that Django's change view opens: it explains
itself, asks for a reason and calls one service.
"""

# Django's admin classes take no type parameters at run time.
# mypy: disable-error-code="type-arg"

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts.staff import actor_of
from common import events
from common.errors import DomainError
from offsets.forms import StaffActionForm

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Search = tuple[QuerySet[Any], bool]
SERIAL_HELP = _("Also a credit serial, such as CDM-PH-CER-2-619879, or a printed range.")
NEWEST_FIRST = ("-pk",)

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True, kw_only=True)
class NamedAction:
    """One thing that staff with `permission` may do to one row. `run` calls one service and says what came
    of it.
    """

    name: str  # part of the page's address
    label: "StrOrPromise"
    explanation: "StrOrPromise"
    permission: str
    run: Callable[[Any, Mapping[str, Any], str, datetime], str]
    offered: Callable[[Any], bool]
    form: type[StaffActionForm] = StaffActionForm
    initial: Callable[[Any], dict[str, Any]] = lambda row: {}


class LedgerAdmin(admin.ModelAdmin):
    """Rows of the ledger can be looked at and searched. Nobody adds, changes or deletes one here."""

    named_actions: tuple[NamedAction, ...] = ()
    linked_lookups: frozenset[str] = frozenset()  # filters that our own links carry
    change_form_template = "admin/offsets/change_form.html"
    show_full_result_count = False
    list_per_page = 50

    def facts(self, row: Any) -> list[tuple["StrOrPromise", object]]:
        """What whoever decides about this row should have before them."""
        return []

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in self.linked_lookups or super().lookup_allowed(lookup, value, request)

    def get_urls(self) -> list[URLPattern]:
        meta = self.model._meta
        pages = [
            path(
                f"<int:pk>/{action.name}/",
                self.admin_site.admin_view(form_methods(self._page_of(action))),
                name=f"{meta.app_label}_{meta.model_name}_{action.name}",
            )
            for action in self.named_actions
        ]
        return pages + super().get_urls()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        row = self.get_object(request, object_id) if object_id else None
        offered = [
            (action.label, reverse(url_name(self.model, action.name), args=[row.pk]))
            for action in self.named_actions
            if row is not None and action.offered(row) and request.user.has_perm(action.permission)
        ]
        return super().changeform_view(
            request, object_id, form_url, {**(extra_context or {}), "named_actions": offered}
        )

    def _page_of(self, action: NamedAction) -> Callable[..., HttpResponse]:
        def page(request: HttpRequest, pk: int) -> HttpResponse:
            if not request.user.has_perm(action.permission) or not self.has_view_permission(request):
                raise PermissionDenied
            return self._act(request, get_object_or_404(self.get_queryset(request), pk=pk), action)

        return page

    def _act(self, request: HttpRequest, row: models.Model, action: NamedAction) -> HttpResponse:
        """The page of an action: explained on GET, done on POST, and refused with the reason on the form."""
        status = 200
        form = action.form(row=row, initial=action.initial(row))
        if request.method == "POST":
            form, status = action.form(request.POST, request.FILES, row=row), 422
            if form.is_valid():
                try:
                    done = action.run(row, form.cleaned_data, actor_of(request), timezone.now())
                except DomainError as error:
                    form.add_error(None, error.message)
                    status = error.status
                else:
                    self.message_user(request, done, messages.SUCCESS)
                    return redirect(url_name(self.model, "change"), row.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": action.label,
            "action": action,
            "row": row,
            "facts": self.facts(row),
            "form": form,
        }
        return TemplateResponse(request, "admin/offsets/action.html", context, status=status)

    @admin.display(description=_("history"))
    def history(self, row: models.Model) -> str:
        """The row's events, oldest first, with who and why."""
        lines = (
            (
                event.created_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
                event.kind,
                event.actor,
                ", ".join(f"{name}: {value}" for name, value in event.data.items()),
            )
            for event in events.history(row)
        )
        return format_html_join("", "<div>{} &nbsp; {} &nbsp; {} &nbsp; {}</div>", lines)


def url_name(model: type[models.Model], page: str) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"


def link(row: models.Model | None) -> str:
    """A link to the row's own page; a dash where there is none."""
    if row is None:
        return "-"
    return format_html('<a href="{}">{}</a>', reverse(url_name(type(row), "change"), args=[row.pk]), row)


def list_link(model: type[models.Model], text: "StrOrPromise", **lookups: object) -> str:
    """A link to the list of a model, filtered."""
    query = "&".join(f"{name}={value}" for name, value in lookups.items())
    return format_html('<a href="{}?{}">{}</a>', reverse(url_name(model, "changelist")), query, text)


def kg(amount_g: int) -> str:
    """Grams as kilograms with every gram shown: `1,234.567 kg`."""
    sign = "-" if amount_g < 0 else ""
    return f"{sign}{abs(amount_g) // 1000:,}.{abs(amount_g) % 1000:03d} kg"
