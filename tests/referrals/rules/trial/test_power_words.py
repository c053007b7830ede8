"""What a trial's power is called in plain words: each number worked out, each warning where it belongs."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.rules.trial.power import (
    Assumed,
    detectable,
    for_a_decision,
    power,
    sentences,
    summary_of,
    units_needed,
)
from tests.referrals.rules.trial.test_power import PLAN, assumptions


def paragraphs(text: str) -> list[str]:
    return [" ".join(each.split()) for each in text.split("\n\n")]


def test_a_plain_trial_in_four_sentences() -> None:
    assert sentences(PLAN) == paragraphs("""
        With 250 cases, 125 in each group, a fall from 54% to 42% would be found in about 48 of 100 such
        trials; the others would miss it.

        To find it in 80 of 100 such trials takes 542 cases, 271 in each group: 292 more than planned.

        The smallest fall that 250 cases find in 80 of 100 such trials is one of 17.6 points, from 54% to
        36.4%; a trial that finds nothing would not rule out a smaller one.

        If the contact changed nothing, about 5 of 100 such trials would find a difference all the same.
    """)


def test_whoever_decides_is_told_in_cases_of_100() -> None:
    # Power 80% is at 17.6 points, as above, and 50% at 12.4.
    assert for_a_decision(PLAN) == paragraphs("""
        Without the contact 54 of 100 cases are expected to have the outcome; it is hoped that with it 42 of
        100 do.

        With 250 cases it would find a difference of 18 in 100, or larger, four times out of five.

        It would find a difference of 13 in 100 every other time, and would usually miss a smaller one. If it
        finds nothing, the contact may still make a smaller difference.
    """)


def test_a_trial_that_could_find_nothing_says_so_and_a_rough_figure_is_called_rough() -> None:
    tiny = replace(PLAN, units=20, control_rate=0.05, src_rate=0.02)
    said = for_a_decision(tiny)
    assert said[1] == "With 20 cases it would find no difference, however large, four times out of five."
    assert said[-1].startswith("These figures are rough")
    assert not any("every other time" in sentence for sentence in said)


@given(assumptions())
def test_a_difference_that_is_named_is_found_as_often_as_it_says(assumed: Assumed) -> None:
    for sentence in for_a_decision(assumed):
        named = re.search(r"a difference of (\d+) in 100(, or larger,)?", sentence)
        if named:
            away = int(named[1]) / 100
            rate = assumed.control_rate - away if assumed.falls else assumed.control_rate + away
            if 0.001 <= rate <= 0.999:
                assert power(replace(assumed, src_rate=rate)) >= (0.8 if named[2] else 0.5) - 1e-6


def test_everything_that_weakens_a_trial_is_said_with_its_denominators() -> None:
    weak = Assumed(
        3_000, 0.31, 0.25, (2, 1), complied=0.9, contaminated=0.05, lost=0.1, alpha=0.01, one_sided=True
    )
    assert sentences(weak, 0.9) == paragraphs("""
        With 3,000 cases, 2,000 with SRC and 1,000 without, a fall from 31% to 25% would be found
        in about 68 of 100 such trials; the others would miss it.

        90% of SRC cases are assumed to get their contact, and 5% of control cases to get it by accident:
        the groups as allocated would differ by 5.1 points, 30.7% against 25.6%, not by 6.

        The outcomes of 10% of either group are assumed to be unknown at lock: about 1,800 of 2,000 SRC cases
        and 900 of 1,000 control cases count.

        To find it in 90 of 100 such trials takes 5,028 cases, 3,352 with SRC and 1,676 without:
        2,028 more than planned.

        The smallest fall that 3,000 cases find in 90 of 100 such trials is one of 7.7 points, from 31% to
        23.3%; a trial that finds nothing would not rule out a smaller one.

        If the contact changed nothing, about 1 of 100 such trials would find a fall all the same; no rise,
        however large, would be found.
    """)


@given(assumptions(), st.floats(0.5, 0.99))
def test_every_number_is_the_one_worked_out(assumed: Assumed, aim: float) -> None:
    summary = summary_of(assumed, aim)
    assert (summary.power, summary.units_needed, summary.detectable) == (
        power(assumed),
        units_needed(assumed, aim),
        detectable(assumed, aim),
    )
    assert (summary.per_arm, summary.diluted) == (assumed.per_arm, assumed.diluted)
    plain = summary.sentences[len(summary.warnings) :]
    found, needed, least = plain[0], plain[-3], plain[-2]
    assert numbers(found)[0] == assumed.units
    if times := re.search(r"about (\d+) of 100", found):
        assert abs(int(times[1]) - 100 * summary.power) <= 0.5
    else:
        assert not 0.005 < summary.power < 0.995
    if summary.units_needed is None:
        assert needed.startswith("No trial of up to 50,000 cases ")
    else:
        assert numbers(needed)[:3] == [round(100 * aim, 1), 100, summary.units_needed]
    if summary.detectable:
        assert abs(numbers(least)[3] - summary.detectable.points) <= 0.051


def numbers(sentence: str) -> list[float]:
    return [float(each.replace(",", "")) for each in re.findall(r"\d[\d,]*(?:\.\d+)?", sentence)]


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"units": 542}, "takes 542 cases, 271 in each group: the 542 planned are enough."),
        ({"units": 540}, "takes 542 cases, 271 in each group: 2 more than planned."),
        ({"src_rate": 0.5395}, "No trial of up to 50,000 cases would find it in 80 of 100 such trials."),
        ({"units": 10}, "No fall from 54%, not even to 0%, would be found in 80 of 100 such trials."),
        (
            {"units": 10, "src_rate": 0.6},
            "No rise from 54%, not even to 100%, would be found in 80 of 100 such trials.",
        ),
        ({"src_rate": 0.6}, "a rise from 54% to 60% would be found in about 16 of 100 such trials"),
        ({"units": 50_000}, "would be found in more than 99 of 100 such trials"),
        (
            {"units": 10, "src_rate": 0.53, "alpha": 0.001},
            "would be found in fewer than 1 of 100 such trials",
        ),
        ({"src_rate": 0.6, "one_sided": True}, "find a rise all the same; no fall, however large"),
        ({"alpha": 0.005}, "about 0.5 of 100 such trials"),
        ({"complied": 0.925}, "92.5% of SRC cases are assumed to get their contact, and 0% of control cases"),
        (
            {"units": 188, "control_rate": 0.08, "src_rate": 0.05},
            "is one of 8 points, from 8% to less than 0.1%",
        ),
    ],
    ids=str,
)
def test_the_words_fit_the_figures(changed: dict[str, Any], part: str) -> None:
    assert part in " ".join(sentences(replace(PLAN, **changed)))


def test_a_rare_outcome_warns_of_every_figure_that_rests_on_it_and_says_what_to_do() -> None:
    summary = summary_of(Assumed(60, control_rate=0.02, src_rate=0.22))
    assert list(summary.warnings) == paragraphs("""
        Do not rely on the chance of finding it: about 0.6 of 30 control cases are expected to have the
        outcome, fewer than 10.

        Do not rely on the cases needed: about 0.8 of 41 control cases are expected to have the outcome,
        fewer than 10.

        Do not rely on the smallest difference: about 0.6 of 30 control cases are expected to have the
        outcome, fewer than 10.

        Below 10 the method, a normal approximation, can be wrong by many points either way. Ask a
        statistician to simulate the trial or to calculate it exactly.
    """)
    assert summary.sentences[:4] == summary.warnings
    assert summary.sentences[4].startswith("With 60 cases, ")


CHANCE, NEEDED, LEAST = "chance of finding it", "cases needed", "smallest difference"


@pytest.mark.parametrize(
    ("changed", "warned"),
    [
        ({}, []),
        ({"units": 400, "control_rate": 0.10, "src_rate": 0.05}, [LEAST]),
        ({"units": 398, "control_rate": 0.10, "src_rate": 0.05}, [CHANCE, LEAST]),
        ({"control_rate": 0.92, "src_rate": 0.80}, []),
        ({"units": 248, "control_rate": 0.92, "src_rate": 0.80}, [CHANCE, LEAST]),
        ({"lost": 0.1, "control_rate": 0.92, "src_rate": 0.80}, [CHANCE, LEAST]),
        ({"units": 2_000, "control_rate": 0.90, "src_rate": 0.55}, [NEEDED]),
    ],
    ids=str,
)
def test_a_warning_begins_below_ten_expected_cases_of_those_known(
    changed: dict[str, Any], warned: list[str]
) -> None:
    warnings = summary_of(replace(PLAN, **changed)).warnings
    found = [each[1] for text in warnings if (each := re.match(r"Do not rely on the ([^:]+):", text))]
    assert found == warned
    assert len(warnings) == (len(warned) + 1 if warned else 0)


def test_it_warns_of_those_expected_not_to_have_a_common_outcome() -> None:
    (first, *_) = summary_of(Assumed(60, control_rate=0.95, src_rate=0.75)).warnings
    assert "about 1.5 of 30 control cases are expected not to have the outcome" in first
