"""The one address that this system is served at: what a request says of it counts for nothing."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse


class OneHostMiddleware:
    """In production every request is one to ``SITE_URL``, whatever port its ``Host`` names.

    A name that is not in ``ALLOWED_HOSTS`` is refused with 400, as everywhere. Of a name that is, the port
    still is the caller's own word, and ``ALLOWED_HOSTS`` looks at none: nothing may be told apart by it, such
    as one limit from another, and no redirect may lead to it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.PRODUCTION:
            request.get_host()  # raises DisallowedHost
            request.META["HTTP_HOST"] = urlsplit(settings.SITE_URL).netloc
        return self.get_response(request)
