"""Why a person of staff acted: asked for by every named action that changes what others rely on."""

from django.utils.translation import gettext as _

from common.errors import InvalidInput

MAX_CHARACTERS = 200


class ReasonMissing(InvalidInput):
    """Staff acted without saying why."""

    code = "reason_missing"


def required_reason(text: str) -> str:
    """The reason, trimmed to what the history keeps. Raises ReasonMissing when it is empty."""
    reason = text.strip()
    if not reason:
        raise ReasonMissing(_("Say why, in a few words; the reason stays in the history."))
    return reason[:MAX_CHARACTERS]
