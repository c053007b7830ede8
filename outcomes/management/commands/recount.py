"""Compares the counts that pages read with what they count."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from outcomes import actions
from src_app.accounts.models import User
from src_app.audit.record import acting


class Command(BaseCommand):
    """``recount [--json]``: exit 0 where every count was right, 1 where some were not and are now."""

    help = "Counts referrals and outcomes anew, and mends the counts kept for the pages where they differ."

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
                f"{mended} counts were wrong and are mended." if mended else "Every count is right."
            )
        if mended:
            sys.exit(1)
