"""Addresses under `/api/`."""

from django.urls import path, re_path

from partners.views import certificates, files, offsets, public

app_name = "partners"

urlpatterns = [
    path("schema/", public.SchemaView.as_view(), name="schema"),
    path("v1/products/", public.ProductsView.as_view(), name="product_list"),
    path("v1/products/<str:sku>/", public.ProductView.as_view(), name="product"),
    path("v1/products/<str:sku>/footprint/", public.FootprintView.as_view(), name="footprint"),
    path("v1/projects/", public.ProjectsView.as_view(), name="project_list"),
    path("v1/projects/<str:reference>/", public.ProjectView.as_view(), name="project"),
    path("v1/offsets/", offsets.OffsetsView.as_view(), name="offsets_list"),
    path("v1/offsets/<str:public_id>/", offsets.OffsetsDetailView.as_view(), name="offsets"),
    path("v1/offsets/<str:public_id>/collective.pdf", files.CollectiveView.as_view(), name="collective"),
    path("v1/offsets/<str:public_id>/certificates.zip", files.ArchiveView.as_view(), name="archive"),
    path("v1/offsets/<str:public_id>/labels.pdf", files.LabelsView.as_view(), name="labels"),
    path("v1/certificates/<str:code>/", certificates.CertificateView.as_view(), name="certificate"),
    path("v1/certificates/<str:code>/certificate.pdf", certificates.CertificatePdfView.as_view(), name="pdf"),
    path(
        "v1/certificates/<str:code>/certificate.json", certificates.CertificateJsonView.as_view(), name="json"
    ),
    path("v1/certificates/<str:code>/badge.svg", certificates.CertificateBadgeView.as_view(), name="badge"),
    re_path(r"^(?P<path>.*)$", public.UnknownAddressView.as_view(), name="unknown"),
]
