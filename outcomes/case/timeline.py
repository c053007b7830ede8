"""The time line of a case, from report to outcome: what happened, when, and who did it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from outcomes.case.readers import CaseRecords, TableRow
from referrals.models import (
    Case,
    CloseReason,
    ContactBy,
    CrimeRecordKind,
    Decision,
    FollowUpKind,
    FollowUpResult,
    HandOverReason,
    MailKind,
    Method,
    MoveReason,
    Noticed,
    OrderReason,
    Referral,
    ReferralStatus,
    ReopeningReason,
    ReopenReason,
    Result,
    StopReason,
    why_in_words,
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


def timeline(case: Case, records: CaseRecords) -> list[Event]:
    """Everything known of the case, the earliest first; ``records`` are the case's own."""
    return sorted(_events(case, records), key=lambda event: event.at)


def _events(case: Case, records: CaseRecords) -> Iterator[Event]:
    names = records.names
    yield Event(case.reported_at, "Reported", detail=case.offence)
    yield Event(case.imported_at, "Imported")
    if case.restrictions_set_at:
        yield Event(case.restrictions_set_at, "Restrictions set", names[case.restrictions_set_by_id])
    decision: Decision | None = getattr(case, "decision", None)
    referral: Referral | None = getattr(case, "referral", None)
    if decision and decision.submission:
        submission = decision.submission
        yield Event(
            submission.submitted_at,
            "Suitable" if decision.suitable else "Not suitable",
            names[submission.submitted_by_id],
            _why(decision, referral),
        )
    for taken_back in records.reopened:
        yield from _of_reopened(taken_back)
    for found in records.found:
        title = "Put right why it is not suitable" if found["corrects_id"] else "Not suitable after all"
        yield Event(found["found_at"], title, found["by"], _why_not(found))
    # What causes comes before what follows from it, where both bear one time.
    for change in records.crime_record:
        title = CrimeRecordKind.label_of(change["kind"])
        yield Event(change["noticed_at"], title, change["by"], "Seen in an extract.")
    if referral:
        yield from _of_referral(referral, records)
    for task in records.tasks:
        yield from _of_task(task)
    yield from _of_trial(records)
    for outcome in records.outcomes:
        named = f"Outcome {outcome['code_id']} {outcome['short_title']}"
        yield Event(
            outcome["recorded_at"],
            named if outcome["code_id"] else "Open again: no outcome any more",
            detail=f"{_as_written(outcome)}Imported {moment(outcome['imported_at'])} by {outcome['by']}.",
        )


def _as_written(outcome: TableRow) -> str:
    """How the file had it, where that is not what the time line says."""
    written = outcome["written"]
    code = f"Written {written}. " if written not in ("", str(outcome["code_id"])) else ""
    return code + ("Its file gives the day and no time. " if outcome["is_day"] else "")


def _why(decision: Decision, referral: Referral | None) -> str:
    """The reason, and who contacts the victim; usual service where a suitable case was not referred."""
    if not decision.suitable:
        names = ("reason", "contact_by", "duplicate_of")
        return _why_not({name: getattr(decision, name) for name in names})
    submission = decision.submission
    at_once = referral and submission and referral.made_at <= submission.submitted_at
    return "Referred for SRC." if at_once else "Usual service."


def _why_not(row: TableRow) -> str:
    why = why_in_words(row["reason"], row["duplicate_of"])
    return f"{why}. Contact: {ContactBy.label_of(row['contact_by'])}."


def _of_reopened(row: TableRow) -> Iterator[Event]:
    title = "Suitable" if row["suitable"] else "Not suitable"
    detail = "Usual service." if row["suitable"] else _why_not(row)
    yield Event(row["submitted_at"], title, row["submitted_by"], detail)
    because = ReopenReason.label_of(row["because"])
    yield Event(row["reopened_at"], "Decision reopened", row["by"], f"{because}.")


def _of_trial(records: CaseRecords) -> Iterator[Event]:
    withdrawn = {deviation["withdraws_id"] for deviation in records.deviations}
    for deviation in records.deviations:
        yield _of_deviation(deviation, withdrawn=deviation["id"] in withdrawn)
    for check in records.checks:
        found = "A contact is recorded." if check["contacted"] else "No contact was found."
        yield Event(check["checked_at"], "Looked up on the crime record", check["by"], found)


def _of_deviation(deviation: TableRow, *, withdrawn: bool) -> Event:
    at, words, who = deviation["recorded_at"], in_words(deviation["kind"]), deviation["by"]
    if deviation["withdraws_id"]:
        return Event(at, "Deviation withdrawn", who, f"Recorded by mistake: “{words}”.")
    parts = [
        f"{words}, {day(deviation['happened_on'])}.",
        particulars(why=deviation["why"], ordered_by=deviation["ordered_by"]),
    ]
    if withdrawn:
        parts.append("It was recorded by mistake, and is withdrawn.")
    title = f"Deviation from the trial{' (withdrawn)' if withdrawn else ''}"
    return Event(at, title, who, " ".join(part for part in parts if part))


