"""Counts by arm of made rows, against what was worked out by hand."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.evaluation.by_arm import (
    ByArm,
    Counts,
    by_arm,
    by_arm_of,
    counted,
)
from referrals.rules.trial.analysis import OpenCases, Outcome, Plan

LEFT_OUT = Plan(open_cases=OpenCases.LEFT_OUT)


def _rows(src: dict[int | None, int], control: dict[int | None, int]) -> list[dict[str, Any]]:
    """So many rows of each outcome code."""
    return [
        {"arm": arm, "outcome": code}
        for arm, codes in (("src", src), ("control", control))
        for code in Counter(codes).elements()
    ]


# Of 10 under SRC 4 withdrew, 1 was charged and 2 are open; of 8 in control 5 withdrew and 2 are open.
ROWS = _rows({14: 1, 16: 3, 1: 1, 18: 3, None: 2}, {16: 5, 8: 1, None: 2})


def test_it_counts_each_arm_by_itself() -> None:
    counts = by_arm(ROWS, Plan())
    assert counts.src == Counts(units=10, closed=8, attrition=4, charge=1, positive=1)
    assert counts.control == Counts(units=8, closed=6, attrition=5, charge=0, positive=1)


@pytest.mark.parametrize(("plan", "src", "control"), [(Plan(), 10, 8), (LEFT_OUT, 8, 6)])
def test_the_plan_says_of_how_many(plan: Plan, src: int, control: int) -> None:
    compared = by_arm(ROWS, plan).compared(Outcome.ATTRITION)
    assert (compared.src.number, compared.src.of) == (4, src)
    assert (compared.control.number, compared.control.of) == (5, control)


def test_difference_and_ratio_are_of_src_against_control() -> None:
    compared = by_arm(ROWS, Plan()).primary
    assert compared.risk_difference == pytest.approx(4 / 10 - 5 / 8)
    assert compared.points == pytest.approx(-22.5)
    assert compared.risk_ratio == pytest.approx(0.64)


def test_the_primary_outcome_comes_first() -> None:
    counts = by_arm(ROWS, Plan(primary=Outcome.CHARGE))
    assert [compared.outcome for compared in counts.compared_outcomes] == [
        Outcome.CHARGE,
        Outcome.ATTRITION,
        Outcome.POSITIVE,
    ]
    assert counts.primary.src.number == 1


def test_there_is_no_ratio_to_nobody() -> None:
    compared = by_arm(ROWS, Plan()).compared(Outcome.CHARGE)
    assert compared.risk_ratio is None
    assert compared.risk_difference == pytest.approx(0.1)


def test_there_is_nothing_to_compare_without_a_unit_to_count() -> None:
    compared = by_arm(_rows({16: 2}, {None: 3}), LEFT_OUT).primary
    assert compared.control.value is None
    assert (compared.risk_difference, compared.points, compared.risk_ratio) == (None, None, None)


@pytest.mark.parametrize(
    ("code", "counts"),
    [
        (None, Counts(units=1)),
        (1, Counts(units=1, closed=1, charge=1, positive=1)),
        (7, Counts(units=1, closed=1)),
        (14, Counts(units=1, closed=1, attrition=1)),
        (16, Counts(units=1, closed=1, attrition=1)),
        (22, Counts(units=1, closed=1, positive=1)),
    ],
)
def test_a_code_counts_as_the_plan_defines_it(code: int | None, counts: Counts) -> None:
    assert counted([code], Plan()) == counts


CODES = st.lists(st.none() | st.integers(1, 22))


@given(CODES, CODES)
def test_what_is_kept_is_read_back(src: list[int | None], control: list[int | None]) -> None:
    rows = _rows(Counter(src), Counter(control))
    counts = by_arm(rows, LEFT_OUT)
    assert (
        by_arm_of(counts.document, LEFT_OUT)
        == counts
        == ByArm(counted(src, LEFT_OUT), counted(control, LEFT_OUT), LEFT_OUT)
    )
