"""Every page of the shop."""

from django.urls import URLPattern, path

from storefront.views import (
    account,
    basket,
    browse,
    checkout,
    configure,
    content,
    finding,
    impact,
    log,
    media,
    order_files,
    orders,
    pictures,
    preview,
    projects,
    records,
    retirements,
)

urlpatterns: list[URLPattern] = [
    # Look around
    path("", browse.home, name="home"),
    path("products/", browse.products, name="products"),
    path("products/<slug:slug>/", configure.product, name="product"),
    path("market/", browse.market, name="market"),
    path("preview/", preview.preview, name="preview"),
    path("media/products/<str:name>", media.product_picture, name="product_picture"),
    path("projects/", projects.projects, name="projects"),
    path("projects/<str:reference>/", projects.project, name="project"),
    path("retirements/", retirements.search, name="retirements"),
    path("retirements/<str:reference>/", retirements.retirement, name="retirement"),
    path("impact/", impact.impact, name="impact"),
    path("how-it-works/", content.how_it_works, name="how_it_works"),
    path("imprint/", content.imprint, name="imprint"),
    path("terms/", content.terms, name="terms"),
    path("privacy/", content.privacy, name="privacy"),
    path("healthz", content.health, name="health"),
    *(
        path(f"tools/{name}", content.tool, {"name": name}, name=name.removesuffix(".py"))
        for name in ("verify_certificate.py", "audit_log.py")
    ),
    path("robots.txt", content.robots, name="robots"),
    # Records that anyone can open
    path("verify/", records.verify, name="verify"),
    path("find/", finding.find, name="record_find"),
    path("c/<str:code>/", records.record, name="record"),
    path("c/<str:code>/badge.svg", pictures.badge, name="record_badge"),
    path("c/<str:code>/badge.png", pictures.badge_as_png, name="record_badge_png"),
    path("c/<str:code>/card.png", pictures.card, name="record_card"),
    path("c/<str:code>/certificate.pdf", records.files, {"name": "certificate.pdf"}, name="record_pdf"),
    path("c/<str:code>/certificate.json", records.files, {"name": "certificate.json"}, name="record_json"),
    # The public log: live, and the sandbox's own
    *(
        path(f"{prefix}log/{name}", view, {"livemode": livemode}, name=f"{word}_log_{view.__name__}")
        for prefix, livemode, word in (("", True, "live"), ("sandbox/", False, "sandbox"))
        for name, view in (
            ("key", log.key),
            ("checkpoint", log.checkpoint),
            ("checkpoints/", log.checkpoints),
            ("checkpoints/<int:size>", log.old_checkpoint),
            ("entries", log.entries),
        )
    ),
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
    path("orders/<str:number>/<str:token>/collective.pdf", order_files.collective, name="order_collective"),
    path("orders/<str:number>/<str:token>/certificates.zip", order_files.archived, name="order_archive"),
    path("orders/<str:number>/<str:token>/labels.pdf", order_files.label_sheets, name="order_labels"),
    path("orders/<str:number>/<str:token>/<str:code>.pdf", orders.certificate_pdf, name="order_certificate"),
    path("account/", account.overview, name="account"),
    path("account/<int:pk>/registries/", account.registries, name="account_registries"),
]
