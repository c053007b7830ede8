"""What may lie behind compliance: dated changes, wards beside each other, briefings, goals."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate

from referrals.compliance.readers.contact import Compliance, Contact, WardContact, Week
from referrals.compliance.readers.overdue import teams_in_sight
from referrals.models import (
    Bcu,
    Briefing,
    BriefingAttendance,
    DeadlinePolicy,
    NotedChange,
    Referral,
    SavedView,
    Team,
    TeamGoal,
    TeamMembership,
)
from referrals.rules.shares import FEWEST, Limits, beyond_chance, difference, funnel
from referrals.scope import teams_led_by, wards_visible_to
from src_app.accounts.models import User

# Treatment integrity: Neyroud (2017), "Learning to Field Test in Policing", doctoral thesis, Cambridge.
BENCHMARK, TRIALS_PASSED, TRIALS = 60, 78, 122
_MOST_CHANGES = 50


@dataclass(frozen=True)
class Change:
    """Something that changed on a day; ``key`` names it in an address."""

    key: str
    on: date
    words: str


def changes_in_sight(user: User, on: date) -> list[Change]:
    """Briefings of the account's people, deadlines of its BCUs and what was noted; the latest first."""
    teams = list(teams_in_sight(user).values_list("pk", flat=True))
    bcus = list(Bcu.objects.filter(boroughs__wards__in=wards_visible_to(user)).values_list("pk", flat=True))
    people = TeamMembership.objects.filter(TeamMembership.current(on), team__in=teams).values("user")
    there = BriefingAttendance.objects.filter(briefing=OuterRef("pk"), user__in=people, was_there=True)
    briefings = Briefing.objects.filter(Exists(there), held_on__lte=on).order_by("-held_on", "-pk")
    policies = DeadlinePolicy.objects.filter(bcu__in=bcus, starts_on__lte=on).order_by("-starts_on", "-pk")
    noted = NotedChange.objects.filter(Q(bcu__in=bcus) | Q(team__in=teams), happened_on__lte=on).order_by(
        "-happened_on", "-pk"
    )
    found = [
        *(
            Change(f"briefing-{each.pk}", each.held_on, f"Briefing: {each.title}")
            for each in briefings[:_MOST_CHANGES]
        ),
        *(
            Change(f"deadlines-{each.pk}", each.starts_on, f"New deadlines: {each.bcu}")
            for each in policies.select_related("bcu")[:_MOST_CHANGES]
        ),
        *(Change(f"noted-{each.pk}", each.happened_on, each.text) for each in noted[:_MOST_CHANGES]),
    ]
    return sorted(found, key=lambda change: change.on, reverse=True)


def begins_anew(weeks: list[Week], change: Change | None) -> int:
    """The place of the first week that lies wholly after the change; 0 without one."""
    if change is None:
        return 0
    return next((place for place, week in enumerate(weeks) if week.monday >= change.on), len(weeks))


@dataclass(frozen=True)
class FunnelWard:
    """A ward with referrals due; ``beyond``: -1 or 1 where its share is lower or higher than by chance."""

    row: WardContact
    limits: Limits
    beyond: int


