"""Bank holidays of England and Wales, from the official list that a package of the same name holds.

Nothing is fetched: a new release of the package brings a longer list. One that was proclaimed since then is
added by the administrator.
"""

from datetime import date
from functools import cache

from govuk_bank_holidays.bank_holidays import BankHolidays


@cache
def listed_holidays() -> dict[date, str]:
    """The days of the list with their names, the earliest first."""
    listed = BankHolidays(use_cached_holidays=True).get_holidays(division=BankHolidays.ENGLAND_AND_WALES)
    return {each["date"]: each["title"] for each in listed}


def list_ends_on() -> date:
    """The last day of the last year of which the list has Christmas."""
    return date(max(day.year for day in listed_holidays() if day.month == 12), 12, 31)
