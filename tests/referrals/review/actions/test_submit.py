"""Submitting a day: allocation, referral and mail, all or nothing."""

import re
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from referrals.models import (
    Allocation,
    Arm,
    Case,
    ContactBy,
    FollowUp,
    FollowUpKind,
    Mode,
    NoticeKind,
    Notification,
    Question,
    Reason,
    Referral,
    Submission,
    Trial,
    TrialStatus,
    UnitKey,
)
from referrals.review.actions import drafts
from referrals.review.actions.drafts import Overtaken
from referrals.review.actions.submit import submit
from referrals.rules.trial.allocation import (
    Design,
    Given,
    Scheme,
    arm_at,
)
from referrals.rules.trial.draws import DOMAIN, sha256
from referrals.rules.trial.protocol import protocol_of
from referrals.rules.trial.seal import allocation_key, chain_hash, chain_key
from referrals.trial.actions.ward_modes import set_ward_mode
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.refused import Refused
from tests.conftest import World
from tests.database import tampering
from tests.factories import (
    LONG_AGO,
    SEED,
    BcuMembershipFactory,
    DecisionFactory,
    PauseFactory,
    SubmissionFactory,
    TeamFactory,
    TrialFactory,
    WardModeFactory,
    advance,
    conduct,
)

MakeCase = Callable[..., Case]


@pytest.fixture
def trial(world: World) -> Trial:
    """A trial in the first borough's three wards; the fourth ward is not started."""
    trial = TrialFactory.create(bcu=world.south_west)
    for ward in world.wards[:3]:
        WardModeFactory.create(ward=ward, mode=Mode.TRIAL, trial=trial)
    WardModeFactory.create(ward=world.wards[3], mode=Mode.NOT_STARTED)
    return trial


def test_whoever_submits_has_to_see_that_somebody_contacts_the_victims_of_cases_not_suitable(
    make_case: MakeCase, world: World, hcop: User, other_hcop: User, now: datetime
) -> None:
    incident, referred, suitable = make_case(is_crime=False), make_case(), make_case(ward=world.wards[5])
    elsewhere = DecisionFactory.create(
        case=incident, suitable=False, reason=Reason.NO_CRIME, contact_by=ContactBy.INVESTIGATOR
    )
    now_to_team = DecisionFactory.create(
        case=referred, suitable=False, reason=Reason.HIGH_RISK, contact_by=ContactBy.NEIGHBOURHOOD_TEAM
    )
    drafts = [elsewhere, now_to_team, DecisionFactory.create(case=suitable)]
    seen = {draft.case_id: draft.version for draft in drafts}
    submit(bcu=world.south_west, seen=seen, key=uuid.uuid4(), by=other_hcop, at=now)
    task = FollowUp.objects.get()
    assert (task.kind, task.case) == (FollowUpKind.CONTACT_ELSEWHERE, incident)
    assert (task.acknowledged_by, task.acknowledged_at, task.done_at) == (other_hcop, now, None)
    entry = AuditEntry.objects.get(action=Action.FOLLOW_UP_RAISED)
    assert entry.references == [incident.crime_reference]


def test_a_suitable_case_of_a_ward_with_src_for_all_is_referred_to_its_team(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World, hcop: User, now: datetime
) -> None:
    case = make_case(ward=world.wards[5])
    submission = submit_all(case)
    referral = Referral.objects.get()
    assert (referral.case, referral.team, referral.ward) == (case, world.teams[5], world.wards[5])
    assert referral.allocation is None
    assert referral.due_at == now + timedelta(hours=72)
    assert referral.number == "SRC-2026-000001"
    mail = Notification.objects.get()
    assert (mail.recipient, mail.referral) == (world.teams[5].mailbox, referral)
    case.refresh_from_db()
    assert case.decided_at == now
    assert case.decision.submission == submission


def test_a_ward_that_is_not_started_makes_no_referral(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World, trial: Trial
) -> None:
    submit_all(make_case(ward=world.wards[3]))
    assert not Referral.objects.exists()
    assert not Allocation.objects.exists()


