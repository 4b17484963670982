"""Staff's view of people, accounts and markets. Named actions verify a company, never a typed date."""

# Django's admin classes take no type parameters at run time.
# mypy: disable-error-code="type-arg"

from collections.abc import Callable

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import BaseUserCreationForm
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import services, vat
from accounts.errors import VatIdDoesNotCheck
from accounts.models import Account, Market, MarketCountry, Membership, User
from accounts.staff import ReasonForm, actor_of, reason_from
from common.errors import DomainError
from common.printed import PrintedFieldsForm

VERIFIED_FIELDS = {"kind", "country", "vat_id"}


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


class UserCreationForm(BaseUserCreationForm):
    class Meta:
        model = User
        fields = ("email",)


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    add_form = UserCreationForm
    list_display = ("email", "name", "is_active", "is_staff", "date_joined")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    search_fields = ("email", "name")
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "password", "name")}),
        (
            _("Role"),
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "password1", "password2")}),)


class AccountForm(PrintedFieldsForm):
    """A company may ask to be named in registries, and then its name stands on certificates."""

    printed = ("name",)


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin):
    form = AccountForm
    action_form = ReasonForm
    actions = ("verify_by_vat_id", "vouch_for_company", "withdraw_verification")
    list_display = ("name", "kind", "country", "vat_id", "company_verified_at", "may_pay_on_terms", "parent")
    list_filter = ("kind", ("company_verified_at", admin.EmptyFieldListFilter), "may_pay_on_terms", "country")
    list_select_related = ("parent",)
    search_fields = ("name", "vat_id", "members__email")
    autocomplete_fields = ("parent",)
    readonly_fields = ("company_verified_at", "created_at")
    fields = (
        "kind",
        "name",
        "parent",
        "country",
        "vat_id",
        "company_verified_at",
        "named_in_registries",
        "may_pay_on_terms",
        "created_at",
    )
    inlines = (MembershipInline,)

    def has_verify_company_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.verify_company")

    def save_model(
        self, request: HttpRequest, obj: Account, form: "ModelForm[Account]", change: bool
    ) -> None:
        """A verification belongs to the details that were checked: whoever changes them ends it."""
        super().save_model(request, obj, form, change)
        if change and VERIFIED_FIELDS & set(form.changed_data):
            services.withdraw_verification(account=obj, reason="details changed", actor=actor_of(request))

    @admin.action(description=_("Verify company by its VAT id"), permissions=["verify_company"])
    def verify_by_vat_id(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        for account in queryset:
            country = str(account.country)
            try:
                vat_id = vat.normalise_vat_id(vat_id=account.vat_id, country=country)
            except VatIdDoesNotCheck as error:
                self.message_user(request, f"{account}: {error.message}", messages.ERROR)
                continue
            services.verify_company(account=account, vat_id=vat_id, country=country, actor=actor_of(request))
            self.message_user(request, _("%(account)s is a verified company.") % {"account": account})

    @admin.action(description=_("State that it is a company (give a reason)"), permissions=["verify_company"])
    def vouch_for_company(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        self._act(request, queryset, services.vouch_for_company)

    @admin.action(description=_("Withdraw the verification (give a reason)"), permissions=["verify_company"])
    def withdraw_verification(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        self._act(request, queryset, services.withdraw_verification)

    def _act(self, request: HttpRequest, queryset: QuerySet[Account], service: Callable[..., bool]) -> None:
        reason, actor = reason_from(request), actor_of(request)
        try:
            changed = sum(service(account=account, reason=reason, actor=actor) for account in queryset)
        except DomainError as error:
            self.message_user(request, error.message, messages.ERROR)
            return
        self.message_user(request, ngettext("%d account changed.", "%d accounts changed.", changed) % changed)


class MarketCountryInline(admin.TabularInline):
    model = MarketCountry
    extra = 0


@admin.register(Market)
class MarketAdmin(admin.ModelAdmin):
    list_display = ("name", "code", "currency", "language", "opened_on", "position")
    list_filter = ("currency",)
    search_fields = ("name", "code")
    inlines = (MarketCountryInline,)


@admin.register(MarketCountry)
class MarketCountryAdmin(admin.ModelAdmin):
    list_display = (
        "country",
        "market",
        "vat_basis_points",
        "consumer_register",
        "company_register",
        "is_default",
    )
    list_filter = ("market", "consumer_register", "company_register")
    list_select_related = ("market",)
    search_fields = ("country", "register_source")
