"""Putting right what was submitted: what changes, what stays on record, and where it is refused."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection

from outcomes.case.readers import records_of
from outcomes.case.timeline import timeline
from referrals.cases.readers import cases_in_hand
from referrals.contact.actions.attempts import log_attempt, withdraw_attempt
from referrals.contact.actions.follow_ups import acknowledge
from referrals.contact.actions.reopening import reopen
from referrals.contact.readers.follow_ups import to_ring_again
from referrals.crime_record.actions.follow import follow_crime_record
from referrals.crime_record.readers import flags_to_remove
from referrals.mail.messages import message_of
from referrals.mail.outbox import deliver
from referrals.models import (
    Arm,
    Case,
    CloseReason,
    ContactBy,
    Decision,
    Deviation,
    DeviationKind,
    FollowUp,
    FollowUpKind,
    FoundNotSuitable,
    MailKind,
    Method,
    Mode,
    Notification,
    OrderReason,
    Reason,
    Referral,
    ReferralStatus,
    ReopenedDecision,
    ReopeningReason,
    ReopenReason,
    Result,
    Submission,
    TextKind,
    TrialStatus,
    Ward,
)
from referrals.review.actions.put_right import (
    correct_finding,
    find_not_suitable,
    move_referral,
    reopen_decision,
)
from referrals.review.actions.refer_now import ask_to_ring_again, refer_now
from referrals.review.actions.submit import submit
from referrals.review.readers.linked import named_back
from referrals.review.readers.submitted import decision_results, reopened_of
from src_app.accounts.guards import NotAllowed
from src_app.audit.models import Action, AuditEntry
from src_app.audit.record import acting
from src_app.refused import Refused
from tests.factories import (
    AllocationFactory,
    BcuMembershipFactory,
    DecisionFactory,
    SubmissionFactory,
    TrialFactory,
    WardModeFactory,
    advance,
)

OTHER = "01/7654321/26"
DUPLICATE = {"reason": Reason.DUPLICATE, "contact_by": ContactBy.INVESTIGATOR, "duplicate_of": OTHER}
NOT_SUITABLE = {"suitable": False, **DUPLICATE}


@pytest.fixture
def submitted(make_case, submit_all):
    """Submits a case with this mark; of the sixth ward, whose suitable cases all get SRC."""

    def submitted(*, ward=None, **mark):
        case = make_case(**({"ward": ward} if ward else {}))
        if mark:
            DecisionFactory.create(case=case, **mark)
        submit_all(case)
        case.refresh_from_db()
        return case

    return submitted


@pytest.fixture
def referred(submitted, world):
    return submitted(ward=world.wards[5])


@pytest.fixture
def usual(submitted, world):
    """With usual service, as its ward had not started."""
    WardModeFactory.create(ward=world.wards[3], mode=Mode.NOT_STARTED)
    return submitted(ward=world.wards[3])


def _reopen(case, by, at, because=ReopenReason.WRONG_MARK):
    reopen_decision(case_id=case.pk, because=because, by=by, at=at)


def _find(case, by, at, **given):
    return find_not_suitable(case_id=case.pk, **{**DUPLICATE, **given}, by=by, at=at)


def _move(case, ward, by, at, *, why="Hotel", seen=None):
    referral = Referral.objects.filter(case=case).first()
    seen = seen or (referral.ward_id if referral else None)
    return move_referral(case_id=case.pk, seen=seen, ward=ward, why=why, by=by, at=at)


def _refer_now(case, by, at):
    return refer_now(case_id=case.pk, key=uuid.uuid4(), reason=OrderReason.ASKED_FOR_CONTACT, by=by, at=at)


def _change_record(case, values, by, at):
    Case.objects.filter(pk=case.pk).update(**values)
    follow_crime_record(changed={case.pk: set(values)}, by=by, at=at)


def _open_tasks():
    return FollowUp.objects.filter(kind=FollowUpKind.CONTACT_ELSEWHERE, done_at__isnull=True)


def test_a_reopened_case_waits_again_and_is_decided_anew(submitted, submit_all, world, hcop, now):
    case = submitted(ward=world.wards[5], **NOT_SUITABLE)
    later = now + timedelta(hours=1)
    _reopen(case, hcop, later)
    case.refresh_from_db()
    assert (case.decided_at, case.state) == (None, "waiting")
    assert not Decision.objects.exists()
    kept = ReopenedDecision.objects.get()
    assert (kept.suitable, kept.reason, kept.contact_by) == (False, "duplicate", "investigator")
    assert kept.duplicate_of == OTHER
    task = FollowUp.objects.get(kind=FollowUpKind.CONTACT_ELSEWHERE)
    assert (task.done_at, task.done_by, task.dropped) == (later, hcop, True)
    assert AuditEntry.objects.filter(action=Action.FOLLOW_UP_DONE).exists()
    entry = AuditEntry.objects.get(action=Action.DECISION_REOPENED)
    assert entry.references == [case.crime_reference]
    submit_all(case, at=later + timedelta(minutes=5))
    assert Referral.objects.get().case == case
    case.refresh_from_db()
    assert case.state == "referred"


def test_the_time_line_and_the_day_say_that_it_was_reopened(submitted, hcop, now):
    case = submitted(**NOT_SUITABLE)
    _reopen(case, hcop, now + timedelta(hours=1), ReopenReason.RECORD_WRONG)
    case = Case.objects.get(pk=case.pk)
    told = [(event.title, event.detail) for event in timeline(case, records_of(case))]
    why = f"Duplicate of another report: {OTHER}. Contact: The investigating officer only."
    assert ("Not suitable", why) in told
    assert ("Decision reopened", "The crime record was wrong or incomplete.") in told
    submission = Submission.objects.get()
    assert decision_results(submission) == []
    assert [each.case for each in reopened_of(submission)] == [case]


def test_the_first_submission_sent_again_stays_the_first_after_a_case_was_reopened(
    submitted, world, hcop, now
):
    case = submitted(**NOT_SUITABLE)
    first, seen = Submission.objects.get(), dict(Decision.objects.values_list("case_id", "version"))
    _reopen(case, hcop, now)
    again = submit(bcu=world.south_west, seen=seen, key=first.key, by=hcop, at=now)
    assert again == first
    case.refresh_from_db()
    assert case.decided_at is None


def test_a_case_waits_for_its_reopening_once(submitted, hcop, now):
    case = submitted(**NOT_SUITABLE)
    _reopen(case, hcop, now)
    with pytest.raises(Refused, match="waits in the overnight review"):
        _reopen(case, hcop, now)


def test_what_was_referred_or_allocated_is_not_reopened(referred, usual, hcop, now):
    with pytest.raises(Refused, match=r"It was referred \(SRC-"):
        _reopen(referred, hcop, now)
    AllocationFactory.create(case=usual, trial=TrialFactory.create(bcu=usual.bcu), arm=Arm.CONTROL)
    with pytest.raises(Refused, match="decided by a trial"):
        _reopen(usual, hcop, now)
    assert not ReopenedDecision.objects.exists()


def test_a_referral_found_not_suitable_is_closed_and_everybody_is_told(referred, other_hcop, now):
    referral = Referral.objects.get()
    Referral.objects.update(flag_confirmed_at=now, flag_confirmed_by=other_hcop)
    _find(referred, other_hcop, now)
    referral.refresh_from_db()
    assert (referral.status, referral.close_reason) == (ReferralStatus.CLOSED, CloseReason.NOT_SUITABLE)
    assert (referral.closed_at, referral.closed_by) == (now, other_hcop)
    assert list(flags_to_remove(other_hcop)) == [referral]
    mail = Notification.objects.get(kind=MailKind.CLOSED_BY_HCOP)
    assert mail.recipient == referral.team.mailbox
    task = FollowUp.objects.get()
    assert (task.kind, task.case, task.acknowledged_by) == (
        FollowUpKind.CONTACT_ELSEWHERE,
        referred,
        other_hcop,
    )
    assert Decision.objects.get().suitable
    assert not Deviation.objects.exists()


def test_of_which_report_it_is_a_duplicate_is_said_and_kept(referred, hcop, now):
    for other, words in (("", "Say of which report"), (referred.crime_reference, "this report itself")):
        with pytest.raises(Refused, match=words):
            _find(referred, hcop, now, duplicate_of=other)
    assert Referral.objects.get().status == ReferralStatus.OPEN
    _find(referred, hcop, now)
    case = Case.objects.get(pk=referred.pk)
    assert FoundNotSuitable.objects.get().why == f"Duplicate of another report: {OTHER}"
    [told] = [
        each.detail for each in timeline(case, records_of(case)) if each.title == "Not suitable after all"
    ]
    assert told == f"Duplicate of another report: {OTHER}. Contact: The investigating officer only."


@pytest.mark.parametrize("is_taken_on", [True, False])
def test_of_a_case_that_the_record_closed_too_one_task_asks_who_contacts_the_victim(
    referred, hcop, system, now, is_taken_on
):
    _change_record(referred, {"hate_flag": False}, system, now)
    ruled_out = FollowUp.objects.get()
    if is_taken_on:
        acknowledge(follow_up_id=ruled_out.pk, by=hcop, at=now)
    later = now + timedelta(hours=1)
    _find(referred, hcop, later)
    ruled_out.refresh_from_db()
    assert (ruled_out.kind, ruled_out.done_at, ruled_out.dropped) == (FollowUpKind.RULED_OUT, later, True)
    # The record changes once more, and asks nothing else.
    _change_record(referred, {"crime_status": "cancelled"}, system, later)
    [task] = FollowUp.objects.filter(done_at__isnull=True)
    assert (task.kind, task.acknowledged_by) == (FollowUpKind.CONTACT_ELSEWHERE, hcop)


def test_a_victim_who_is_referred_now_is_asked_about_by_no_task(referred, hcop, system, now):
    _change_record(referred, {"hate_flag": False}, system, now)
    _refer_now(referred, hcop, now + timedelta(hours=1))
    assert FollowUp.objects.get().dropped
    assert Referral.objects.get().status == ReferralStatus.OPEN


def test_an_allocation_stays_and_a_deviation_says_that_it_was_in_error(usual, hcop, now):
    trial = TrialFactory.create(bcu=usual.bcu)
    control = AllocationFactory.create(case=usual, trial=trial, arm=Arm.CONTROL, allocated_at=now)
    _find(usual, hcop, now)
    deviation = Deviation.objects.get()
    assert (deviation.allocation, deviation.kind) == (control, DeviationKind.IN_ERROR)
    assert not Referral.objects.exists()
    with pytest.raises(Refused, match="HCOP South West recorded on"):
        _find(usual, hcop, now)
    assert FoundNotSuitable.objects.count() == 1


def test_what_can_be_reopened_is_not_found_unsuitable(usual, hcop, now):
    with pytest.raises(Refused, match="reopen it"):
        _find(usual, hcop, now)
    _reopen(usual, hcop, now)
    assert ReopenedDecision.objects.get().suitable


def test_a_reason_to_refer_is_no_reason_against_it(referred, hcop, now):
    with pytest.raises(Refused, match="a reason to refer"):
        _find(referred, hcop, now, reason=Reason.HIGH_RISK)


def test_a_victim_who_asks_for_contact_is_referred_again_and_the_flag_is_wanted_again(referred, hcop, now):
    _find(referred, hcop, now)
    _refer_now(referred, hcop, now)
    referral = Referral.objects.get()
    assert (referral.status, referral.ruled_out_since) == (ReferralStatus.OPEN, None)


def test_a_referral_moves_with_its_clock_and_both_teams_are_told(referred, world, hcop, system, now):
    before, later = Referral.objects.get(), now + timedelta(hours=2)
    Referral.objects.update(taken_at=now, taken_by=hcop)
    _move(referred, world.wards[1], hcop, later, why="Wrong postcode")
    referral = Referral.objects.get()
    assert (referral.team, referral.ward) == (world.teams[1], world.wards[1])
    assert (referral.due_at, referral.number, referral.taken_by) == (before.due_at, before.number, None)
    told = dict(Notification.objects.exclude(kind=MailKind.REFERRAL_MADE).values_list("kind", "recipient"))
    assert told == {MailKind.HANDED_TO: world.teams[1].mailbox, MailKind.HANDED_ON: world.teams[5].mailbox}
    assert referred.texts.get(kind=TextKind.TEAM_REASON).body == "Wrong postcode"
    Case.objects.filter(pk=referred.pk).update(ward=world.wards[2])
    follow_crime_record(changed={referred.pk: {"ward"}}, by=system, at=later)
    referral.refresh_from_db()
    assert referral.team == world.teams[1]  # chosen by hand
    events = [event.detail for event in timeline(referred, records_of(referred))]
    assert any("the hate crime officer moved it" in detail for detail in events)


def test_where_a_referral_cannot_move_to(referred, submitted, world, hcop, now):
    def move(case, ward, why="Hotel"):
        _move(case, ward, hcop, now, why=why)

    with pytest.raises(Refused, match="Say why"):
        move(referred, world.wards[1], why=" ")
    with pytest.raises(Refused, match="already"):
        move(referred, world.wards[5])
    with pytest.raises(Refused, match="not in the BCU"):
        move(referred, world.north_ward)
    with pytest.raises(Refused, match="no referral"):
        move(submitted(**NOT_SUITABLE), world.wards[1])
    Referral.objects.update(
        status=ReferralStatus.CLOSED, close_reason=CloseReason.DECLINED, closed_at=now, closed_by=hcop
    )
    with pytest.raises(Refused, match="has ended"):
        move(referred, world.wards[1])


@pytest.mark.parametrize("who", ["supervisor", "officer", "north_hcop"])
def test_only_the_hcop_of_the_bcu_puts_something_right(request, referred, world, now, who):
    user = request.getfixturevalue(who)
    for act in (
        lambda: _reopen(referred, user, now),
        lambda: _find(referred, user, now),
        lambda: _move(referred, world.wards[1], user, now),
    ):
        with pytest.raises((NotAllowed, Case.DoesNotExist)):
            act()
    assert Referral.objects.get().status == ReferralStatus.OPEN


@pytest.mark.parametrize("before", ["not suitable", "found not suitable"])
def test_once_the_victim_is_referred_now_nobody_else_is_asked_to_call(submitted, world, hcop, now, before):
    case = submitted(ward=world.wards[5], **(NOT_SUITABLE if before == "not suitable" else {}))
    if before == "found not suitable":
        _find(case, hcop, now)
    assert _open_tasks().count() == 1
    _refer_now(case, hcop, now + timedelta(hours=1))
    assert not _open_tasks().exists()
    case = Case.objects.get(pk=case.pk)
    told = [event.title for event in timeline(case, records_of(case))]
    assert "No longer to be done" in told
    assert "Done" not in told


def test_a_case_referred_now_by_mistake_is_found_not_suitable_again(referred, hcop, now):
    for hours in (0, 2):
        _find(referred, hcop, now + timedelta(hours=hours))
        assert Referral.objects.get().status == ReferralStatus.CLOSED
        assert _open_tasks().count() == 1
        if hours == 0:
            _refer_now(referred, hcop, now + timedelta(hours=1))
    with pytest.raises(Refused, match="recorded on"):
        _find(referred, hcop, now + timedelta(hours=3))


def test_nobody_is_asked_to_call_a_victim_whom_the_team_has_spoken_with(referred, hcop, now):
    done = {"status": ReferralStatus.COMPLETED, "contacted_at": now, "closed_at": now, "closed_by": hcop}
    Referral.objects.update(**done)
    _find(referred, hcop, now)
    assert not FollowUp.objects.exists()


def test_the_flag_of_a_case_found_not_suitable_stays_to_be_taken_off(referred, hcop, system, now):
    Referral.objects.update(flag_confirmed_at=now, flag_confirmed_by=hcop)
    _find(referred, hcop, now)
    for flagged in (False, True):
        Case.objects.filter(pk=referred.pk).update(hate_flag=flagged)
        follow_crime_record(changed={referred.pk: {"hate_flag"}}, by=system, at=now)
    assert list(flags_to_remove(hcop)) == [Referral.objects.get()]


def test_the_flag_of_what_the_team_had_closed_is_to_be_taken_off_too(referred, hcop, now):
    closed = {"status": ReferralStatus.CLOSED, "close_reason": CloseReason.DECLINED}
    Referral.objects.update(**closed, closed_at=now, closed_by=hcop)
    _find(referred, hcop, now)
    referral = Referral.objects.get()
    assert list(flags_to_remove(hcop)) == [referral]
    assert referral.close_reason == CloseReason.DECLINED


def test_the_mail_that_it_was_closed_is_not_sent_once_it_is_open_again(
    referred, hcop, system, now, mailoutbox
):
    _find(referred, hcop, now)
    _refer_now(referred, hcop, now + timedelta(minutes=1))
    for kind in (MailKind.REOPENED, MailKind.CLOSED_BY_HCOP):
        mail = Notification.objects.get(kind=kind)
        deliver(notification_id=mail.pk, by=system, at=now + timedelta(hours=1))
    assert [mail.subject.split(":")[0] for mail in mailoutbox] == ["Open again"]
    assert Notification.objects.get(kind=MailKind.CLOSED_BY_HCOP).abandoned_at


def test_within_one_team_the_ward_moves_by_hand_and_nobody_is_told(referred, world, hcop, system, now):
    Ward.objects.filter(pk=world.wards[4].pk).update(team=world.teams[5])
    Referral.objects.update(taken_at=now, taken_by=hcop)
    _move(referred, Ward.objects.get(pk=world.wards[4].pk), hcop, now)
    assert not Notification.objects.exclude(kind=MailKind.REFERRAL_MADE).exists()
    Case.objects.filter(pk=referred.pk).update(ward=world.wards[2])
    follow_crime_record(changed={referred.pk: {"ward"}}, by=system, at=now)
    referral = Referral.objects.get()
    assert (referral.ward, referral.team, referral.taken_by) == (world.wards[4], world.teams[5], hcop)


def test_of_two_who_move_it_the_second_is_told(referred, world, hcop, other_hcop, now):
    seen = Referral.objects.get().ward_id
    _move(referred, world.wards[1], hcop, now)
    with pytest.raises(Refused, match="is with Colliers Wood team for Colliers Wood by now"):
        _move(referred, world.wards[2], other_hcop, now, seen=seen)


def test_what_a_closed_trial_counts_is_not_reopened(make_case, world, hcop, now):
    trial = TrialFactory.create(bcu=world.south_west, name="Pilot")
    case, submission = make_case(), SubmissionFactory.create(bcu=world.south_west)
    DecisionFactory.create(case=case, submission=submission, assessed_for=trial, **NOT_SUITABLE)
    Case.objects.filter(pk=case.pk).update(decided_at=now)
    advance(trial, TrialStatus.CLOSED, by=hcop)
    with pytest.raises(Refused, match="Pilot has closed"):
        _reopen(case, hcop, now)
    assert not ReopenedDecision.objects.exists()


LEFT = {"contact_by": ContactBy.OTHER_REPORT}


def _duplicate_of(other, **changed):
    """A mark as a duplicate of the other report, whose contact belongs to that one."""
    return {**NOT_SUITABLE, **LEFT, "duplicate_of": other.crime_reference, **changed}


def test_a_duplicate_left_to_a_report_in_hand_asks_nobody(submitted, make_case, world, referred):
    submitted(**_duplicate_of(referred))
    submitted(**_duplicate_of(make_case()))  # waits for its decision
    assert not FollowUp.objects.exists()


def test_a_duplicate_left_to_a_report_that_is_not_kept_here_is_seen_to(submitted, hcop):
    case = submitted(**NOT_SUITABLE | LEFT)
    assert [(task.case, task.acknowledged_by) for task in _open_tasks()] == [(case, hcop)]


def test_a_duplicate_left_to_a_report_that_gets_no_contact_is_refused(referred, usual, hcop, now):
    with pytest.raises(Refused, match="Usual service: no team contacts the victim"):
        _find(referred, hcop, now, **LEFT, duplicate_of=usual.crime_reference)
    with pytest.raises(Refused, match="Only a duplicate"):
        _find(referred, hcop, now, **LEFT, reason=Reason.CLOSED, duplicate_of="")
    _find(referred, hcop, now, **LEFT)


def test_a_referral_found_to_be_a_duplicate_of_one_in_hand_asks_nobody(submitted, referred, world, hcop, now):
    other = submitted(ward=world.wards[5])
    _find(referred, hcop, now, **LEFT, duplicate_of=other.crime_reference)
    assert not FollowUp.objects.exists()


@pytest.mark.parametrize("fate", ["found not suitable", "ruled out", "decided not suitable", "usual service"])
def test_once_the_other_report_gets_no_contact_somebody_sees_to_its_duplicates(
    submitted, submit_all, make_case, world, hcop, system, now, fate
):
    WardModeFactory.create(ward=world.wards[3], mode=Mode.NOT_STARTED)
    in_team = fate in ("found not suitable", "ruled out")
    other = submitted(ward=world.wards[5]) if in_team else make_case(ward=world.wards[3])
    duplicate = submitted(**_duplicate_of(other))
    assert not _open_tasks().exists()
    if fate == "found not suitable":
        _find(other, hcop, now)
    elif fate == "ruled out":
        _change_record(other, {"hate_flag": False}, system, now)
    elif fate == "decided not suitable":
        DecisionFactory.create(case=other, **NOT_SUITABLE)
        submit_all(other)
    else:
        submit_all(other)
    task = _open_tasks().get(case=duplicate)
    assert task.acknowledged_by == (None if fate == "ruled out" else hcop)
    assert AuditEntry.objects.filter(
        action=Action.FOLLOW_UP_RAISED, references=[duplicate.crime_reference]
    ).exists()


def test_of_two_submitted_together_the_duplicate_of_what_gets_no_contact_is_seen_to(
    make_case, submit_all, world
):
    WardModeFactory.create(ward=world.wards[3], mode=Mode.NOT_STARTED)
    other, duplicate = make_case(ward=world.wards[3]), make_case()
    DecisionFactory.create(case=duplicate, **_duplicate_of(other))
    submit_all(other, duplicate)
    assert [task.case for task in _open_tasks()] == [duplicate]


def test_what_a_team_ends_without_contact_stays_ended_for_its_duplicates(submitted, referred, hcop, now):
    submitted(**_duplicate_of(referred))
    ended = {"status": ReferralStatus.CLOSED, "close_reason": CloseReason.DECLINED}
    Referral.objects.update(**ended, closed_at=now, closed_by=hcop)
    assert cases_in_hand().filter(pk=referred.pk).exists()
    submitted(**_duplicate_of(referred))
    assert not FollowUp.objects.exists()


@pytest.mark.parametrize("back", ["referred now", "reopened", "reinstated", "spoken with after all"])
def test_once_the_other_report_is_in_hand_again_nobody_is_asked_for_its_duplicates(
    submitted, submit_all, make_case, world, hcop, officer, system, now, back
):
    other = make_case() if back == "reopened" else submitted(ward=world.wards[5])
    duplicate = submitted(**_duplicate_of(other))
    later = now + timedelta(hours=1)
    if back == "reinstated":
        _change_record(other, {"hate_flag": False}, system, now)
        _change_record(other, {"hate_flag": True}, system, later)
    elif back == "spoken with after all":
        BcuMembershipFactory.create(user=officer, bcu=other.bcu)
        _find(other, hcop, now)
        _speak_with(Referral.objects.get(case=other), officer, later)
    elif back == "referred now":
        _find(other, hcop, now)
        _refer_now(other, hcop, later)
    else:
        DecisionFactory.create(case=other, **NOT_SUITABLE)
        submit_all(other)
        _reopen(other, hcop, later)
    task = FollowUp.objects.get(case=duplicate)
    assert (task.done_at, task.dropped) == (later, True)
    assert not _open_tasks().exists()


def test_a_duplicate_of_a_report_that_comes_later_is_seen_to_until_that_is_referred(
    submitted, make_case, submit_all, world
):
    duplicate = submitted(**NOT_SUITABLE | LEFT)
    assert [task.case for task in _open_tasks()] == [duplicate]
    other = make_case(crime_reference=OTHER, ward=world.wards[5])
    assert [task.case for task in _open_tasks()] == [duplicate]
    submit_all(other)
    assert not _open_tasks().exists()


def test_a_decision_that_was_overtaken_names_no_report_back(submitted, referred, world, hcop, now):
    """As where the wrong one of two reports was called the duplicate, and was referred now since."""
    other = submitted(ward=world.wards[5], **_duplicate_of(referred))
    assert named_back(referred.bcu_id, {referred.crime_reference: other.crime_reference})
    _refer_now(other, hcop, now)
    assert not named_back(referred.bcu_id, {referred.crime_reference: other.crime_reference})
    _find(referred, hcop, now, **LEFT, duplicate_of=other.crime_reference)
    assert Referral.objects.get(case=referred).close_reason == CloseReason.NOT_SUITABLE
    assert not _open_tasks().exists()


def _at_once(*acts):
    """Does both at the same moment; returns what each was told where it was refused."""

    def do(act):
        try:
            with acting("test", by=act.args[1]):
                act()
        except Refused as refused:
            return str(refused)
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(len(acts)) as people:
        return [each.result() for each in [people.submit(do, act) for act in acts]]


@pytest.mark.django_db(transaction=True)
def test_of_two_reports_each_said_to_be_a_duplicate_of_the_other_at_once_one_is_refused(
    submitted, world, hcop, other_hcop, now
):
    one, two = submitted(ward=world.wards[5]), submitted(ward=world.wards[5])
    told = _at_once(
        partial(_find, one, hcop, now, **LEFT, duplicate_of=two.crime_reference),
        partial(_find, two, other_hcop, now, **LEFT, duplicate_of=one.crime_reference),
    )
    assert sorted(bool(each) for each in told) == [False, True]
    assert Referral.objects.filter(status=ReferralStatus.OPEN).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_duplicate_referred_while_its_report_is_found_not_suitable_is_asked_about_by_nobody(
    submitted, referred, world, hcop, other_hcop, now
):
    duplicate = submitted(ward=world.wards[5], **_duplicate_of(referred))
    _at_once(
        partial(_find, referred, hcop, now),
        partial(_refer_now, duplicate, other_hcop, now),
    )
    assert Referral.objects.get(case=duplicate).status == ReferralStatus.OPEN
    assert [task.case for task in _open_tasks()] == [referred]


def test_a_duplicate_that_is_referred_itself_is_asked_about_no_more(submitted, referred, world, hcop, now):
    duplicate = submitted(ward=world.wards[5], **_duplicate_of(referred))
    _refer_now(duplicate, hcop, now)
    _find(referred, hcop, now)
    assert [task.case for task in _open_tasks()] == [referred]


def _correct(case, by, at, *, seen=None, **given):
    seen = seen or FoundNotSuitable.objects.latest("pk").pk
    return correct_finding(case_id=case.pk, seen=seen, **{**DUPLICATE, **given}, by=by, at=at)


def test_why_a_case_is_not_suitable_is_put_right_and_what_was_said_stays(referred, hcop, other_hcop, now):
    wrong, later = _find(referred, hcop, now), now + timedelta(hours=1)
    right = _correct(referred, other_hcop, later, duplicate_of="01/7654322/26")
    case = Case.objects.get(pk=referred.pk)
    assert case.latest_finding == right
    assert (right.corrects, right.found_by, right.found_at) == (wrong, other_hcop, later)
    told = [
        (event.title, event.who, event.detail.partition(".")[0])
        for event in timeline(case, records_of(case))
        if event.title in ("Not suitable after all", "Put right why it is not suitable")
    ]
    assert told == [
        ("Not suitable after all", str(hcop), f"Duplicate of another report: {OTHER}"),
        ("Put right why it is not suitable", str(other_hcop), "Duplicate of another report: 01/7654322/26"),
    ]
    referral = Referral.objects.get()
    assert (referral.close_reason, referral.closed_at) == (CloseReason.NOT_SUITABLE, now)
    # The same person still contacts the victim: nobody has anything else to see to.
    assert [task.acknowledged_by for task in _open_tasks()] == [hcop]
    assert AuditEntry.objects.filter(action=Action.FOUND_NOT_SUITABLE).count() == 2
    # What was said by mistake keeps no other report from being a duplicate of this one.
    assert named_back(referred.bcu_id, {OTHER: referred.crime_reference}) == []


def test_where_somebody_else_contacts_the_victim_now_it_is_seen_to_anew(
    submitted, referred, world, hcop, other_hcop, now
):
    _find(referred, hcop, now)
    _correct(
        referred, other_hcop, now, reason=Reason.DOMESTIC, duplicate_of="", contact_by=ContactBy.SAFEGUARDING
    )
    assert [task.acknowledged_by for task in _open_tasks()] == [other_hcop]
    assert FollowUp.objects.filter(dropped=True).count() == 1
    other = submitted(ward=world.wards[5])
    _correct(referred, hcop, now, **LEFT, duplicate_of=other.crime_reference)
    assert not _open_tasks().exists()


def test_what_cannot_be_put_right_of_a_finding(referred, usual, hcop, other_hcop, officer, now):
    with pytest.raises(Refused, match="there is nothing to put right"):
        _correct(referred, hcop, now, seen=1)
    wrong = _find(referred, hcop, now)
    with pytest.raises(Refused, match="nothing was changed"):
        _correct(referred, hcop, now)
    with pytest.raises(Refused, match="a reason to refer"):
        _correct(referred, hcop, now, reason=Reason.HIGH_RISK, duplicate_of="")
    with pytest.raises(Refused, match="this report itself"):
        _correct(referred, hcop, now, duplicate_of=referred.crime_reference)
    with pytest.raises(Refused, match="no team contacts the victim"):
        _correct(referred, hcop, now, **LEFT, duplicate_of=usual.crime_reference)
    with pytest.raises(NotAllowed):
        _correct(referred, officer, now, duplicate_of="01/7654322/26")
    _correct(referred, other_hcop, now, duplicate_of="01/7654322/26")
    with pytest.raises(Refused, match="put this right meanwhile"):
        _correct(referred, hcop, now, seen=wrong.pk, duplicate_of="01/7654323/26")
    _refer_now(referred, hcop, now)
    with pytest.raises(Refused, match="there is nothing to put right"):
        _correct(referred, hcop, now)


def test_nobody_is_asked_to_call_whom_the_team_has_spoken_with_once_it_is_put_right(referred, hcop, now):
    done = {"status": ReferralStatus.COMPLETED, "contacted_at": now, "closed_at": now, "closed_by": hcop}
    Referral.objects.update(**done)
    _find(referred, hcop, now)
    _correct(referred, hcop, now, contact_by=ContactBy.HOME_BCU)
    assert not FollowUp.objects.exists()


@pytest.fixture
def spoken_with(referred, officer, now):
    """A referred case whose victim the team has spoken with, as it said by mistake; with that attempt."""
    BcuMembershipFactory.create(user=officer, bcu=referred.bcu)
    return _speak_with(Referral.objects.get(), officer, now)


def _speak_with(referral, by, at):
    said = {"method": Method.TELEPHONE, "result": Result.CONTACT_MADE, "made_at": at, "by": by}
    return log_attempt(referral_id=referral.pk, key=uuid.uuid4(), **said, at=at)


def _withdraw(attempt, by, at):
    withdraw_attempt(attempt_id=attempt.pk, key=uuid.uuid4(), by=by, at=at)
    return Referral.objects.get()


def test_a_contact_withdrawn_of_what_is_not_suitable_opens_nothing_and_somebody_else_calls(
    referred, spoken_with, officer, other_hcop, now
):
    _find(referred, other_hcop, now)
    assert not _open_tasks().exists()
    later = now + timedelta(hours=1)
    referral = _withdraw(spoken_with, officer, later)
    assert (referral.status, referral.close_reason) == (ReferralStatus.CLOSED, CloseReason.NOT_SUITABLE)
    assert (referral.closed_at, referral.contacted_at, referral.ruled_out_since) == (later, None, later)
    # Whoever found it is not there to see that this came back.
    task = _open_tasks().get()
    assert (task.case, task.acknowledged_by) == (referred, None)


def test_nor_does_a_supervisor_open_it_again(referred, spoken_with, other_hcop, inspector, now):
    _find(referred, other_hcop, now)
    referral = Referral.objects.get()
    with pytest.raises(Refused, match="ask the hate crime officer"):
        reopen(referral_id=referral.pk, reason=ReopeningReason.MISTAKE, by=inspector, at=now)


def test_an_attempt_withdrawn_of_what_was_closed_as_not_suitable_leaves_it_closed(
    referred, officer, other_hcop, now
):
    BcuMembershipFactory.create(user=officer, bcu=referred.bcu)
    said = {"method": Method.TELEPHONE, "result": Result.NO_ANSWER, "made_at": now, "by": officer}
    tried = log_attempt(referral_id=Referral.objects.get().pk, key=uuid.uuid4(), **said, at=now)
    _find(referred, other_hcop, now)
    referral = _withdraw(tried, officer, now + timedelta(hours=1))
    assert (referral.close_reason, referral.closed_at) == (CloseReason.NOT_SUITABLE, now)
    assert _open_tasks().count() == 1


def _ring(case, by, at):
    return ask_to_ring_again(case_id=case.pk, reason=OrderReason.HIGH_RISK, by=by, at=at)


UNSAFE = {"reason": Reason.UNSAFE, "contact_by": ContactBy.SAFEGUARDING, "duplicate_of": ""}


def test_whom_it_is_unsafe_to_ring_is_rung_no_more_and_the_team_is_told(
    referred, spoken_with, hcop, other_hcop, officer, now
):
    task = _ring(referred, hcop, now)
    acknowledge(follow_up_id=task.pk, by=officer, at=now)
    _find(referred, other_hcop, now + timedelta(hours=1), **UNSAFE)
    task.refresh_from_db()
    assert (task.dropped, task.done_by, task.acknowledged_by) == (True, other_hcop, officer)
    assert to_ring_again(officer, now) == []
    mail = Notification.objects.get(kind=MailKind.RING_NO_MORE)
    assert mail.recipient == Referral.objects.get().team.mailbox
    assert "Do not ring" in message_of(mail).body
    entry = AuditEntry.objects.get(action=Action.FOLLOW_UP_DONE)
    assert entry.references == [Referral.objects.get().number, referred.crime_reference]
    # Who was to be rung is contacted by somebody else now, also where the finding is put right.
    assert _open_tasks().get().acknowledged_by == other_hcop
    _correct(referred, hcop, now + timedelta(hours=2), **{**UNSAFE, "contact_by": ContactBy.HOME_BCU})
    assert _open_tasks().get().acknowledged_by == hcop


def test_nobody_asks_for_another_call_while_a_case_is_found_not_suitable(
    referred, spoken_with, hcop, other_hcop, now
):
    _find(referred, other_hcop, now, **UNSAFE)
    with pytest.raises(Refused, match=f"{other_hcop} recorded on .* Contact would be unsafe"):
        _ring(referred, hcop, now + timedelta(hours=1))
    assert not FollowUp.objects.exists()
    assert not Notification.objects.filter(kind__in=(MailKind.RING_AGAIN, MailKind.RING_NO_MORE)).exists()


def test_of_the_mails_to_ring_and_not_to_ring_the_one_that_holds_is_sent(
    referred, spoken_with, hcop, system, now, mailoutbox
):
    _ring(referred, hcop, now)
    _find(referred, hcop, now + timedelta(minutes=1), **UNSAFE)
    for kind in (MailKind.RING_NO_MORE, MailKind.RING_AGAIN):
        mail = Notification.objects.get(kind=kind)
        deliver(notification_id=mail.pk, by=system, at=now + timedelta(hours=1))
    assert [mail.subject.split(":")[0] for mail in mailoutbox] == ["Do not ring again"]
