"""The page on how this system fares."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

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
        "tasks": [(task_words(task), task) for task in found.tasks],
    }
    return render(request, "health/system_health.html", context)
