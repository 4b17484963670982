"""For S7's control only: the web process with a count of its own, as a cache in process memory would keep."""

from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache

from common import counting
from config.wsgi import application

__all__ = ["application"]

_OWN = LocMemCache("of this process alone", {})
counting.caches = dict.fromkeys(caches, _OWN)  # type: ignore[assignment]