def test_trial_cases_are_allocated_in_order_of_report_time_by_the_seed(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World, trial: Trial, now: datetime
) -> None:
    cases = [make_case(ward=world.wards[n % 3], reported_at=now - timedelta(hours=30 - n)) for n in range(24)]
    submit_all(*reversed(cases))
    allocations = list(Allocation.objects.order_by("number"))
    assert [allocation.case for allocation in allocations] == cases
    assert [allocation.position for allocation in allocations] == list(range(1, 25))
    key, stratum = allocation_key(SEED, trial.protocol_digest), world.wards[0].borough.code
    assert [allocation.arm for allocation in allocations] == [
        arm_at(key, trial.design, position=n, stratum=stratum).value for n in range(1, 25)
    ]
    referred = set(Referral.objects.values_list("allocation", flat=True))
    assert referred == {a.pk for a in allocations if a.arm == Arm.SRC}


def test_at_the_same_report_time_the_reference_decides(
    make_case: MakeCase, submit_all: Callable[..., Submission], trial: Trial, now: datetime
) -> None:
    later = make_case(crime_reference="01/7999999/26", reported_at=now)
    earlier = make_case(crime_reference="01/7000001/26", reported_at=now)
    submit_all(later, earlier)
    assert [a.case for a in Allocation.objects.order_by("number")] == [earlier, later]


def test_each_borough_has_positions_of_its_own(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World, trial: Trial
) -> None:
    WardModeFactory.create(ward=world.wards[4], mode=Mode.TRIAL, trial=trial)
    submit_all(*[make_case(ward=world.wards[n]) for n in (0, 4, 0, 4)])
    merton, wandsworth = (world.wards[n].borough.code for n in (0, 4))
    positions = set(Allocation.objects.values_list("stratum", "position"))
    assert positions == {(merton, 1), (merton, 2), (wandsworth, 1), (wandsworth, 2)}


@pytest.mark.parametrize("key", ["incident_hash", "victim_hash"])
def test_a_linked_report_follows_the_first_and_takes_no_position(
    make_case: MakeCase,
    submit_all: Callable[..., Submission],
    world: World,
    trial: Trial,
    now: datetime,
    key: str,
) -> None:
    first = make_case(reported_at=now - timedelta(hours=9), **{key: "a" * 64})
    submit_all(first)
    linked = make_case(ward=world.wards[1], **{key: "a" * 64})
    other = make_case(ward=world.wards[1])
    submit_all(linked, other)
    follower = Allocation.objects.get(case=linked)
    leader = Allocation.objects.get(case=first)
    assert (follower.follows, follower.position, follower.arm) == (leader, None, leader.arm)
    assert Allocation.objects.get(case=other).position == 2
    assert UnitKey.objects.count() == 1


def test_an_incident_and_a_victim_of_the_same_hash_in_different_roles_link_as_stored(
    make_case: MakeCase, submit_all: Callable[..., Submission], trial: Trial, now: datetime
) -> None:
    """A report that joins two units follows the earlier one, and the units stay as they are."""
    one = make_case(reported_at=now - timedelta(hours=9), incident_hash="a" * 64)
    two = make_case(reported_at=now - timedelta(hours=8), victim_hash="b" * 64)
    joins = make_case(reported_at=now - timedelta(hours=7), incident_hash="a" * 64, victim_hash="b" * 64)
    submit_all(one, two, joins)
    assert Allocation.objects.get(case=joins).follows == Allocation.objects.get(case=one)


def test_every_row_carries_the_hash_of_the_one_before(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World, trial: Trial
) -> None:
    submit_all(*[make_case() for _ in range(3)])
    submit_all(make_case())
    key, previous = chain_key(SEED, trial.protocol_digest), ""
    for allocation in Allocation.objects.order_by("number"):
        assert allocation.previous_hash == previous
        assert allocation.row_hash == chain_hash(
            key,
            previous=previous,
            row={
                "number": allocation.number,
                "unit": allocation.unit,
                "case": sha256([DOMAIN, "case", allocation.salt, allocation.case.crime_reference]),
                "moment": sha256([DOMAIN, "moment", allocation.salt, "2026-11-23T07:30:00.000000+00:00"]),
                "stratum": world.wards[0].borough.code,
                "levels": {},
                "position": allocation.position,
                "follows": None,
                "arm": allocation.arm,
            },
        )
        previous = allocation.row_hash
    assert len(set(Allocation.objects.values_list("salt", flat=True))) == 4


