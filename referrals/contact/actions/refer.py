"""Making a referral."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from referrals.mail.outbox import queue
from referrals.models import (
    Allocation,
    Case,
    MailKind,
    NumberSeries,
    Referral,
    Team,
    Ward,
)
from referrals.rules.deadlines import due
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
    *, case: Case, team: Team, ward: Ward, allocation: Allocation | None, by: User, at: datetime
) -> Referral:
    """Gives the case to the team and tells its mailbox; part of a submission's transaction."""
    check_authority(by, Permission.REVIEW_CASES)
    referral = Referral.objects.create(
        number=next_number(at),
        case=case,
        allocation=allocation,
        team=team,
        ward=ward,
        made_at=at,
        made_by=by,
        due_at=due(at, settings.REFERRAL_DUE_AFTER),
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
