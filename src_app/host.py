"""The one address that this system is served at: what a request says of it counts for nothing."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.shortcuts import redirect


class OneHostMiddleware:
    """In production every request is one to ``SITE_URL``, whatever port its ``Host`` names.

    A name that is not in ``ALLOWED_HOSTS`` is refused with 400, as everywhere. Whoever reads a page under
    another name that is, such as an old one, is led to ``SITE_URL``: from there alone forms are taken. The
    port still is the caller's own word, and ``ALLOWED_HOSTS`` looks at none: nothing may be told apart by it,
    such as one limit from another, and no redirect may lead to it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.PRODUCTION:
            name, _ = split_domain_port(request.get_host())  # raises DisallowedHost
            site = urlsplit(settings.SITE_URL)
            request.META["HTTP_HOST"] = site.netloc
            if name != site.hostname and request.method in ("GET", "HEAD"):
                return redirect(settings.SITE_URL + request.get_full_path())
        return self.get_response(request)
