"""Each request has an id, which its log lines, audit rows and history rows share."""

import uuid
from collections.abc import Callable

import structlog
from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from src_app.accounts.models import User
from src_app.audit.record import acting

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestIdMiddleware:
    """Outermost: makes the id, and says it in the answer, so that somebody can quote it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = uuid.uuid4()
        request.META["src_app.request_id"] = request_id
        with structlog.contextvars.bound_contextvars(request_id=str(request_id)):
            response = self.get_response(request)
        response["X-Request-ID"] = str(request_id)
        return response


class HistoryContextMiddleware:
    """Innermost: what the view does is recorded, and logged, as done by this account, from this page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user if isinstance(request.user, User) else None
        with (
            structlog.contextvars.bound_contextvars(account=user and user.pk),
            acting(
                f"page {page_name(request)}",
                by=user,
                address=address_of(request),
                request_id=request.META["src_app.request_id"],
            ),
        ):
            return self.get_response(request)


def address_of(request: HttpRequest) -> str | None:
    """The caller's address past the trusted proxies, as the rate limits see it; None if unknown."""
    try:
        address: str = get_adapter().get_client_ip(request)
    except PermissionDenied:
        return None
    return address


def page_name(request: HttpRequest) -> str:
    """The name of the page asked for; never its address, which may hold an identifier."""
    try:
        return resolve(request.path_info).view_name or "unnamed"
    except Resolver404:
        return "unknown"
