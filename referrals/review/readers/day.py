"""The drafts of a day, as they are checked before they are submitted."""

from collections import defaultdict
from dataclasses import dataclass

from django.utils import timezone

from referrals.models import Bcu
from referrals.places.ward_modes import WardModes
from referrals.review.readers.rows import ReviewRow, rows
from referrals.review.readers.waiting import waiting
from referrals.scope import bcus_of
from referrals.trial.readers.open_questions import questions_that_decide
from src_app.accounts.models import User


@dataclass(frozen=True)
class HeldBack:
    """A draft that waits until somebody sees to it. ``questions``: what its trial balances by and is open."""

    row: ReviewRow
    questions: list[str]


@dataclass(frozen=True)
class Day:
    """The drafts of one BCU, to be checked and submitted together.

    ``held_back``: what goes to a team and has neither a ward nor a team chosen, cannot be suitable any more,
    or has an open question that its trial balances by. The others are submitted without it.
    """

    bcu: Bcu
    rows: list[ReviewRow]
    held_back: list[HeldBack]

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
    questions = _questions_of_trials(drafted)
    days = []
    for bcu in bcus_of(user).order_by("name"):
        own = [row for row in drafted if row.case.bcu_id == bcu.pk]
        held_back = {
            row.case.pk: HeldBack(row, questions[row.case.pk])
            for row in own
            if questions[row.case.pk] or _cannot_go_out(row)
        }
        if own:
            going = [row for row in own if row.case.pk not in held_back]
            days.append(Day(bcu, going, list(held_back.values())))
    return days


def _cannot_go_out(row: ReviewRow) -> bool:
    if row.decision is None or row.is_not_suitable:
        return False
    without_team = row.team_is_needed and row.decision.team is None
    return without_team or bool(row.decision.suitable and row.ineligible_because)


def _questions_of_trials(drafted: list[ReviewRow]) -> defaultdict[int, list[str]]:
    """By the suitable case's key: the open questions that the trial of its ward balances by."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    asked = [row.case for row in drafted if row.case.questions and row.decision and row.decision.suitable]
    modes = WardModes({case.ward_id for case in asked if case.ward_id})
    for case in asked:
        day = timezone.localdate(case.reported_at)
        trial = modes.effective_mode(case.ward_id, day).trial if case.ward_id else None
        if trial:
            found[case.pk] = questions_that_decide(trial, case)
    return found
