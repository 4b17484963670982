"""Staff's view of partners and their keys. A key is shown once, when it is created; revoked, never edited."""

# Django's admin classes take no type parameters at run time.
# mypy: disable-error-code="type-arg"

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.staff import ReasonForm, actor_of, reason_from
from partners.keys import create_key, revoke_key
from partners.models import ApiKey, Partner


@admin.register(Partner)
class PartnerAdmin(admin.ModelAdmin):
    list_display = ("account", "active", "working_keys", "created_at")
    list_filter = ("active",)
    list_select_related = ("account",)
    search_fields = ("account__name", "account__vat_id")
    autocomplete_fields = ("account",)
    readonly_fields = ("created_at",)
    fields = ("account", "active", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Partner]:
        working = Count("keys", filter=Q(keys__revoked_at__isnull=True))
        partners: QuerySet[Partner] = super().get_queryset(request)
        return partners.annotate(working=working)

    def get_readonly_fields(self, request: HttpRequest, obj: Partner | None = None) -> tuple[str, ...]:
        """A partner's rows belong to its account, so the account stays."""
        return (*self.readonly_fields, "account") if obj else tuple(self.readonly_fields)

    def has_delete_permission(self, request: HttpRequest, obj: Partner | None = None) -> bool:
        return False  # its history names it; switch it off instead

    @admin.display(description=_("keys in use"), ordering="working")
    def working_keys(self, partner: Any) -> int:
        return int(partner.working)


class NewKeyForm(forms.Form):
    """Whose key, what it may do, and in which mode."""

    partner = forms.ModelChoiceField(
        label=_("Partner"), queryset=Partner.objects.filter(active=True).select_related("account")
    )
    scope = forms.ChoiceField(label=_("Scope"), choices=ApiKey.Scope.choices)
    livemode = forms.BooleanField(label=_("Live"), required=False, help_text=_("Retires real credits."))

    def clean_livemode(self) -> bool:
        live = bool(self.cleaned_data["livemode"])
        if live and not settings.LIVEMODE:
            raise forms.ValidationError(_("This shop is a sandbox; it takes no live keys."))
        return live


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):
    action_form = ReasonForm
    actions = ("revoke",)
    list_display = ("prefix", "partner", "scope", "livemode", "created_at", "last_used_on", "revoked_at")
    list_filter = ("livemode", "scope", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("partner__account",)
    search_fields = ("prefix", "partner__account__name")
    fields = ("partner", "prefix", "scope", "livemode", "created_at", "last_used_on", "revoked_at")
    readonly_fields = fields

    def has_manage_keys_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("partners.manage_keys")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_manage_keys_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return super().has_view_permission(request, obj) or self.has_manage_keys_permission(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Create a key and show it in the answer itself, so that it never rests in a session or a cookie."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewKeyForm(request.POST or None)
        context = {**self.admin_site.each_context(request), "opts": self.model._meta, "form": form}
        if not form.is_valid():
            context["title"] = _("Create an API key")
            return TemplateResponse(request, "admin/partners/apikey/create.html", context)
        key, text = create_key(
            form.cleaned_data["partner"],
            form.cleaned_data["scope"],
            form.cleaned_data["livemode"],
            actor=actor_of(request),
        )
        context |= {"title": _("The key is shown once"), "key": key, "text": text}
        return TemplateResponse(request, "admin/partners/apikey/created.html", context)

    @admin.action(description=_("Revoke the chosen keys (give a reason)"), permissions=["manage_keys"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        reason, now = reason_from(request), timezone.now()
        if not reason:
            self.message_user(
                request, _("Say why, in a few words; the reason stays in the history."), messages.ERROR
            )
            return
        revoked = sum(revoke_key(key, actor=actor_of(request), reason=reason, now=now) for key in queryset)
        self.message_user(request, ngettext("%d key revoked.", "%d keys revoked.", revoked) % revoked)