def test_the_mode_on_the_day_of_the_report_applies(
    make_case: MakeCase,
    submit_all: Callable[..., Submission],
    world: World,
    trial: Trial,
    system: User,
    now: datetime,
) -> None:
    set_ward_mode(wards=[world.wards[0]], mode=Mode.SRC_FOR_ALL, starts_on=now.date(), by=system)
    yesterday = make_case(reported_at=now - timedelta(days=1))
    today = make_case(reported_at=now - timedelta(minutes=30))
    submit_all(yesterday, today)
    assert list(Allocation.objects.values_list("case", flat=True)) == [yesterday.pk]
    assert Referral.objects.get(case=today).allocation is None


@pytest.mark.parametrize("reason", [Reason.HIGH_RISK, Reason.ASKED_FOR_CONTACT])
def test_high_risk_and_asked_for_are_referred_without_allocation_even_in_a_trial_ward(
    make_case: MakeCase, submit_all: Callable[..., Submission], trial: Trial, reason: Reason, now: datetime
) -> None:
    case = make_case()
    DecisionFactory.create(case=case, suitable=False, reason=reason, contact_by=ContactBy.NEIGHBOURHOOD_TEAM)
    submit_all(case)
    referral = Referral.objects.get()
    assert (referral.allocation, referral.due_at) == (None, now + timedelta(hours=24))
    assert not Allocation.objects.exists()


def test_what_is_referred_now_has_a_window_of_its_own_beside_the_others(
    make_case: MakeCase,
    submit_all: Callable[..., Submission],
    world: World,
    now: datetime,
    settings: Settings,
) -> None:
    settings.REFER_NOW_DUE_AFTER = timedelta(hours=8)
    usual, urgent = make_case(ward=world.wards[5]), make_case(ward=world.wards[5])
    DecisionFactory.create(
        case=urgent, suitable=False, reason=Reason.HIGH_RISK, contact_by=ContactBy.NEIGHBOURHOOD_TEAM
    )
    submit_all(usual, urgent)
    due = dict(Referral.objects.values_list("case", "due_at"))
    assert due == {usual.pk: now + timedelta(hours=72), urgent.pk: now + timedelta(hours=8)}
    settings.REFER_NOW_DUE_AFTER = timedelta(hours=1)
    assert Referral.objects.get(case=urgent).due_at == now + timedelta(hours=8)


def test_a_case_that_is_not_suitable_is_decided_and_nothing_more(
    make_case: MakeCase, submit_all: Callable[..., Submission], trial: Trial, now: datetime
) -> None:
    case = make_case()
    DecisionFactory.create(
        case=case, suitable=False, reason=Reason.OUTSIDE_BCU, contact_by=ContactBy.HOME_BCU
    )
    submit_all(case)
    case.refresh_from_db()
    assert case.decided_at == now
    assert not Referral.objects.exists()
    assert not Allocation.objects.exists()


def test_a_chosen_team_gets_the_referral_under_its_own_ward(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World, hcop: User, now: datetime
) -> None:
    case = make_case(ward=None)
    drafts.choose_team(case_id=case.pk, version=None, team=world.teams[5], why="Hotel", by=hcop, at=now)
    submit_all(case)
    referral = Referral.objects.get()
    assert (referral.team, referral.ward) == (world.teams[5], world.wards[5])


@pytest.mark.parametrize("reason", [Reason.HIGH_RISK, Reason.ASKED_FOR_CONTACT])
@pytest.mark.parametrize("team_first", [True, False])
def test_a_case_referred_outside_the_trial_stays_so_when_a_team_is_chosen_for_it(
    make_case: MakeCase,
    submit_all: Callable[..., Submission],
    world: World,
    trial: Trial,
    hcop: User,
    now: datetime,
    reason: Reason,
    team_first: bool,
) -> None:
    """A refuge victim without a ward, at high risk, to a team of the trial: chance has no say."""
    case = make_case(ward=None)
    version = None
    for choosing in (team_first, not team_first):
        if choosing:
            drafted = drafts.choose_team(
                case_id=case.pk, version=version, team=world.teams[0], why="Refuge", by=hcop, at=now
            )
        else:
            drafted = drafts.draft_not_suitable(
                case_id=case.pk,
                version=version,
                reason=reason,
                contact_by=ContactBy.NEIGHBOURHOOD_TEAM,
                by=hcop,
                at=now,
            )
        version = drafted.version
    assert (drafted.reason, drafted.team) == (reason, world.teams[0])
    submit_all(case)
    referral = Referral.objects.get()
    assert (referral.team, referral.allocation) == (world.teams[0], None)


