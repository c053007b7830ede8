"""The command line of the bench: ``script/bench [NAME …] [--rows N] [--json] [--explain]``."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import django

LEAST_ROWS = 1_000


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, and no usage before it."""
        raise SystemExit(_refused(message))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(
        prog="script/bench", description="Measures pages, imports, mail and allocations at size."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure; --list names all")
    parser.add_argument("--rows", type=int, default=10_000, help="cases made: 10000, 100000 or 1000000")
    parser.add_argument("--small", type=int, default=10_000, help="cases that growth is measured from")
    parser.add_argument("--repetitions", type=_positive, default=30, help="of each page")
    parser.add_argument(
        "--import-rows", type=_positive, default=50_000, help="at most this many are imported"
    )
    parser.add_argument("--postcodes", type=_positive, default=2_700_000, help="rows of the postcode file")
    parser.add_argument("--messages", type=_positive, default=100_000, help="due reminders that are sent")
    parser.add_argument("--units", type=_positive, default=250, help="allocated by each scheme")
    parser.add_argument(
        "--later", type=_positive, default=2_000, help="and after so many, where the scheme grows dearer"
    )
    parser.add_argument(
        "--migrated", metavar="DATABASE", help="an empty, migrated one to copy, in place of migrating one"
    )
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    parser.add_argument("--explain", action="store_true", help="print the plan of each page's queries")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    return parser.parse_intermixed_args(given)


def main(given: Sequence[str]) -> int:
    """Runs the command line; returns 0, 1 where an aim was missed, or 2 for what cannot be measured."""
    arguments = _arguments(given)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "src_app.settings")
    django.setup()
    # Only now: these know models.
    from bench.run import NAMES, run

    if arguments.list:
        sys.stdout.write("".join(f"{name}\n" for name in NAMES))
        return 0
    unknown = sorted(set(arguments.names) - set(NAMES))
    if unknown:
        return _refused(f"Nothing called {', '.join(unknown)} is measured; --list names what is.")
    if arguments.rows < LEAST_ROWS or arguments.small < LEAST_ROWS:
        return _refused(f"At least {LEAST_ROWS:,} cases are needed.")
    report = run(arguments)
    if arguments.json:
        sys.stdout.write(json.dumps(report.as_json(), indent=2) + "\n")
    else:
        from rich.console import Console

        report.print(Console(width=None if sys.stdout.isatty() else 180))
    return 1 if report.missed() else 0


def _refused(why: str) -> int:
    sys.stderr.write(f"script/bench: {why}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
