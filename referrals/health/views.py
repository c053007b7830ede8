"""How this system fares: the page, and the same for a monitor."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from referrals.health.metrics import metrics
from referrals.health.readers import health, task_words
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission


@requires(Permission.MANAGE_PLACES)
@require_safe
def system_health(request: SignedInRequest) -> HttpResponse:
    """What is late, and when everything last happened."""
    at = timezone.now()
    found = health(at=at)
    context = {
        "at": at,
        "health": found,
        "late": found.late().values(),
        "tasks": sorted(
            ((task_words(task), task) for task in found.tasks),
            key=lambda line: (not line[1].is_late, not line[1].has_failed, line[0]),
        ),
    }
    return render(request, "health/system_health.html", context)


@never_cache
@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """For Prometheus, which shows ``METRICS_TOKEN``; where none is set there is no such address."""
    if not settings.METRICS_TOKEN:
        raise Http404
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not constant_time_compare(token, settings.METRICS_TOKEN):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(metrics(at=timezone.now()), content_type=CONTENT_TYPE_LATEST)
