"""As whom staff may read the shop: buttons on admin pages."""

from collections.abc import Sequence
from typing import Any

from django import template

from storefront.preview import LANGUAGES, READERS

register = template.Library()


@register.simple_tag
def preview_readers() -> Sequence[tuple[str, str, Any]]:
    """Country, audience and name of each reader."""
    return READERS


@register.simple_tag
def preview_languages() -> Sequence[tuple[str, str]]:
    """Code and name of each language."""
    return LANGUAGES
