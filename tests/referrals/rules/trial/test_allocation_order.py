"""Whether cases were allocated in their turn."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from referrals.rules.trial.allocation_order import (
    Report,
    Taken,
    days_in_parts,
    out_of_turn,
)

START = datetime(2026, 11, 23, 8, tzinfo=UTC)


def at(hours: int) -> datetime:
    return START + timedelta(hours=hours)


def unit(reported: int, allocated: int, stratum: str = "a", submission: int = 1) -> Taken:
    return Taken(stratum, at(reported), at(allocated), at(allocated).date(), submission)


def report(reported: int, imported: int, decided: int | None, stratum: str = "a") -> Report:
    return Report(stratum, at(reported), at(imported), None if decided is None else at(decided))


def test_an_earlier_report_that_was_known_and_undecided_was_passed_over() -> None:
    assert out_of_turn([unit(2, 10)], [report(1, 9, None)]) == 1
    assert out_of_turn([unit(2, 10)], [report(1, 10, 11)]) == 1


def test_a_report_decided_by_then_was_not() -> None:
    """Decided in the same submission, or before it."""
    assert out_of_turn([unit(2, 10)], [report(1, 9, 10), report(1, 5, 6), report(2, 9, 10)]) == 0


def test_a_report_imported_later_could_not_be_chosen() -> None:
    assert out_of_turn([unit(2, 10)], [report(1, 11, None)]) == 0


def test_a_later_report_or_one_of_another_stratum_waits_in_its_turn() -> None:
    assert out_of_turn([unit(2, 10)], [report(3, 9, None), report(2, 9, None), report(1, 9, None, "b")]) == 0


@given(
    units=st.lists(
        st.builds(unit, st.integers(0, 12), st.integers(0, 30), st.sampled_from("ab")), max_size=12
    ),
    reports=st.lists(
        st.builds(
            report,
            st.integers(0, 12),
            st.integers(0, 30),
            st.none() | st.integers(0, 40),
            st.sampled_from("ab"),
        ),
        max_size=12,
    ),
)
def test_it_is_the_same_as_looking_at_every_pair(units: list[Taken], reports: list[Report]) -> None:
    pairs = sum(
        any(
            waiting.stratum == taken.stratum
            and waiting.reported_at < taken.reported_at
            and waiting.imported_at <= taken.at
            and (waiting.decided_at is None or waiting.decided_at > taken.at)
            for waiting in reports
        )
        for taken in units
    )
    assert out_of_turn(units, reports) == pairs


def test_a_day_in_parts_has_units_of_more_than_one_submission() -> None:
    units = [
        unit(1, 2, submission=1),
        unit(1, 2, submission=1),
        unit(1, 4, submission=2),
        unit(1, 26, submission=3),
    ]
    assert days_in_parts(units) == (1, 2)
    assert days_in_parts([]) == (0, 0)
    assert {taken.day for taken in units} == {date(2026, 11, 23), date(2026, 11, 24)}
