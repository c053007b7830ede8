"""``make_demo``: sign-ins, a trial, last night's reports and some months of earlier ones."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import IO, Any, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from outcomes.rates.actions import compute_rates
from referrals.intake.saving.save import import_cases
from referrals.models import Bcu, Case, Trial
from src_app.accounts.models import User
from src_app.audit.record import acting
from src_app.simulation.history import History
from src_app.simulation.people import SignIn, make_crews, make_people, make_trials

EXTRACT = settings.BASE_DIR / "referrals" / "data" / "overnight-2026-11-23.csv"
WEEKS = 12


class Command(BaseCommand):
    help = "Makes the demo's sign-ins and cases; a second run adds nothing. Refused in production."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-history", action="store_true", help="last night's reports alone")
        parser.add_argument("--json", action="store_true", help="the sign-ins as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("This makes accounts with known passwords: not in production.", returncode=2)
        bcu = Bcu.objects.first()
        if bcu is None:
            raise CommandError("There are no wards yet: run load_reference_data first.", returncode=2)
        system = User.objects.system()
        with acting("command make_demo", by=system), transaction.atomic():
            sign_ins = _make(bcu, system, at=timezone.now(), history=not options["no_history"])
        if options["json"]:
            people = [asdict(sign_in) for sign_in in sign_ins]
            self.stdout.write(json.dumps({"sign_ins": people}))
            return
        table = Table("Role", "User name", "Password")
        for sign_in in sign_ins:
            table.add_row(sign_in.role, sign_in.username, sign_in.password)
        Console(file=cast(IO[str], self.stdout)).print(table)


def _make(bcu: Bcu, system: User, *, at: datetime, history: bool) -> list[SignIn]:
    """One transaction: a demo is whole or is not there, and can be made again."""
    local = timezone.localtime(at)
    end = (local - timedelta(days=1)).replace(hour=7, minute=30, second=0, microsecond=0)
    start = end - timedelta(weeks=WEEKS)
    starts_on = start.date() - timedelta(days=7)
    sign_ins = make_people(bcu=bcu, starts_on=starts_on, by=system, at=at)
    if not Trial.objects.exists():
        make_trials(bcu=bcu, starts_on=starts_on, by=system, at=start - timedelta(days=7))
    if history and not Case.objects.exists():
        crews = make_crews(starts_on=starts_on, by=system, at=at)
        hcop = User.objects.get(username="hcop")
        History(bcu=bcu, hcop=hcop, crews=crews, system=system, start=start, end=end).play()
        compute_rates(by=system, at=at)
    import_cases(content=EXTRACT.read_bytes(), bcu=bcu, by=system, at=at)
    return sign_ins
