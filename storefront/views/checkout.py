"""Checkout: who buys, where it goes, how it is paid; then the order. And the sandbox's page for a card."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.errors import VatIdDoesNotCheck
from checkout import services
from checkout.errors import BasketEmpty, BasketExpired, PaymentRefused
from checkout.models import Basket, Order
from checkout.payments import sandbox
from checkout.priced import PricedBasket
from checkout.selectors import accounts_to_buy_for, order_of_basket, orders_of
from checkout.withdrawal import may_withdraw
from claims.wording import say
from common.errors import DomainError
from storefront.buying import (
    Reader,
    actor_of,
    basket_id_of,
    basket_of,
    delivery_country,
    order_or_404,
    priced_basket,
    reader_for,
    signed_in,
)
from storefront.forms_checkout import BUSINESS, CheckoutForm
from storefront.preview import preview_of


@never_cache
@require_http_methods(["GET", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    """Show the form; on POST place the order, or show with 422 what is to be mended."""
    basket = basket_of(request)
    if basket is None or not basket.lines.exists():
        return _nothing_to_order(request)
    reader = reader_for(request, delivery_country(request, basket))
    try:
        priced = priced_basket(request, basket, reader)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("basket")
    form = _form(request, priced, reader)
    if request.method == "POST" and form.is_valid():
        if preview_of(request):
            form.add_error(None, _("This is a preview: nothing can be ordered in it. Leave it, then order."))
            return _page(request, priced, reader, form, status=409)
        return _place(request, basket, priced, reader, form)
    return _page(request, priced, reader, form, status=422 if request.method == "POST" else 200)


def _nothing_to_order(request: HttpRequest) -> HttpResponse:
    """The second of two clicks finds the order; anybody else is sent to the basket."""
    basket_id = basket_id_of(request)
    order = order_of_basket(basket_id) if basket_id else None
    return redirect(_after(order)) if order else redirect("basket")


def _after(order: Order) -> str:
    """Where a buyer goes once the order is placed."""
    to_pay = order.payment_method == Order.PaymentMethod.CARD and not order.paid_at
    return reverse("order_pay" if to_pay else "order", args=[order.number, order.token])


def _form(request: HttpRequest, priced: PricedBasket, reader: Reader) -> CheckoutForm:
    user = signed_in(request)
    asks = may_withdraw(audience=reader.audience, wording=reader.wording) and priced.offset_amount_g
    initial: dict[str, Any] = {"seen_gross_minor": priced.gross_minor}
    if user:
        last = orders_of(user=user).first()
        initial |= {"email": user.email, "name": user.name, "address": last.address if last else ""}
        if reader.account:
            initial |= {"kind": BUSINESS, "account": reader.account}
    return CheckoutForm(
        request.POST if request.method == "POST" else None,
        initial=initial,
        companies=accounts_to_buy_for(user) if user else [],
        consent_text=say("withdrawal_consent", wording=reader.wording) if asks else "",
    )


def _place(
    request: HttpRequest, basket: Basket, priced: PricedBasket, reader: Reader, form: CheckoutForm
) -> HttpResponse:
    try:
        order = services.place_order(
            basket=basket,
            buyer=form.buyer(),
            payment_method=form.cleaned_data["payment_method"],
            user=signed_in(request),
            owner=form.owner(),
            actor=actor_of(request),
            now=timezone.now(),
            seen_gross_minor=form.cleaned_data["seen_gross_minor"],
        )
    except (BasketEmpty, BasketExpired) as error:
        messages.warning(request, error.message)
        return redirect("basket")
    except VatIdDoesNotCheck as error:
        form.add_error("vat_id", error.message)
        return _page(request, priced, reader, form, status=422)
    except DomainError as error:
        form.add_error(None, error.message)
        return _page(request, priced, reader, form, status=error.status)
    return redirect(_after(order))


def _page(
    request: HttpRequest, priced: PricedBasket, reader: Reader, form: CheckoutForm, *, status: int
) -> HttpResponse:
    context = {
        "basket": priced,
        "reader": reader,
        "form": form,
        "total_minor": priced.gross_minor,
        "order_button": say("order_button", wording=reader.wording),
        "wait_text": say("withdrawal_wait", wording=reader.wording),
    }
    return render(request, "storefront/checkout/checkout.html", context, status=status)


@never_cache
@require_http_methods(["GET", "POST"])
def pay(request: HttpRequest, number: str, token: str) -> HttpResponse:
    """The sandbox's card page: two buttons, no card number. Pressing one twice is harmless."""
    order = order_or_404(number, token)
    page = reverse("order", args=[number, token])
    by_card = order.payment_method == Order.PaymentMethod.CARD and not order.livemode
    if order.paid_at or order.cancelled_at or not by_card:
        return redirect(page)
    if request.method == "GET":
        return render(request, "storefront/checkout/pay.html", {"order": order, "page": page})
    if request.POST.get("decision") != "pay":
        services.decline_payment(order=order, actor=actor_of(request))
        messages.warning(request, _("The card was declined. Nothing was charged. You can try again."))
        return redirect(page)
    notice = sandbox.notice_for(order)
    try:
        services.pay_order(
            order=order,
            method=notice.method,
            reference=notice.reference,
            amount_minor=notice.amount_minor,
            currency=notice.currency,
            livemode=notice.livemode,
            actor=actor_of(request),
            now=timezone.now(),
        )
    except PaymentRefused as error:
        messages.error(request, error.message)
    return redirect(page)
