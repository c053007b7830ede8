"""Compares the flags on the crime management system with what is recorded here."""

import json
import sys
from datetime import date
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from referrals.crime_record.actions.flags import confirm_flags, confirm_flags_removed, reconcile_flags
from referrals.crime_record.readers import STANDING_WORDS, FlagCases, GivenList, cases_listed
from referrals.crime_record.reading import read_flags
from referrals.management.named import bcu_to_import_for
from referrals.rules.crime_record import FlagStanding
from referrals.table_files.content import Content
from src_app.accounts.models import User
from src_app.audit.record import acting
from src_app.refused import Refused

_FINDINGS = (FlagStanding.MISSING, FlagStanding.TO_REMOVE, FlagStanding.EXTRA)


class Command(BaseCommand):
    """``reconcile_flags FILE [--bcu CODE] [--taken-on DAY] [--json] [--confirm]``.

    Exit 0 when every flag is right, 1 when one is missing, has to go or is extra, 2 when nothing could be
    read. That an extra one is a trial's control is not said: the HCOP's page alone says so.
    """

    help = "Compares a list of references that carry the flag with what is recorded; keeps nothing of it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the list, with a column of references")
        parser.add_argument("--bcu", help="code of the BCU the list is of; not needed while there is one")
        parser.add_argument(
            "--taken-on",
            type=date.fromisoformat,
            metavar="DAY",
            help="when it was taken, as 2026-11-23",
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        parser.add_argument(
            "--confirm", action="store_true", help="record what the list shows: flags that are set, or gone"
        )

    def handle(self, **options: Any) -> None:
        path: Path = options["file"]
        system = User.objects.system()
        now = timezone.now()
        try:
            with acting("command reconcile_flags", by=system):
                bcu = bcu_to_import_for(system, options["bcu"])
                signs = read_flags(Content.at(path)).signs
                taken_on = options["taken_on"] or timezone.localdate(now)
                given = GivenList(taken_on, len(signs), cases_listed(bcu, signs))
                cases = reconcile_flags(bcu=bcu, given=given, by=system, at=now)
                recorded = _confirm(cases, system) if options["confirm"] else {}
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}", returncode=2) from error
        except Refused as refused:
            raise CommandError(str(refused), returncode=2) from refused
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(given, cases) | recorded, indent=2))
        else:
            _print(Console(file=cast(IO[str], self.stdout), highlight=False, markup=False), given, cases)
            for what, count in recorded.items():
                self.stdout.write(f"{count:,} {what}")
        if any(cases[standing] for standing in _FINDINGS):
            sys.exit(1)


def _confirm(cases: FlagCases, by: User) -> dict[str, int]:
    def ids(standing: FlagStanding) -> list[int]:
        return [case.referral_id for case in cases[standing] if case.referral_id is not None]

    now = timezone.now()
    return {
        "confirmed": confirm_flags(referral_ids=ids(FlagStanding.NOT_CONFIRMED), by=by, at=now),
        "removed": confirm_flags_removed(referral_ids=ids(FlagStanding.OFF), by=by, at=now),
    }


def _as_json(given: GivenList, cases: FlagCases) -> dict[str, Any]:
    return {
        "taken_on": given.taken_on.isoformat(),
        "references": given.references,
        "unknown_here": given.unknown,
        **{standing.value: [case.reference for case in cases[standing]] for standing in FlagStanding},
    }


def _print(console: Console, given: GivenList, cases: FlagCases) -> None:
    counts = [f"{len(cases[standing]):,} {STANDING_WORDS[standing].lower()}" for standing in FlagStanding]
    console.print(f"{given.references:,} references: {', '.join(counts)}, {given.unknown:,} unknown here")
    table = Table("Flag", "Crime reference", "Referral")
    for standing in FlagStanding:
        if standing != FlagStanding.MATCHING:
            for case in cases[standing]:
                table.add_row(STANDING_WORDS[standing], case.reference, case.number)
    if table.row_count:
        console.print(table)
