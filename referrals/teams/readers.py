"""Teams with what each has, the state of its mailbox, and what a move would take along."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from referrals.mail.readers import refused_mailboxes
from referrals.models import (
    Bcu,
    Borough,
    FollowUp,
    MailboxTest,
    PlaceMove,
    Referral,
    ReferralStatus,
    Team,
    TeamMembership,
    Ward,
)
from src_app.accounts.models import User
from src_app.accounts.roles import Permission


def teams_to_keep(user: User) -> QuerySet[Team]:
    """Every team, open or closed, by name; for those who keep teams and wards."""
    if not user.can(Permission.MANAGE_PLACES):
        return Team.objects.none()
    return Team.objects.select_related("borough__bcu", "merged_into").order_by("name", "pk")


def moves_to_keep(user: User) -> QuerySet[PlaceMove]:
    """Every move of wards and teams, the latest day first; for the same."""
    if not user.can(Permission.MANAGE_PLACES):
        return PlaceMove.objects.none()
    moves = PlaceMove.objects.select_related("from_team", "to_team", "set_by", "dropped_by")
    return moves.prefetch_related("wards").order_by("-starts_on", "-pk")


@dataclass(frozen=True)
class Mailbox:
    """What is known of the address that a team's mail goes to.

    ``confirmed_at``: when somebody last showed that it is read. ``waiting``: the test mail whose code nobody
    has given yet, to this address or to a new one. ``refused_since``: where the mail server says no to it.
    """

    address: str
    confirmed_at: datetime | None
    waiting: MailboxTest | None
    refused_since: datetime | None

    @property
    def is_new_waiting(self) -> bool:
        """Whether another address is to take its place."""
        return self.waiting is not None and self.waiting.address != self.address


@dataclass(frozen=True)
class TeamRow:
    """A team with its wards, how many are in it today, its open referrals, and its mailbox."""

    team: Team
    wards: list[str]
    people: int
    open: int
    overdue: int
    mailbox: Mailbox


def rows_of(teams: Iterable[Team], day: date) -> list[TeamRow]:
    """The teams with what each has on that day; in six queries."""
    listed = list(teams)
    wards = defaultdict(list)
    for name, team in Ward.objects.filter(team__in=listed).order_by("name").values_list("name", "team"):
        wards[team].append(name)
    members = TeamMembership.objects.filter(
        TeamMembership.current(day), team__in=listed, user__is_active=True
    )
    people = dict(members.values_list("team").annotate(Count("pk")).order_by())
    referrals = Referral.objects.filter(team__in=listed, status=ReferralStatus.OPEN)
    counted = {
        team: (number, overdue)
        for team, number, overdue in referrals.values_list("team")
        .annotate(open=Count("pk"), overdue=Count("pk", filter=Q(due_at__lt=timezone.now())))
        .order_by()
    }
    mailboxes = _mailboxes(listed)
    return [
        TeamRow(
            team, wards[team.pk], people.get(team.pk, 0), *counted.get(team.pk, (0, 0)), mailboxes[team.pk]
        )
        for team in listed
    ]


def _mailboxes(teams: list[Team]) -> dict[int, Mailbox]:
    waiting: dict[int, MailboxTest] = {}
    confirmed: dict[tuple[int, str], datetime] = {}
    for test in MailboxTest.objects.filter(team__in=teams, replaced=False).order_by("pk"):
        if test.confirmed_at is None:
            waiting[test.team_id] = test
        else:
            confirmed[test.team_id, test.address] = test.confirmed_at
    of_teams = Team.objects.filter(pk__in=[team.pk for team in teams])
    refused = {each.recipient: each.since for each in refused_mailboxes(teams=of_teams)}
    return {
        team.pk: Mailbox(
            team.mailbox,
            confirmed.get((team.pk, team.mailbox)),
            waiting.get(team.pk),
            refused.get(team.mailbox),
        )
        for team in teams
    }


def tests_of(team: Team) -> QuerySet[MailboxTest]:
    """Every test mail to a mailbox of the team, the latest first."""
    return MailboxTest.objects.filter(team=team).select_related("asked_by", "confirmed_by").order_by("-pk")


def members_on(team: Team, day: date) -> list[TeamMembership]:
    """Who is in the team on that day or later, by name; with an open account."""
    lasting = TeamMembership.objects.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=day), team=team)
    by_name = lasting.filter(user__is_active=True).select_related("user").order_by("user__display_name", "pk")
    return [each for each in by_name if each.ends_on != each.starts_on]


def in_no_other_team(members: Collection[TeamMembership], day: date) -> list[User]:
    """Those of the members who would belong to no team if this one were not there."""
    users = [each.user for each in members]
    others = TeamMembership.objects.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=day), user__in=users)
    elsewhere = set(others.exclude(pk__in=[each.pk for each in members]).values_list("user", flat=True))
    return list(dict.fromkeys(user for user in users if user.pk not in elsewhere))


@dataclass(frozen=True)
class GoesAlong:
    """What a move takes along, as things stand now."""

    wards: list[str]
    open: int
    taken: int
    overdue: int
    people: int
    follow_ups: int


def goes_along(team: Team, wards: Collection[Ward] | None, at: datetime) -> GoesAlong:
    """What goes to another team with these wards; None: with the whole team."""
    referrals = Referral.objects.filter(team=team, status=ReferralStatus.OPEN)
    follow_ups = FollowUp.objects.filter(referral__team=team, done_at__isnull=True)
    if wards is not None:
        referrals = referrals.filter(ward__in=wards)
        follow_ups = follow_ups.filter(referral__ward__in=wards, referral__status=ReferralStatus.OPEN)
    numbers: dict[str, Any] = referrals.aggregate(
        open=Count("pk"),
        taken=Count("pk", filter=Q(taken_by__isnull=False)),
        overdue=Count("pk", filter=Q(due_at__lt=at)),
    )
    people = len(members_on(team, timezone.localdate(at))) if wards is None else 0
    covered = Ward.objects.filter(team=team) if wards is None else wards
    names = sorted(ward.name for ward in covered)
    return GoesAlong(names, **numbers, people=people, follow_ups=follow_ups.count())


def teams_beside(team: Team) -> QuerySet[Team]:
    """The other open teams of the team's BCU, by borough and name."""
    beside = Team.objects.filter(borough__bcu=team.borough.bcu_id, closed_at__isnull=True).exclude(pk=team.pk)
    return beside.select_related("borough").order_by("borough__name", "name", "pk")


@dataclass(frozen=True)
class BcuRow:
    """A BCU with its boroughs: of each the name, its code, and how many wards and open teams it has."""

    bcu: Bcu
    boroughs: list[Borough]


def bcus_with_boroughs(user: User) -> list[BcuRow]:
    """Every BCU by name; each borough with ``wards_there`` and ``teams_there``. For those who keep places."""
    if not user.can(Permission.MANAGE_PLACES):
        return []
    found: dict[int, BcuRow] = {bcu.pk: BcuRow(bcu, []) for bcu in Bcu.objects.order_by("name", "pk")}
    boroughs = Borough.objects.annotate(
        wards_there=Count("wards", distinct=True),
        teams_there=Count("teams", filter=Q(teams__closed_at__isnull=True), distinct=True),
    )
    for borough in boroughs.order_by("name", "pk"):
        found[borough.bcu_id].boroughs.append(borough)
    return list(found.values())
