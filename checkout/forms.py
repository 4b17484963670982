"""What staff type in when they act on an order. No field of a model is written from here."""

from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.guarded import require_sayable
from checkout.formatting import WITHOUT_MINOR_UNIT


class ShipForm(forms.Form):
    """How devices travel, and a file with their serial numbers; pasted lists are read line by line by
    the view.
    """

    carrier = forms.CharField(label=_("Carrier"), max_length=60, required=False)
    tracking = forms.CharField(label=_("Tracking number"), max_length=80, required=False)
    file = forms.FileField(
        label=_("Serial numbers as CSV"),
        required=False,
        help_text=_("Header: line,unit,device_serial. UTF-8."),
    )


class PaymentForm(forms.Form):
    """A transfer as it stands on the bank statement."""

    reference = forms.CharField(label=_("Reference on the bank statement"), max_length=60)
    amount = forms.DecimalField(label=_("Amount received"), max_digits=14, decimal_places=2)
    currency = forms.CharField(label=_("Currency"), min_length=3, max_length=3)

    def amount_minor(self) -> int:
        """The amount in minor units of its currency; a fraction of one is kept out by the field's two
        decimals.
        """
        currency = str(self.cleaned_data["currency"]).upper()
        amount: Decimal = self.cleaned_data["amount"]
        return int(amount if currency in WITHOUT_MINOR_UNIT else amount * 100)


class ReasonForm(forms.Form):
    """Why: it stays in the order's history."""

    reason = forms.CharField(label=_("Reason"), max_length=120)


class ToldReasonForm(ReasonForm):
    """A reason that the buyer reads on the order's page, so the guard reads it first."""

    reason = forms.CharField(label=_("Reason"), max_length=120, validators=[require_sayable])
