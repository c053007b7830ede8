"""Which address a team's mail goes to: a new one counts once somebody has shown that it is read."""

import secrets
from datetime import datetime

from django.db import transaction

from referrals.mail.outbox import queue, readdress
from referrals.models import MailboxTest, MailKind, Team
from referrals.scope import teams_of
from src_app.accounts.actions import checked_email
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused

# Without those that look alike on paper and on the telephone.
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_LENGTH = 10


def change_mailbox(*, team: Team, address: str, by: User, at: datetime) -> MailboxTest:
    """Sends a test mail to the address; the old one goes on being used until its code is given.

    The address that is used already may be tested, too. An earlier test mail counts no more.
    """
    check_authority(by, Permission.MANAGE_PLACES)
    checked = checked_email(address)
    with transaction.atomic():
        locked = _locked(team.pk)
        if locked.closed_at is not None:
            raise Refused(f"{locked} is closed: it gets no mail.")
        return send_test(team=locked, address=checked, by=by, at=at)


def confirm_mailbox(*, code: str, by: User, at: datetime) -> MailboxTest:
    """Takes the code of a test mail as the proof that its mailbox is read, and uses the address from now on.

    By somebody of the team, or by who keeps teams. What waits for the address before goes to the new one.
    Raises :class:`Refused` for a code that is not known, or of another team's mail.
    """
    tests = MailboxTest.objects.filter(MailboxTest.waits())
    if not by.can(Permission.MANAGE_PLACES):
        tests = tests.filter(team__in=teams_of(by))
    with transaction.atomic():
        found = tests.filter(code=_as_sent(code)).first()
        if found is None:
            raise Refused(
                "No test mail that waits has this code, or it is another team's: look at the newest mail."
            )
        team = _locked(found.team_id)
        test = MailboxTest.objects.select_for_update().get(pk=found.pk)
        if test.replaced or test.confirmed_at is not None:
            raise Refused("This test mail counts no more: look whether a newer one has come.")
        test.confirmed_at, test.confirmed_by = at, by
        test.save(update_fields=["confirmed_at", "confirmed_by"])
        old = team.mailbox
        if old != test.address:
            team.mailbox = test.address
            team.save(update_fields=["mailbox"])
            readdress(team=team, old=old, at=at)
        _record(Action.MAILBOX_CONFIRMED, test, by, ["mailbox"])
    return test


def send_test(*, team: Team, address: str, by: User, at: datetime) -> MailboxTest:
    """Puts one test mail in the outbox; the caller holds the team."""
    drop_test(team)
    code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    test = MailboxTest.objects.create(team=team, address=address, code=code, asked_at=at, asked_by=by)
    key = f"{MailKind.MAILBOX_TEST}:{test.pk}"
    queue(kind=MailKind.MAILBOX_TEST, mailbox_test=test, recipient=address, unique_key=key, at=at)
    _record(Action.MAILBOX_TESTED, test, by, [])
    return test


def drop_test(team: Team) -> None:
    """The test mail that waits, if one does, counts no more; the caller holds the team."""
    for test in MailboxTest.objects.filter(MailboxTest.waits(), team=team).select_for_update():
        test.replaced = True
        test.save(update_fields=["replaced"])


def _as_sent(code: str) -> str:
    return "".join(code.split()).replace("-", "").upper()


def _locked(team_id: int) -> Team:
    return Team.objects.select_for_update(no_key=True).get(pk=team_id)


def _record(action: Action, test: MailboxTest, by: User, fields: list[str]) -> None:
    record(
        action,
        by=by,
        purpose=Purpose.ADMINISTRATION,
        subject="team",
        references=[f"team {test.team_id}"],
        fields=fields,
        recipients=[test.address],
    )
