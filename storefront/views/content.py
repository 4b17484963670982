"""Pages that explain, and the check that a load balancer asks."""

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from claims.wording import say
from storefront.buying import basket_of, delivery_country, reader_for

UNINDEXED = ("/account/", "/admin/", "/api/v1/", "/basket/", "/checkout/", "/orders/")
TOOLS = settings.BASE_DIR / "tools"
STEPS = ("device", "amount", "grams", "credits", "registry")


@require_safe
def how_it_works(request: HttpRequest) -> HttpResponse:
    """The line, step by step."""
    wording = reader_for(request, delivery_country(request, basket_of(request))).wording
    context = {
        "title": say("home_title", wording=wording),
        "intro": say("home_intro", wording=wording),
        "labels": {step: say(f"step_{step}", wording=wording) for step in STEPS},
        "does_not_prove": say("record_does_not_prove", wording=wording),
        "proves_title": say("record_proves_title", wording=wording),
        "does_not_prove_title": say("record_does_not_prove_title", wording=wording),
        "voluntary": say("voluntary_cancellation_note", wording=wording),
        "irrevocable": say("withdrawal_consent", wording=wording),
    }
    return render(request, "storefront/content/how_it_works.html", context)


@require_safe
def imprint(request: HttpRequest) -> HttpResponse:
    """Who runs the shop."""
    return render(request, "storefront/content/imprint.html")


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    """What a sale binds both sides to."""
    wording = reader_for(request, delivery_country(request, basket_of(request))).wording
    context = {
        "wait": say("withdrawal_wait", wording=wording),
        "substitution": say("project_substitution", wording=wording, project="—"),
    }
    return render(request, "storefront/content/terms.html", context)


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """What is kept, what is public, and for how long."""
    return render(request, "storefront/content/privacy.html")


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What search engines leave alone: nothing private is kept from them by this, it only saves them time."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in UNINDEXED)]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@require_safe
def tool(request: HttpRequest, name: str) -> HttpResponse:
    """A verifier for strangers, as it stands in tools/: one file, standard library only."""
    response = HttpResponse((TOOLS / name).read_bytes(), content_type="text/x-python; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_safe
@never_cache
def health(request: HttpRequest) -> HttpResponse:
    """200 when the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})
