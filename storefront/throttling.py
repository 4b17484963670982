"""Who guesses codes is stopped: misses are counted by network, for all workers together.

Only misses count, so a badge that many pages show is never refused. Once there are too many, everything that
takes a code is refused to that network, also what it would have found: a guess learns nothing.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from certificates.selectors import UnknownCode
from common.counting import TooMany, add_one, client_network, counted, seconds_left

MISSES = 30
SPAN_S = 600
_WHAT = "code-misses"
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


class TooManyGuesses(TooMany):
    """Too many codes that no record has came from this network."""

    code = "too_many_guesses"


def guarded(view: View[P]) -> View[P]:
    """A view that looks a record up by its code. A code that no record has counts as a miss; what else is a
    miss, the view says itself with `count_miss`.
    """

    @wraps(view)
    def counting(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        refuse_guesser(request)
        try:
            return view(request, *args, **kwargs)
        except UnknownCode:
            count_miss(request)
            raise

    return counting


def refuse_guesser(request: HttpRequest) -> None:
    """Raises TooManyGuesses when the span's misses are used up."""
    if counted(_WHAT, client_network(request), seconds=SPAN_S) >= MISSES:
        raise _refusal()


def count_miss(request: HttpRequest) -> None:
    """One more; raises TooManyGuesses when it is one too many."""
    if add_one(_WHAT, client_network(request), seconds=SPAN_S) > MISSES:
        raise _refusal()


def _refusal() -> TooManyGuesses:
    left = seconds_left(SPAN_S)
    minutes = -(-left // 60)
    wait = ngettext("Wait a minute", "Wait {minutes} minutes", minutes).format(minutes=minutes)
    message = _("Too many codes that no record has came from your network. {wait}, then try again.")
    return TooManyGuesses(message.format(wait=wait), retry_after_s=left)
