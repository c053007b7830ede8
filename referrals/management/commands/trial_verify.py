"""Replays a trial from its bundle, as people outside do."""

import sys
from typing import Any, TextIO, cast

from django.core.management.base import BaseCommand, CommandParser

from referrals.standalone import trial_verify


class Command(BaseCommand):
    """``trial_verify BUNDLE [--head FILE ...] [--json]``: the program for people outside, run here.

    Exit 0 when everything agrees, 1 at the first allocation that does not, 2 when a file cannot be read.
    """

    help = "Replays a trial from its bundle; says what that proves, and what it cannot exclude."

    def add_arguments(self, parser: CommandParser) -> None:
        trial_verify.add_arguments(parser)

    def handle(self, **options: Any) -> None:
        out, err = cast(TextIO, self.stdout), cast(TextIO, self.stderr)
        status = trial_verify.verify(options["bundle"], options["head"], options["json"], out, err)
        if status:
            sys.exit(status)
