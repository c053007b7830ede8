"""The access review: it is started, supervisors answer, and it is ended."""

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction

from referrals.mail.outbox import queue
from referrals.models import AccessAnswer, AccessReview, MailKind
from referrals.people.readers.access_review import answers_in, supervisors_to_ask, to_confirm
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused


def start_review(*, by: User, at: datetime) -> AccessReview:
    """Asks every supervisor of a team, once, who of it still needs an account; raises :class:`Refused`."""
    check_authority(by, Permission.MANAGE_ACCOUNTS)
    with transaction.atomic():
        try:
            with transaction.atomic():
                review = AccessReview.objects.create(started_at=at, started_by=by)
        except IntegrityError as error:
            raise Refused("A review is open already: end it first.") from error
        asked = list(supervisors_to_ask())
        for user in asked:
            if user.email:
                queue(
                    kind=MailKind.ACCESS_REVIEW,
                    recipient=user.email,
                    unique_key=f"{MailKind.ACCESS_REVIEW}:{review.pk}:{user.pk}",
                    at=at,
                )
        _record(Action.ACCESS_REVIEW_STARTED, by, [str(review), *(user.username for user in asked)])
    return review


def confirm_access(*, said: Mapping[int, AccessAnswer.Said], by: User, at: datetime) -> int:
    """What a supervisor says of people of their own teams, by key; returns how many answers are new."""
    check_authority(by, Permission.CONFIRM_ACCESS)
    with transaction.atomic():
        review = AccessReview.objects.select_for_update().filter(ended_at=None).first()
        if review is None:
            raise Refused("The review has ended: there is nothing more to answer.")
        people = {user.pk: user for user in to_confirm(by)}
        before = answers_in(review, people.values())
        answers = [
            AccessAnswer(review=review, person=people[key], said=answer, answered_at=at, answered_by=by)
            for key, answer in said.items()
            if key in people and (key not in before or before[key].said != answer)
        ]
        AccessAnswer.objects.bulk_create(answers)
        if answers:
            _record(Action.ACCESS_CONFIRMED, by, [answer.person.username for answer in answers])
    return len(answers)


def end_review(*, by: User, at: datetime) -> None:
    """Ends the open review; raises :class:`Refused` where none is open."""
    check_authority(by, Permission.MANAGE_ACCOUNTS)
    with transaction.atomic():
        review = AccessReview.objects.select_for_update().filter(ended_at=None).first()
        if review is None:
            raise Refused("No review is open.")
        review.ended_at, review.ended_by = at, by
        review.save(update_fields=["ended_at", "ended_by"])
        _record(Action.ACCESS_REVIEW_ENDED, by, [str(review)])


def _record(action: Action, by: User, references: list[str]) -> None:
    """People by their user names: an e-mail address would never leave the log."""
    record(
        action,
        by=by,
        purpose=Purpose.ADMINISTRATION,
        subject="account",
        references=references,
    )