def test_a_team_chosen_does_not_take_a_case_of_a_trial_ward_out_of_its_trial(
    make_case: MakeCase,
    submit_all: Callable[..., Submission],
    world: World,
    trial: Trial,
    hcop: User,
    now: datetime,
) -> None:
    cases = [make_case() for _ in range(8)]
    for case in cases:
        drafts.choose_team(case_id=case.pk, version=None, team=world.teams[5], why="Hotel", by=hcop, at=now)
    submit_all(*cases)
    strata = set(Allocation.objects.values_list("stratum", flat=True))
    assert (Allocation.objects.count(), strata) == (8, {world.wards[0].borough.code})
    assert {(r.team_id, r.ward_id) for r in Referral.objects.all()} == {
        (world.teams[5].pk, world.wards[5].pk)
    }


def test_a_linked_report_from_a_ward_with_src_for_all_follows_its_units_arm(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World, trial: Trial
) -> None:
    firsts = [make_case(victim_hash=f"{number:064}") for number in range(8)]
    submit_all(*firsts)
    later = [make_case(ward=world.wards[5], victim_hash=case.victim_hash) for case in firsts]
    submit_all(*later)
    for first, linked in zip(firsts, later, strict=True):
        assert linked.allocation.follows == first.allocation
        assert Referral.objects.filter(case=linked).exists() == (first.allocation.arm == Arm.SRC)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_victim_referred_outside_the_trial_is_no_unit_of_it(
    make_case: MakeCase, submit_all: Callable[..., Submission], trial: Trial, now: datetime, hours: int
) -> None:
    """Whichever of the two reports of a day came first."""
    first = make_case(victim_hash="1" * 64, reported_at=now - timedelta(hours=5))
    DecisionFactory.create(
        case=first,
        suitable=False,
        reason=Reason.ASKED_FOR_CONTACT,
        contact_by=ContactBy.NEIGHBOURHOOD_TEAM,
    )
    other = make_case(victim_hash="1" * 64, reported_at=now - timedelta(hours=5 + hours))
    submit_all(first, other)
    assert not Allocation.objects.exists()
    assert set(Referral.objects.values_list("case", flat=True)) == {first.pk, other.pk}


def test_a_trial_that_is_not_opened_yet_leaves_the_wards_mode_as_it_was(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World
) -> None:
    sealed = TrialFactory.create(bcu=world.south_west, status=TrialStatus.SEALED)
    WardModeFactory.create(ward=world.wards[5], mode=Mode.NOT_STARTED)
    WardModeFactory.create(
        ward=world.wards[5], mode=Mode.TRIAL, trial=sealed, starts_on=LONG_AGO + timedelta(days=1)
    )
    WardModeFactory.create(ward=world.wards[4], mode=Mode.TRIAL, trial=sealed)
    submit_all(make_case(ward=world.wards[5]), everybody := make_case(ward=world.wards[4]))
    assert not Allocation.objects.exists()
    assert Referral.objects.get().case == everybody


def test_the_case_that_reaches_the_target_closes_the_trial_and_the_next_gets_the_wards_next_mode(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World, now: datetime
) -> None:
    design = Design(Scheme.COMPLETE, target=2)
    protocol = protocol_of(
        name="Small", bcu="SW", design=design, conduct=conduct(ward.code for ward in world.wards)
    )
    trial = TrialFactory.create(bcu=world.south_west, name="Small", protocol=protocol)
    for ward in world.wards[:2]:
        WardModeFactory.create(ward=ward, mode=Mode.TRIAL, trial=trial)
    WardModeFactory.create(ward=world.wards[1], mode=Mode.NOT_STARTED, starts_on=date(2030, 1, 1))
    cases = [make_case(ward=world.wards[n % 2], reported_at=now - timedelta(hours=9 - n)) for n in range(4)]
    linked = make_case(ward=world.wards[0], reported_at=now - timedelta(hours=1), incident_hash="a" * 64)
    Case.objects.filter(pk=cases[0].pk).update(incident_hash="a" * 64)
    submit_all(*cases, linked)
    trial.refresh_from_db()
    assert (trial.status, trial.closed_because) == (TrialStatus.CLOSED, "The target of 2 was reached.")
    assert trial.closed_by == User.objects.system()
    allocated = Allocation.objects.filter(position__isnull=False).order_by("position")
    assert [row.case for row in allocated] == cases[:2]
    assert {row.arm for row in allocated} == {Arm.SRC, Arm.CONTROL}
    # Of the other two, one's ward gives SRC to all from now on, the other's is set to begin later.
    assert Referral.objects.filter(case=cases[2], allocation=None).exists()
    assert not Referral.objects.filter(case=cases[3]).exists()
    assert Allocation.objects.get(case=linked).arm == Allocation.objects.get(case=cases[0]).arm
    assert set(trial.assessed.values_list("case", flat=True)) == {case.pk for case in [*cases, linked]}
    head = trial.notices.get(kind=NoticeKind.HEAD)
    assert head.content["heads"][0]["count"] == 2
    assert trial.registrars.get().email in Notification.objects.get(trial_notice=head).recipient


