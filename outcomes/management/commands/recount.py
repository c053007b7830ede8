"""Compares the counts that pages read with what they count."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from outcomes.rates import actions
from src_app.accounts.models import User
from src_app.audit.record import acting


class Command(BaseCommand):
    """``recount [--json]``: exit 0 where all was right, 1 where something was not and is now."""

    help = "Counts referrals and outcomes anew, and mends the counts and states kept for the pages."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print what was mended as JSON")

    def handle(self, **options: Any) -> None:
        system = User.objects.system()
        with acting("command recount", by=system):
            mended = actions.recount(by=system)
        if options["json"]:
            self.stdout.write(json.dumps({"mended": mended}))
        else:
            self.stdout.write(
                f"{mended} counts and states were wrong and are mended."
                if mended
                else "Every count and state is right."
            )
        if mended:
            sys.exit(1)
