"""A briefing and who was there; the banner."""

from collections.abc import Collection
from datetime import date, datetime

from django.db import transaction

from referrals.guidance.readers import banner_at, people_to_brief
from referrals.models import Banner, Briefing, BriefingAttendance
from referrals.scope import today
from src_app.accounts.guards import NotAllowed, check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused


def record_briefing(
    *, title: str, held_on: date, people: Collection[User], by: User, at: datetime
) -> Briefing:
    """A session that was held, and who was there; raises :class:`Refused`."""
    check_authority(by, Permission.RECORD_BRIEFINGS)
    if held_on > today():
        raise Refused("A briefing is recorded once it was held: give today or an earlier day.")
    with transaction.atomic():
        briefing, is_new = Briefing.objects.get_or_create(
            title=title, held_on=held_on, defaults={"recorded_at": at, "recorded_by": by}
        )
        if not is_new:
            raise Refused("This briefing is recorded already: open it and add who was there.")
        _keep(briefing, people, by)
    return briefing


def set_attendance(*, briefing_id: int, people: Collection[User], by: User) -> Briefing:
    """Who of the account's own people was there, and nobody else of them.

    Others' people stay as they are. Raises ``Briefing.DoesNotExist``.
    """
    check_authority(by, Permission.RECORD_BRIEFINGS)
    with transaction.atomic():
        briefing = Briefing.objects.select_for_update(no_key=True).get(pk=briefing_id)
        _keep(briefing, people, by)
    return briefing


def _keep(briefing: Briefing, people: Collection[User], by: User) -> None:
    own = {user.pk: user for user in people_to_brief(by, today())}
    if any(user.pk not in own for user in people):
        raise NotAllowed
    recorded = {each.user_id: each for each in briefing.attendances.filter(user__in=own)}
    before = {key for key, each in recorded.items() if each.was_there}
    now = {user.pk for user in people}
    BriefingAttendance.objects.bulk_create(
        BriefingAttendance(briefing=briefing, user=own[key]) for key in sorted(now - recorded.keys())
    )
    for key in sorted((before ^ now) & recorded.keys()):
        recorded[key].was_there = key in now
        recorded[key].save(update_fields=["was_there"])
    record(
        Action.BRIEFING_RECORDED,
        by=by,
        purpose=Purpose.SUPERVISION,
        subject="account",
        references=[own[key].username for key in sorted(before ^ now)],
    )


def set_banner(*, text: str, ends_at: datetime, by: User, at: datetime) -> Banner:
    """A sentence on every page from now on, in place of the one that stands there."""
    check_authority(by, Permission.MANAGE_PLACES)
    if ends_at <= at:
        raise Refused("The banner must end later than now: give a time that is still to come.")
    with transaction.atomic():
        banner = Banner.objects.create(text=text, ends_at=ends_at, set_at=at, set_by=by)
        _record_banner(by)
    return banner


def end_banner(*, by: User, at: datetime) -> bool:
    """Takes the banner off every page; says whether there was one."""
    check_authority(by, Permission.MANAGE_PLACES)
    with transaction.atomic():
        banner = banner_at(at)
        if banner is None:
            return False
        # The last one counts: an earlier one never comes back.
        banner.ends_at = at
        banner.save(update_fields=["ends_at"])
        _record_banner(by)
    return True


def _record_banner(by: User) -> None:
    record(Action.BANNER_SET, by=by, purpose=Purpose.ADMINISTRATION, subject="banner", references=[])
