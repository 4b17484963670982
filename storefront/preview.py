"""Staff read the shop as somebody else: another country, a consumer or a verified company, any language.

It lives in the session and counts only while the visitor is staff. Nothing can be ordered in it.
"""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from claims.languages import languages
from claims.registers import Audience

SESSION_KEY = "preview"
READERS = (
    ("DE", Audience.CONSUMER, _("a consumer in Germany")),
    ("SE", Audience.COMPANY, _("a company in Sweden")),
    ("GB", Audience.COMPANY, _("a company in the United Kingdom")),
    ("US", Audience.COMPANY, _("a company in the United States")),
)


LANGUAGES = tuple((code, name) for code, name in settings.LANGUAGES if code in languages())
"""Languages that sentences about carbon can be read in, each by its name."""


@dataclass(frozen=True)
class Preview:
    """As whom the shop is read, which country the visitor had chosen before ("": none), and in which language
    ("": the market's).
    """

    audience: Audience
    country_before: str
    language: str

    @property
    def language_name(self) -> str:
        """The language by its name; empty for the market's."""
        return str(_(dict(LANGUAGES).get(self.language, ""))) if self.language else ""


def preview_of(request: HttpRequest) -> Preview | None:
    """The preview that this member of staff has open; None for everybody else."""
    kept = request.session.get(SESSION_KEY)
    if not kept or not may_preview(request):
        return None
    return Preview(Audience(kept["audience"]), kept["country_before"], kept.get("language", ""))


def may_preview(request: HttpRequest) -> bool:
    """Only staff who can log in now."""
    user = request.user
    return isinstance(user, User) and user.is_active and user.is_staff


def open_preview(request: HttpRequest, *, country: str, audience: Audience, language: str = "") -> None:
    """Read the shop as this audience of this country from the next page on; "" is the market's language."""
    before = preview_of(request)
    country_before = before.country_before if before else str(request.session.get("country", ""))
    request.session[SESSION_KEY] = {
        "audience": audience.value,
        "country_before": country_before,
        "language": language,
    }
    request.session["country"] = country


def leave_preview(request: HttpRequest) -> str:
    """Read the shop as oneself again; the country that was chosen before ("": none)."""
    kept = request.session.pop(SESSION_KEY, None)
    if not kept:
        return str(request.session.get("country", ""))
    country = str(kept["country_before"])
    request.session["country"] = country
    return country
