"""How one trial is going: by arm only once recruitment is closed, and never an outcome."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from referrals.models import (
    Allocation,
    ApprovalKind,
    Arm,
    Case,
    DeviationKind,
    MailKind,
    Mode,
    NotDelivered,
    NoticeKind,
    Notification,
    Strand,
    Submission,
    Trial,
    TrialStatus,
)
from referrals.rules.trial.allocation import Design, Factor, Scheme
from referrals.rules.trial.protocol import protocol_of
from referrals.rules.trial.seal import commitment
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from src_app.keys import seal_seed
from tests.conftest import World
from tests.factories import (
    NOW,
    SEED,
    AllocationFactory,
    ControlCheckFactory,
    CrimeRecordEventFactory,
    DecisionFactory,
    DeviationFactory,
    NotificationFactory,
    PauseFactory,
    RecordedOutcomeFactory,
    ReferralFactory,
    SubmissionFactory,
    TrialFactory,
    TrialNoticeFactory,
    WardModeFactory,
    advance,
    conduct,
)

pytestmark = pytest.mark.usefixtures("clock")
MakeCase = Callable[..., Case]
SubmitAll = Callable[..., Submission]


@pytest.fixture
def browser(client_of: Callable[[User], Client], trial_lead: User) -> Client:
    return client_of(trial_lead)


@pytest.fixture
def trial(world: World) -> Trial:
    """It recruits in every ward for 30 days."""
    trial = TrialFactory.create(bcu=world.south_west)
    for ward in world.wards:
        WardModeFactory.create(ward=ward, mode=Mode.TRIAL, trial=trial)
    return trial


@pytest.fixture
def unit(make_case: MakeCase) -> Callable[..., Allocation]:
    def make(trial: Trial, arm: Arm = Arm.SRC, ward: Any = None, **fields: Any) -> Allocation:
        case = make_case(**{"ward": ward} if ward else {})
        return AllocationFactory.create(trial=trial, case=case, arm=arm, **fields)

    return make


def address(trial: Trial) -> str:
    return reverse("trial_progress", args=[trial.pk])


def words(browser: Client, trial: Trial) -> str:
    """What the page says, without markup."""
    page = browser.get(address(trial)).content.decode()
    main = page[page.index("<main") : page.index("</main>")]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def test_recruitment_is_shown_against_the_target_with_its_pace(
    browser: Client, trial: Trial, unit: Callable[..., Allocation]
) -> None:
    for day in (1, 8, 8, 15, 22, 29):
        unit(trial, allocated_at=NOW - timedelta(days=30 - day))
    page = words(browser, trial)
    assert "6 of 250 units allocated (2%): at the latest pace the target would be reached in the week" in page
    assert "Units a week so far 1.2 5 units in 4 full weeks" in page
    assert "the last 4, 5 units in 4 full weeks" in page
    assert "by the last day. Pauses count as weeks." in page
    assert "31 October 2026 2 3 of 250 (1%)" in page
    assert "Target 250" in page


def test_a_closed_trial_says_when_and_why_it_closed(browser: Client, trial: Trial, trial_lead: User) -> None:
    PauseFactory.create(
        trial=trial,
        paused_at=NOW - timedelta(days=9),
        resumed_at=NOW - timedelta(days=5),
        resumed_by=trial_lead,
    )
    advance(trial, TrialStatus.CLOSED, by=trial_lead)
    page = words(browser, trial)
    assert "Closed on 23 November 2026: The target was reached." in page
    assert "14 November 2026 to 18 November 2026 (SRC for all meanwhile)" in page
    assert "guess" not in page


def test_a_trial_that_has_not_opened_says_when_there_is_something(browser: Client, world: World) -> None:
    sealed = TrialFactory.create(bcu=world.south_west, status=TrialStatus.SEALED)
    assert "It does not recruit yet" in words(browser, sealed)


def _of_each_arm(trial: Trial, unit: Callable[..., Allocation], world: World) -> None:
    """Five of SRC and three controls, with all that is recorded of a unit."""
    for number in range(8):
        arm = Arm.SRC if number < 5 else Arm.CONTROL
        made = unit(trial, arm, ward=world.wards[number % 6])
        if arm == Arm.SRC:
            ReferralFactory.create(case=made.case, allocation=made, completed=True)
        else:
            ControlCheckFactory.create(allocation=made)
        RecordedOutcomeFactory.create(case=made.case, code__code=(16, 1)[number % 2])


def test_nothing_is_shown_by_arm_while_the_trial_recruits(
    browser: Client, trial: Trial, unit: Callable[..., Allocation], world: World
) -> None:
    _of_each_arm(trial, unit, world)
    page = words(browser, trial)
    assert "Randomised units: 8" in page
    assert "while it recruits their numbers could tell what comes next" in page
    for told in ("Allocated to", "Received contact", "checked", "of 5", "of 3 "):
        assert told not in page


def test_the_arms_are_shown_once_recruitment_is_closed(
    browser: Client, trial: Trial, unit: Callable[..., Allocation], world: World, trial_lead: User
) -> None:
    _of_each_arm(trial, unit, world)
    advance(trial, TrialStatus.CLOSED, by=trial_lead)
    page = words(browser, trial)
    assert "Allocated to SRC: 5 5 of 8 (62%) Received contact: 5 of 5 (100%)" in page
    assert "Allocated to usual service (control): 3 3 of 8 (38%)" in page
    assert "Not contacted, as the crime record was checked: 3 of 3 (100%)" in page
    assert "No test of significance" in page


@pytest.mark.parametrize("status", [TrialStatus.RECRUITING, TrialStatus.CLOSED, TrialStatus.REVEALED])
def test_no_outcome_is_shown_or_even_read(
    browser: Client,
    trial: Trial,
    unit: Callable[..., Allocation],
    world: World,
    trial_lead: User,
    status: TrialStatus,
) -> None:
    _of_each_arm(trial, unit, world)
    advance(trial, status, by=trial_lead)
    with CaptureQueriesContext(connection) as queries:
        page = words(browser, trial).lower()
    assert "8 of 250" in page
    assert not [query for query in queries.captured_queries if "outcomes_" in query["sql"]]
    for outcome in ("attrition", "charge", "withdrew", "positive"):
        assert outcome not in page


def test_frozen_factors_are_counted_together_and_then_by_arm(
    browser: Client, world: World, unit: Callable[..., Allocation], trial_lead: User
) -> None:
    codes = tuple(sorted({ward.borough.code for ward in world.wards}))
    protocol = protocol_of(
        name="Minimised",
        bcu="SW",
        design=Design(
            Scheme.MINIMISATION,
            target=20,
            factors=(Factor("borough", codes), Factor("repeat_victim", ("no", "yes"))),
        ),
        conduct=conduct([ward.code for ward in world.wards]),
    )
    trial = TrialFactory.create(bcu=world.south_west, protocol=protocol)
    for arm, borough, repeat in (("src", 0, "no"), ("src", 0, "yes"), ("control", 1, "no")):
        levels = {"borough": codes[borough], "repeat_victim": repeat}
        unit(trial, Arm(arm), stratum="", levels=levels)
    page = words(browser, trial)
    assert "Both groups together Merton 2 of 3 (67%) Wandsworth 1 of 3 (33%)" in page
    assert "Both groups together No 2 of 3 (67%) Yes 1 of 3 (33%)" in page
    advance(trial, TrialStatus.CLOSED, by=trial_lead)
    page = words(browser, trial)
    assert "SRC Usual service (control) Merton 2 of 2 (100%) 0 of 1 (0%)" in page
    assert "Yes 1 of 2 (50%) 0 of 1 (0%)" in page


def test_strata_are_counted_by_borough(
    browser: Client, trial: Trial, unit: Callable[..., Allocation], world: World
) -> None:
    for ward in (0, 0, 4):
        unit(trial, ward=world.wards[ward])
    assert "Both groups together Merton 2 of 3 (67%) Wandsworth 1 of 3 (33%)" in words(browser, trial)


def test_a_design_that_freezes_nothing_says_so(browser: Client, world: World) -> None:
    protocol = protocol_of(
        name="Simple",
        bcu="SW",
        design=Design(Scheme.SIMPLE, target=20),
        conduct=conduct([ward.code for ward in world.wards]),
    )
    trial = TrialFactory.create(bcu=world.south_west, protocol=protocol)
    assert "balances the groups by nothing that is known of a unit" in words(browser, trial)


def test_deviations_are_counted_and_once_recruitment_is_closed_listed_without_a_crime_reference(
    browser: Client, trial: Trial, unit: Callable[..., Allocation], trial_lead: User
) -> None:
    missed, control = unit(trial), unit(trial, Arm.CONTROL)
    unit(trial)
    DeviationFactory.create(allocation=missed, kind=DeviationKind.NOT_DELIVERED, why=NotDelivered.NO_OFFICER)
    withdrawn = DeviationFactory.create(allocation=control)
    DeviationFactory.create(allocation=control, withdraws=withdrawn)
    page = words(browser, trial)
    assert "1 deviation is recorded, of 3 allocations." in page
    assert "SRC not delivered" not in page
    advance(trial, TrialStatus.CLOSED, by=trial_lead)
    page = words(browser, trial)
    assert "SRC not delivered: 1 of 3 allocations" in page
    assert f"{missed.unit[:8]} SRC not delivered No officer was free 23 November 2026" in page
    assert missed.unit not in page
    assert "Control contacted" not in page
    assert control.unit[:8] not in page
    for case in (missed.case, control.case):
        assert case.crime_reference not in page


def test_without_a_deviation_it_says_of_how_many(
    browser: Client, trial: Trial, unit: Callable[..., Allocation]
) -> None:
    unit(trial)
    assert "None is recorded, of 1 allocation." in words(browser, trial)


def test_allocations_made_while_an_earlier_report_waited_are_counted(
    browser: Client, trial: Trial, world: World, make_case: MakeCase, submit_all: SubmitAll
) -> None:
    """The day comes in two parts; in the first a report of Merton waits. One ward begins anew later."""
    begins = NOW.date() + timedelta(days=30)
    WardModeFactory.create(ward=world.wards[5], mode=Mode.TRIAL, trial=trial, starts_on=begins)
    early, late, elsewhere = (
        make_case(ward=world.wards[ward], reported_at=NOW - timedelta(hours=hours))
        for ward, hours in ((0, 9), (1, 8), (4, 7))
    )
    submit_all(late, elsewhere)
    assert "1 of 2 allocations were made while an earlier report" in words(browser, trial)
    assert "Days in several parts: 0 of 1" in words(browser, trial)
    submit_all(early, at=NOW + timedelta(minutes=10))
    page = words(browser, trial)
    assert "1 of 3 allocations were made while an earlier report of the same part waited" in page
    assert "Days in several parts: 1 of 1" in page


def test_a_report_that_the_trial_could_not_get_did_not_wait(
    browser: Client, trial: Trial, world: World, make_case: MakeCase, submit_all: SubmitAll
) -> None:
    """Imported later, of a ward or a day outside the trial, of another stratum, or of no ward."""
    WardModeFactory.create(ward=world.wards[2], mode=Mode.SRC_FOR_ALL, starts_on=NOW.date())
    reported = NOW - timedelta(hours=6)
    make_case(reported_at=reported - timedelta(hours=1), imported_at=NOW + timedelta(hours=1))
    make_case(ward=world.wards[2], reported_at=reported - timedelta(hours=1))
    make_case(ward=world.wards[4], reported_at=reported - timedelta(hours=1))
    make_case(ward=None, reported_at=reported - timedelta(hours=1))
    submit_all(make_case(reported_at=reported))
    assert "0 of 1 allocation was made while" in words(browser, trial)
    make_case(ward=world.wards[1], reported_at=reported - timedelta(hours=1))
    assert "1 of 1 allocation was made while" in words(browser, trial)


@pytest.mark.parametrize(
    ("stratified_by", "field"), [("repeat_victim", "repeat_victim"), ("race", "strands")]
)
def test_a_report_waits_in_the_stratum_that_the_protocol_gives(
    browser: Client,
    world: World,
    make_case: MakeCase,
    unit: Callable[..., Allocation],
    trial_lead: User,
    leader: User,
    stratified_by: str,
    field: str,
) -> None:
    protocol = protocol_of(
        name="Stratified",
        bcu="SW",
        design=Design(Scheme.STRATIFIED_BLOCKS, target=20, block_sizes=(4,), strata=("no", "yes")),
        conduct=conduct([ward.code for ward in world.wards]),
        stratified_by=stratified_by,
    )
    trial = _with_the_strand_allowed(world, protocol, trial_lead, leader)
    WardModeFactory.create(ward=world.wards[0], mode=Mode.TRIAL, trial=trial)
    unit(trial, stratum="yes")
    no, yes = {"repeat_victim": (False, True), "strands": ([Strand.RELIGION], [Strand.RACE])}[field]
    make_case(reported_at=NOW - timedelta(days=1), **{field: no})
    assert "0 of 1 allocation was made while" in words(browser, trial)
    make_case(reported_at=NOW - timedelta(days=1), **{field: yes})
    assert "1 of 1 allocation was made while" in words(browser, trial)


def _with_the_strand_allowed(world: World, protocol: Any, lead: User, leader: User) -> Trial:
    """A trial that recruits since a month, its data protection assessment wide enough for any stratum."""
    trial = TrialFactory.create(bcu=world.south_west, protocol=protocol, status=TrialStatus.DRAFT)
    trial.approvals.filter(kind=ApprovalKind.DATA_PROTECTION).update(allows_strand=True)
    began = NOW - timedelta(days=30)
    trial.proposed_at, trial.proposed_by = began, lead
    trial.commitment, trial.seed_encrypted = commitment(protocol, SEED), seal_seed(SEED)
    advance(trial, TrialStatus.SEALED, by=leader, at=began)
    advance(trial, TrialStatus.RECRUITING, by=lead, at=began)
    return trial


def _mailed(trial: Trial, count: int, *, sent: bool, kind: NoticeKind = NoticeKind.HEAD) -> Notification:
    notice = TrialNoticeFactory.create(
        trial=trial, kind=kind, content={"heads": [{"count": count, "hash": "", "on": ""}]}
    )
    return NotificationFactory.create(
        kind=MailKind.TRIAL_NOTICE,
        referral=None,
        trial_notice=notice,
        recipient="registrar@university.example",
        created_at=NOW,
        sent_at=NOW if sent else None,
    )


def test_heads_say_what_is_not_covered_yet(
    browser: Client, trial: Trial, unit: Callable[..., Allocation]
) -> None:
    assert "No head has been sent: 0 allocations are not covered yet." in words(browser, trial)
    for number in range(1, 6):
        unit(trial, number=number)
    for count in (1, 2):
        _mailed(trial, count, sent=True)
    page = words(browser, trial)
    assert "The last head covers 2 of 5 (40%) allocations and went out on 23 November 2026, 7:30am." in page
    assert "3 allocations since are not covered yet" in page


def test_a_head_went_out_when_the_first_mail_server_took_it(browser: Client, trial: Trial) -> None:
    head = _mailed(trial, 0, sent=False)
    for days in (3, 2):
        NotificationFactory.create(
            kind=MailKind.TRIAL_NOTICE,
            referral=None,
            trial_notice=head.trial_notice,
            recipient=f"registrar{days}@university.example",
            created_at=NOW,
            sent_at=NOW + timedelta(days=days),
        )
    assert "went out on 25 November 2026, 7:30am." in words(browser, trial)


def test_a_head_that_no_mail_server_took_covers_nothing(
    browser: Client, trial: Trial, unit: Callable[..., Allocation]
) -> None:
    for number in range(1, 6):
        unit(trial, number=number)
    _mailed(trial, 2, sent=True)
    waiting = _mailed(trial, 5, sent=False)
    page = words(browser, trial)
    assert "The last head covers 2 of 5 (40%) allocations" in page
    assert "1 e-mail to a registrar is not sent yet, since 23 November 2026, 7:30am." in page
    Notification.objects.filter(pk=waiting.pk).update(sent_at=NOW)
    assert "Every allocation is covered." in words(browser, trial)


def test_a_commitment_that_waits_is_told_too(browser: Client, trial: Trial) -> None:
    _mailed(trial, 0, sent=False, kind=NoticeKind.SEALED)
    assert "1 e-mail to a registrar is not sent yet" in words(browser, trial)


def test_linked_reports_are_counted_and_not_randomised(
    browser: Client, trial: Trial, unit: Callable[..., Allocation], make_case: MakeCase
) -> None:
    first = unit(trial)
    AllocationFactory.create(trial=trial, case=make_case(), follows=first, position=None)
    page = words(browser, trial)
    assert "Linked reports 1" in page
    assert "1 of 250 units allocated" in page
    assert "1 later report is linked to one: counted, not randomised; 1 of them came from where" in page


def test_a_leader_reads_it_and_looking_is_recorded(
    client_of: Callable[[User], Client], leader: User, trial: Trial
) -> None:
    assert client_of(leader).get(address(trial)).status_code == 200
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.action, entry.purpose) == (leader, Action.LIST_SHOWN, Purpose.EVALUATION)
    assert entry.references == [f"trial {trial.pk}"]


def test_a_trial_of_another_bcu_is_not_found(browser: Client, world: World) -> None:
    assert browser.get(address(TrialFactory.create(bcu=world.north))).status_code == 404


@pytest.mark.parametrize("status", [TrialStatus.RECRUITING, TrialStatus.CLOSED])
def test_as_many_queries_for_thirty_units_as_for_three(
    browser: Client,
    unit: Callable[..., Allocation],
    world: World,
    trial_lead: User,
    status: TrialStatus,
) -> None:
    counts = []
    for many in (3, 30):
        trial = TrialFactory.create(bcu=world.south_west)
        for number in range(many):
            ward = world.wards[number % 6]
            starts_on = (NOW - timedelta(days=trial.pk % 100 + number)).date()
            WardModeFactory.create(ward=ward, mode=Mode.TRIAL, trial=trial, starts_on=starts_on)
            made = unit(trial, Arm.CONTROL, ward=ward)
            submission = SubmissionFactory.create(bcu=world.south_west)
            DecisionFactory.create(case=made.case, submission=submission, assessed_for=trial)
            DeviationFactory.create(allocation=made)
            ControlCheckFactory.create(allocation=made)
            CrimeRecordEventFactory.create(case=made.case)
        TrialNoticeFactory.create(trial=trial)
        advance(trial, status, by=trial_lead)
        with CaptureQueriesContext(connection) as queries:
            browser.get(address(trial))
        counts.append(len(queries))
    assert counts[0] == counts[1]