@dataclass(frozen=True)
class Funnel:
    """The wards beside each other, around the share of them all; ``few`` have fewer than ``FEWEST``."""

    share: Contact
    wards: list[FunnelWard]
    few: int

    @property
    def curve(self) -> list[Limits]:
        """The limits at some thirty numbers up to the largest, for the picture."""
        most = max((each.row.contact.due for each in self.wards), default=0)
        return funnel(list(range(1, most + 1, max(1, most // 30))), self.share.share) if most else []

    @property
    def finding(self) -> str:
        """The finding, as a heading."""
        low = [each.row.ward.name for each in self.wards if each.beyond < 0]
        high = [each.row.ward.name for each in self.wards if each.beyond > 0]
        if not low and not high:
            return "Wards differ by no more than chance"
        parts = [
            f"{side} than chance explains: {', '.join(names)}"
            for side, names in (("lower", low), ("higher", high))
            if names
        ]
        return f"Contact in time is {'; '.join(parts)}"


def funnel_of(counted: Compliance) -> Funnel:
    """Exact binomial limits around the share of all wards counted."""
    rows = sorted((row for row in counted.wards if row.contact.due), key=lambda row: row.ward.name)
    share = counted.total.share
    limits = funnel([row.contact.due for row in rows], share) if rows else []
    wards = [
        FunnelWard(row, limit, beyond_chance(row.contact.in_time, row.contact.due, share))
        for row, limit in zip(rows, limits, strict=True)
    ]
    return Funnel(counted.total, wards, sum(row.contact.due < FEWEST for row in rows))


@dataclass(frozen=True)
class Side:
    """Referrals due, and how many of them were contacted in time."""

    in_time: int
    due: int


@dataclass(frozen=True)
class Briefed:
    """Referrals by whether whoever has them had been briefed before they were made.

    ``untaken``: nobody has them, so that they are on neither side. The difference and its interval are in
    points, and None where either side has fewer than ``FEWEST``.
    """

    briefed: Side
    others: Side
    untaken: Side

    @property
    def difference(self) -> tuple[float, float, float] | None:
        if min(self.briefed.due, self.others.due) < FEWEST:
            return None
        found = difference(self.briefed.in_time, self.briefed.due, self.others.in_time, self.others.due)
        points, low, high = (100 * each for each in found)
        return points, low, high


# The three sides, in words.
SIDES = {
    "briefed": "Had been briefed before it was made",
    "others": "Had not",
    "untaken": "Nobody has it",
}
_ON_SIDE = {
    "briefed": Q(was_briefed=True),
    "others": Q(was_briefed=False, taken_by__isnull=False),
    "untaken": Q(taken_by__isnull=True),
}


def on_side(side: str, referrals: "QuerySet[Referral]", at: datetime) -> "QuerySet[Referral]":
    """Those of the referrals that are on the side, one of ``SIDES``."""
    return _with_briefing(referrals, at).filter(_ON_SIDE[side])


def briefed_of(referrals: "QuerySet[Referral]", at: datetime) -> Briefed:
    """Of the referrals that are due or have ended; in one query."""
    counted = _with_briefing(referrals, at).aggregate(
        **{
            f"{side}_{what}": Count("pk", filter=condition & also)
            for side, condition in _ON_SIDE.items()
            for what, also in (("in_time", Q(contacted_at__lte=F("due_at"))), ("due", Q()))
        }
    )
    return Briefed(**{side: Side(counted[f"{side}_in_time"], counted[f"{side}_due"]) for side in SIDES})


def _with_briefing(referrals: "QuerySet[Referral]", at: datetime) -> "QuerySet[Referral]":
    """Those that are due or have ended, each with ``was_briefed``.

    By whoever has the referral, not by team: attendance is recorded person by person, and it is one person
    who makes the contact. A briefing on the day the referral was made does not count.
    """
    attended = BriefingAttendance.objects.filter(
        user=OuterRef("taken_by"), was_there=True, briefing__held_on__lt=OuterRef("made_on")
    )
    counted = referrals.filter(Q(due_at__lt=at) | Q(closed_at__isnull=False))
    return counted.annotate(made_on=TruncDate("made_at")).annotate(was_briefed=Exists(attended))


def goals_of(user: User, on: date) -> list[TeamGoal]:
    """The goal of each of the account's own teams whose day has not passed: for their supervisor."""
    teams: QuerySet[Team] = teams_led_by(user)
    last = TeamGoal.objects.filter(team__in=teams).order_by("team", "-pk").distinct("team")
    return [goal for goal in last.select_related("team") if goal.by_day >= on]


def views_of(user: User) -> "QuerySet[SavedView]":
    """What the account has saved, by name."""
    return SavedView.objects.filter(user=user).order_by("name", "pk")
