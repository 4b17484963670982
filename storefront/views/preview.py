"""Staff open and leave the preview "as ..."; everybody else is refused."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import MarketCountry
from accounts.selectors import default_market_country, market_for_country
from checkout.baskets import change_country
from claims.languages import languages
from claims.registers import Audience
from storefront.buying import basket_of, safe_target
from storefront.preview import leave_preview, may_preview, open_preview


@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """`country` and `audience` open it, `language` chooses another than the market's, `leave` ends it; the
    visitor's own basket follows.
    """
    if not may_preview(request):
        raise PermissionDenied
    today = timezone.now().date()
    if "leave" in request.POST:
        country = leave_preview(request)
        _deliver_to(request, market_for_country(country, on=today) or default_market_country(on=today))
        return redirect(safe_target(request))
    chosen = market_for_country(request.POST.get("country", "")[:2], on=today)
    audience = request.POST.get("audience")
    language = request.POST.get("language", "")
    if chosen is None or audience not in {known.value for known in Audience}:
        messages.error(request, _("There is no such reader: the country's market is not open, or unknown."))
        return redirect(safe_target(request))
    if language and language not in languages():
        messages.error(request, _("There are no sentences in this language."))
        return redirect(safe_target(request))
    open_preview(request, country=str(chosen.country), audience=Audience(audience), language=language)
    _deliver_to(request, chosen)
    return redirect(safe_target(request))


def _deliver_to(request: HttpRequest, market_country: MarketCountry) -> None:
    basket = basket_of(request)
    if basket is not None:
        change_country(basket=basket, market_country=market_country)
