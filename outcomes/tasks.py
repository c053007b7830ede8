"""What Celery does for outcomes, as this system."""

from celery import shared_task
from django.utils import timezone

from outcomes.rates import actions
from src_app.accounts.models import User
from src_app.audit.record import acting


@shared_task
def compute_rates() -> None:
    """Writes down the night's rates; a second run on the same day replaces the first's."""
    system = User.objects.system()
    with acting("task compute_rates", by=system):
        actions.compute_rates(by=system, at=timezone.now())
