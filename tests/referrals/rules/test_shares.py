"""Chance and shares of small numbers, against published and hand-worked figures."""

from math import comb

import pytest

from referrals.rules.shares import OUTER, beyond_chance, difference, funnel


def test_a_difference_has_newcombes_interval() -> None:
    # Newcombe (1998), table II, example (a), method 10.
    assert difference(56, 70, 48, 80) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def _at_most(part: int, number: int, share: float) -> float:
    return sum(comb(number, k) * share**k * (1 - share) ** (number - k) for k in range(part + 1))


@pytest.mark.parametrize("number", [5, 12, 40])
@pytest.mark.parametrize("share", [0.3, 0.85])
def test_what_is_beyond_chance_is_told_by_the_exact_binomial(number: int, share: float) -> None:
    for part in range(number + 1):
        low = _at_most(part, number, share) < OUTER
        high = 1 - _at_most(part - 1, number, share) < OUTER
        assert beyond_chance(part, number, share) == (-1 if low else 1 if high else 0)


def test_small_numbers_shame_no_one() -> None:
    assert beyond_chance(0, 4, 0.999) == 0
    assert beyond_chance(0, 5, 0.999) == -1


def test_limits_close_in_and_keep_their_order() -> None:
    found = funnel([1, 10, 100, 1000], 0.7)
    for each in found:
        assert 0 <= each.low <= each.inner_low <= 0.7 <= each.inner_high <= each.high <= 1
    widths = [each.high - each.low for each in found]
    assert widths == sorted(widths, reverse=True)
    # About 3.1 standard errors of 1,000 at 70%.
    assert found[-1].low == pytest.approx(0.7 - 3.09 * 0.01449, abs=0.002)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_where_all_or_none_were_in_time_there_is_no_ward_beyond_chance(share: float) -> None:
    assert beyond_chance(int(20 * share), 20, share) == 0
    assert [(each.low, each.high) for each in funnel([20], share)] == [(share, share)]
