"""Which digest is due, who chose it, and its numbers, within the row scope of whoever gets it."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from referrals.compliance.readers.contact import Contact, WardContact, compliance_of
from referrals.compliance.readers.periods import Period, midnight
from referrals.contact.readers.follow_ups import follow_ups_open, waiting_for
from referrals.deadlines.readers import deadlines_by_bcu
from referrals.mail.payloads import WeekRow
from referrals.models import (
    FOR_THE_HCOP,
    BcuMembership,
    Digest,
    DigestChoice,
    DigestKind,
    FollowUp,
    Leave,
    Referral,
    ReferralStatus,
    Team,
    TeamMembership,
)
from referrals.scope import referrals_led_by, referrals_visible_to, teams_led_by, teams_of
from src_app.accounts.models import User
from src_app.accounts.roles import Permission

# How long after its time a digest is still written and sent, where a worker was away.
LASTS = {DigestKind.MORNING: timedelta(hours=6), DigestKind.WEEK: timedelta(hours=30)}
SATURDAY = 5


@dataclass(frozen=True)
class Due:
    """The day whose digest is due, and from when until when it is written and sent."""

    on: date
    begins: datetime
    until: datetime


def bcus_by_digest_time(at: datetime) -> dict[time, list[int]]:
    """The BCUs, by key, under the time of day at which their people get their digests."""
    found: dict[time, list[int]] = {}
    for bcu, deadlines in deadlines_by_bcu(at).items():
        found.setdefault(deadlines.digest_at, []).append(bcu)
    return found


def due_digest(kind: DigestKind, at: datetime, time_of_day: time) -> Due | None:
    """The digest that may be written at that moment: of a weekday's morning, or of a week that is over."""
    day = timezone.localdate(at)
    if kind == DigestKind.WEEK:
        day -= timedelta(days=day.weekday())
    begins = timezone.make_aware(datetime.combine(day, time_of_day))
    until = begins + LASTS[kind]
    return Due(day, begins, until) if day.weekday() < SATURDAY and begins <= at < until else None


def choices_without(kind: DigestKind, due: Due, bcus: Collection[int]) -> QuerySet[DigestChoice]:
    """Who of the BCUs chose the digest before it was due and is at work, and has not got it yet.

    A team that is closed has no work: whoever has it now has a digest of their own.
    """
    members = TeamMembership.objects.filter(
        TeamMembership.current(due.on), team__borough__bcu__in=bcus
    ).values("user")
    of_bcu = BcuMembership.objects.filter(BcuMembership.current(due.on), bcu__in=bcus).values("user")
    of_these = Q(team__borough__bcu__in=bcus, team__closed_at=None) | Q(user__in=members) | Q(user__in=of_bcu)
    on_leave = Leave.objects.filter(Leave.current(due.on), user=OuterRef("user"))
    at_work = Q(user__is_active=True, user__email__isnull=False) & ~Exists(on_leave)
    return (
        DigestChoice.objects.filter(
            of_these, Q(team__isnull=False) | at_work, kind=kind, ended_at=None, chosen_at__lte=due.begins
        )
        .filter(~Exists(Digest.objects.filter(choice=OuterRef("pk"), on=due.on)))
        .select_related("user", "team")
        .order_by("pk")
    )


def kinds_for(user: User) -> list[DigestKind]:
    """What the account may choose: what waits for those who act on it, the week for those who see figures."""
    may = {DigestKind.MORNING: Permission.VIEW_REFERRALS, DigestKind.WEEK: Permission.VIEW_COMPLIANCE}
    return [kind for kind, permission in may.items() if user.can(permission)]


def teams_to_choose_for(user: User) -> QuerySet[Team]:
    """Open teams whose mailbox the account may choose a digest for: its own, where it sees to their work."""
    own = teams_led_by(user).filter(pk__in=teams_of(user), closed_at=None)
    return own.order_by("name", "pk")


def choices_of(user: User) -> QuerySet[DigestChoice]:
    """What holds now of what the account may choose."""
    of_user_or_teams = Q(user=user) | Q(team__in=teams_to_choose_for(user))
    return DigestChoice.objects.filter(of_user_or_teams, ended_at=None)


