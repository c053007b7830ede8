"""Checks here, with the seal key, what of a trial nobody outside can check before its reveal."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from referrals.management.named import trial_named
from referrals.standalone.trial_verify import Unreadable, as_text, check_heads, load
from referrals.trial.check import check_trial
from src_app.accounts.models import User
from src_app.audit.record import acting
from src_app.keys import WrongKey
from src_app.refused import Refused


class Command(BaseCommand):
    """``trial_check TRIAL [--head FILE ...] [--json]``: replays every allocation the database holds.

    Exit 0 when everything agrees, 1 at the first allocation that does not, 2 for what cannot be checked.
    """

    help = "Replays a trial from the database, with its seed; no arm is shown."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("trial", help="name of the trial")
        parser.add_argument(
            "--head", metavar="FILE", action="append", default=[], help="heads, as a registrar received them"
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, **options: Any) -> None:
        system = User.objects.system()
        try:
            heads = {path: load(path, check_heads) for path in options["head"]}
            with acting("command trial_check", by=system):
                trial = trial_named(system, options["trial"])
                report = check_trial(trial=trial, heads=heads, by=system)
        except (Refused, Unreadable, WrongKey) as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(as_text(report, as_json=options["json"]))
        if report["problem"]:
            sys.exit(1)
