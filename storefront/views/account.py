"""The page of a signed-in person: own orders, those of the companies that the person is a member of, and what
these want of registries.
"""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Account, Membership
from accounts.services import audience_for, name_in_registries
from checkout.selectors import orders_of, with_totals
from claims.registers import Audience
from common.errors import Conflict, NotFound
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
        "companies": [
            row.account
            for row in memberships.filter(role=Membership.Role.ADMIN).order_by("account__name")
            if audience_for(row.account) is Audience.COMPANY
        ],
    }
    return render(request, "storefront/account/overview.html", context)


@never_cache
@login_required
@require_POST
def registries(request: HttpRequest, pk: int) -> HttpResponse:
    """An admin of a company decides whether its name goes to registries."""
    user, account = signed_in(request), Account.objects.filter(pk=pk).first()
    if user is None or account is None:
        raise Http404
    named = request.POST.get("named") == "yes"
    try:
        name_in_registries(account=account, user=user, named=named)
    except NotFound as error:
        raise Http404 from error
    except Conflict as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Saved. It holds for devices that ship from now on."))
    return redirect("account")