def numbers_of(choice: DigestChoice, at: datetime) -> dict[str, Any]:
    """The numbers of a digest; empty where there is nothing to say."""
    if choice.kind == DigestKind.WEEK:
        assert choice.user is not None
        return _week(choice.user, at)
    return _morning_of_team(choice.team, at) if choice.team else _morning_of_person(choice.user, at)


def _morning_of_person(user: User | None, at: datetime) -> dict[str, Any]:
    assert user is not None
    sees_to_all = user.can(Permission.CHASE_REFERRALS)
    follow_ups = None
    if user.can(Permission.ACKNOWLEDGE_FOLLOW_UPS):
        follow_ups = waiting_for(user, follow_ups_open(user)).count()
    if sees_to_all:
        counted, whose = _morning(referrals_led_by(user), Q(), at), "Referrals of your teams"
    else:
        counted, whose = _morning(referrals_visible_to(user), Q(taken_by=user), at), "Your referrals"
    return _unless_nothing({**counted, "follow_ups": follow_ups}, whose)


def _morning_of_team(team: Team, at: datetime) -> dict[str, Any]:
    is_its_work = Q(referral__team=team) | Q(referral__team__merged_into=team)
    waiting = FollowUp.objects.filter(is_its_work, acknowledged_at=None, done_at=None)
    follow_ups = waiting.exclude(kind__in=FOR_THE_HCOP).count()
    counted = _morning(Referral.objects.filter(team=team), Q(), at)
    return _unless_nothing({**counted, "follow_ups": follow_ups}, f"Referrals of {team.name}")


def _morning(referrals: QuerySet[Referral], whose: Q, at: datetime) -> dict[str, int]:
    """``whose``: of the referrals, those whose due times are counted."""
    to_come = Q(due_at__gte=at, due_at__lt=midnight(timezone.localdate(at) + timedelta(days=1)))
    return referrals.filter(status=ReferralStatus.OPEN).aggregate(
        due_today=Count("pk", filter=to_come & whose),
        overdue=Count("pk", filter=Q(due_at__lt=at) & whose),
        untaken=Count("pk", filter=Q(taken_by__isnull=True)),
    )


def _unless_nothing(counted: dict[str, int | None], whose: str) -> dict[str, Any]:
    return {**counted, "whose": whose} if any(counted.values()) else {}


def _week(user: User, at: datetime) -> dict[str, Any]:
    """By team for those who make contacts, by borough and ward for others."""
    today = timezone.localdate(at)
    monday = today - timedelta(days=today.weekday())
    period = Period(monday - timedelta(days=7), monday - timedelta(days=1))
    counted = compliance_of(user, period=period, at=at)
    if not counted.total.due and not counted.overdue_now:
        return {}
    by_team = user.can(Permission.CONTACT_VICTIMS)
    return {
        "first": period.first.isoformat(),
        "last": period.last.isoformat(),
        "total": asdict(_row("All", counted.total)),
        "rows": [asdict(row) for row in (_teams if by_team else _places)(counted.wards) if row.due],
        "overdue_now": counted.overdue_now,
    }


def _teams(wards: Iterable[WardContact]) -> list[WeekRow]:
    wards = list(wards)
    names = Team.objects.in_bulk({row.ward.team_id for row in wards})
    summed = _summed((names[row.ward.team_id].name, row.contact) for row in wards)
    return [_row(name, contact) for name, contact in sorted(summed.items())]


def _places(wards: Iterable[WardContact]) -> list[WeekRow]:
    """Each borough, then its wards."""
    wards = sorted(wards, key=lambda row: (row.ward.borough.name, row.ward.name))
    boroughs = _summed((row.ward.borough.name, row.contact) for row in wards)
    rows = []
    for name, contact in boroughs.items():
        rows.append(_row(name, contact))
        rows += [
            _row(f"{name}, {row.ward.name}", row.contact) for row in wards if row.ward.borough.name == name
        ]
    return rows


def _summed(counts: Iterable[tuple[str, Contact]]) -> dict[str, Contact]:
    summed: dict[str, Contact] = {}
    for name, contact in counts:
        summed[name] = summed.get(name, Contact()) + contact
    return summed


def _row(name: str, contact: Contact) -> WeekRow:
    return WeekRow(
        name,
        in_time=contact.in_time,
        late=contact.late,
        overdue=contact.overdue,
        closed=contact.closed_without_contact,
        due=contact.due,
    )
