"""Pictures that staff have uploaded. Certificates lie in the same store and are never served from here."""

import re

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.models import Product

CONTENT_TYPES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp"}
_NAME = re.compile(r"[\w-][\w.-]*\.(png|jpe?g|webp)", re.IGNORECASE)


@require_safe
def product_picture(request: HttpRequest, name: str) -> FileResponse:
    """A picture that a product shows now; its content type follows from the name, never from the file."""
    found = _NAME.fullmatch(name)
    path = f"products/{name}"
    if found is None or not Product.objects.filter(picture=path).exists():
        raise Http404(_("There is no such picture."))
    try:
        picture = default_storage.open(path)
    except FileNotFoundError as error:
        raise Http404(_("There is no such picture.")) from error
    response = FileResponse(picture, content_type=CONTENT_TYPES[found[1].lower()])
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "public, max-age=86400"
    return response
