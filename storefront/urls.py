"""Every page of the shop."""

from django.urls import URLPattern, path

from storefront.views import account, basket, checkout, orders

urlpatterns: list[URLPattern] = [
    # Basket, checkout, orders, account
    path("basket/", basket.show, name="basket"),
    path("basket/add/", basket.add, name="basket_add"),
    path("basket/lines/<int:pk>/", basket.change, name="basket_change"),
    path("basket/lines/<int:pk>/credits-out/", basket.take_out_credits, name="basket_credits_out"),
    path("basket/lines/<int:pk>/remove/", basket.remove, name="basket_remove"),
    path("checkout/", checkout.checkout, name="checkout"),
    path("orders/find/", orders.find, name="order_find"),
    path("orders/<str:number>/", orders.by_user, name="order_of_user"),
    path("orders/<str:number>/<str:token>/", orders.by_token, name="order"),
    path("orders/<str:number>/<str:token>/pay/", checkout.pay, name="order_pay"),
    path("orders/<str:number>/<str:token>/invoice/", orders.invoice, name="order_invoice"),
    path("orders/<str:number>/<str:token>/devices.csv", orders.devices_csv, name="order_devices"),
    path("account/", account.overview, name="account"),
]