@pytest.mark.parametrize("meanwhile", [Mode.SRC_FOR_ALL, Mode.NOT_STARTED])
def test_while_a_trial_is_paused_its_wards_have_the_mode_that_was_chosen(
    make_case: MakeCase,
    submit_all: Callable[..., Submission],
    world: World,
    trial: Trial,
    now: datetime,
    meanwhile: Mode,
) -> None:
    first = make_case(ward=world.wards[0], victim_hash="b" * 64)
    submit_all(first)
    PauseFactory.create(trial=trial, meanwhile=meanwhile)
    other, linked = make_case(ward=world.wards[0]), make_case(ward=world.wards[0], victim_hash="b" * 64)
    submit_all(other, linked)
    assert not Allocation.objects.filter(case=other).exists()
    assert Referral.objects.filter(case=other).exists() == (meanwhile == Mode.SRC_FOR_ALL)
    assert Allocation.objects.get(case=linked).arm == Allocation.objects.get(case=first).arm


def test_once_a_trial_is_closed_a_linked_report_follows_its_arm_as_long_as_the_unit_is_followed_up(
    make_case: MakeCase,
    submit_all: Callable[..., Submission],
    world: World,
    trial: Trial,
    trial_lead: User,
    now: datetime,
) -> None:
    first = make_case(ward=world.wards[0], victim_hash="b" * 64)
    submit_all(first)
    trial.refresh_from_db()
    advance(trial, TrialStatus.CLOSED, by=trial_lead, at=now)
    during, after = (make_case(ward=world.wards[0], victim_hash="b" * 64) for _ in range(2))
    submit_all(during, at=now + timedelta(days=30, seconds=-1))
    assert Allocation.objects.get(case=during).arm == Allocation.objects.get(case=first).arm
    submit_all(after, at=now + timedelta(days=30))
    assert not Allocation.objects.filter(case=after).exists()
    assert Referral.objects.get(case=after).allocation is None


def test_a_trial_whose_protocol_is_not_the_sealed_one_allocates_nobody(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World, trial: Trial
) -> None:
    with tampering():
        Trial.objects.filter(pk=trial.pk).update(protocol={**trial.protocol, "question": "Another?"})
    with pytest.raises(Refused, match="not those that were sealed"):
        submit_all(make_case(ward=world.wards[0]))
    assert not Allocation.objects.exists()
    assert not Submission.objects.exists()


def test_after_the_protocols_last_day_a_submission_closes_the_trial_and_allocates_nobody(
    make_case: MakeCase,
    submit_all: Callable[..., Submission],
    world: World,
    trial: Trial,
    system: User,
    now: datetime,
) -> None:
    last = now + timedelta(days=180)
    submit_all(within := make_case(ward=world.wards[0], reported_at=last), at=last)
    submit_all(late := make_case(ward=world.wards[0], reported_at=last), at=last + timedelta(days=1))
    assert [row.case for row in Allocation.objects.all()] == [within]
    assert Referral.objects.get(case=late).allocation is None
    trial.refresh_from_db()
    assert (trial.status, trial.closed_by) == (TrialStatus.CLOSED, system)


def test_a_report_is_not_assessed_for_another_bcus_trial(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World, hcop: User
) -> None:
    WardModeFactory.create(ward=world.north_ward, mode=Mode.TRIAL, trial=TrialFactory.create(bcu=world.north))
    case = make_case(ward=world.wards[0])
    Case.objects.filter(pk=case.pk).update(ward=world.north_ward)
    decision = DecisionFactory.create(
        case=case, suitable=False, reason=Reason.OUTSIDE_BCU, contact_by=ContactBy.HOME_BCU, drafted_by=hcop
    )
    submit_all(case)
    decision.refresh_from_db()
    assert decision.submission is not None
    assert decision.assessed_for is None


