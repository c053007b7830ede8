"""Gives outside what of a trial can be checked there."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from referrals.management.named import trial_named
from referrals.trial.bundle import head_of
from src_app.accounts.models import User
from src_app.audit.record import acting
from src_app.refused import Refused


class Command(BaseCommand):
    """``trial_head TRIAL``: how far its chain has come, on standard output."""

    help = "Prints the count of allocations and the last hash, as JSON, for a registrar to note."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("trial", help="name of the trial")

    def handle(self, **options: Any) -> None:
        system = User.objects.system()
        try:
            with acting("command trial_head", by=system):
                found = head_of(trial=trial_named(system, options["trial"]), by=system, at=timezone.now())
        except Refused as refused:
            raise CommandError(str(refused), returncode=2) from refused
        self.stdout.write(json.dumps(found, indent=2))
