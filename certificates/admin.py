"""Staff see every certificate and change none; what they may do are named actions with a reason."""
# mypy: disable-error-code="type-arg"

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.staff import ReasonForm, actor_of, reason_from
from certificates import services, sheet
from certificates.models import Certificate
from claims.registers import choose_register
from claims.slots import FACTS, SLOTS
from claims.wording import current_wording, say
from common.errors import DomainError

PREVIEWS = (
    ("a consumer in Germany", "A", "B", "consumer"),
    ("a company in Sweden", "A", "B", "company"),
    ("a company in the United Kingdom", "CQ", "CQ", "company"),
    ("a company in the United States", "C", "C", "company"),
)


@admin.register(Certificate)
class CertificateAdmin(admin.ModelAdmin):
    """Newest first; those that need a person can be filtered to the top."""

    action_form = ReasonForm
    actions = ("issue_again", "render_again", "withdraw")
    list_display = ("code", "product", "device", "kg", "state", "mode", "issued_at", "rendered_at", "problem")
    list_filter = (
        "state",
        ("needs_person_at", admin.EmptyFieldListFilter),
        "livemode",
        "wording",
        "issued_at",
    )
    search_fields = ("code__istartswith", "offset__device_serial__istartswith", "offset__group")
    list_select_related = ("offset",)
    date_hierarchy = "issued_at"
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_issue_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("certificates.issue_again")

    def has_withdraw_certificate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("certificates.withdraw_certificate")

    @admin.display(description=_("product"))
    def product(self, row: Certificate) -> str:
        return row.offset.product

    @admin.display(description=_("device serial"))
    def device(self, row: Certificate) -> str:
        return row.offset.device_serial

    @admin.display(description=_("kg"))
    def kg(self, row: Certificate) -> str:
        return sheet.kg_text(row.offset.amount_g)

    @admin.display(description=_("mode"))
    def mode(self, row: Certificate) -> str:
        return str(_("live")) if row.livemode else str(_("demonstration"))

    @admin.display(description=_("record page"))
    def record(self, row: Certificate) -> str:
        return format_html('<a href="{}">{}</a>', reverse("record", args=[row.code]), row.code)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["record", *(field.name for field in Certificate._meta.fields if field.name != "nonce")]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*self.get_readonly_fields(request, obj)]

    @admin.action(description=_("Issue again, with a new code (needs a reason)"), permissions=["issue_again"])
    def issue_again(self, request: HttpRequest, rows: QuerySet[Certificate]) -> None:
        def step(row: Certificate, reason: str) -> None:
            services.issue_again(row, reason=reason, actor=actor_of(request), now=timezone.now())

        self._each(request, rows, step)

    @admin.action(description=_("Render again after a failure (needs a reason)"), permissions=["issue_again"])
    def render_again(self, request: HttpRequest, rows: QuerySet[Certificate]) -> None:
        def step(row: Certificate, reason: str) -> None:
            services.try_again(row, reason=reason, actor=actor_of(request))

        self._each(request, rows, step)

    @admin.action(
        description=_("Withdraw: delete facts and file for good (needs a reason)"),
        permissions=["withdraw_certificate"],
    )
    def withdraw(self, request: HttpRequest, rows: QuerySet[Certificate]) -> None:
        def step(row: Certificate, reason: str) -> None:
            services.withdraw(row, reason=reason, actor=actor_of(request), now=timezone.now())

        self._each(request, rows, step)

    def _each(
        self, request: HttpRequest, rows: QuerySet[Certificate], step: Callable[[Certificate, str], None]
    ) -> None:
        reason = reason_from(request)
        if not reason:
            self.message_user(request, _("Type the reason beside the action."), messages.ERROR)
            return
        done = 0
        for row in rows:
            try:
                step(row, reason)
                done += 1
            except DomainError as error:
                self.message_user(request, f"{row.code}: {error.message}", messages.ERROR)
        if done:
            self.message_user(
                request, _("Done for %(count)s certificates.") % {"count": done}, messages.SUCCESS
            )

    def get_urls(self) -> list[URLPattern]:
        preview = path(
            "preview/", self.admin_site.admin_view(self.preview), name="certificates_certificate_preview"
        )
        return [preview, *super().get_urls()]

    def preview(self, request: HttpRequest) -> HttpResponse:
        """The sentences of a certificate as each audience reads them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        examples = {name: fact.example for name, fact in FACTS.items()}
        readers = []
        for name, consumer, company, audience in PREVIEWS:
            register = choose_register(
                consumer_register=consumer, company_register=company, audience=audience
            )
            readers.append((name, current_wording(register=register, language="en")))
        context = {
            **self.admin_site.each_context(request),
            "title": _("What may be said, as each audience reads it"),
            "columns": [{"name": name, "wording": wording.id} for name, wording in readers],
            "rows": [
                (slot, [say(slot, wording=wording, **examples) for _name, wording in readers])
                for slot in SLOTS
            ],
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "admin/certificates/preview.html", context)
