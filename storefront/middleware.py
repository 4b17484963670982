"""A page that cannot be shown says why, with the error's own status: 404, 409, 410, 422, 429."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from common.counting import TooMany
from common.errors import DomainError


class DomainErrorPages:
    """Turns a DomainError that a view did not answer itself into a page with its message."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DomainError):
            return None
        context = {"message": exception.message, "status": exception.status}
        response = render(request, "error.html", context, status=exception.status)
        if isinstance(exception, TooMany):
            response["Retry-After"] = str(exception.retry_after_s)
            response["Cache-Control"] = "no-store"
        return response
