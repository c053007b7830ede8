"""Making a referral, or opening one again."""

from datetime import datetime

from django.utils import timezone

from referrals.cases.readers import report_of
from referrals.contact.actions.referral_lock import record_change, tell
from referrals.deadlines.readers import given_due
from referrals.mail.outbox import queue
from referrals.models import (
    Allocation,
    Case,
    HandOver,
    MailKind,
    NumberSeries,
    Referral,
    ReferralStatus,
    Team,
    Ward,
)
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record


def next_number(at: datetime) -> str:
    """The next referral number of the year, ``SRC-2026-000123``; call it inside a transaction.

    The series counts referrals, never cases: a gap would tell who is a control.
    """
    year = timezone.localtime(at).year
    NumberSeries.objects.get_or_create(year=year)
    series = NumberSeries.objects.select_for_update().get(year=year)
    series.last += 1
    series.save(update_fields=["last"])
    return f"SRC-{year}-{series.last:06}"


def refer(
    *,
    case: Case,
    team: Team,
    ward: Ward,
    allocation: Allocation | None,
    refer_now: bool,
    by: User,
    at: datetime,
) -> Referral:
    """Gives the case to the team and tells its mailbox; part of a larger transaction.

    ``refer_now``: with the shorter time of what is urgent.
    """
    check_authority(by, Permission.REVIEW_CASES)
    referral = Referral.objects.create(
        number=next_number(at),
        case=case,
        allocation=allocation,
        team=team,
        ward=ward,
        made_at=at,
        made_by=by,
        **given_due(ward, refer_now=refer_now, at=at),
    )
    queue(
        kind=MailKind.REFERRAL_MADE,
        referral=referral,
        recipient=team.mailbox,
        unique_key=f"{MailKind.REFERRAL_MADE}:{referral.number}",
        at=at,
    )
    record(
        Action.REFERRALS_MADE,
        by=by,
        purpose=Purpose.REVIEW,
        subject="referral",
        references=[referral.number, case.crime_reference],
        recipients=[team.mailbox],
    )
    return referral


def end_stops(referral: Referral, by: User, at: datetime) -> list[str]:
    """Lets its clock run from now on; how long it stood stays known. Returns the names of what changed."""
    if not referral.is_stopped(at):
        return []
    referral.stops.filter(ends_at__gt=at).update(ends_at=at, ended_by=by)
    referral.stopped_until = at
    return ["stopped_until"]


def refer_again(*, referral: Referral, team: Team, ward: Ward, by: User, at: datetime) -> None:
    """Opens a referral that was closed without contact, for the team, with the due time of what is urgent.

    It keeps its number and its attempts. Its flag is to be set anew, where it had to go and the crime record
    does not rule the case out. The caller holds the case's lock.
    """
    check_authority(by, Permission.REVIEW_CASES)
    if team != referral.team:
        HandOver.objects.create(
            referral=referral,
            from_team=referral.team,
            to_team=team,
            from_ward=referral.ward,
            to_ward=ward,
            handed_at=at,
            handed_by=by,
        )
    referral.status, referral.close_reason = ReferralStatus.OPEN, ""
    referral.closed_at = referral.closed_by = None
    referral.team, referral.ward = team, ward
    fields = ["status", "close_reason", "closed_at", "closed_by", "team", "ward"]
    for name, value in given_due(ward, refer_now=True, at=at).items():
        setattr(referral, name, value)
        fields.append(name)
    fields += end_stops(referral, by, at)
    referral.call_back_at = None
    fields += ["call_back_at", *referral.put_back()]
    if referral.ruled_out_since is not None and not report_of(referral.case).grounds:
        referral.ruled_out_since = None
        referral.flag_confirmed_at = referral.flag_confirmed_by = None
        referral.flag_removed_at = referral.flag_removed_by = None
        fields += ["ruled_out_since", "flag_confirmed_at", "flag_confirmed_by"]
        fields += ["flag_removed_at", "flag_removed_by"]
    referral.save(update_fields=fields)
    record_change(Action.REFERRAL_REOPENED, referral, by, fields)
    tell(
        kind=MailKind.REOPENED,
        referral=referral,
        mailbox=team.mailbox,
        unique_key=f"{MailKind.REOPENED}:{referral.number}:{at.isoformat()}",
        by=by,
        at=at,
    )
