"""A decided case referred after all: what it makes, what it leaves alone, and where it is refused."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse

from outcomes.case.readers import records_of
from outcomes.case.timeline import timeline
from outcomes.evaluation.readers.data_set import rows_of
from referrals.contact.actions.closing import close_without_contact
from referrals.contact.actions.follow_ups import acknowledge, finish
from referrals.contact.readers.follow_ups import follow_ups_open
from referrals.crime_record.actions.follow import follow_crime_record
from referrals.crime_record.readers import flags_to_confirm
from referrals.mail.messages import message_of
from referrals.mail.reminders import remind_due
from referrals.models import (
    Allocation,
    Arm,
    Case,
    CloseReason,
    ContactCount,
    Decision,
    Deviation,
    DeviationKind,
    FollowUp,
    FollowUpKind,
    FollowUpResult,
    MailKind,
    Notification,
    OrderReason,
    Referral,
    ReferralOrder,
    ReferralStatus,
    Result,
    TextKind,
    TrialStatus,
    Ward,
)
from referrals.places.actions.teams import close_team
from referrals.review.actions.refer_now import ask_to_ring_again, refer_now
from referrals.review.readers.submitted import decision_results
from referrals.scope import today
from referrals.teams.actions.moves import merge_team
from referrals.trial.actions.deviations import withdraw_deviation
from referrals.trial.readers.progress import progress_of_trial
from src_app.accounts.guards import NotAllowed
from src_app.audit.models import Action, AuditEntry
from src_app.audit.record import acting
from src_app.refused import Refused
from tests.factories import (
    AllocationFactory,
    ContactAttemptFactory,
    ControlCheckFactory,
    DecisionFactory,
    SubmissionFactory,
    TeamMembershipFactory,
    TrialFactory,
    advance,
)

ASKED = OrderReason.ASKED_FOR_CONTACT


@pytest.fixture
def decide(now):
    """Makes the case a decided one, of an hour ago."""

    def decide(case, **decision):
        submission = SubmissionFactory.create(bcu=case.bcu, submitted_at=now - timedelta(hours=1))
        DecisionFactory.create(case=case, submission=submission, **decision)
        Case.objects.filter(pk=case.pk).update(decided_at=submission.submitted_at)
        case.refresh_from_db()
        return case

    return decide


@pytest.fixture
def case(make_case, decide):
    """With usual service, as its ward had not started."""
    return decide(make_case())


@pytest.fixture
def control(make_case, decide, now):
    case = decide(make_case())
    trial = TrialFactory.create(bcu=case.bcu, name="Pilot")
    return AllocationFactory.create(
        case=case, trial=trial, arm=Arm.CONTROL, allocated_at=now - timedelta(hours=1)
    )


@pytest.fixture
def order(hcop, now):
    def order(case, *, reason=ASKED, by=hcop, at=now, key=None, **given):
        return refer_now(case_id=case.pk, key=key or uuid.uuid4(), reason=reason, by=by, at=at, **given)

    return order


def test_a_case_with_usual_service_is_referred_to_its_wards_team(case, order, hcop, now):
    referral = order(case)
    assert (referral.case, referral.team, referral.ward) == (case, case.ward.team, case.ward)
    assert (referral.allocation, referral.status, referral.made_by) == (None, ReferralStatus.OPEN, hcop)
    assert referral.due_at == now + timedelta(hours=24)
    assert list(flags_to_confirm(hcop)) == [referral]
    mail = Notification.objects.get()
    assert (mail.kind, mail.recipient) == (MailKind.REFERRAL_MADE, case.ward.team.mailbox)
    kept = ReferralOrder.objects.get()
    assert (kept.referral, kept.reason, kept.ordered_by, kept.team) == (referral, ASKED, hcop, None)
    entry = AuditEntry.objects.get(action=Action.REFERRALS_MADE)
    assert entry.references == [referral.number, case.crime_reference]
    case.refresh_from_db()
    assert case.state == "referred"
    assert case.decision.suitable


def test_a_case_found_not_suitable_is_referred_and_its_decision_stays(make_case, decide, order):
    case = decide(make_case(), suitable=False, reason="outside_bcu", contact_by="home_bcu")
    order(case, reason=OrderReason.HIGH_RISK)
    assert Decision.objects.get().reason == "outside_bcu"
    assert not Deviation.objects.exists()


def test_a_team_is_chosen_with_a_reason_and_stays_when_the_ward_changes(case, order, world, system, now):
    with pytest.raises(Refused, match="Say why this team"):
        order(case, team=world.teams[1])
    with pytest.raises(Refused, match="not in the BCU"):
        order(case, team=world.north_ward.team, why="Hotel")
    referral = order(case, team=world.teams[1], why="Hotel")
    assert (referral.team, referral.ward) == (world.teams[1], world.wards[1])
    assert case.texts.get(kind=TextKind.TEAM_REASON).body == "Hotel"
    Case.objects.filter(pk=case.pk).update(ward=world.wards[2])
    follow_crime_record(changed={case.pk: {"ward"}}, by=system, at=now)
    referral.refresh_from_db()
    assert referral.team == world.teams[1]


@pytest.mark.parametrize("ward", ["unknown", "another BCU's"])
def test_without_a_ward_here_a_team_has_to_be_chosen(make_case, decide, order, world, ward):
    case = decide(make_case(ward=None))
    if ward != "unknown":
        Case.objects.filter(pk=case.pk).update(ward=world.north_ward)
    with pytest.raises(Refused, match="choose a team"):
        order(case)
    assert order(case, team=world.teams[0], why="Refuge").ward == world.wards[0]


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (ASKED, DeviationKind.REFERRED_BY_WISH),
        (OrderReason.HIGH_RISK, DeviationKind.REFERRED_FOR_SAFETY),
        (OrderReason.OTHER_SAFETY, DeviationKind.REFERRED_FOR_SAFETY),
    ],
)
def test_of_a_control_the_arm_stays_and_a_deviation_is_recorded(control, order, hcop, now, reason, kind):
    before = Allocation.objects.values().get()
    referral = order(control.case, reason=reason)
    assert Allocation.objects.values().get() == before
    assert referral.allocation is None
    deviation = Deviation.objects.get()
    assert (deviation.allocation, deviation.kind, deviation.recorded_by) == (control, kind, hcop)
    assert (deviation.happened_on, deviation.ordered_by) == (now.date(), "")
    with pytest.raises(Refused, match="stays on record"):
        withdraw_deviation(deviation_id=deviation.pk, by=hcop, at=now)


def test_of_a_control_all_is_undone_where_the_referral_fails(control, order, monkeypatch):
    monkeypatch.setattr("referrals.contact.actions.refer.queue", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        order(control.case)
    assert not Deviation.objects.exists()
    assert not Referral.objects.exists()
    assert not ReferralOrder.objects.exists()


def test_a_control_referred_counts_in_its_arm_and_contacted_once_it_was(control, order, now, hcop):
    trial = control.trial
    referral = order(control.case)
    advance(trial, TrialStatus.CLOSED, by=trial.proposed_by, at=now)
    ControlCheckFactory.create(allocation=control, checked_at=now + timedelta(days=31))

    def told():
        later = now + timedelta(days=40)
        [row] = rows_of(trial, later)
        src, usual = progress_of_trial(trial, later).flow.arms
        return row, src[0], usual[0]

    row, src, usual = told()
    assert (row["arm"], row["deviations"], row["contact_made"]) == ("control", ["referred_by_wish"], None)
    assert row["control_contacted"] is False
    assert (src.number, usual.number, usual.parts[0].number) == (0, 1, 0)
    Referral.objects.filter(pk=referral.pk).update(
        status="completed", contacted_at=now + timedelta(days=1), closed_at=now, closed_by=hcop
    )
    row, src, usual = told()
    assert (row["arm"], row["control_contacted"], row["contact_made"]) == ("control", True, None)
    assert (src.number, usual.number) == (0, 1)
    [contacted] = usual.parts[0].parts
    assert (contacted.label, contacted.number) == ("Referred because the victim asked for contact", 1)


def test_what_was_submitted_is_told_as_it_was(case, order):
    order(case)
    [result] = decision_results(case.decision.submission)
    assert result.referral is None
    found = Case.objects.select_related("decision__submission", "referral__team").get()
    told = {event.title: event.detail for event in timeline(found, records_of(found))}
    assert told["Suitable"] == "Usual service."
    assert told["Refer now"] == "The victim asked for contact."


def test_a_referral_closed_without_contact_is_opened_again_with_a_new_clock(
    make_referral, order, world, supervisor, system, now
):
    referral = make_referral(closed=True, taken_at=now, taken_by=supervisor, made_at=now - timedelta(days=9))
    ContactAttemptFactory.create(referral=referral, result=Result.DECLINED)
    Notification.objects.create(
        referral=referral,
        kind=MailKind.OVERDUE,
        unique_key="earlier",
        message_id="<1@x>",
        recipient="x@example.org",
        created_at=now - timedelta(days=5),
        not_before=now,
    )
    closed_at = referral.closed_at
    again = order(referral.case, team=world.teams[1], why="Hotel")
    assert again.pk == referral.pk
    referral.refresh_from_db()
    assert (referral.status, referral.close_reason, referral.taken_by) == (ReferralStatus.OPEN, "", None)
    assert (referral.team, referral.due_at) == (world.teams[1], now + timedelta(hours=24))
    kept = ReferralOrder.objects.get()
    assert (kept.earlier_reason, kept.earlier_closed_at) == (CloseReason.NO_REPLY, closed_at)
    assert Notification.objects.get(kind=MailKind.REOPENED).recipient == world.teams[1].mailbox
    assert AuditEntry.objects.filter(action=Action.REFERRAL_REOPENED).count() == 1
    with pytest.raises(Refused, match="Log the attempt that showed it"):
        close_without_contact(
            referral_id=referral.pk, reason=CloseReason.DECLINED, by=_of_team(world.teams[1]), at=now
        )
    assert remind_due(by=system, at=now + timedelta(hours=11)) == 0
    assert remind_due(by=system, at=now + timedelta(hours=12)) == 1
    assert remind_due(by=system, at=now + timedelta(hours=25)) == 1
    found = Case.objects.select_related("decision__submission", "referral__team").get()
    told = [(event.title, event.detail) for event in timeline(found, records_of(found))]
    assert ("Closed without contact", "No reply after repeated attempts.") in told
    assert ("Handed over", "From Abbey team to Colliers Wood team: it was referred again.") in told


def _of_team(team):
    return TeamMembershipFactory.create(team=team).user


def test_an_src_case_opened_again_is_no_deviation(make_case, decide, make_referral, order):
    src = AllocationFactory.create(case=decide(make_case()), arm=Arm.SRC)
    make_referral(case=src.case, allocation=src, closed=True)
    assert order(src.case).allocation == src
    assert not Deviation.objects.exists()


def test_a_control_is_opened_again_under_the_deviation_it_has(control, order, hcop, now):
    first = order(control.case)
    Referral.objects.update(status="closed", close_reason="no_reply", closed_at=now, closed_by=hcop)
    assert order(control.case, reason=OrderReason.HIGH_RISK, at=now + timedelta(days=1)).pk == first.pk
    assert Deviation.objects.get().kind == DeviationKind.REFERRED_BY_WISH


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"crime_status": "cancelled"}, "Crime cancelled"),
        ({"crime_status": "transferred", "is_crime": False}, "Transferred"),
    ],
)
def test_a_crime_that_is_cancelled_or_gone_to_another_force_is_not_referred(case, order, values, words):
    Case.objects.filter(pk=case.pk).update(**values)
    with pytest.raises(Refused, match=words):
        order(case)


@pytest.mark.parametrize("values", [{"is_crime": False}, {"hate_flag": False}])
def test_the_victim_of_an_incident_who_asks_is_referred_as_in_the_review(case, order, values):
    Case.objects.filter(pk=case.pk).update(**values)
    assert order(case).status == ReferralStatus.OPEN


def test_an_open_a_completed_or_a_waiting_case_is_not_referred(make_referral, make_case, order):
    referral = make_referral()
    with pytest.raises(Refused, match=f"{referral.number} is open already: Abbey team has it"):
        order(referral.case)
    with pytest.raises(Refused, match="spoke with the victim"):
        order(make_referral(completed=True).case)
    with pytest.raises(Refused, match="waits in the overnight review"):
        order(make_case())


@pytest.fixture
def spoken_with(make_referral, decide):
    """The referral of a victim whom the team has spoken with."""
    referral = make_referral(completed=True)
    decide(referral.case)
    return referral


KINDS = {
    OrderReason.ASKED_FOR_CONTACT: FollowUpKind.RING_AGAIN_WISH,
    OrderReason.HIGH_RISK: FollowUpKind.RING_AGAIN_RISK,
    OrderReason.OTHER_SAFETY: FollowUpKind.RING_AGAIN_SAFETY,
}


@pytest.mark.parametrize("reason", OrderReason)
def test_a_team_that_has_spoken_with_the_victim_is_asked_to_ring_again(
    spoken_with, officer, supervisor, hcop, now, reason
):
    def counts():
        read = Referral.objects.values_list("number", "status", "due_at", "contacted_at", "closed_at")
        return list(read), list(ContactCount.objects.values_list("in_time", "late", "closed_without_contact"))

    before = counts()
    task = ask_to_ring_again(case_id=spoken_with.case_id, reason=reason, by=hcop, at=now)
    assert (task.kind, task.referral, task.raised_by) == (KINDS[reason], spoken_with, hcop)
    assert task.acknowledged_by is None
    for user in (hcop, supervisor, officer):
        assert list(follow_ups_open(user)) == [task]
    mail = Notification.objects.get()
    assert (mail.kind, mail.recipient) == (MailKind.RING_AGAIN, spoken_with.team.mailbox)
    message = message_of(mail)
    assert message.subject == f"Ring again: {spoken_with.number}, Abbey"
    assert reverse("my_referrals") in message.body
    assert counts() == before
    assert not ReferralOrder.objects.exists()
    raised = AuditEntry.objects.get(action=Action.FOLLOW_UP_RAISED)
    assert raised.references == [spoken_with.number, spoken_with.case.crime_reference]
    case = Case.objects.get(pk=spoken_with.case_id)
    assert f"To do: {KINDS[reason].label}" in [event.title for event in timeline(case, records_of(case))]


def test_while_the_same_is_asked_nothing_is_added_and_afterwards_it_is_asked_anew(spoken_with, hcop, now):
    def ask(at):
        return ask_to_ring_again(case_id=spoken_with.case_id, reason=ASKED, by=hcop, at=at)

    task = ask(now)
    acknowledge(follow_up_id=task.pk, by=hcop, at=now)
    assert ask(now) == task
    finish(follow_up_id=task.pk, result=FollowUpResult.SPOKEN_WITH, by=hcop, at=now)
    assert ask(now) != task
    assert Notification.objects.count() == FollowUp.objects.count() == 2


def test_where_nobody_is_asked_to_ring_again(make_referral, case, spoken_with, decide, officer, hcop, now):
    def ask(case, by=hcop):
        ask_to_ring_again(case_id=case.pk, reason=ASKED, by=by, at=now)

    with pytest.raises(Refused, match="refer now instead"):
        ask(case)
    with pytest.raises(Refused, match="is open already"):
        ask(decide(make_referral().case))
    with pytest.raises(NotAllowed):
        ask(spoken_with.case, by=officer)
    Case.objects.filter(pk=spoken_with.case_id).update(crime_status="transferred")
    with pytest.raises(Refused, match="investigating officer"):
        ask(spoken_with.case)
    assert not FollowUp.objects.exists()


def test_a_form_sent_again_is_one_referral_and_hours_later_none(case, make_case, decide, order, hcop, now):
    key = uuid.uuid4()
    first = order(case, key=key)
    assert order(case, key=key, at=now + timedelta(minutes=5)) == first
    assert Referral.objects.count() == ReferralOrder.objects.count() == Notification.objects.count() == 1
    with pytest.raises(Refused, match="open the page again"):
        order(case, key=key, at=now + timedelta(hours=5))
    with pytest.raises(Refused, match="another case"):
        order(decide(make_case()), key=key)


def test_of_two_people_one_refers_and_the_other_is_told(case, order, other_hcop):
    first = order(case)
    with pytest.raises(Refused, match=f"{first.number} is open already"):
        order(case, by=other_hcop)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["control", "case"])
def test_of_two_people_at_the_same_moment_one_refers_and_the_other_is_told(
    request, kind, hcop, other_hcop, now
):
    made = request.getfixturevalue(kind)
    case_id = made.case_id if kind == "control" else made.pk

    def press(by):
        try:
            with acting("test", by=by):
                return refer_now(case_id=case_id, key=uuid.uuid4(), reason=ASKED, by=by, at=now).number
        except Refused as refused:
            return str(refused)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as people:
        told = sorted(people.map(press, (hcop, other_hcop)), key=len)
    assert told[1].startswith(f"{told[0]} is open already")
    assert Referral.objects.count() == ReferralOrder.objects.count() == 1
    assert Deviation.objects.count() == (kind == "control")


def test_it_is_for_the_hcops_of_the_bcu(case, order, north_hcop, supervisor, officer, trial_lead):
    for user in (supervisor, officer, trial_lead):
        with pytest.raises(NotAllowed):
            order(case, by=user)
    with pytest.raises(Case.DoesNotExist):
        order(case, by=north_hcop)


def test_where_the_team_was_merged_the_other_is_asked_to_ring_again(
    spoken_with, world, hcop, administrator, now
):
    teams = {"from_team": spoken_with.team, "to_team": world.teams[1]}
    merge_team(**teams, starts_on=today(), by=administrator, at=now)
    ask_to_ring_again(case_id=spoken_with.case_id, reason=ASKED, by=hcop, at=now)
    assert Notification.objects.get(kind=MailKind.RING_AGAIN).recipient == world.teams[1].mailbox


def test_where_the_team_was_closed_the_hcop_is_told_whom_to_ask(spoken_with, world, hcop, administrator, now):
    Ward.objects.filter(team=spoken_with.team).update(team=world.teams[1])
    close_team(team=spoken_with.team, by=administrator, at=now)
    with pytest.raises(Refused, match=f"was closed.*ask {world.teams[1]}"):
        ask_to_ring_again(case_id=spoken_with.case_id, reason=ASKED, by=hcop, at=now)
    assert not FollowUp.objects.exists()