def test_nobody_is_allocated_before_the_trial_was_opened(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World, trial: Trial, now: datetime
) -> None:
    case = make_case(ward=world.wards[0], reported_at=now - timedelta(days=50))
    with pytest.raises(Refused, match="clock of this system is behind"):
        submit_all(case, at=now - timedelta(days=31))
    assert not Allocation.objects.exists()


def test_a_report_that_joins_two_units_of_a_closed_trial_follows_the_one_that_is_followed_up(
    make_case: MakeCase,
    submit_all: Callable[..., Submission],
    world: World,
    trial: Trial,
    trial_lead: User,
    now: datetime,
) -> None:
    over = make_case(ward=world.wards[0], victim_hash="a" * 64)
    submit_all(over)
    later = now + timedelta(days=20)
    followed = make_case(ward=world.wards[0], incident_hash="b" * 64)
    submit_all(followed, at=later)
    trial.refresh_from_db()
    advance(trial, TrialStatus.CLOSED, by=trial_lead, at=later)
    joins = make_case(ward=world.wards[0], victim_hash="a" * 64, incident_hash="b" * 64)
    submit_all(joins, at=now + timedelta(days=40))
    assert Allocation.objects.get(case=joins).follows == Allocation.objects.get(case=followed)


def test_a_clock_behind_the_last_allocation_submits_nothing(
    make_case: MakeCase,
    submit_all: Callable[..., Submission],
    world: World,
    trial: Trial,
    now: datetime,
) -> None:
    submit_all(make_case(ward=world.wards[0]))
    waiting = make_case(ward=world.wards[0], reported_at=now - timedelta(days=1))
    submit_all(make_case(ward=world.wards[0]), at=now - timedelta(minutes=4))
    with pytest.raises(Refused, match="clock of this system is behind"):
        submit_all(waiting, at=now - timedelta(hours=1))
    waiting.refresh_from_db()
    assert waiting.decided_at is None
    assert Allocation.objects.count() == 2


def test_a_draft_taken_off_and_made_anew_is_not_the_one_that_was_checked(
    make_case: MakeCase, world: World, hcop: User, other_hcop: User, now: datetime
) -> None:
    case = make_case()
    checked = drafts.draft_not_suitable(
        case_id=case.pk,
        version=None,
        reason=Reason.UNSAFE,
        contact_by=ContactBy.SAFEGUARDING,
        by=hcop,
        at=now,
    ).version
    drafts.clear_draft(case_id=case.pk, version=checked, by=other_hcop, at=now)
    drafts.draft_suitable(case_id=case.pk, version=None, by=other_hcop, at=now)
    with pytest.raises(Overtaken):
        submit(bcu=world.south_west, seen={case.pk: checked}, key=uuid.uuid4(), by=hcop, at=now)
    assert not Referral.objects.exists()


def test_a_chosen_team_that_covers_no_ward_by_now_holds_up_the_submission(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World
) -> None:
    case = make_case()
    DecisionFactory.create(case=case, team=TeamFactory.create(borough=world.wards[0].borough))
    words = f"{case.crime_reference}: That team covers no ward: choose another. Nothing was submitted."
    with pytest.raises(Refused, match=re.escape(words)):
        submit_all(case)
    assert not Submission.objects.exists()


def test_two_reports_that_name_each_other_as_duplicates_are_not_submitted(
    make_case: MakeCase, submit_all: Callable[..., Submission]
) -> None:
    one, other = make_case(), make_case()
    given = {"suitable": False, "reason": Reason.DUPLICATE, "contact_by": ContactBy.INVESTIGATOR}
    DecisionFactory.create(case=one, duplicate_of=other.crime_reference, **given)
    DecisionFactory.create(case=other, duplicate_of=one.crime_reference, **given)
    with pytest.raises(Refused, match="decide which of the two is referred"):
        submit_all(one)
    assert not Submission.objects.exists()


def test_a_suitable_case_without_ward_or_team_holds_up_the_whole_submission(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World
) -> None:
    lost = make_case(ward=None)
    with pytest.raises(Refused, match=f"{lost.crime_reference} has no ward of this BCU: choose a team"):
        submit_all(lost, make_case(ward=world.wards[5]))
    assert not Submission.objects.exists()
    assert not Referral.objects.exists()
    assert not Case.objects.filter(decided_at__isnull=False).exists()


