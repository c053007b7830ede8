"""Loads the ONS Postcode Directory."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from referrals.places.actions.postcodes import NotADirectory, load_postcodes
from src_app.accounts.models import User
from src_app.audit.record import acting


class Command(BaseCommand):
    """``load_postcodes FILE [--json]``: exit 0 when loaded, 2 for a file that cannot be."""

    help = (
        "Replaces the known postcodes by the live ones of the wards known here, from the ONS Postcode "
        "Directory's CSV file (columns pcds, doterm and osward among others)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the CSV file")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, **options: Any) -> None:
        path: Path = options["file"]
        system = User.objects.system()
        try:
            with (
                path.open(encoding="utf-8-sig", newline="") as file,
                acting("command load_postcodes", by=system),
            ):
                loaded = load_postcodes(file=file, by=system)
        except NotADirectory as refused:
            raise CommandError(str(refused), returncode=2) from refused
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}", returncode=2) from error
        if options["json"]:
            self.stdout.write(json.dumps(loaded.report(), indent=2))
        else:
            self.stdout.write(
                f"{loaded.rows:,} rows read, {loaded.postcodes:,} postcodes known: "
                f"{loaded.added_or_moved:,} added or moved, {loaded.removed:,} removed."
            )
