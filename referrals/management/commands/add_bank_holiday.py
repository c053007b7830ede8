"""Adds a bank holiday that was proclaimed late."""

import json
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from referrals.deadlines.actions import add_holiday
from src_app.accounts.models import User
from src_app.audit.record import acting
from src_app.refused import Refused


class Command(BaseCommand):
    """``add_bank_holiday DAY NAME [--json]``. Exit 0 when added, 2 for a day that is refused."""

    help = "Adds a bank holiday of England and Wales, and moves the due times that are later for it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("day", type=date.fromisoformat, help="such as 2027-05-03")
        parser.add_argument("name", help="what it is called")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, **options: Any) -> None:
        system = User.objects.system()
        try:
            with acting("command add_bank_holiday", by=system):
                moved = add_holiday(day=options["day"], name=options["name"], by=system, at=timezone.now())
        except Refused as refused:
            raise CommandError(str(refused), returncode=2) from refused
        if options["json"]:
            due = {referral.number: referral.due_at.isoformat() for referral in moved}
            self.stdout.write(json.dumps({"day": options["day"].isoformat(), "moved": due}, indent=2))
        else:
            self.stdout.write(f"Added. Due later: {len(moved)}.")
            for referral in moved:
                self.stdout.write(f"{referral.number}: {referral.due_at.isoformat()}")
