"""The demo's data: sign-ins, trials, last night's reports and some months of earlier ones."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from local.demo.history import History
from local.demo.people import make_crews, make_people, make_trials
from outcomes.rates.actions import compute_rates
from referrals.intake.saving.save import import_cases
from referrals.models import Bcu, Case, Trial
from src_app.accounts.models import User
from src_app.audit.record import acting

EXTRACT = settings.BASE_DIR / "referrals" / "data" / "overnight-2026-11-23.csv"
WEEKS = 12


class InProduction(Exception):
    """The demo's accounts have known passwords."""


def make_demo(*, history: bool, at: datetime) -> None:
    """Makes what is not there yet; raises `InProduction`.

    One transaction: a demo is whole or is not there, and can be made again.
    """
    if settings.PRODUCTION:
        raise InProduction
    bcu, system = Bcu.objects.earliest("pk"), User.objects.system()
    local = timezone.localtime(at)
    end = (local - timedelta(days=1)).replace(hour=7, minute=30, second=0, microsecond=0)
    start = end - timedelta(weeks=WEEKS)
    starts_on = start.date() - timedelta(days=7)
    with acting("make_demo", by=system), transaction.atomic():
        make_people(bcu=bcu, starts_on=starts_on, by=system, at=at)
        if not Trial.objects.exists():
            make_trials(bcu=bcu, starts_on=starts_on, by=system, at=start - timedelta(days=7))
        if history and not Case.objects.exists():
            crews = make_crews(starts_on=starts_on, by=system, at=at)
            hcop = User.objects.get(username="hcop")
            History(bcu=bcu, hcop=hcop, crews=crews, system=system, start=start, end=end).play()
            compute_rates(by=system, at=at)
        import_cases(content=EXTRACT.read_bytes(), bcu=bcu, by=system, at=at)
