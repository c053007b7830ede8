"""The system checks of referrals."""

from datetime import timedelta

import pytest
import time_machine

from referrals.apps import bank_holidays_are_known
from referrals.rules.bank_holidays import list_ends_on


@pytest.mark.parametrize(("days_before", "warns"), [(366, False), (365, True), (0, True), (-400, True)])
def test_a_year_before_the_bank_holidays_end_somebody_is_warned(days_before: int, warns: bool) -> None:
    with time_machine.travel(list_ends_on() - timedelta(days=days_before)):
        found = bank_holidays_are_known()
    assert [each.id for each in found] == (["referrals.W001"] if warns else [])
    assert all(each.hint for each in found)
