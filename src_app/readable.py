"""What of a request cannot be read is refused before anything looks at it."""

import codecs
from collections.abc import Callable, Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import parse_header_parameters

NUL = "\0"


class ReadableMiddleware:
    """Refuses NULs, which no text of the database can hold, and no browser sends.

    An address with one is no page, a parameter with one is not understood, and a session that is named with
    one is nobody's. What a body holds its form looks through.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Raises Http404 and BadRequest."""
        if NUL in request.path_info:
            raise Http404("There is no such page.")
        if any(NUL in text for name, texts in request.GET.lists() for text in (name, *texts)):
            raise BadRequest("A parameter holds a NUL.")
        if NUL in request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""):
            del request.COOKIES[settings.SESSION_COOKIE_NAME]
        return self.get_response(request)


def in_utf_8(application: WSGIApplication) -> WSGIApplication:
    """The application, for requests in UTF-8, as pages are; others are answered with 400.

    Django decodes the address, too, by the letters that a request says it is in. With some, such as rot13, it
    fails before anything is there that could answer.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if _is_in_utf_8(environ.get("CONTENT_TYPE", "")):
            return application(environ, start_response)
        start_response("400 Bad Request", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"Send this in UTF-8."]

    return answer


def _is_in_utf_8(content_type: str) -> bool:
    _, parameters = parse_header_parameters(content_type)
    try:
        return codecs.lookup(parameters.get("charset", "utf-8")).name == "utf-8"
    except LookupError:
        return True  # Django passes over what is no name of any letters
    except ValueError:
        return False
