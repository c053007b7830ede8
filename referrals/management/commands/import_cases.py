"""Imports an overnight extract."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from referrals.intake.held.matching import read_meanings, remember_headings
from referrals.intake.saving.preview import ImportPreview
from referrals.intake.saving.save import import_cases, preview_cases
from referrals.intake.saving.staging import ReportProgress
from referrals.management.named import bcu_to_import_for
from referrals.models import HeadingMeaning
from referrals.table_files.cells import letters
from referrals.table_files.content import Content
from referrals.table_files.read import SeveralSheets, Unmatched
from src_app.accounts.models import User
from src_app.audit.record import acting
from src_app.refused import Refused


class Command(BaseCommand):
    """``import_cases FILE [--dry-run] [--json] [--bcu CODE] [--sheet NAME] [--map "Heading=column"]``.

    Exit 0 when every row was taken, 1 when rows were rejected, 2 when nothing could be read.
    """

    help = "Imports an overnight extract, a text or a spreadsheet; says what became of each row."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the file")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, save nothing")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")
        parser.add_argument("--bcu", help="code of the BCU the extract is of; not needed while there is one")
        parser.add_argument("--sheet", default="", help="the sheet to import, where there are several")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="HEADING=COLUMN",
            help="what a heading means, or HEADING= for not used; remembered for the BCU once saved",
        )

    def handle(self, **options: Any) -> None:
        path: Path = options["file"]
        system = User.objects.system()
        act = preview_cases if options["dry_run"] else import_cases
        try:
            with acting("command import_cases", by=system), _shown_progress() as progress:
                bcu = bcu_to_import_for(system, options["bcu"])
                said = read_meanings(options["map"])
                preview = act(
                    content=Content.at(path),
                    bcu=bcu,
                    by=system,
                    at=timezone.now(),
                    sheet=options["sheet"],
                    meanings=HeadingMeaning.of(bcu) | {letters(heading): said[heading] for heading in said},
                    progress=progress,
                )
                if said and not options["dry_run"]:
                    remember_headings(bcu=bcu, meanings=said, by=system, at=timezone.now())
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}", returncode=2) from error
        except SeveralSheets as several:
            raise CommandError(f"{several} Say --sheet NAME.", returncode=2) from several
        except Unmatched as unmatched:
            raise CommandError(f'{unmatched} Say --map "Heading=column".', returncode=2) from unmatched
        except Refused as refused:
            raise CommandError(str(refused), returncode=2) from refused
        except KeyboardInterrupt:
            raise CommandError("Stopped. Nothing was saved.", returncode=2) from None
        if options["json"]:
            self.stdout.write(json.dumps(preview.report(), indent=2))
        else:
            _print(Console(file=cast(IO[str], self.stdout), highlight=False, markup=False), preview)
        if preview.rejected:
            sys.exit(1)


@contextmanager
def _shown_progress() -> Iterator[ReportProgress]:
    """A bar on standard error while somebody looks on."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Reading", total=1.0)

        def told(rows: int, share: float) -> None:
            bar.update(task, completed=share, description=f"{rows:,} rows read" if share < 1 else "Saving")

        yield told


def _print(console: Console, preview: ImportPreview) -> None:
    counts = preview.counts()
    console.print(", ".join(f"{count:,} {name}" for name, count in counts.items()))
    if preview.rejections:
        table = Table("Line", "Column", "Value", "Reason", title="Rejected", title_justify="left")
        for rejected in preview.rejections:
            table.add_row(str(rejected.line), rejected.column, rejected.value, rejected.reason)
        console.print(table)
    if preview.warnings:
        table = Table("Line", "Column", "Reason", title="To look at", title_justify="left")
        for warned in preview.warnings:
            table.add_row(str(warned.line), warned.column, warned.reason)
        console.print(table)
