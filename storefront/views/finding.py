"""A record by the device's serial number: with the first group of its code, or for the devices of whoever is
signed in. The serial number is never read from an address.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.selectors import accounts_of
from certificates.selectors import UnknownRecord, record_by_serial
from storefront.buying import signed_in
from storefront.throttling import count_miss, refuse_guesser

LONGEST = 80


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """The form, and where it leads: to the record, or to the same answer for everything that is wrong."""
    if request.method != "POST":
        return render(request, "storefront/records/find.html")
    refuse_guesser(request)
    user = signed_in(request)
    typed = {name: request.POST.get(name, "").strip()[: LONGEST + 1] for name in ("group", "serial")}
    try:
        certificate = record_by_serial(
            device_serial=typed["serial"],
            first_group=typed["group"],
            owners=[account.pk for account in accounts_of(user)] if user else None,
        )
    except UnknownRecord as error:
        count_miss(request)
        context = {"typed": typed, "problem": error.message}
        return render(request, "storefront/records/find.html", context, status=404)
    return redirect("record", certificate.code)
