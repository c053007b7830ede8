"""What every action of contact begins and ends with: the lock, shared refusals, the audit row, mail."""

from collections.abc import Collection
from datetime import datetime

from referrals.mail.outbox import queue
from referrals.models import Case, MailKind, Referral, ReferralStatus
from referrals.rules.contact import same_person
from referrals.scope import referrals_visible_to
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused
from src_app.templatetags.words import moment


def lock_referral(
    referral_id: int, by: User, permission: Permission = Permission.CONTACT_VICTIMS
) -> Referral:
    """The referral and its case, locked; raises ``Referral.DoesNotExist`` for another team's.

    The case comes first (lock order), and holds its restrictions still while they are asked about. Raises
    :class:`Refused` for one that went to another team before the lock was given.
    """
    check_authority(by, permission)
    seen = referrals_visible_to(by).get(pk=referral_id)
    case = Case.objects.select_for_update(no_key=True).get(pk=seen.case_id)
    referral = (
        Referral.objects.select_for_update(of=("self",))
        .select_related("team", "taken_by", "closed_by")
        .get(pk=referral_id)
    )
    referral.case = case
    if referral.team_id != seen.team_id:
        refuse_handed_over(referral, by)
    return referral


def refuse_handed_over(referral: Referral, by: User) -> None:
    """Raises :class:`Refused` for a referral that is out of the account's sight since it was looked at."""
    if not referrals_visible_to(by).filter(pk=referral.pk).exists():
        raise Refused(
            f"{referral.number} went to {referral.team} this moment: nothing was saved. "
            "If you know something of it, tell them."
        )


def refuse_closed(referral: Referral) -> None:
    """Raises :class:`Refused` for a referral that has ended, saying when and how."""
    if referral.status == ReferralStatus.OPEN:
        return
    raise Refused(
        f"{referral.number} was ended on {moment(referral.closed_at)} "
        f"({referral.get_status_display().lower()}): there is nothing more to do."
    )


def refuse_officer_in_case(referral: Referral, by: User) -> None:
    """Raises :class:`Refused` for the officer in the case: SRC comes from outside the investigation."""
    if same_person(referral.case.officer_in_case, by.display_name):
        raise Refused(
            "You are the officer in the case: SRC comes from somebody else. "
            "Ask a colleague of the team or your supervisor to take it."
        )


def record_change(
    action: Action,
    referral: Referral,
    by: User,
    fields: Collection[str],
    *,
    recipients: Collection[str] = (),
) -> None:
    """The audit row of a change to a referral, under its number and its crime reference."""
    record(
        action,
        by=by,
        purpose=Purpose.CONTACT,
        subject="referral",
        references=[referral.number, referral.case.crime_reference],
        fields=fields,
        recipients=recipients,
    )


def tell(
    *,
    kind: MailKind,
    referral: Referral,
    mailbox: str,
    unique_key: str,
    by: User,
    at: datetime,
    whose: str = "",
) -> None:
    """Queues a message to a team's mailbox, with its audit row.

    ``whose``: the user name of whose own address it is, which the log keeps in place of the address.
    """
    if queue(kind=kind, referral=referral, recipient=mailbox, unique_key=unique_key, at=at):
        record_change(Action.MAIL_QUEUED, referral, by, [], recipients=[whose or mailbox])
