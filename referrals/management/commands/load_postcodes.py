"""Loads the ONS Postcode Directory."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from referrals.places.actions.postcodes import NotADirectory, load_postcodes
from src_app.accounts.models import User
from src_app.audit.record import acting


class Command(BaseCommand):
    """``load_postcodes FILE [FILE …] [--replace-only-areas-in-file | --all-the-same] [--json]``.

    Exit 0 when loaded, 2 for a file that cannot be.
    """

    help = (
        "Replaces the known postcodes by the live ones of the wards known here, from the ONS Postcode "
        "Directory (columns pcds, doterm and osward or wd25cd among others): its one CSV file, or the folder "
        "of its parts."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", type=Path, nargs="+", help="the CSV file, its parts, or their folder")
        meant = parser.add_mutually_exclusive_group()
        meant.add_argument(
            "--replace-only-areas-in-file",
            action="store_true",
            help="leave postcodes of other areas than those in the files as they are",
        )
        meant.add_argument(
            "--all-the-same",
            action="store_true",
            help="load it even if boroughs lose many of their postcodes, or an area is not in it",
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, **options: Any) -> None:
        system = User.objects.system()
        try:
            with ExitStack() as stack, acting("command load_postcodes", by=system):
                loaded = load_postcodes(
                    files=[
                        stack.enter_context(path.open(encoding="utf-8-sig", newline=""))
                        for path in _files(options["files"])
                    ],
                    by=system,
                    only_their_areas=options["replace_only_areas_in_file"],
                    all_the_same=options["all_the_same"],
                )
        except NotADirectory as refused:
            raise CommandError(str(refused), returncode=2) from refused
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}", returncode=2) from error
        if options["json"]:
            self.stdout.write(json.dumps(loaded.report(), indent=2))
        else:
            self.stdout.write(
                f"{loaded.rows:,} rows read, {loaded.postcodes:,} postcodes known: "
                f"{loaded.added_or_moved:,} added or moved, {loaded.removed:,} removed."
            )
            for code in loaded.without_postcode:
                new = loaded.recoded.get(code)
                has_now = f"; its postcodes have the code {new} now" if new else ""
                self.stdout.write(f"No postcode leads to the ward {code}{has_now}.")


def _files(paths: list[Path]) -> list[Path]:
    """Of a folder all its CSV files, which are parts of one directory."""
    found = [sorted(path.glob("*.csv")) if path.is_dir() else [path] for path in paths]
    if not any(found):
        raise CommandError("There is no CSV file in that folder.", returncode=2)
    return [path for several in found for path in several]
