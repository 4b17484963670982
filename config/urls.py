"""The whole URL map on one page."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("account/", include("allauth.account.urls")),
    path("api/", include("partners.urls")),
    path("", include("storefront.urls")),
]
