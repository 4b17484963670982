"""The page of a signed-in person: own orders, and those of the companies that the person is a member of."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.models import Membership
from checkout.selectors import orders_of, with_totals
from storefront.buying import signed_in

PAGE_SIZE = 20


@never_cache
@login_required
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Orders, newest first, and the accounts that the person acts for."""
    user = signed_in(request)
    orders = with_totals(orders_of(user=user)) if user else orders_of().none()
    memberships = Membership.objects.filter(user=user).select_related("account")
    context = {
        "orders": Paginator(orders, PAGE_SIZE).get_page(request.GET.get("page")),
        "memberships": memberships.order_by("account__kind", "account__name"),
    }
    return render(request, "storefront/account/overview.html", context)
