"""Choosing digests, and putting those that are due in the outbox."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from referrals.digests.readers import (
    Due,
    bcus_by_digest_time,
    choices_of,
    choices_without,
    due_digest,
    kinds_for,
    numbers_of,
    teams_to_choose_for,
)
from referrals.mail.outbox import queue
from referrals.models import Digest, DigestChoice, DigestKind, MailKind, Team
from src_app.accounts.guards import NotAllowed, check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record

_MAIL = {DigestKind.MORNING: MailKind.DIGEST_MORNING, DigestKind.WEEK: MailKind.DIGEST_WEEK}


def choose_digests(*, kinds: Collection[DigestKind], teams: Collection[Team], by: User, at: datetime) -> None:
    """Makes these the account's own digests, and these the teams of its own whose mailbox gets the morning's.

    What it had chosen before and does not name ends.
    """
    check_authority(by, Permission.CHOOSE_DIGESTS)
    of_own = set(teams_to_choose_for(by))
    if not of_own.issuperset(teams) or not set(kinds_for(by)).issuperset(kinds):
        raise NotAllowed
    wanted: set[tuple[str, int | None, int | None]] = {(kind, by.pk, None) for kind in kinds}
    wanted |= {(DigestKind.MORNING, None, team.pk) for team in teams}
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=by.pk)
        standing = {
            (choice.kind, choice.user_id, choice.team_id): choice.pk
            for choice in choices_of(by).select_for_update(of=("self",))
        }
        ended = [pk for chosen, pk in standing.items() if chosen not in wanted]
        DigestChoice.objects.filter(pk__in=ended).update(ended_at=at, ended_by=by)
        made = [
            DigestChoice(kind=kind, user_id=user, team_id=team, chosen_at=at, chosen_by=by)
            for kind, user, team in sorted(wanted - standing.keys(), key=str)
        ]
        # Another supervisor may choose the same for a team at the same moment.
        DigestChoice.objects.bulk_create(made, ignore_conflicts=True)
        if ended or made:
            record(Action.DIGESTS_CHOSEN, by=by, purpose=Purpose.ADMINISTRATION, subject="digest")


def send_digests(*, by: User, at: datetime) -> int:
    """Puts the digests that are due in the outbox, each once a day; returns how many.

    One with nothing to say is noted and not sent, so that it does not come later in the day.
    """
    check_authority(by, Permission.SEND_REMINDERS)
    queued = 0
    for time_of_day, bcus in bcus_by_digest_time(at).items():
        for kind in DigestKind:
            due = due_digest(kind, at, time_of_day)
            if due is not None:
                queued += sum(_send(choice, due, by, at) for choice in choices_without(kind, due, bcus))
    return queued


def _send(choice: DigestChoice, due: Due, by: User, at: datetime) -> bool:
    numbers = numbers_of(choice, at)
    with transaction.atomic():
        digest, is_new = Digest.objects.get_or_create(
            choice=choice, on=due.on, defaults={"until": due.until, "numbers": numbers, "made_at": at}
        )
        if not is_new or not numbers:
            return False
        whose = f"team {choice.team_id}" if choice.team else f"person {choice.user_id}"
        recipient = choice.team.mailbox if choice.team else choice.user and choice.user.email
        assert recipient
        queued = queue(
            kind=_MAIL[DigestKind(choice.kind)],
            digest=digest,
            recipient=recipient,
            # Chosen again on the same day, it is no second one.
            unique_key=f"digest:{choice.kind}:{whose}:{due.on}",
            at=at,
        )
        if queued:
            record(
                Action.MAIL_QUEUED,
                by=by,
                purpose=Purpose.SUPERVISION,
                subject="digest",
                recipients=[choice.team.mailbox] if choice.team else [],
            )
    return queued
