"""How often one network may call what the API answers without a key, counted for all workers together."""

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from common.counting import add_one, client_network, seconds_left

SPAN_S = 60


class PublicThrottle(BaseThrottle):
    """API_PUBLIC_CALLS_PER_MINUTE from one network; 0: as many as anybody likes."""

    def allow_request(self, request: Request, view: Any) -> bool:
        limit: int = settings.API_PUBLIC_CALLS_PER_MINUTE
        who = client_network(request._request)
        return not limit or add_one("api-public", who, seconds=SPAN_S) <= limit

    def wait(self) -> float:
        return seconds_left(SPAN_S)
