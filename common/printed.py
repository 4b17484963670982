"""Refuses, where it is typed, what no certificate can show: in a form, a call or a file of products."""

import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from common.printable import unprintable

LONGEST_MAKER = 60
SHOWN = 12  # of the characters that are refused; a message stays readable


def require_printable(text: str) -> None:
    """Raises ValidationError that names the characters that the certificate's font lacks, or that hide."""
    if strange := unprintable(text):
        named = " ".join(_named(character) for character in strange[:SHOWN])
        raise ValidationError(
            _(
                "A certificate cannot show these characters: %(characters)s. Write it in Latin, Greek or "
                "Cyrillic letters, on one line."
            ),
            code="unprintable",
            params={"characters": named},
        )


def require_comparable(maker: str) -> None:
    """Raises ValidationError for a maker's name that cannot be compared: the ledger tells devices apart by
    their maker in capitals, without marks that stand alone and with at most 60 characters.
    """
    compared = unicodedata.normalize("NFKC", maker.strip()).upper()
    if len(compared) > LONGEST_MAKER:
        raise ValidationError(_("In capitals this has more than 60 characters."), code="too_long")
    if any(unicodedata.category(character)[0] == "M" for character in compared):
        raise ValidationError(
            _("A letter of this has no capital of its own, and devices are compared in capitals."),
            code="incomparable",
        )


def _named(character: str) -> str:
    """The character as it is, or its number where it would not be seen."""
    return character if character.isprintable() and not character.isspace() else f"U+{ord(character):04X}"


class PrintedFieldsForm(forms.ModelForm):  # type: ignore[type-arg]  # takes no parameter at run time
    """A form some of whose texts, `printed`, end on certificates."""

    printed: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.printed:
            if name in self.fields:
                self.fields[name].validators.append(require_printable)
