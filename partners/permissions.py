"""Who may call: any good key reads, a write key writes."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import SAFE_METHODS, BasePermission

from partners.models import ApiKey

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class HasApiKey(BasePermission):
    """A key of the right scope. Rows of other partners are left out by the selectors, which take the key."""

    message = _("This key only reads. Use a key with the scope “read and write”.")
    code = "read_only_key"

    def has_permission(self, request: "Request", view: "APIView") -> bool:
        key = request.auth
        if not isinstance(key, ApiKey):
            return False
        return request.method in SAFE_METHODS or key.scope == ApiKey.Scope.WRITE
