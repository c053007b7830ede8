"""Imports outcomes of investigations."""

import json
import sys
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from outcomes.recording.actions import OutcomeReport, import_outcomes
from src_app.accounts.models import User
from src_app.audit.record import acting
from src_app.refused import Refused


class Command(BaseCommand):
    """``import_outcomes FILE [--json]``.

    Exit 0 when every row was taken, 1 when rows were rejected, 2 when nothing could be read.
    """

    help = "Imports outcomes: a CSV file with crime_reference, outcome_code and recorded_at."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the CSV file")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, **options: Any) -> None:
        path: Path = options["file"]
        system = User.objects.system()
        try:
            with acting("command import_outcomes", by=system):
                report = import_outcomes(content=path.read_bytes(), by=system, at=timezone.now())
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}", returncode=2) from error
        except Refused as refused:
            raise CommandError(str(refused), returncode=2) from refused
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), indent=2))
        else:
            _print(Console(file=cast(IO[str], self.stdout), highlight=False, markup=False), report)
        if report.rejected:
            sys.exit(1)


def _print(console: Console, report: OutcomeReport) -> None:
    console.print(
        f"{report.rows:,} rows, {report.new:,} new, {report.unchanged:,} unchanged, "
        f"{report.rejected:,} rejected"
    )
    if report.opened:
        console.print(f"{report.opened:,} that were closed are open again: look whether that can be.")
    if report.rejections:
        table = Table("Line", "Column", "Value", "Reason", title="Rejected", title_justify="left")
        for rejected in report.rejections:
            table.add_row(str(rejected.line), rejected.column, rejected.value, rejected.reason)
        console.print(table)
