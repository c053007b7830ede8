"""The drafts of a day, as they are checked before they are submitted."""

from dataclasses import dataclass

from referrals.models import Bcu
from referrals.review.readers.rows import ReviewRow, rows
from referrals.review.readers.waiting import waiting
from referrals.scope import bcus_of
from src_app.accounts.models import User


@dataclass(frozen=True)
class Day:
    """The drafts of one BCU, to be checked and submitted together.

    ``held_back``: what goes to a team and has neither a ward nor a team chosen, or cannot be suitable any
    more. It waits until somebody sees to it, and the others are submitted without it.
    """

    bcu: Bcu
    rows: list[ReviewRow]
    held_back: list[ReviewRow]

    @property
    def suitable(self) -> list[ReviewRow]:
        return [row for row in self.rows if row.decision and row.decision.suitable]

    @property
    def refer_now(self) -> list[ReviewRow]:
        """Cases that are referred outside any trial as soon as they are submitted."""
        return [row for row in self.rows if row.decision and row.decision.referred_anyway]

    @property
    def not_suitable(self) -> list[ReviewRow]:
        going = self.suitable + self.refer_now
        return [row for row in self.rows if row not in going]

    @property
    def notes_to_read(self) -> list[ReviewRow]:
        """Cases that go to a team with a safety note and without a restriction."""
        return [row for row in self.suitable + self.refer_now if row.asks_for_restrictions]

    @property
    def calling_for_referral(self) -> list[ReviewRow]:
        """Cases that are not marked to be referred now, though their wishes or notes may call for it."""
        marked = self.refer_now
        return [row for row in self.rows if row.calls_for_referral and row not in marked]


def drafted_days(user: User) -> list[Day]:
    """The drafts that wait for submission, by BCU."""
    drafted = rows(user, waiting(user).filter(decision__isnull=False))
    days = []
    for bcu in bcus_of(user).order_by("name"):
        own = [row for row in drafted if row.case.bcu_id == bcu.pk]
        held_back = [row for row in own if _is_held_back(row)]
        if own:
            days.append(Day(bcu, [row for row in own if row not in held_back], held_back))
    return days


def _is_held_back(row: ReviewRow) -> bool:
    if row.decision is None or row.is_not_suitable:
        return False
    without_team = row.case.ward is None and row.decision.team is None
    return without_team or bool(row.decision.suitable and row.ineligible_because)
