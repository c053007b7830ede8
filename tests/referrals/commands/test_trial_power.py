"""``trial_power --units N --control RATE --src RATE`` and what weakens the trial."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from referrals.rules.trial.power import Assumed, summary_of

PLAN = ("--units", "250", "--control", "54%", "--src", "42%")
WEAKER = ("--complied", "90%", "--contaminated", ".05", "--lost", "0.1", "--alpha", "1%", "--one-sided")


def test_a_person_reads_sentences(capsys: Any) -> None:
    call_command("trial_power", *PLAN)
    assert tuple(capsys.readouterr().out.splitlines()) == summary_of(Assumed(250, 0.54, 0.42)).sentences


def test_the_figures_as_json_with_what_was_assumed(capsys: Any) -> None:
    call_command("trial_power", *PLAN, *WEAKER, "--ratio", "3:2", "--power", "90%", "--json")
    report = json.loads(capsys.readouterr().out)
    assert report.pop("assumed") == {
        "units": 250,
        "ratio": [3, 2],
        "control_rate": 0.54,
        "src_rate": 0.42,
        "complied": 0.9,
        "contaminated": 0.05,
        "lost": 0.1,
        "alpha": 0.01,
        "one_sided": True,
    }
    assert report.pop("aim") == 0.9
    summary = summary_of(Assumed(250, 0.54, 0.42, (3, 2), 0.9, 0.05, 0.1, 0.01, one_sided=True), 0.9)
    assert summary.detectable is not None
    assert report == {
        "power": summary.power,
        "units_needed": summary.units_needed,
        "detectable": {
            "src_rate": summary.detectable.src_rate,
            "points": summary.detectable.points,
        },
        "sentences": list(summary.sentences),
        "per_arm": [150, 100],
        "diluted": list(summary.diluted),
        "warnings": [],
    }


def test_a_rate_may_be_written_either_way(capsys: Any) -> None:
    said = set()
    for control, src in (("54%", "42%"), (".54", "0.42"), ("54.0%", ".420")):
        call_command("trial_power", "--units", "250", "--control", control, "--src", src)
        said.add(capsys.readouterr().out)
    assert len(said) == 1


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["words", "json"])
def test_a_figure_not_to_be_relied_on_is_printed_and_exit_1(as_json: tuple[str, ...], capsys: Any) -> None:
    with pytest.raises(CommandError, match=r"^Not every figure can be relied on\.$") as refused:
        call_command("trial_power", "--units", "60", "--control", "2%", "--src", "22%", *as_json)
    assert refused.value.returncode == 1
    printed = capsys.readouterr().out
    assert "Do not rely on the chance of finding it: about 0.6 of 30 control cases" in printed
    assert not as_json or len(json.loads(printed)["warnings"]) == 4


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (("--units", "many"), "--units must be a whole number, such as 250."),
        (("--units", "-4"), "--units must be a whole number, such as 250."),
        (("--units", "1"), "Plan at least 2 cases, one for each part of the ratio."),
        (("--ratio", "1"), "--ratio must be SRC to control in whole numbers, such as 1:1 or 2:1."),
        (("--ratio", "2:2"), "Write the ratio in its lowest terms: 1:1, not 2:2."),
        (("--control", "54"), "--control must be a share of all, such as 54% or 0.54."),
        (("--control", "nan"), "--control must be a share of all, such as 54% or 0.54."),
        (("--src", "."), "--src must be a share of all, such as 54% or 0.54."),
        (("--src", "101%"), "--src must be a share of all, such as 54% or 0.54."),
        (("--src", "54%"), "The rates with and without contact must differ: no trial finds nothing."),
        (("--src", "0"), "The rate with contact must be from 0.1% to 99.9%."),
        (("--lost", "100%"), "The share of unknown outcomes must be from 0% to 99%."),
        (("--power", "40%"), "The power to aim for must be from 50% to 99%; 80% is usual."),
    ],
    ids=str,
)
def test_what_no_trial_can_have_is_exit_2_and_one_line(
    asked: tuple[str, str], sentence: str, capsys: Any
) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("trial_power", *PLAN, *asked)
    assert (str(refused.value), refused.value.returncode) == (sentence, 2)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("left_out", ["--units", "--control", "--src"])
def test_what_the_trial_is_must_be_given(left_out: str) -> None:
    given = {name: value for name, value in zip(PLAN[::2], PLAN[1::2], strict=True) if name != left_out}
    with pytest.raises(CommandError, match=rf"required: {left_out}$"):
        call_command("trial_power", *(part for pair in given.items() for part in pair))
