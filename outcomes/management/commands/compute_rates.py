"""Writes down the day's rates."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from outcomes.rates.actions import compute_rates
from src_app.accounts.models import User
from src_app.audit.record import acting


class Command(BaseCommand):
    """``compute_rates [--json]``: the same day again replaces its counts."""

    help = "Writes the day's counts of contact and outcomes for every ward and BCU."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print what was written as JSON")

    def handle(self, **options: Any) -> None:
        system, now = User.objects.system(), timezone.now()
        with acting("command compute_rates", by=system):
            rows = compute_rates(by=system, at=now)
        day = timezone.localdate(now).isoformat()
        if options["json"]:
            self.stdout.write(json.dumps({"day": day, "rows": rows}))
        else:
            self.stdout.write(f"{rows} rows for {day}.")
