"""Exports cases as an extract."""

import csv
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from referrals.intake.export import export_cases
from referrals.management.named import bcu_to_import_for
from src_app.accounts.models import User
from src_app.audit.record import acting
from src_app.refused import Refused


class Command(BaseCommand):
    """``export_cases FILE [--bcu CODE]``: every case of the BCU under the canonical headings.

    The file holds safety notes and wishes; it is made readable by its owner alone, and never overwritten.
    """

    help = "Writes the cases as an extract that imports without a change; without postcodes and keys."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the file to make")
        parser.add_argument("--bcu", help="code of the BCU; not needed while there is one")

    def handle(self, **options: Any) -> None:
        path: Path = options["file"]
        system = User.objects.system()
        try:
            with acting("command export_cases", by=system):
                rows = export_cases(bcu=bcu_to_import_for(system, options["bcu"]), by=system)
                path.touch(mode=0o600, exist_ok=False)
                try:
                    with path.open("w", encoding="utf-8-sig", newline="") as file:
                        csv.writer(file).writerows(rows)
                except BaseException:
                    # A part of the cases is of no use, and their texts are not to lie about.
                    path.unlink()
                    raise
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}", returncode=2) from error
        except Refused as refused:
            raise CommandError(str(refused), returncode=2) from refused
