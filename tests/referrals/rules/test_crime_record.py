"""How a flag stands by a list from the crime management system."""

from datetime import date, timedelta

import pytest

from referrals.rules.crime_record import FlagStanding, RecordedFlag, flag_standing

TAKEN = date(2026, 11, 23)
BEFORE, AFTER = TAKEN - timedelta(days=1), TAKEN + timedelta(days=1)
MATCHING, MISSING, NOT_CONFIRMED, TO_REMOVE, OFF, EXTRA = (
    FlagStanding.MATCHING,
    FlagStanding.MISSING,
    FlagStanding.NOT_CONFIRMED,
    FlagStanding.TO_REMOVE,
    FlagStanding.OFF,
    FlagStanding.EXTRA,
)


@pytest.mark.parametrize(
    ("flag", "listed", "not_listed"),
    [
        (None, EXTRA, None),
        (RecordedFlag(BEFORE), NOT_CONFIRMED, MISSING),
        (RecordedFlag(TAKEN), NOT_CONFIRMED, MISSING),
        (RecordedFlag(AFTER), NOT_CONFIRMED, None),
        (RecordedFlag(BEFORE, confirmed_on=BEFORE), MATCHING, MISSING),
        (RecordedFlag(BEFORE, confirmed_on=TAKEN), MATCHING, MISSING),
        (RecordedFlag(BEFORE, confirmed_on=AFTER), MATCHING, None),
        (RecordedFlag(BEFORE, ruled_out=True), TO_REMOVE, None),
        (RecordedFlag(BEFORE, confirmed_on=BEFORE, ruled_out=True), TO_REMOVE, OFF),
        (RecordedFlag(BEFORE, confirmed_on=TAKEN, ruled_out=True), TO_REMOVE, None),
        (RecordedFlag(BEFORE, confirmed_on=AFTER, ruled_out=True), TO_REMOVE, None),
        (RecordedFlag(BEFORE, confirmed_on=BEFORE, ruled_out=True, removed_on=BEFORE), TO_REMOVE, None),
        (RecordedFlag(BEFORE, confirmed_on=BEFORE, ruled_out=True, removed_on=TAKEN), None, None),
        (RecordedFlag(BEFORE, confirmed_on=BEFORE, ruled_out=True, removed_on=AFTER), None, None),
    ],
)
def test_a_flag_stands_by_what_is_recorded_and_whether_it_is_in_the_list(
    flag: RecordedFlag | None, listed: FlagStanding | None, not_listed: FlagStanding | None
) -> None:
    assert flag_standing(flag, in_list=True, taken_on=TAKEN) == listed
    assert flag_standing(flag, in_list=False, taken_on=TAKEN) == not_listed
