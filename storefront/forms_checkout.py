"""What a buyer types in at the checkout, and how a guest looks an order up."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from checkout.payments.base import methods_offered
from checkout.services import Buyer
from common.printed import require_printable

PRIVATE = "private"
BUSINESS = "business"


def plain(text: str) -> str:
    """The text on one line, without control characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


class CheckoutForm(forms.Form):
    """Who buys, where it goes, how it is paid. Prices, grams and texts are never read from a form."""

    email = forms.EmailField(label=_("E-mail"), max_length=254)
    name = forms.CharField(label=_("Name"), max_length=120)
    address = forms.CharField(
        label=_("Delivery address"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )
    kind = forms.ChoiceField(
        label=_("You buy"),
        choices=[(PRIVATE, _("for yourself")), (BUSINESS, _("for a company"))],
        widget=forms.RadioSelect,
        initial=PRIVATE,
    )
    account = forms.ModelChoiceField(
        label=_("Company account"),
        queryset=Account.objects.none(),
        required=False,
        empty_label=_("another company"),
    )
    company = forms.CharField(label=_("Company"), max_length=120, required=False)
    vat_id = forms.CharField(
        label=_("VAT id"),
        max_length=20,
        required=False,
        help_text=_("With its country's letters, such as SE556012579001. It is checked when you order."),
    )
    po_number = forms.CharField(label=_("PO number"), max_length=40, required=False)
    cost_centre = forms.CharField(label=_("Cost centre"), max_length=40, required=False)
    payment_method = forms.ChoiceField(label=_("Payment"), widget=forms.RadioSelect)
    consent = forms.BooleanField(required=False)
    seen_gross_minor = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, companies: list[Account], consent_text: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(method.value, method.label) for method in methods_offered()]
        self.fields["payment_method"] = forms.ChoiceField(
            label=_("Payment"), choices=choices, widget=forms.RadioSelect, initial=choices[0][0]
        )
        if companies:
            accounts = Account.objects.filter(pk__in=[account.pk for account in companies])
            self.fields["account"].queryset = accounts  # type: ignore[attr-defined]
        else:
            del self.fields["account"]
        if consent_text:
            self.fields["consent"].label = consent_text
        else:
            del self.fields["consent"]

    def clean_name(self) -> str:
        return plain(self.cleaned_data["name"])

    def clean_company(self) -> str:
        """It names the company's account, which may ask to be named on certificates."""
        company = " ".join(str(self.cleaned_data["company"]).split())
        require_printable(company)
        return company

    def clean_po_number(self) -> str:
        return plain(self.cleaned_data["po_number"])

    def clean_cost_centre(self) -> str:
        return plain(self.cleaned_data["cost_centre"])

    def clean_vat_id(self) -> str:
        return plain(self.cleaned_data["vat_id"])

    def clean_address(self) -> str:
        lines = [plain(line) for line in str(self.cleaned_data["address"]).splitlines()]
        return "\n".join(line for line in lines if line)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        named = data.get("account") or data.get("company") or "company" in self.errors
        if data.get("kind") == BUSINESS and not named:
            self.add_error("company", _("Name the company, or choose to buy for yourself."))
        if data.get("kind") == BUSINESS and (field := self._of_another_company(data)):
            text = _("You have chosen %(name)s. Choose another company above, or leave this empty.")
            self.add_error(field, text % {"name": data["account"].name})
        return data

    def _of_another_company(self, data: dict[str, Any]) -> str:
        """The field that says otherwise than the account that was chosen; "" when none does."""
        account = data.get("account")
        if account is None:
            return ""
        if data.get("company") and data["company"] != account.name:
            return "company"
        vat_id = str(data.get("vat_id", "")).replace(" ", "").upper()
        return "vat_id" if vat_id and vat_id != account.vat_id else ""

    def owner(self) -> Account | None:
        """The company account that was chosen; None for a private buyer and a company that is new."""
        data = self.cleaned_data
        return data.get("account") if data["kind"] == BUSINESS else None

    def buyer(self) -> Buyer:
        """The buyer's own words; what belongs to a company only counts when it buys."""
        data = self.cleaned_data
        business = data["kind"] == BUSINESS
        owner = self.owner()
        return Buyer(
            email=data["email"],
            name=data["name"],
            address=data["address"],
            company=(owner.name if owner else data["company"]) if business else "",
            vat_id=data["vat_id"] if business and owner is None else "",
            po_number=data["po_number"] if business else "",
            cost_centre=data["cost_centre"] if business else "",
            early_retirement_consent=bool(data.get("consent")),
        )


class FindOrderForm(forms.Form):
    """A guest finds an order again."""

    number = forms.CharField(label=_("Order number"), max_length=20)
    email = forms.EmailField(label=_("E-mail"), max_length=254)
