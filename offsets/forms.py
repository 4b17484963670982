"""What staff type into the named actions of the ledger. Checked for form here, for truth by the services."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.reasons import MAX_CHARACTERS
from offsets.attestations import MAX_BYTES, InvalidAttestation, media_type_of
from offsets.serials import MAX_DEVICE_SERIAL
from projects.models import Project

MAX_AHEAD_CREDITS = 100_000
MAX_CREDIT_FILE_BYTES = 20_000_000


class StaffActionForm(forms.Form):
    """Every named action asks why; the reason stays in the history."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=MAX_CHARACTERS,
        help_text=_("It stays in the history. Name no person."),
    )

    def __init__(self, *args: Any, row: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row


class AttestationField(forms.FileField):
    """A PDF, PNG or JPEG by content, at most 5 MB; cleaned to (name, content), None when left empty."""

    def __init__(self, *, required: bool = False) -> None:
        super().__init__(
            label=_("Attestation"),
            required=required,
            help_text=_("PDF, PNG or JPEG, at most 5 MB. Staff only will see it."),
            widget=forms.ClearableFileInput(attrs={"accept": "application/pdf,image/png,image/jpeg"}),
        )

    def clean(self, data: Any, initial: Any = None) -> Any:
        upload = super().clean(data, initial)
        if not upload:
            return None
        try:
            content = upload.read(MAX_BYTES + 1)
            media_type_of(content)
        except InvalidAttestation as error:
            raise forms.ValidationError(error.message) from error
        return upload.name, content


class AttestForm(StaffActionForm):
    """A file that the registry gave as proof."""

    field_order = ("attestation", "reason")

    attestation = AttestationField(required=True)


class RegistryEntry(forms.Form):
    """What a registry printed of one retirement."""

    registry_reference = forms.CharField(
        label=_("Registry reference"),
        max_length=80,
        help_text=_("The registry's own id of this retirement, or of its attestation."),
    )
    credit_serials = forms.CharField(
        label=_("Credit serials"),
        max_length=200,
        widget=forms.TextInput(attrs={"size": 70, "autocomplete": "off"}),
        help_text=_("As the registry prints them, first to last."),
    )
    retired_on = forms.DateField(
        label=_("Date in the registry"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


class BatchRowForm(RegistryEntry):
    """One retirement of a batch: all three fields, or none."""

    use_required_attribute = False

    @property
    def filled(self) -> bool:
        """Whether anything was typed into this row."""
        return any(str(self.data.get(self.add_prefix(name), "")).strip() for name in self.fields)


class BatchReasonForm(forms.Form):
    """Where a batch was read, said once for all of its rows."""

    reason = forms.CharField(
        label=_("Where it was read"),
        max_length=MAX_CHARACTERS,
        help_text=_("Such as: account page. Name no person."),
    )


class ConfirmRetirementForm(RegistryEntry, StaffActionForm):
    """What the registry confirmed, as printed there. It is compared with what was asked for."""

    field_order = ("registry_reference", "credit_serials", "retired_on", "attestation", "reason")

    attestation = AttestationField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = _("Where it was read")
        self.fields["reason"].help_text = _("Such as: attestation VC18834, account page. Name no person.")


class RetireAheadForm(StaffActionForm):
    """How many credits to retire before anybody asked. `seen` makes the second of two clicks do nothing."""

    field_order = ("credits", "reason")

    credits = forms.IntegerField(
        label=_("Credits"),
        min_value=1,
        max_value=MAX_AHEAD_CREDITS,
        help_text=_("Whole tonnes. What no device claims becomes surplus, and the next devices use it."),
    )
    seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)


class FreeCreditsForm(StaffActionForm):
    """`seen` is the state in which the retirement was shown: what happened since must be looked at first."""

    seen = forms.CharField(max_length=20, widget=forms.HiddenInput)


class MoveOffsetForm(StaffActionForm):
    """The replacement device, of the same maker."""

    field_order = ("device_serial", "reason")

    device_serial = forms.CharField(
        label=_("Serial number of the replacement device"), max_length=MAX_DEVICE_SERIAL
    )


class SerialForm(StaffActionForm):
    """The serial number as it stands on the device."""

    field_order = ("device_serial", "reason")

    device_serial = forms.CharField(label=_("The right serial number"), max_length=MAX_DEVICE_SERIAL)


class SubstituteForm(StaffActionForm):
    """Another project, and how the buyer agreed to it."""

    field_order = ("project", "reason")

    project = forms.ModelChoiceField(
        queryset=Project.objects.filter(paused_at=None), label=_("Other project")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = _("Reason, and how and when the buyer agreed")


class CreditFileForm(forms.Form):
    """A CSV of credit blocks. A dry run checks every row and stores nothing."""

    file = forms.FileField(label=_("CSV file"), help_text=_("UTF-8, one block a row."))
    store = forms.BooleanField(
        label=_("Store the blocks"),
        required=False,
        help_text=_("Leave it open for a dry run: every row is checked and nothing is stored."),
    )

    def clean_file(self) -> Any:
        """The upload. Refuses one that is larger than any real list of blocks."""
        upload = self.cleaned_data["file"]
        if upload.size > MAX_CREDIT_FILE_BYTES:
            raise forms.ValidationError(
                _("The file is larger than %(limit)d MB; split it.")
                % {"limit": MAX_CREDIT_FILE_BYTES // 1_000_000}
            )
        return upload