def test_a_draft_that_changed_after_it_was_checked_submits_nothing(
    make_case: MakeCase, world: World, hcop: User, other_hcop: User, now: datetime
) -> None:
    case = make_case()
    seen = drafts.draft_suitable(case_id=case.pk, version=None, by=hcop, at=now).version
    drafts.draft_not_suitable(
        case_id=case.pk,
        version=seen,
        reason=Reason.UNSAFE,
        contact_by=ContactBy.SAFEGUARDING,
        by=other_hcop,
        at=now,
    )
    with pytest.raises(Overtaken, match="Nothing was submitted"):
        submit(bcu=world.south_west, seen={case.pk: seen}, key=uuid.uuid4(), by=hcop, at=now)
    assert not Submission.objects.exists()


def test_a_case_that_became_an_incident_after_it_was_drafted_is_not_submitted(
    make_case: MakeCase, submit_all: Callable[..., Submission], hcop: User, now: datetime
) -> None:
    case = make_case()
    drafts.draft_suitable(case_id=case.pk, version=None, by=hcop, at=now)
    Case.objects.filter(pk=case.pk).update(is_crime=False)
    with pytest.raises(Refused, match=f"{case.crime_reference}: This is an incident, not a crime"):
        submit_all(case)
    assert not Submission.objects.exists()


def test_the_same_key_again_is_the_same_submission(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World
) -> None:
    key, case = uuid.uuid4(), make_case(ward=world.wards[5])
    assert submit_all(case, key=key) == submit_all(case, key=key)
    assert Referral.objects.count() == 1
    assert Notification.objects.count() == 1


def test_the_same_key_with_other_decisions_submits_nothing(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World
) -> None:
    key = uuid.uuid4()
    submit_all(make_case(ward=world.wards[5]), key=key)
    with pytest.raises(Refused, match="to submit other decisions"):
        submit_all(make_case(ward=world.wards[5]), key=key)
    assert Referral.objects.count() == 1


def test_a_key_of_another_bcu_submits_nothing(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World, north_hcop: User, now: datetime
) -> None:
    earlier = SubmissionFactory.create(bcu=world.north)
    with pytest.raises(Refused, match="to submit other decisions"):
        submit_all(make_case(ward=world.wards[5]), key=earlier.key)
    assert Submission.objects.get() == earlier


def test_a_case_already_submitted_is_not_submitted_again(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World
) -> None:
    case = make_case(ward=world.wards[5])
    submit_all(case)
    with pytest.raises(Overtaken):
        submit_all(case)
    assert Referral.objects.count() == 1


def test_nothing_marked_is_nothing_to_submit(world: World, hcop: User, now: datetime) -> None:
    with pytest.raises(Refused, match="mark at least one"):
        submit(bcu=world.south_west, seen={}, key=uuid.uuid4(), by=hcop, at=now)


def test_nobody_submits_for_another_bcu(
    make_case: MakeCase, submit_all: Callable[..., Submission], north_hcop: User, officer: User
) -> None:
    case = make_case()
    for stranger in (north_hcop, officer):
        with pytest.raises(NotAllowed):
            submit_all(case, by=stranger)


def test_a_lost_seal_key_submits_nothing(
    make_case: MakeCase,
    submit_all: Callable[..., Submission],
    trial: Trial,
    settings: Settings,
) -> None:
    settings.TRIAL_SEAL_KEYS = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]
    with pytest.raises(Refused, match="seal key"):
        submit_all(make_case())
    assert not Submission.objects.exists()


def test_the_audit_log_names_the_cases_and_never_an_arm(
    make_case: MakeCase, submit_all: Callable[..., Submission], trial: Trial
) -> None:
    cases = [make_case() for _ in range(8)]
    submit_all(*cases)
    entry = AuditEntry.objects.get(action=Action.CASES_ALLOCATED)
    assert sorted(entry.references) == sorted(case.crime_reference for case in cases)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_auditentry e WHERE e::text ~* 'control|\\msrc\\M[^-]'")
        assert cursor.fetchone() == (0,)


