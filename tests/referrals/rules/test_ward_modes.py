"""The mode of a ward that counts, given how the trials stand."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.rules.ward_modes import NOT_STARTED, SRC_FOR_ALL, TRIAL, Planned, RecruitmentPhase, mode_on

JANUARY, FEBRUARY, MARCH, APRIL = (date(2027, month, 1) for month in (1, 2, 3, 4))
PLANNED = [
    Planned(JANUARY, NOT_STARTED),
    Planned(FEBRUARY, TRIAL, trial=1),
    Planned(APRIL, NOT_STARTED),
]


@pytest.mark.parametrize(
    ("standing", "counts"),
    [
        (RecruitmentPhase.NOT_YET, (NOT_STARTED, None)),
        (RecruitmentPhase.ON, (TRIAL, 1)),
        (RecruitmentPhase.PAUSED_SRC, (SRC_FOR_ALL, None)),
        (RecruitmentPhase.PAUSED_USUAL, (NOT_STARTED, None)),
        (RecruitmentPhase.OVER, (NOT_STARTED, None)),
    ],
    ids=lambda part: getattr(part, "name", "counts"),
)
def test_a_ward_in_a_trial_has_the_mode_that_the_trials_standing_gives(
    standing: RecruitmentPhase, counts: tuple[str, int | None]
) -> None:
    assert mode_on(MARCH, PLANNED, {1: standing}) == counts


def test_before_its_first_mode_and_after_its_last_trial_a_ward_gives_src_to_all() -> None:
    assert mode_on(date(2026, 12, 31), PLANNED, {1: RecruitmentPhase.ON}) == (SRC_FOR_ALL, None)
    assert mode_on(MARCH, PLANNED[:2], {1: RecruitmentPhase.OVER}) == (SRC_FOR_ALL, None)


def test_a_trial_that_is_over_leaves_the_ward_to_the_next_trial_that_recruits() -> None:
    planned = [Planned(JANUARY, TRIAL, trial=1), Planned(APRIL, TRIAL, trial=2)]
    over = {1: RecruitmentPhase.OVER}
    assert mode_on(MARCH, planned, {**over, 2: RecruitmentPhase.ON}) == (TRIAL, 2)
    assert mode_on(MARCH, planned, {**over, 2: RecruitmentPhase.NOT_YET}) == (SRC_FOR_ALL, None)


@given(
    st.lists(st.sampled_from([(SRC_FOR_ALL, None), (NOT_STARTED, None), (TRIAL, 1), (TRIAL, 2)]), max_size=6),
    st.lists(st.sampled_from(RecruitmentPhase), min_size=2, max_size=2),
    st.integers(0, 7),
)
def test_only_a_trial_that_recruits_ever_allocates(
    modes: list[tuple[str, int | None]], standing: list[RecruitmentPhase], day: int
) -> None:
    planned = [Planned(date(2027, 1, 1 + n), mode, trial) for n, (mode, trial) in enumerate(modes)]
    recruitment = dict(enumerate(standing, start=1))
    mode, trial = mode_on(date(2027, 1, 1 + day), planned, recruitment)
    assert (mode == TRIAL) == (trial is not None)
    if trial is not None:
        assert recruitment[trial] is RecruitmentPhase.ON
        assert any(each.trial == trial for each in planned)