def _of_referral(referral: Referral, records: CaseRecords) -> Iterator[Event]:
    names = records.names
    for order in records.orders:
        yield from _of_order(order)
    yield Event(
        referral.made_at,
        f"Referred: {referral.number}",
        names[referral.made_by_id],
        f"To {_first_team(referral, records)}.",
    )
    if referral.flag_confirmed_at:
        yield Event(referral.flag_confirmed_at, "Flag confirmed", names[referral.flag_confirmed_by_id])
    if referral.flag_removed_at:
        title = "Flag removed" if referral.flag_confirmed_at else "Flag looked for: it is off"
        yield Event(referral.flag_removed_at, title, names[referral.flag_removed_by_id])
    ordered = {order["ordered_at"] for order in records.orders}
    for hand_over in records.hand_overs:
        yield _of_hand_over(hand_over, by_order=hand_over["handed_at"] in ordered)
    for notice in records.notices:
        yield from _of_notice(notice)
    for stop in records.stops:
        yield from _of_stop(stop)
    for move in records.moves:
        yield _of_move(move)
    if referral.taken_at:
        yield Event(referral.taken_at, "Taken", names[referral.taken_by_id])
    for attempt in records.attempts:
        yield _of_attempt(attempt)
    if referral.closed_at and referral.status == ReferralStatus.CLOSED:
        yield Event(
            referral.closed_at,
            "Closed without contact",
            names[referral.closed_by_id],
            f"{referral.get_close_reason_display()}.",
        )
    for mail in records.mail:
        yield _of_mail(mail)


def _first_team(referral: Referral, records: CaseRecords) -> str:
    """The team it was made for, which a hand-over may have changed."""
    return records.hand_overs[0]["from_team"] if records.hand_overs else str(referral.team)


def _of_hand_over(hand_over: TableRow, *, by_order: bool) -> Event:
    why = "it was referred again" if by_order else "the victim's ward changed"
    why = "the hate crime officer moved it" if hand_over["by_hand"] else why
    if hand_over["reason"]:
        label = HandOverReason.label_of(hand_over["reason"])
        why = label[0].lower() + label[1:]
    return Event(
        hand_over["handed_at"],
        "Handed over",
        hand_over["by"],
        f"From {hand_over['from_team']} to {hand_over['to_team']}: {why}.",
    )


def _of_stop(stop: TableRow) -> Iterator[Event]:
    detail = f"{StopReason.label_of(stop['reason'])}. Until {moment(stop['ends_at'])}."
    yield Event(stop["starts_at"], "Clock stopped", stop["by"], detail)
    if stop["ended_by"]:
        yield Event(stop["ends_at"], "Clock goes on", stop["ended_by"], "Before its time.")


def _of_move(move: TableRow) -> Event:
    why = MoveReason.label_of(move["reason"])
    why = f"{why} ({move['holiday']})" if move["holiday"] else why
    span = f"From {moment(move['from_due_at'])} to {moment(move['to_due_at'])}"
    return Event(move["moved_at"], "Due time moved", move["by"], f"{span}: {why[0].lower()}{why[1:]}.")


def _of_order(order: TableRow) -> Iterator[Event]:
    if order["earlier_closed_at"] and order["earlier_reason"]:
        closed = CloseReason.label_of(order["earlier_reason"])
        yield Event(order["earlier_closed_at"], "Closed without contact", detail=f"{closed}.")
    if order["reason"] in ReopeningReason.values:
        yield Event(
            order["ordered_at"], "Opened again", order["by"], f"{ReopeningReason.label_of(order['reason'])}."
        )
        return
    reason = OrderReason.label_of(order["reason"])
    yield Event(order["ordered_at"], "Refer now", order["by"], f"{reason}.")


def _of_notice(notice: TableRow) -> Iterator[Event]:
    changed = ", ".join(Noticed.label_of(each) for each in notice["changed"])
    yield Event(notice["noticed_at"], f"Changed: {changed}", notice["by"])
    if notice["read_at"]:
        yield Event(notice["read_at"], "Change read", notice["read_by"], f"{changed.capitalize()}.")


def _of_task(task: TableRow) -> Iterator[Event]:
    kind = FollowUpKind.label_of(task["kind"])
    yield Event(task["raised_at"], f"To do: {kind}")
    if task["acknowledged_at"]:
        yield Event(task["acknowledged_at"], "Taken on", task["acknowledged_by"], f"{kind}.")
    if task["done_at"]:
        title = "No longer to be done" if task["dropped"] else "Done"
        result = FollowUpResult.label_of(task["result"]) if task["result"] else ""
        detail = f"{kind}: {result.lower()}." if result else f"{kind}."
        yield Event(task["done_at"], title, task["done_by"], detail)


def _of_attempt(attempt: TableRow) -> Event:
    if attempt["withdraws_id"]:
        return Event(attempt["logged_at"], "Attempt withdrawn", attempt["by"], "Logged by mistake.")
    title, how = Result.label_of(attempt["result"]), Method.label_of(attempt["method"])
    return Event(attempt["made_at"], title, attempt["by"], f"{how}.")


def _of_mail(mail: TableRow) -> Event:
    to, kind = f"To {mail['recipient']}.", MailKind.label_of(mail["kind"]).lower()
    if mail["sent_at"]:
        twice = " It may have arrived twice." if mail["possible_duplicate"] else ""
        return Event(mail["sent_at"], f"E-mail sent: {kind}", detail=to + twice)
    if mail["abandoned_at"]:
        return Event(mail["abandoned_at"], f"E-mail not sent: {kind}", detail="The referral had ended.")
    return Event(mail["created_at"], f"E-mail waiting: {kind}", detail=to)
