"""VAT ids, checked by form and check digits: no network, no database.

A number that checks is well-formed for its country. It does not prove that the company exists, or that the
buyer speaks for it: staff look at that, and can withdraw a verification.
"""

from django.utils.translation import gettext as _
from stdnum.ch import vat as swiss_vat
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError
from stdnum.gb import vat as british_vat
from stdnum.no import mva as norwegian_vat

from accounts.errors import VatIdDoesNotCheck

EU_COUNTRIES = frozenset(code.upper() for code in eu_vat.MEMBER_STATES if code != "xi")
COUNTRIES = EU_COUNTRIES | {"GB", "NO", "CH", "LI"}
"""Where a VAT id can be checked here. Liechtenstein shares Switzerland's VAT and its numbers."""

EXAMPLES = {
    "GB": "GB980780684",
    "NO": "NO974760673MVA",
    "CH": "CHE-107.787.577 MWST",
    "LI": "CHE-107.787.577 MWST",
}
_PREFIXES = {"GR": "EL"}  # Greece writes EL before its numbers


def normalise_vat_id(*, vat_id: str, country: str) -> str:
    """The VAT id in one spelling, with its prefix. Raises VatIdDoesNotCheck, which says what to mend."""
    code = country.upper()
    if code not in COUNTRIES:
        raise VatIdDoesNotCheck(
            _("We cannot check VAT ids of this country. Write to us and a person will look at your company.")
        )
    try:
        return _checked(vat_id.strip(), code)
    except ValidationError:
        raise VatIdDoesNotCheck(_problem(code)) from None


def vat_id_checks(*, vat_id: str, country: str) -> bool:
    """Whether the VAT id is well-formed for the country."""
    try:
        normalise_vat_id(vat_id=vat_id, country=country)
    except VatIdDoesNotCheck:
        return False
    return True


def _checked(vat_id: str, code: str) -> str:
    if code == "GB":
        return "GB" + british_vat.validate(vat_id)
    if code == "NO":
        return "NO" + norwegian_vat.validate(vat_id)
    if code in {"CH", "LI"}:
        return swiss_vat.format(swiss_vat.validate(vat_id))
    prefix = _PREFIXES.get(code, code)
    bare = "".join(vat_id.upper().split())
    return eu_vat.validate(bare if bare.startswith(prefix) else prefix + bare)


def _problem(code: str) -> str:
    example = EXAMPLES.get(code)
    if example:
        return _("This VAT id does not check. Compare it with your papers; it looks like %(example)s.") % {
            "example": example
        }
    return _("This VAT id does not check. Compare it with your papers; it begins with %(prefix)s.") % {
        "prefix": _PREFIXES.get(code, code)
    }
