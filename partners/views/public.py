"""What anyone may ask without a key: products, footprints, projects, and the schema."""

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.selectors import product_by_sku, published_products
from common.errors import NotFound
from partners import catalogue, representations
from partners.schema import openapi_document, refusals
from partners.serializers import FootprintQuery, MarketQuery, ProductsQuery, ProjectsQuery
from partners.views.base import PublicView, page_of, rows_of_page


class ProductsView(PublicView):
    """`/api/v1/products/`"""

    query_serializer = ProductsQuery

    @extend_schema(
        operation_id="list_products",
        tags=["products"],
        parameters=[ProductsQuery],
        responses={200: representations.page_answer(representations.ProductAnswer), **refusals()},
    )
    def get(self, request: Request) -> Response:
        """Devices, their options, and whether their footprint is known."""
        products, count = rows_of_page(published_products(q=self.query["q"]), self.query)
        results = [catalogue.product_answer(product) for product in products]
        return Response(page_of(request, results, count=count, query=self.query))


class ProductView(PublicView):
    """`/api/v1/products/{sku}/`"""

    @extend_schema(
        operation_id="get_product",
        tags=["products"],
        responses={200: representations.ProductAnswer, **refusals(404)},
    )
    def get(self, request: Request, sku: str) -> Response:
        """One device with its options."""
        return Response(catalogue.product_answer(product_by_sku(sku)))


class FootprintView(PublicView):
    """`/api/v1/products/{sku}/footprint/`"""

    query_serializer = FootprintQuery

    @extend_schema(
        operation_id="get_footprint",
        tags=["products"],
        parameters=[FootprintQuery],
        responses={200: representations.FootprintAnswer, **refusals(404)},
    )
    def get(self, request: Request, sku: str) -> Response:
        """The footprint of a configuration used for one to five years in a country, with source and error."""
        today = timezone.now().date()
        return Response(catalogue.footprint_answer(sku, self.query, on=today))


class ProjectsView(PublicView):
    """`/api/v1/projects/`"""

    query_serializer = ProjectsQuery

    @extend_schema(
        operation_id="list_projects",
        tags=["projects"],
        parameters=[ProjectsQuery],
        responses={200: representations.page_answer(representations.ProjectAnswer), **refusals()},
    )
    def get(self, request: Request) -> Response:
        """Projects for sale in the market of a country, with their price per tonne and what is left."""
        today = timezone.now().date()
        sold = catalogue.projects(self.query.get("country"), on=today)
        offset, limit = self.query["offset"], self.query["limit"]
        return Response(page_of(request, sold[offset : offset + limit], count=len(sold), query=self.query))


class ProjectView(PublicView):
    """`/api/v1/projects/{reference}/`"""

    query_serializer = MarketQuery

    @extend_schema(
        operation_id="get_project",
        tags=["projects"],
        parameters=[MarketQuery],
        responses={200: representations.ProjectAnswer, **refusals(404)},
    )
    def get(self, request: Request, reference: str) -> Response:
        """One project for sale."""
        today = timezone.now().date()
        for project in catalogue.projects(self.query.get("country"), on=today):
            if project["reference"] == reference:
                return Response(project)
        raise NotFound(_("No project of this reference is for sale there; /api/v1/projects/ lists them."))


class SchemaView(PublicView):
    """`/api/schema/`"""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """The OpenAPI document, as JSON."""
        return Response(openapi_document())


class UnknownAddressView(PublicView):
    """Everything else under `/api/`: answered in JSON; a missing slash is never answered by a redirect."""

    @extend_schema(exclude=True)
    def get(self, request: Request, path: str) -> Response:
        raise NotFound(_("There is no such address. Addresses end with a slash; /api/schema/ lists them."))

    post = put = patch = delete = get
