"""Gives outside what of a trial can be checked there."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from referrals.management.named import trial_named
from referrals.trial.bundle import export_trial
from src_app.accounts.models import User
from src_app.audit.record import acting
from src_app.refused import Refused


class Command(BaseCommand):
    """``trial_export TRIAL``: the bundle that ``trial_verify`` checks, on standard output."""

    help = "Prints what anybody may check of a trial, as JSON; no arm before it is revealed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("trial", help="name of the trial")

    def handle(self, **options: Any) -> None:
        system = User.objects.system()
        try:
            with acting("command trial_export", by=system):
                found = export_trial(trial=trial_named(system, options["trial"]), by=system)
        except Refused as refused:
            raise CommandError(str(refused), returncode=2) from refused
        self.stdout.write(json.dumps(found, indent=2))
