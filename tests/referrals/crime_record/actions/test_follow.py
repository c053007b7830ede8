"""What follows when the crime record of a decided case changes."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from outcomes.models import RecordedOutcome
from referrals.compliance.readers.contact import compliance_of
from referrals.compliance.readers.periods import default_period
from referrals.contact.actions import attempts
from referrals.contact.actions.taking import take
from referrals.contact.readers.follow_ups import follow_ups_open
from referrals.crime_record.actions import follow
from referrals.crime_record.actions.follow import follow_crime_record
from referrals.crime_record.readers import flags_to_confirm, flags_to_remove
from referrals.models import (
    Allocation,
    Arm,
    CloseReason,
    CrimeRecordEvent,
    CrimeRecordKind,
    FollowUp,
    FollowUpKind,
    HandOver,
    MailKind,
    Method,
    Noticed,
    Notification,
    OrderReason,
    ReferralNotice,
    ReferralStatus,
    Restriction,
    Result,
    TextKind,
)
from referrals.review.actions.refer_now import ask_to_ring_again
from referrals.review.readers.decided import reinstated_cases
from src_app.accounts.guards import NotAllowed
from src_app.audit.models import Action, AuditEntry
from src_app.audit.record import acting
from src_app.refused import Refused
from tests.factories import (
    AllocationFactory,
    ContactAttemptFactory,
    DecisionFactory,
    FoundNotSuitableFactory,
    NotificationFactory,
    PersonalTextFactory,
    ReferralOrderFactory,
    SubmissionFactory,
    WardFactory,
)
from tests.patience import patience

RULED_OUT = [
    ({"crime_status": "cancelled"}, CrimeRecordKind.CANCELLED),
    ({"crime_status": "transferred"}, CrimeRecordKind.TRANSFERRED),
    ({"is_crime": False}, CrimeRecordKind.RECLASSIFIED),
    ({"hate_flag": False}, CrimeRecordKind.UNFLAGGED),
    ({"is_crime": False, "crime_status": "cancelled"}, CrimeRecordKind.CANCELLED),
]
IN_ORDER = {"is_crime": True, "crime_status": "recorded", "hate_flag": True}


@pytest.fixture
def extract(system, now):
    """An extract that gives the case new values, and what follows from it."""

    def extract(case, *names, at=now, by=system, **values):
        for name, value in values.items():
            setattr(case, name, value)
        case.save(update_fields=list(values))
        follow_crime_record(changed={case.pk: {*names, *values}}, by=by, at=at)

    return extract


@pytest.fixture
def referral(make_referral):
    return make_referral()


def _kinds(case):
    return list(case.crime_record_events.order_by("pk").values_list("kind", flat=True))


def _mail():
    return list(Notification.objects.order_by("pk").values_list("kind", "recipient"))


@pytest.mark.parametrize(("values", "kind"), RULED_OUT)
def test_a_case_ruled_out_gets_a_dated_event_and_its_open_referral_is_closed(
    referral, extract, system, now, values, kind
):
    extract(referral.case, **values)
    event = CrimeRecordEvent.objects.get()
    assert (event.case, event.kind, event.noticed_at, event.noticed_by) == (referral.case, kind, now, system)
    referral.refresh_from_db()
    assert (referral.status, referral.close_reason) == (ReferralStatus.CLOSED, kind)
    assert (referral.closed_at, referral.closed_by, referral.contacted_at) == (now, system, None)
    assert _mail() == [(MailKind.CLOSED_BY_RECORD, referral.team.mailbox)]
    entry = AuditEntry.objects.get(action=Action.CRIME_RECORD_CHANGED)
    assert entry.references == [referral.case.crime_reference]
    assert entry.fields == ["crime_status", "hate_flag", "is_crime"]
    assert AuditEntry.objects.get(action=Action.REFERRAL_CLOSED).references[0] == referral.number


def test_it_counts_as_closed_without_contact(referral, extract, hcop, now):
    extract(referral.case, crime_status="cancelled")
    after = referral.due_at + timedelta(hours=1)
    counts = compliance_of(hcop, period=default_period(after), at=after).total
    assert (counts.closed_without_contact, counts.overdue, counts.due) == (1, 0, 1)


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ({"crime_status": "transferred"}, FollowUpKind.TRANSFERRED),
        ({"crime_status": "cancelled"}, FollowUpKind.RULED_OUT),
        ({"hate_flag": False}, FollowUpKind.RULED_OUT),
    ],
)
def test_the_hcop_gets_the_task_that_somebody_contacts_the_victim(
    referral, extract, hcop, supervisor, values, task
):
    extract(referral.case, **values)
    follow_up = FollowUp.objects.get()
    assert (follow_up.kind, follow_up.referral, follow_up.attempt) == (task, referral, None)
    assert [each.kind for each in follow_ups_open(hcop)] == [task]
    assert list(follow_ups_open(supervisor)) == []


def test_the_same_state_again_is_no_event_and_changes_nothing(referral, extract, now):
    extract(referral.case, crime_status="cancelled")
    before = AuditEntry.objects.count()
    extract(referral.case, "crime_status", at=now + timedelta(days=1))
    extract(referral.case, hate_flag=False, at=now + timedelta(days=2))
    assert _kinds(referral.case) == ["cancelled"]
    assert AuditEntry.objects.count() == before
    assert FollowUp.objects.count() == len(_mail()) == 1


def test_another_ground_is_another_event_and_the_new_reason(referral, extract, now):
    extract(referral.case, hate_flag=False)
    extract(referral.case, crime_status="transferred", at=now + timedelta(days=1))
    assert _kinds(referral.case) == ["unflagged", "transferred"]
    referral.refresh_from_db()
    assert (referral.close_reason, referral.closed_at) == (CloseReason.TRANSFERRED, now)
    assert {each.kind for each in FollowUp.objects.all()} == {
        FollowUpKind.RULED_OUT,
        FollowUpKind.TRANSFERRED,
    }
    assert len(_mail()) == 1


@pytest.mark.parametrize("end", ["completed", "closed"])
def test_a_referral_that_ended_stays_as_it_ended(make_referral, extract, end):
    referral = make_referral(**{end: True})
    before = (referral.status, referral.close_reason, referral.closed_at, referral.contacted_at)
    extract(referral.case, crime_status="cancelled")
    extract(referral.case, **IN_ORDER)
    referral.refresh_from_db()
    assert (referral.status, referral.close_reason, referral.closed_at, referral.contacted_at) == before
    assert _kinds(referral.case) == ["cancelled", "reinstated"]
    assert _mail() == []
    assert not FollowUp.objects.exists()


def test_arm_and_outcome_stay_and_a_control_gets_an_event_alone(make_case, extract, now):
    case = make_case(decided_at=now)
    allocation = AllocationFactory.create(case=case, arm=Arm.CONTROL)
    extract(case, is_crime=False)
    assert _kinds(case) == ["reclassified"]
    assert Allocation.objects.get() == allocation
    assert not RecordedOutcome.objects.exists()
    assert not Notification.objects.exists()


def test_what_was_so_before_the_decision_is_no_event_and_its_being_put_right_is(make_case, extract, now):
    case = make_case(decided_at=now, is_crime=False)
    extract(case, "safety_note")
    assert _kinds(case) == []
    extract(case, is_crime=True)
    assert _kinds(case) == ["reinstated"]


def test_a_flag_that_never_had_to_go_stays_confirmed_when_the_record_is_put_right(
    make_referral, extract, hcop, now
):
    referral = make_referral(flag_confirmed_at=now, flag_confirmed_by=hcop, case__is_crime=False)
    extract(referral.case, is_crime=True)
    referral.refresh_from_db()
    assert referral.flag_confirmed_at == now


def test_open_again_what_changed_meanwhile_is_told_with_it(referral, extract, now):
    extract(referral.case, crime_status="cancelled", at=now)
    note = PersonalTextFactory.create(case=referral.case, changed_at=now + timedelta(hours=1))
    extract(referral.case, note.kind, at=now + timedelta(hours=1))
    assert not ReferralNotice.objects.exists()
    extract(referral.case, at=now + timedelta(hours=2), **IN_ORDER)
    assert ReferralNotice.objects.get().changed == [Noticed.REOPENED, Noticed.SAFETY_NOTE]


def test_open_again_restrictions_that_were_set_meanwhile_are_told_with_it(referral, extract, hcop, now):
    extract(referral.case, crime_status="cancelled", at=now)
    referral.case.restrictions = [Restriction.NO_VOICEMAIL]
    referral.case.restrictions_set_at, referral.case.restrictions_set_by = now + timedelta(hours=1), hcop
    referral.case.save()
    extract(referral.case, at=now + timedelta(hours=2), **IN_ORDER)
    assert ReferralNotice.objects.get().changed == [Noticed.REOPENED, Noticed.RESTRICTIONS]


def test_a_case_that_waits_for_its_decision_is_left_alone(make_case, extract):
    case = make_case()
    extract(case, crime_status="cancelled")
    assert _kinds(case) == []
    assert not AuditEntry.objects.exists()


def test_put_right_the_referral_is_open_again_with_its_due_time_and_taker(
    make_referral, extract, officer, now
):
    taken_at = now - timedelta(minutes=30)
    referral = make_referral(taken_by=officer, taken_at=taken_at)
    due_at = referral.due_at
    extract(referral.case, crime_status="cancelled", hate_flag=False)
    extract(referral.case, crime_status="recorded", at=now + timedelta(days=1))
    assert _kinds(referral.case) == ["cancelled", "unflagged"]
    extract(referral.case, hate_flag=True, at=now + timedelta(days=2))
    assert _kinds(referral.case) == ["cancelled", "unflagged", "reinstated"]
    referral.refresh_from_db()
    assert (referral.status, referral.close_reason, referral.closed_by) == (ReferralStatus.OPEN, "", None)
    assert (referral.due_at, referral.taken_by, referral.taken_at) == (due_at, officer, taken_at)
    assert _mail()[-1] == (MailKind.REOPENED, referral.team.mailbox)
    assert ReferralNotice.objects.get().changed == [Noticed.REOPENED]
    assert AuditEntry.objects.filter(action=Action.REFERRAL_REOPENED).count() == 1


def test_put_right_what_was_found_not_suitable_meanwhile_stays_closed_and_the_hcop_is_told(
    make_referral, extract, hcop, now
):
    referral = make_referral(flag_confirmed_at=now, flag_confirmed_by=hcop)
    extract(referral.case, crime_status="cancelled")
    FoundNotSuitableFactory.create(case=referral.case, found_at=now)
    extract(referral.case, crime_status="recorded", at=now + timedelta(days=1))
    referral.refresh_from_db()
    assert (referral.status, referral.close_reason) == (ReferralStatus.CLOSED, CloseReason.CANCELLED)
    assert _mail()[-1][0] == MailKind.CLOSED_BY_RECORD
    assert list(flags_to_remove(hcop)) == [referral]
    assert list(flags_to_confirm(hcop)) == []
    assert [event.case for event in reinstated_cases(hcop, now + timedelta(days=1))] == [referral.case]


def test_put_right_what_was_referred_again_since_it_was_found_not_suitable_is_open_again(
    referral, extract, now
):
    FoundNotSuitableFactory.create(case=referral.case, found_at=now - timedelta(hours=2))
    ReferralOrderFactory.create(referral=referral, ordered_at=now - timedelta(hours=1))
    extract(referral.case, crime_status="cancelled")
    extract(referral.case, crime_status="recorded", at=now + timedelta(days=1))
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.OPEN


def test_open_again_it_gets_the_reminder_it_was_spared(referral, extract, now):
    reminder = NotificationFactory.create(
        referral=referral, kind=MailKind.DUE_SOON, unique_key="due_soon:1", abandoned_at=now
    )
    extract(referral.case, crime_status="cancelled")
    extract(referral.case, **IN_ORDER)
    reminder.refresh_from_db()
    assert reminder.abandoned_at is None


def test_open_again_it_follows_the_ward_that_changed_meanwhile(referral, extract, world):
    extract(referral.case, crime_status="cancelled")
    extract(referral.case, ward=world.wards[1])
    referral.refresh_from_db()
    assert referral.ward == world.wards[0]
    extract(referral.case, **IN_ORDER)
    referral.refresh_from_db()
    assert (referral.ward, referral.team, referral.status) == (world.wards[1], world.teams[1], "open")
    assert [kind for kind, _ in _mail()] == [
        MailKind.CLOSED_BY_RECORD,
        MailKind.HANDED_TO,
        MailKind.HANDED_ON,
    ]


def test_the_flag_has_to_go_if_it_was_set_and_is_looked_for_if_it_was_not_confirmed(
    make_referral, extract, hcop, now
):
    was_set = make_referral(flag_confirmed_at=now, flag_confirmed_by=hcop, completed=True)
    never = make_referral()
    for each in (was_set, never):
        extract(each.case, hate_flag=False)
    assert list(flags_to_remove(hcop)) == [was_set, never]
    assert list(flags_to_confirm(hcop)) == []
    was_set.refresh_from_db()
    assert was_set.ruled_out_since == now


def test_put_right_the_flag_is_to_be_confirmed_anew(make_referral, extract, hcop, now):
    referral = make_referral(flag_confirmed_at=now, flag_confirmed_by=hcop)
    extract(referral.case, hate_flag=False)
    extract(referral.case, hate_flag=True)
    assert list(flags_to_remove(hcop)) == []
    assert list(flags_to_confirm(hcop)) == [referral]


def test_a_new_ward_hands_it_to_its_team_with_the_same_due_time(
    make_referral, extract, officer, system, now, world
):
    referral = make_referral(taken_by=officer, taken_at=now)
    allocation = AllocationFactory.create(case=referral.case)
    type(referral).objects.filter(pk=referral.pk).update(allocation=allocation)
    due_at = referral.due_at
    extract(referral.case, ward=world.wards[4])
    referral.refresh_from_db()
    assert (referral.ward, referral.team) == (world.wards[4], world.teams[4])
    assert (referral.taken_by, referral.taken_at, referral.due_at) == (None, None, due_at)
    assert referral.status == ReferralStatus.OPEN
    assert _mail() == [
        (MailKind.HANDED_TO, world.teams[4].mailbox),
        (MailKind.HANDED_ON, world.teams[0].mailbox),
    ]
    hand_over = HandOver.objects.get()
    assert (hand_over.from_team, hand_over.to_team) == (world.teams[0], world.teams[4])
    assert (hand_over.from_ward, hand_over.to_ward) == (world.wards[0], world.wards[4])
    assert (hand_over.handed_at, hand_over.handed_by) == (now, system)
    assert Allocation.objects.get().stratum == world.wards[0].borough.code
    assert AuditEntry.objects.filter(action=Action.REFERRAL_HANDED_OVER).count() == 1
    assert not ReferralNotice.objects.exists()


def test_another_ward_of_the_same_team_is_a_notice_and_no_hand_over(make_referral, extract, officer, now):
    referral = make_referral(taken_by=officer, taken_at=now)
    ward = WardFactory.create(team=referral.team, borough=referral.ward.borough)
    extract(referral.case, ward=ward)
    referral.refresh_from_db()
    assert (referral.ward, referral.taken_by) == (ward, officer)
    assert ReferralNotice.objects.get().changed == [Noticed.WARD]
    assert not HandOver.objects.exists()


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_ward_unknown_or_of_another_bcu_is_the_hcops_to_look_at(
    referral, extract, hcop, supervisor, world, elsewhere
):
    extract(referral.case, ward=world.north_ward if elsewhere else None)
    referral.refresh_from_db()
    assert (referral.ward, referral.team) == (world.wards[0], world.teams[0])
    assert [each.kind for each in follow_ups_open(hcop)] == [FollowUpKind.WARD_UNCLEAR]
    assert not follow_ups_open(supervisor).exists()
    assert ReferralNotice.objects.get().changed == [Noticed.WARD]


def test_a_team_chosen_by_hand_keeps_it_and_is_told(referral, extract, world):
    DecisionFactory.create(
        case=referral.case, team=referral.team, submission=SubmissionFactory.create(bcu=world.south_west)
    )
    extract(referral.case, ward=world.wards[1])
    referral.refresh_from_db()
    assert referral.team == world.teams[0]
    assert ReferralNotice.objects.get().changed == [Noticed.WARD]
    assert not FollowUp.objects.exists()


def test_the_ward_it_has_already_is_nothing_to_tell(referral, extract):
    extract(referral.case, "ward")
    assert not ReferralNotice.objects.exists()


def test_what_else_changed_is_one_notice_and_one_mail_without_detail(referral, extract, system, now):
    extract(referral.case, "safety_note", "contact_wishes", "offence", "repeat_victim")
    notice = ReferralNotice.objects.get()
    assert notice.changed == [Noticed.CONTACT_WISHES, Noticed.SAFETY_NOTE]
    assert (notice.noticed_at, notice.noticed_by, notice.read_at) == (now, system, None)
    assert _mail() == [(MailKind.REFERRAL_CHANGED, referral.team.mailbox)]
    assert AuditEntry.objects.get(action=Action.REFERRAL_CHANGED).fields == notice.changed


def test_what_an_officer_need_not_know_is_no_notice(referral, extract):
    extract(referral.case, "offence", "strands", "occurred_at")
    assert not ReferralNotice.objects.exists()
    assert _mail() == []


def test_an_ended_referral_gets_no_notice(make_referral, extract, world):
    referral = make_referral(completed=True)
    extract(referral.case, "safety_note", "officer_in_case", ward=world.wards[1])
    assert not ReferralNotice.objects.exists()
    referral.refresh_from_db()
    assert referral.team == world.teams[0]


@pytest.fixture
def ring_again(make_referral, hcop, now):
    """A task to ring a victim again whom the team has spoken with."""
    referral = make_referral(completed=True)
    return ask_to_ring_again(case_id=referral.case_id, reason=OrderReason.HIGH_RISK, by=hcop, at=now)


def test_a_team_that_is_to_ring_again_is_told_what_an_extract_changed(ring_again, extract, now):
    extract(ring_again.referral.case, "safety_note", "offence", at=now)
    notice = ReferralNotice.objects.get()
    assert (notice.referral, notice.changed) == (ring_again.referral, [Noticed.SAFETY_NOTE])
    assert _mail()[1:] == [(MailKind.RING_AGAIN_CHANGED, ring_again.referral.team.mailbox)]
    assert FollowUp.objects.get() == ring_again


@pytest.mark.parametrize(("values", "kind"), RULED_OUT)
def test_a_victim_whom_the_record_rules_out_is_rung_no_more_and_the_hcop_decides(
    ring_again, extract, system, values, kind
):
    extract(ring_again.referral.case, **values)
    ring_again.refresh_from_db()
    assert (ring_again.dropped, ring_again.done_by) == (True, system)
    assert _mail()[1:] == [(MailKind.RING_NO_MORE, ring_again.referral.team.mailbox)]
    asked = FollowUpKind.TRANSFERRED if kind == CrimeRecordKind.TRANSFERRED else FollowUpKind.RULED_OUT
    assert FollowUp.objects.get(done_at=None).kind == asked
    ring_again.referral.refresh_from_db()
    assert ring_again.referral.status == ReferralStatus.COMPLETED


def test_a_taker_who_is_now_the_officer_in_the_case_is_the_supervisors_task(
    make_referral, extract, officer, supervisor, now
):
    mine = make_referral(taken_by=officer, taken_at=now)
    free = make_referral()
    for each in (mine, free):
        extract(each.case, officer_in_case="pc 1001")
    follow_up = FollowUp.objects.get()
    assert (follow_up.referral, follow_up.kind) == (mine, FollowUpKind.OFFICER_IN_CASE)
    assert list(follow_ups_open(supervisor)) == [follow_up]
    assert ReferralNotice.objects.count() == 2


def test_a_task_of_a_kind_waits_once(referral, extract, hcop, now):
    extract(referral.case, crime_status="transferred")
    extract(referral.case, **IN_ORDER)
    extract(referral.case, crime_status="transferred")
    assert FollowUp.objects.count() == 1
    FollowUp.objects.update(acknowledged_at=now, acknowledged_by=hcop)
    extract(referral.case, **IN_ORDER)
    extract(referral.case, crime_status="transferred")
    assert FollowUp.objects.count() == 2


def test_a_contact_withdrawn_after_the_crime_was_cancelled_leaves_it_closed_so(
    referral, extract, officer, system, now
):
    attempt = attempts.log_attempt(
        referral_id=referral.pk,
        key=uuid.uuid4(),
        method=Method.TELEPHONE,
        result=Result.CONTACT_MADE,
        made_at=now,
        by=officer,
        at=now,
    )
    extract(referral.case, crime_status="cancelled")
    attempts.withdraw_attempt(attempt_id=attempt.pk, key=uuid.uuid4(), by=officer, at=now)
    referral.refresh_from_db()
    assert (referral.status, referral.close_reason) == (ReferralStatus.CLOSED, CloseReason.CANCELLED)
    assert FollowUp.objects.get().kind == FollowUpKind.RULED_OUT


def test_withdrawing_an_attempt_does_not_open_what_the_record_closed(referral, extract, officer, now):
    attempt = ContactAttemptFactory.create(referral=referral, made_by=officer)
    extract(referral.case, crime_status="cancelled")
    attempts.withdraw_attempt(attempt_id=attempt.pk, key=uuid.uuid4(), by=officer, at=now)
    referral.refresh_from_db()
    assert (referral.status, referral.close_reason) == (ReferralStatus.CLOSED, CloseReason.CANCELLED)


@pytest.mark.parametrize("who", ["officer", "supervisor", "leader", "trial_lead"])
def test_only_those_who_import_follow_the_record(request, referral, extract, who):
    with pytest.raises(NotAllowed):
        extract(referral.case, crime_status="cancelled", by=request.getfixturevalue(who))


def test_cases_without_an_open_referral_take_the_same_queries_however_many(
    make_case, make_referral, system, hcop, now
):
    def follow(count):
        cases = [make_case(decided_at=now, crime_status="cancelled") for _ in range(count)]
        cases += [
            make_referral(
                completed=True,
                case__crime_status="cancelled",
                flag_confirmed_at=now,
                flag_confirmed_by=hcop,
            ).case
            for _ in range(count)
        ]
        with CaptureQueriesContext(connection) as queries:
            follow_crime_record(
                changed={case.pk: ["crime_status", "safety_note"] for case in cases}, by=system, at=now
            )
        return len(queries)

    assert follow(3) == follow(30)
    assert flags_to_remove(hcop).count() == 33


def test_more_cases_than_a_chunk_are_all_followed(make_referral, extract, system, now, monkeypatch):
    monkeypatch.setattr(follow, "CHUNK", 2)
    referrals = [make_referral(case__crime_status="cancelled") for _ in range(5)]
    follow_crime_record(
        changed={referral.case_id: ["crime_status"] for referral in reversed(referrals)}, by=system, at=now
    )
    assert CrimeRecordEvent.objects.count() == 5
    assert type(referrals[0]).objects.filter(status=ReferralStatus.CLOSED).count() == 5
    assert FollowUp.objects.count() == 5


def _somebody_waits_for_this_transaction():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks"
            " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
        )
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["take", "log"])
def test_what_is_handed_over_under_an_officers_hands_is_not_theirs_any_more(
    referral, officer, system, world, now, act
):
    """The officer presses while the extract is being saved, and waits for its lock."""
    acts = {
        "take": lambda: take(referral_id=referral.pk, by=officer, at=now),
        "log": lambda: attempts.log_attempt(
            referral_id=referral.pk,
            key=uuid.uuid4(),
            method=Method.TELEPHONE,
            result=Result.NO_ANSWER,
            made_at=now,
            by=officer,
            at=now,
        ),
    }
    outcome: list[object] = []

    def press():
        try:
            with acting("test thread", by=officer):
                outcome.append(acts[act]())
        except Exception as error:  # noqa: BLE001 - the test looks at it
            outcome.append(error)
        finally:
            connection.close()

    pressed = threading.Thread(target=press)
    with transaction.atomic():
        referral.case.ward = world.wards[1]
        referral.case.save(update_fields=["ward"])
        follow_crime_record(changed={referral.case_id: ["ward"]}, by=system, at=now)
        pressed.start()
        while pressed.is_alive() and not _somebody_waits_for_this_transaction():
            pressed.join(0.01)
    pressed.join(patience(120))
    assert isinstance(outcome[0], Refused)
    assert "went to Colliers Wood team this moment" in str(outcome[0])
    referral.refresh_from_db()
    assert (referral.team, referral.taken_by) == (world.teams[1], None)
    assert not referral.attempts.exists()


def test_a_note_that_came_with_what_closed_it_is_told_when_it_is_open_again(make_referral, extract, now):
    referral = make_referral()
    PersonalTextFactory.create(case=referral.case, kind=TextKind.SAFETY_NOTE, changed_at=now)
    extract(referral.case, "safety_note", hate_flag=False)
    extract(referral.case, hate_flag=True, at=now + timedelta(days=1))
    assert Noticed.SAFETY_NOTE in ReferralNotice.objects.get().changed
