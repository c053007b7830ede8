"""The drafts of a day, as they are checked before they are submitted."""

from dataclasses import dataclass

from referrals.models import Bcu
from referrals.review.readers.rows import ReviewRow, rows
from referrals.review.readers.waiting import waiting
from referrals.scope import bcus_of
from src_app.accounts.models import User


@dataclass(frozen=True)
class Day:
    """The drafts of one BCU, to be checked and submitted together."""

    bcu: Bcu
    rows: list[ReviewRow]

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
        return [row for row in self.suitable + self.refer_now if row.notes and not row.restrictions]

    @property
    def calling_for_referral(self) -> list[ReviewRow]:
        """Cases that are not marked to be referred now, though their wishes or notes may call for it."""
        marked = self.refer_now
        return [row for row in self.rows if row.calls_for_referral and row not in marked]

    @property
    def without_team(self) -> list[ReviewRow]:
        """Cases that go to a team, with neither a ward nor a team chosen: they hold up the submission."""
        return [
            row
            for row in self.suitable + self.refer_now
            if row.case.ward is None and row.decision and row.decision.team is None
        ]


def drafted_days(user: User) -> list[Day]:
    """The drafts that wait for submission, by BCU."""
    drafted = rows(user, waiting(user).filter(decision__isnull=False))
    return [
        Day(bcu=bcu, rows=[row for row in drafted if row.case.bcu_id == bcu.pk])
        for bcu in bcus_of(user).order_by("name")
        if any(row.case.bcu_id == bcu.pk for row in drafted)
    ]
