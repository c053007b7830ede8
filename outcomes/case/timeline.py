"""The time line of a case, from report to outcome: what happened, when, and who did it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from referrals.models import (
    Allocation,
    Case,
    ContactAttempt,
    ControlCheck,
    Decision,
    Deviation,
    FollowUp,
    HandOver,
    Notification,
    Referral,
    ReferralNotice,
    ReferralStatus,
)
from referrals.trial.readers.deviations import in_words, particulars
from src_app.templatetags.words import day, moment


@dataclass(frozen=True)
class Event:
    """One thing that happened; ``who`` is empty where nobody here did it."""

    at: datetime
    title: str
    who: str = ""
    detail: str = ""


def timeline(case: Case) -> list[Event]:
    """Everything known of the case, the earliest first; the case comes with what its page fetches."""
    return sorted(_events(case), key=lambda event: event.at)


def _events(case: Case) -> Iterator[Event]:
    yield Event(case.reported_at, "Reported", detail=case.offence)
    yield Event(case.imported_at, "Imported")
    if case.restrictions_set_at:
        yield Event(case.restrictions_set_at, "Restrictions set", str(case.restrictions_set_by))
    decision: Decision | None = getattr(case, "decision", None)
    referral: Referral | None = getattr(case, "referral", None)
    if decision and decision.submission:
        submission = decision.submission
        yield Event(
            submission.submitted_at,
            "Suitable" if decision.suitable else "Not suitable",
            str(submission.submitted_by),
            _why(decision, referral),
        )
    # What causes comes before what follows from it, where both bear one time.
    for change in case.crime_record_events.all():
        yield Event(change.noticed_at, str(change), str(change.noticed_by), "Seen in an extract.")
    if referral:
        yield from _of_referral(referral)
    allocation: Allocation | None = getattr(case, "allocation", None)
    if allocation:
        yield from _of_allocation(allocation)
    for outcome in case.outcomes.all():
        yield Event(
            outcome.recorded_at,
            f"Outcome {outcome.code}",
            detail=f"Imported {moment(outcome.imported_at)} by {outcome.imported_by}.",
        )


def _why(decision: Decision, referral: Referral | None) -> str:
    """The reason, and who contacts the victim; usual service where a suitable case was not referred."""
    if not decision.suitable:
        return f"{decision.get_reason_display()}. Contact: {decision.get_contact_by_display()}."
    return "Referred for SRC." if referral else "Usual service."


def _of_allocation(allocation: Allocation) -> Iterator[Event]:
    recorded = list(allocation.deviations.all())
    withdrawn = {deviation.withdraws_id for deviation in recorded}
    for deviation in recorded:
        yield _of_deviation(deviation, withdrawn=deviation.pk in withdrawn)
    check: ControlCheck | None = getattr(allocation, "control_check", None)
    if check:
        found = "A contact is recorded." if check.contacted else "No contact was found."
        yield Event(check.checked_at, "Looked up on the crime record", str(check.checked_by), found)


def _of_deviation(deviation: Deviation, *, withdrawn: bool) -> Event:
    words, who = in_words(deviation.kind), str(deviation.recorded_by)
    if deviation.withdraws_id:
        return Event(deviation.recorded_at, "Deviation withdrawn", who, f"Recorded by mistake: “{words}”.")
    parts = [f"{words}, {day(deviation.happened_on)}.", particulars(deviation)]
    if withdrawn:
        parts.append("It was recorded by mistake, and is withdrawn.")
    title = f"Deviation from the trial{' (withdrawn)' if withdrawn else ''}"
    return Event(deviation.recorded_at, title, who, " ".join(part for part in parts if part))


def _of_referral(referral: Referral) -> Iterator[Event]:
    yield Event(
        referral.made_at,
        f"Referred: {referral.number}",
        str(referral.made_by),
        f"To {_first_team(referral)}.",
    )
    if referral.flag_confirmed_at:
        yield Event(referral.flag_confirmed_at, "Flag confirmed", str(referral.flag_confirmed_by))
    if referral.flag_removed_at:
        yield Event(referral.flag_removed_at, "Flag removed", str(referral.flag_removed_by))
    for hand_over in referral.hand_overs.all():
        yield _of_hand_over(hand_over)
    for notice in referral.notices.all():
        yield from _of_notice(notice)
    if referral.taken_at:
        yield Event(referral.taken_at, "Taken", str(referral.taken_by))
    for attempt in referral.attempts.all():
        yield _of_attempt(attempt)
    if referral.closed_at and referral.status == ReferralStatus.CLOSED:
        yield Event(
            referral.closed_at,
            "Closed without contact",
            str(referral.closed_by),
            f"{referral.get_close_reason_display()}.",
        )
    for task in referral.follow_ups.all():
        yield from _of_task(task)
    for mail in referral.notifications.all():
        yield _of_mail(mail)


def _first_team(referral: Referral) -> str:
    """The team it was made for, which a hand-over may have changed."""
    first = min(referral.hand_overs.all(), key=lambda hand_over: hand_over.pk, default=None)
    return str(first.from_team if first else referral.team)


def _of_hand_over(hand_over: HandOver) -> Event:
    return Event(
        hand_over.handed_at,
        "Handed over",
        str(hand_over.handed_by),
        f"From {hand_over.from_team} to {hand_over.to_team}: the victim's ward changed.",
    )


def _of_notice(notice: ReferralNotice) -> Iterator[Event]:
    yield Event(notice.noticed_at, f"Changed: {notice}", str(notice.noticed_by))
    if notice.read_at:
        yield Event(notice.read_at, "Change read", str(notice.read_by), f"{str(notice).capitalize()}.")


def _of_task(task: FollowUp) -> Iterator[Event]:
    """What the crime record gave somebody to do; what came up in a contact is on the referral's page."""
    yield Event(task.raised_at, f"To do: {task}")
    if task.acknowledged_at:
        yield Event(task.acknowledged_at, "Dealt with", str(task.acknowledged_by), f"{task}.")


def _of_attempt(attempt: ContactAttempt) -> Event:
    if attempt.withdraws_id:
        return Event(attempt.logged_at, "Attempt withdrawn", str(attempt.made_by), "Logged by mistake.")
    return Event(
        attempt.made_at,
        attempt.get_result_display(),
        str(attempt.made_by),
        f"{attempt.get_method_display()}.",
    )


def _of_mail(mail: Notification) -> Event:
    to = f"To {mail.recipient}."
    kind = mail.get_kind_display().lower()
    if mail.sent_at:
        twice = " It may have arrived twice." if mail.possible_duplicate else ""
        return Event(mail.sent_at, f"E-mail sent: {kind}", detail=to + twice)
    if mail.abandoned_at:
        return Event(mail.abandoned_at, f"E-mail not sent: {kind}", detail="The referral had ended.")
    return Event(mail.created_at, f"E-mail waiting: {kind}", detail=to)
