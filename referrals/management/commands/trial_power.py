"""Says what a trial of two arms could and could not detect."""

import json
import re
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from referrals.rules.trial.power import (
    AIM,
    Assumed,
    ImpossibleAssumption,
    summary_of,
)

_SHARES = ("control", "src", "complied", "contaminated", "lost", "alpha", "power")


class Command(BaseCommand):
    """``trial_power --units N --control RATE --src RATE`` and what weakens the trial.

    A rate or share is written 54% or 0.54. Exit 0 when every figure can be relied on, 1 when one cannot:
    too few cases are expected to have the outcome, or not to have it; 2 for what no trial can have. Looks at
    no trial and at no case.
    """

    help = (
        "The chance that a trial finds a difference, the cases needed to find it, and the smallest one that "
        "it could find, from what is assumed of it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--units", required=True, help="cases to allocate in all")
        parser.add_argument("--ratio", default="1:1", help="SRC to control (1:1)")
        parser.add_argument("--control", required=True, help="rate without contact: 54%% or 0.54")
        parser.add_argument("--src", required=True, help="rate with contact")
        parser.add_argument("--complied", default="100%", help="share of SRC cases contacted (100%%)")
        parser.add_argument("--contaminated", default="0%", help="share of control cases contacted (0%%)")
        parser.add_argument("--lost", default="0%", help="share of outcomes unknown at lock (0%%)")
        parser.add_argument("--alpha", default="5%", help="significance level (5%%)")
        parser.add_argument("--one-sided", action="store_true", help="look for a change one way alone")
        parser.add_argument("--power", default=str(AIM), help="the power to aim for (80%%)")
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")

    def handle(self, **options: Any) -> None:
        share = {name: _share(name, options[name]) for name in _SHARES}
        try:
            assumed = Assumed(
                units=_units(options["units"]),
                ratio=_ratio(options["ratio"]),
                control_rate=share["control"],
                src_rate=share["src"],
                complied=share["complied"],
                contaminated=share["contaminated"],
                lost=share["lost"],
                alpha=share["alpha"],
                one_sided=options["one_sided"],
            )
            summary = summary_of(assumed, share["power"])
        except ImpossibleAssumption as refused:
            raise CommandError(str(refused), returncode=2) from refused
        if options["json"]:
            figures = {"assumed": asdict(assumed), "aim": share["power"], **asdict(summary)}
            self.stdout.write(json.dumps(figures, indent=2, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(summary.sentences))
        if summary.warnings:
            raise CommandError("Not every figure can be relied on.", returncode=1)


def _units(given: str | int) -> int:
    if re.fullmatch(r"[0-9]{1,9}", str(given)):
        return int(given)
    raise CommandError("--units must be a whole number, such as 250.", returncode=2)


def _ratio(given: str) -> tuple[int, int]:
    if parts := re.fullmatch(r"([0-9]{1,3}):([0-9]{1,3})", given):
        return int(parts[1]), int(parts[2])
    raise CommandError("--ratio must be SRC to control in whole numbers, such as 1:1 or 2:1.", returncode=2)


def _share(name: str, given: str | float) -> float:
    if written := re.fullmatch(r"([0-9]+\.?[0-9]*|\.[0-9]+)(%?)", str(given), re.ASCII):
        share = float(written[1]) / (100 if written[2] else 1)
        if share <= 1:
            return share
    raise CommandError(f"--{name} must be a share of all, such as 54% or 0.54.", returncode=2)
