"""Open work that nobody can do as things stand: for whoever sees to a team's work."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, Min, OuterRef
from django.utils import timezone

from referrals.contact.readers.follow_ups import follow_ups_late
from referrals.mail.readers import RefusedMailbox, refused_mailboxes
from referrals.models import (
    Leave,
    Noticed,
    ReferralNotice,
    ReferralStatus,
    Team,
    TeamMembership,
)
from referrals.scope import referrals_led_by, today, wards_visible_to
from src_app.accounts.models import User
from src_app.accounts.roles import Permission


@dataclass(frozen=True)
class TeamWithoutAnybody:
    """A team of which nobody is at work today, with its open referrals."""

    name: str
    open: int
    first_due: datetime


@dataclass(frozen=True)
class StrandedWork:
    """``follow_ups``: what nobody acknowledged in time. ``came_back``: open referrals nobody took again after
    whoever had them went away. ``untaken``: those that are overdue and that nobody has.
    """

    teams: list[TeamWithoutAnybody]
    mailboxes: list[RefusedMailbox]
    follow_ups: int
    came_back: int
    untaken: int

    @property
    def is_any(self) -> bool:
        return bool(self.teams or self.mailboxes or self.follow_ups or self.came_back or self.untaken)


def stranded_work(user: User) -> StrandedWork | None:
    """What is stranded of the referrals the account may chase; ``None`` for everybody else. Five queries."""
    if not user.can(Permission.CHASE_REFERRALS):
        return None
    visible = referrals_led_by(user).filter(status=ReferralStatus.OPEN)
    on = today()
    is_on_leave = Leave.objects.filter(Leave.current(on), user=OuterRef("user"))
    at_work = TeamMembership.objects.filter(
        TeamMembership.current(on), ~Exists(is_on_leave), team=OuterRef("team"), user__is_active=True
    )
    teams = (
        visible.filter(~Exists(at_work))
        .values("team", "team__name")
        .annotate(open=Count("pk"), first_due=Min("due_at"))
        .order_by("first_due", "team")
    )
    came_back = ReferralNotice.objects.filter(
        referral=OuterRef("pk"), changed__contains=[Noticed.HOLDER_AWAY]
    )
    return StrandedWork(
        teams=[TeamWithoutAnybody(each["team__name"], each["open"], each["first_due"]) for each in teams],
        mailboxes=refused_mailboxes(
            teams=Team.objects.filter(wards__in=wards_visible_to(user)), referrals=referrals_led_by(user)
        ),
        follow_ups=follow_ups_late(user, timezone.now()).count(),
        came_back=visible.filter(Exists(came_back), taken_by__isnull=True).count(),
        untaken=visible.filter(taken_by__isnull=True, due_at__lt=timezone.now()).count(),
    )
