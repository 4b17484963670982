"""As whom staff may read the shop: buttons on admin pages."""

from collections.abc import Sequence
from typing import Any

from django import template

from storefront.preview import READERS

register = template.Library()


@register.simple_tag
def preview_readers() -> Sequence[tuple[str, str, Any]]:
    """Country, audience and name of each reader."""
    return READERS
