"""What an orchestrator or a monitor asks: is this process alive, and can it serve."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from src_app.health import probes


@never_cache
@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is asked."""
    return JsonResponse({"process": "ok"})


@never_cache
@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """A word for each dependency; 503 without the database, which alone no page can do without.

    While Redis is away limits are kept in memory, and what a worker is to do waits in the database.
    """
    words = probes.words()
    return JsonResponse(words, status=200 if words["database"] == "ok" else 503)
