"""The drafts of a day, as they are checked before they are submitted."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils import timezone

from referrals.models import Bcu, Case, Ward
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
    served = _served_wards(drafted)
    questions = _questions_of_trials(drafted, served)
    days = []
    for bcu in bcus_of(user).order_by("name"):
        own = [row for row in drafted if row.case.bcu_id == bcu.pk]
        held_back = {
            row.case.pk: HeldBack(row, questions[row.case.pk])
            for row in own
            if questions[row.case.pk] or _cannot_go_out(row, served)
        }
        if own:
            going = [row for row in own if row.case.pk not in held_back]
            days.append(Day(bcu, going, list(held_back.values())))
    return days


def _served_wards(drafted: list[ReviewRow]) -> dict[int, int]:
    """By the key of each team that was chosen, that of the ward the submission takes: the first it covers."""
    teams = {row.decision.team_id for row in drafted if row.decision and row.decision.team_id}
    wards = Ward.objects.filter(team__in=teams).order_by("team", "code").distinct("team")
    return dict(wards.values_list("team", "pk")) if teams else {}


def _cannot_go_out(row: ReviewRow, served: Mapping[int, int]) -> bool:
    decision = row.decision
    if decision is None or row.is_not_suitable:
        return False
    without_team = decision.team_id not in served if decision.team_id else row.team_is_needed
    return without_team or bool(decision.suitable and row.ineligible_because)


def _questions_of_trials(drafted: list[ReviewRow], served: Mapping[int, int]) -> defaultdict[int, list[str]]:
    """By the suitable case's key: the open questions that the trial of the ward that counts balances by.

    A later report of a unit is asked about too, though the unit's first report decides about it.
    """
    found: defaultdict[int, list[str]] = defaultdict(list)
    homes: dict[Case, int | None] = {}
    for row in drafted:
        if row.case.questions and row.decision and row.decision.suitable:
            team = row.decision.team_id
            homes[row.case] = row.case.ward_id if row.case.is_placed else served.get(team or 0)
    modes = WardModes({home for home in homes.values() if home})
    for case, home in homes.items():
        day = timezone.localdate(case.reported_at)
        if home and (trial := modes.effective_mode(home, day).trial):
            found[case.pk] = questions_that_decide(trial, case)
    return found
