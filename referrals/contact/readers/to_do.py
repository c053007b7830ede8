"""What is left to do once an attempt is logged, and how to say the attempt on the crime record."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from referrals.contact.readers.cards import due_of
from referrals.contact.readers.choices import reasons_to_close
from referrals.contact.readers.referrals import standing_attempts
from referrals.models import (
    CloseReason,
    ContactAttempt,
    FollowUp,
    FollowUpKind,
    Referral,
    ReferralStatus,
    Result,
)
from referrals.scope import referrals_visible_to
from src_app.accounts.models import User
from src_app.templatetags.words import moment, weekday_moment


@dataclass(frozen=True)
class ToDo:
    """What is left after one attempt.

    ``words`` are for the crime record, and empty where the attempt was noted there when it was logged.
    ``settle``: the button that says what is done, empty where somebody has said so or there is nothing.
    ``close``: whether the attempts have shown a reason to end without contact.
    """

    words: str
    tasks: list[str]
    settle: str
    close: bool

    @property
    def is_anything(self) -> bool:
        return bool(self.settle or self.tasks)


def to_do_after(attempt: ContactAttempt, referral: Referral, user: User, now: datetime) -> ToDo:
    """What is left after an attempt of one of ``referrals_to_open``."""
    is_settled = hasattr(attempt, "settled")
    tasks = _to_tell(attempt, referral, is_settled=is_settled)
    words = "" if attempt.noted_on_record else words_for_record(attempt)
    settle = "" if is_settled else _settling(tasks, words)
    close = False
    if referral.status == ReferralStatus.OPEN:
        close = any(
            # A supervisor may always close it as unsafe: that alone is no task.
            reason != CloseReason.UNSAFE or attempt.result == Result.UNSAFE
            for reason in reasons_to_close(referral, user)
        )
        tasks.append(_next(attempt, close=close) + f" {due_of(referral, now).words}.")
    return ToDo(words=words, tasks=tasks, settle=settle, close=close)


def _settling(tasks: list[str], words: str) -> str:
    if tasks and words:
        return "Noted on the crime record, and told"
    return "Noted on the crime record" if words else "Told" if tasks else ""


@dataclass(frozen=True)
class Left:
    """An attempt that left something to do besides the next try, and what that is."""

    attempt: ContactAttempt
    tasks: list[str]


@dataclass(frozen=True)
class LeftToDo:
    """``shown`` of ``count`` attempts: what a victim said, then what is to be noted, each oldest first."""

    shown: list[Left]
    count: int


def left_to_do(user: User, since: datetime, most: int) -> LeftToDo:
    """What the attempts of this account left to do.

    What a victim said stays until somebody deals with it or it is settled, a threat or a new offence until
    somebody deals with it; what is only to be noted, if it was logged ``since`` then. A referral that has
    gone to another team is out of sight: its follow-ups stay with the supervisor.
    """
    found = _unsettled(user, since)
    return LeftToDo(
        shown=[_left_by(attempt) for attempt in found[:most]],
        count=found.count(),
    )


def _left_by(attempt: ContactAttempt) -> Left:
    is_settled = hasattr(attempt, "settled")
    to_note = [] if is_settled else _to_note(attempt)
    return Left(attempt, _to_tell(attempt, attempt.referral, is_settled=is_settled) + to_note)


def _unsettled(user: User, since: datetime) -> QuerySet[ContactAttempt]:
    is_theirs = Q(entered_by=user) | Q(made_by=user, entered_by__isnull=True)
    waiting = FollowUp.objects.filter(attempt=OuterRef("pk"), acknowledged_at__isnull=True)
    is_urgent = Exists(waiting.filter(kind__in=_NEVER_SETTLED))
    is_to_tell = Q(Exists(waiting.filter(kind__in=_TASKS)), settled__isnull=True)
    is_to_note = Q(noted_on_record=False, logged_at__gte=since, settled__isnull=True)
    return (
        standing_attempts()
        .filter(is_theirs, is_urgent | is_to_tell | is_to_note, referral__in=referrals_visible_to(user))
        .select_related("referral__case", "settled")
        .prefetch_related("follow_ups")
        .annotate(said=Exists(waiting.filter(kind__in=_TASKS)))
        .order_by("-said", "made_at", "pk")
    )


def _to_tell(attempt: ContactAttempt, referral: Referral, *, is_settled: bool) -> list[str]:
    waiting = [each.kind for each in attempt.follow_ups.all() if each.acknowledged_at is None]
    officer = referral.case.officer_in_case or "the officer in the case"
    return [
        words.format(officer=officer)
        for kind, words in _TASKS.items()
        if kind in waiting and (not is_settled or kind in _NEVER_SETTLED)
    ]


def _to_note(attempt: ContactAttempt) -> list[str]:
    return [] if attempt.noted_on_record else ["Note it on the crime record."]


_TASKS = {
    FollowUpKind.THREAT: "A threat was reported: tell your supervisor now. Danger now: 999.",
    FollowUpKind.NEW_OFFENCE: "A new offence was reported: see that it is recorded as a crime of its own.",
    FollowUpKind.STATEMENT: "The victim wants to give a statement: tell {officer}.",
    FollowUpKind.WITHDRAW: "The victim wishes to withdraw support: tell {officer}.",
}
# Somebody must have dealt with these: that they were told is not enough.
_NEVER_SETTLED = (FollowUpKind.THREAT, FollowUpKind.NEW_OFFENCE)


def _next(attempt: ContactAttempt, *, close: bool) -> str:
    if any(each.kind == FollowUpKind.UNSAFE and not each.done_at for each in attempt.follow_ups.all()):
        return "Wait: a supervisor is asked whether another way is safe."
    if close:
        return "Close it without contact, or try again."
    if attempt.call_back_at is not None:
        return f"Call back {weekday_moment(attempt.call_back_at)}."
    return "Call back as the victim asked." if attempt.result == Result.CALL_BACK else "Try again."


def words_for_record(attempt: ContactAttempt) -> str:
    """The attempt in sentences that everybody who reads the crime record may read.

    Neither its note nor the number of the referral is in them, and nothing of other cases.
    """
    how = attempt.get_method_display() + (", with an interpreter" if attempt.with_interpreter else "")
    done = {
        "Risk assessment done or in place": attempt.risk_assessment,
        "Support referral offered": attempt.support_offered and not attempt.support_taken_up,
        "Support referral offered and taken up": attempt.support_taken_up,
    }
    said = [str(each) for each in attempt.follow_ups.all() if each.kind in _TASKS]
    sentences = [
        f"Reassurance contact by {attempt.made_by}, {moment(attempt.made_at)}",
        how,
        attempt.get_result_display(),
        *(words for words, is_so in done.items() if is_so),
        *said,
    ]
    return " ".join(f"{each}." for each in sentences)