def test_who_reviews_for_two_bcus_submits_each_on_its_own(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World, hcop: User
) -> None:
    """With another BCU's case its trial would not be there, and nothing would be allocated."""
    BcuMembershipFactory.create(user=hcop, bcu=world.north)
    WardModeFactory.create(ward=world.north_ward, mode=Mode.TRIAL, trial=TrialFactory.create(bcu=world.north))
    case = make_case(ward=world.north_ward)
    with pytest.raises(Overtaken):
        submit_all(case)
    assert not Referral.objects.exists()
    case.refresh_from_db()
    assert case.decided_at is None


@pytest.mark.usefixtures("minimised")
def test_a_question_that_the_trial_balances_by_holds_up_the_submission(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World, hcop: User, now: datetime
) -> None:
    case = make_case(ward=world.wards[0], questions=[Question.REPEAT_VICTIM])
    with pytest.raises(Refused, match=r"Is this a repeat victim\? The trial balances by the answer"):
        submit_all(case)
    assert not Submission.objects.exists()
    drafts.answer_questions(case_id=case.pk, repeat_victim=True, by=hcop, at=now)
    submit_all(case)
    assert Allocation.objects.get().levels["repeat_victim"] == "yes"


@pytest.mark.usefixtures("minimised")
def test_a_question_that_it_does_not_balance_by_holds_up_nothing(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World
) -> None:
    submit_all(make_case(ward=world.wards[0], questions=[Question.STRANDS, Question.ANOTHER_VICTIM]))
    assert Allocation.objects.count() == 1


def test_minimisation_looks_at_every_unit_before_and_freezes_what_each_was_like(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World, minimised: Trial
) -> None:
    trial, design = minimised, minimised.design
    submit_all(*[make_case(ward=world.wards[n % 6], repeat_victim=n % 4 == 0) for n in range(12)])
    key = allocation_key(SEED, trial.protocol_digest)
    before: list[Given] = []
    for row in Allocation.objects.order_by("number"):
        home = row.case.ward
        assert home is not None
        repeat = "yes" if row.case.repeat_victim else "no"
        assert row.levels == {"borough": home.borough.code, "repeat_victim": repeat}
        assert row.stratum == ""
        arm = arm_at(key, design, position=len(before) + 1, levels=row.levels, before=before)
        assert row.arm == arm.value
        before.append(Given(arm, row.levels))
    assert len(before) == 12


def test_blocks_are_drawn_apart_for_each_combination_of_strata(
    make_case: MakeCase, submit_all: Callable[..., Submission], world: World
) -> None:
    boroughs = sorted({ward.borough.code for ward in world.wards})
    strata = tuple(f"{code}+{repeat}" for code in boroughs for repeat in ("no", "yes"))
    design = Design(Scheme.STRATIFIED_BLOCKS, target=64, block_sizes=(4,), strata=strata)
    protocol = protocol_of(
        name="Pilot",
        bcu="SW",
        design=design,
        stratified_by="borough+repeat_victim",
        conduct=conduct([ward.code for ward in world.wards]),
    )
    trial = TrialFactory.create(bcu=world.south_west, protocol=protocol)
    for ward in world.wards:
        WardModeFactory.create(ward=ward, mode=Mode.TRIAL, trial=trial)
    submit_all(*[make_case(ward=world.wards[n % 6], repeat_victim=n % 4 == 0) for n in range(16)])
    key = allocation_key(SEED, trial.protocol_digest)
    positions: Counter[str] = Counter()
    for row in Allocation.objects.order_by("number"):
        home = row.case.ward
        assert home is not None
        assert row.stratum == f"{home.borough.code}+{'yes' if row.case.repeat_victim else 'no'}"
        positions[row.stratum] += 1
        assert row.position == positions[row.stratum]
        assert row.arm == arm_at(key, design, position=row.position, stratum=row.stratum).value
    assert set(positions) == set(strata)


def test_wards_are_held_before_their_cases_so_that_none_goes_to_another_team_meanwhile(
    world: World, make_case: Callable[..., Case], submit_all: Callable[..., Any]
) -> None:
    case = make_case(ward=world.wards[5])
    with CaptureQueriesContext(connection) as asked:
        submit_all(case)
    locking = [
        each["sql"] for each in asked if "FOR NO KEY UPDATE" in each["sql"] or "FOR UPDATE" in each["sql"]
    ]
    tables = [re.findall(r'FROM "(\w+)"', sql)[0] for sql in locking]
    assert tables.index("referrals_ward") < tables.index("referrals_case")
