"""What staff type in their own words is read by the guard (claims/) where it is typed, in every language."""

from collections.abc import Iterable, Sequence

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from claims.guard import ANY_LANGUAGE, Quotation, check
from claims.registers import Register


def require_sayable(text: str, *, quotations: Sequence[Quotation] = ()) -> None:
    """Raises ValidationError that names the words which no page about a product may say.

    The text may be read in every market and nobody says in which language it is, so the narrowest register
    holds, and the lists of all languages.
    """
    findings = check(text, register=Register.A, language=ANY_LANGUAGE, quotations=quotations)
    if findings:
        words = dict.fromkeys(f"“{text[finding.start : finding.end]}”" for finding in findings)
        raise ValidationError(
            _("A page about a product may not say: %(words)s."),
            code="forbidden_claim",
            params={"words": ", ".join(words)},
        )


def require_sayable_fields(
    row: models.Model, names: Iterable[str], *, quotations: Sequence[Quotation] = ()
) -> None:
    """The same for these fields of a row; the error names each field that is wrong."""
    problems: dict[str, ValidationError] = {}
    for name in names:
        try:
            require_sayable(str(getattr(row, name)), quotations=quotations)
        except ValidationError as error:
            problems[name] = error
    if problems:
        raise ValidationError(problems)
