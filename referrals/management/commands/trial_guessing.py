"""Simulates how often the next arm of a trial is guessed rightly."""

import json
from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from referrals.rules.trial.allocation import ImpossibleDesign
from referrals.rules.trial.guessing import Rate, guessing, ordering

_BOUNDS = {"target": (8, 2_000), "strata": (2, 50), "trials": (100, 100_000), "seed": (0, 999_999)}


class Command(BaseCommand):
    """``trial_guessing [--target N] [--strata N] [--trials N] [--seed N] [--json]``.

    Exit 0 when every rate that theory knows is within four standard errors of it, 1 when one is not, 2 for
    numbers that no trial can have. Looks at no trial and at no case.
    """

    help = (
        "Simulates, for each scheme of allocation, how often somebody who knows every arm so far guesses the "
        "next one, and what choosing the order of a day's cases would gain."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--target", default=250, help="units of a trial")
        parser.add_argument("--strata", default=4, help="strata, each as likely")
        parser.add_argument("--trials", default=1_000, help="trials to simulate of each scheme")
        parser.add_argument("--seed", default=1, help="the same seed gives the same figures")
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")

    def handle(self, **options: Any) -> None:
        asked = {name: _whole(name, options[name]) for name in _BOUNDS}
        target, trials = asked["target"], asked["trials"]
        chance = Random(asked["seed"])  # noqa: S311 - a simulation that can be run again
        try:
            guessed = guessing(target=target, strata=asked["strata"], trials=trials, chance=chance)
        except ImpossibleDesign as refused:
            raise CommandError(str(refused), returncode=2) from refused
        ordered = ordering(target=target, trials=trials, chance=chance)
        if options["json"]:
            figures = {
                "guessing": [_figures(rate) for rate in guessed],
                "order": [_figures(r) for r in ordered],
            }
            self.stdout.write(json.dumps({**asked, **figures}, indent=2))
        else:
            self._print("The next arm guessed rightly, by who knows every arm before it:", guessed)
            self._print("Favoured cases that get SRC, two of five a day:", ordered)
        if wrong := [rate for rate in (*guessed, *ordered) if not rate.agrees]:
            named = ", ".join(f"{rate.scheme} ({rate.who})" for rate in wrong)
            raise CommandError(
                f"More than four standard errors from what theory says: {named}.", returncode=1
            )

    def _print(self, heading: str, rates: Sequence[Rate]) -> None:
        self.stdout.write(heading)
        for rate in rates:
            known = f"  theory {float(rate.known):.2%}" if rate.known is not None else ""
            self.stdout.write(
                f"  {rate.scheme:<32}{rate.who:<28}{rate.share:7.2%} ± {rate.error:.2%}"
                f"  {rate.hits:>9,} of {rate.of:,}{known}"
            )


def _whole(name: str, given: str | int) -> int:
    least, most = _BOUNDS[name]
    with suppress(ValueError):
        if least <= (number := int(given)) <= most:
            return number
    raise CommandError(f"--{name} must be a whole number from {least:,} to {most:,}.", returncode=2)


def _figures(rate: Rate) -> dict[str, str | int | float | None]:
    return {
        "scheme": rate.scheme,
        "who": rate.who,
        "hits": rate.hits,
        "of": rate.of,
        "rate": rate.share,
        "standard_error": rate.error,
        "known": None if rate.known is None else float(rate.known),
    }
