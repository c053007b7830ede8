"""``trial_guessing [--target N] [--strata N] [--trials N] [--seed N] [--json]``."""

import json
from fractions import Fraction
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from referrals.management.commands import trial_guessing
from referrals.rules.trial.guessing import rate

SMALL = ("--target", "40", "--trials", "100")


def test_the_figures_as_json_with_denominators_and_standard_errors(capsys: Any) -> None:
    call_command("trial_guessing", *SMALL, "--strata", "3", "--seed", "2", "--json")
    report = json.loads(capsys.readouterr().out)
    assert {name: report[name] for name in ("target", "strata", "trials", "seed")} == {
        "target": 40,
        "strata": 3,
        "trials": 100,
        "seed": 2,
    }
    assert (len(report["guessing"]), len(report["order"])) == (10, 9)
    for each in [*report["guessing"], *report["order"]]:
        assert each["rate"] == each["hits"] / each["of"]
        assert 0 < each["standard_error"] < 0.1
    simple = report["guessing"][0]
    assert (simple["scheme"], simple["who"], simple["of"], simple["known"]) == (
        "simple",
        "convergence",
        4_000,
        0.5,
    )


def test_without_json_a_person_can_read_it(capsys: Any) -> None:
    call_command("trial_guessing", *SMALL)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 21
    assert lines[0] == "The next arm guessed rightly, by who knows every arm before it:"
    assert lines[3].startswith("  blocks of 4                     convergence")
    assert " of 4,000  theory 70.83%" in lines[3]


def test_the_same_seed_gives_the_same_figures(capsys: Any) -> None:
    def printed(seed: str) -> str:
        call_command("trial_guessing", *SMALL, "--seed", seed)
        return str(capsys.readouterr().out)

    assert printed("1") == printed("1") != printed("2")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (("--target", "7"), "--target must be a whole number from 8 to 2,000."),
        (("--target", "2001"), "--target must be a whole number from 8 to 2,000."),
        (("--target", "251"), "The target must be a multiple of 2, so that the ratio can be exact."),
        (("--strata", "1"), "--strata must be a whole number from 2 to 50."),
        (("--trials", "many"), "--trials must be a whole number from 100 to 100,000."),
        (("--seed", "-1"), "--seed must be a whole number from 0 to 999,999."),
        (("--trials", "99"), "--trials must be a whole number from 100 to 100,000."),
    ],
    ids=str,
)
def test_numbers_that_no_trial_can_have_are_exit_2_and_one_line(
    asked: tuple[str, str], sentence: str, capsys: Any
) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("trial_guessing", *asked)
    assert (str(refused.value), refused.value.returncode) == (sentence, 2)
    assert capsys.readouterr().out == ""


def test_a_rate_far_from_theory_is_exit_1_and_named(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    wrong = rate("simple", "convergence", [(9, 10), (8, 10)] * 50, Fraction(1, 2))
    monkeypatch.setattr(trial_guessing, "guessing", lambda **_asked: [wrong])
    with pytest.raises(CommandError, match=r"four standard errors .*: simple \(convergence\)\.") as caught:
        call_command("trial_guessing", *SMALL)
    assert caught.value.returncode == 1
    assert "85.00%" in capsys.readouterr().out
