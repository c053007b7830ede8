"""Records for tests, each valid by itself; say only what the test is about."""

import uuid
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from secrets import token_hex
from typing import Any
from zoneinfo import ZoneInfo

from factory.declarations import (
    LazyAttribute,
    LazyFunction,
    RelatedFactory,
    SelfAttribute,
    Sequence,
    SubFactory,
    Trait,
)
from factory.django import DjangoModelFactory

from outcomes.models import DataSet, Look, OutcomeCode, RecordedOutcome
from referrals.intake.held.report import keep_report
from referrals.intake.saving.preview import ImportPreview
from referrals.models import (
    STEPS,
    AccessAnswer,
    AccessReview,
    Allocation,
    Approval,
    ApprovalKind,
    Arm,
    BankHoliday,
    Banner,
    Bcu,
    BcuMembership,
    Borough,
    Briefing,
    BriefingAttendance,
    Case,
    CaseImport,
    CaseState,
    ClockStop,
    CloseReason,
    ContactAttempt,
    ContactBy,
    ControlCheck,
    CrimeRecordEvent,
    CrimeRecordKind,
    DeadlinePolicy,
    Decision,
    Deviation,
    DeviationKind,
    Digest,
    DigestChoice,
    DigestKind,
    DueMove,
    Fault,
    FollowUp,
    FollowUpKind,
    FoundNotSuitable,
    HandOver,
    HeadingMeaning,
    HeldPart,
    ImportStatus,
    LateDecision,
    Leave,
    MailboxTest,
    MailKind,
    Method,
    Mode,
    MoveReason,
    NotedChange,
    Noticed,
    NoticeKind,
    Notification,
    OrderReason,
    PartKind,
    Pause,
    PersonalText,
    PlaceMove,
    Postcode,
    Reason,
    Referral,
    ReferralNotice,
    ReferralOrder,
    ReferralStatus,
    RefusingMailbox,
    Registrar,
    ReopenedDecision,
    Reopening,
    ReopeningReason,
    ReopenReason,
    Result,
    SafetyDecision,
    SettledAttempt,
    StopReason,
    Strand,
    StrandMeaning,
    Submission,
    Team,
    TeamGoal,
    TeamMembership,
    TextKind,
    Trial,
    TrialNotice,
    TrialStatus,
    UnitKey,
    VictimType,
    Ward,
    WardMode,
)
from referrals.rules.deadlines import acknowledge_by
from referrals.rules.trial.allocation import Design, Scheme
from referrals.rules.trial.draws import DOMAIN, Canonical
from referrals.rules.trial.protocol import Conduct, Expected, protocol_of
from referrals.rules.trial.seal import commitment
from src_app.accounts.models import User
from src_app.accounts.roles import Role
from src_app.audit.models import Action, AuditEntry, Purpose
from src_app.keys import encrypt_extract, seal_seed

NOW = datetime(2026, 11, 23, 7, 30, tzinfo=ZoneInfo("Europe/London"))
LONG_AGO = date(2022, 1, 1)
PASSWORD = "correct horse battery staple"
SEED = bytes(range(32))


class BcuFactory(DjangoModelFactory[Bcu]):
    class Meta:
        model = Bcu

    code = Sequence(lambda n: f"BCU{n}")
    name = Sequence(lambda n: f"Unit {n}")


class BoroughFactory(DjangoModelFactory[Borough]):
    class Meta:
        model = Borough

    code = Sequence(lambda n: f"E09{n:06}")
    name = Sequence(lambda n: f"Borough {n}")
    bcu = SubFactory(BcuFactory)


class TeamFactory(DjangoModelFactory[Team]):
    class Meta:
        model = Team

    name = Sequence(lambda n: f"Team {n}")
    borough = SubFactory(BoroughFactory)
    mailbox = Sequence(lambda n: f"team{n}@example.police.uk")


class WardFactory(DjangoModelFactory[Ward]):
    """A ward with a team of its own, of the same borough."""

    class Meta:
        model = Ward

    code = Sequence(lambda n: f"E05{n:06}")
    name = Sequence(lambda n: f"Ward {n}")
    borough = SubFactory(BoroughFactory)
    team = SubFactory(TeamFactory, borough=SelfAttribute("..borough"))


class WardModeFactory(DjangoModelFactory[WardMode]):
    class Meta:
        model = WardMode

    ward = SubFactory(WardFactory)
    mode = Mode.SRC_FOR_ALL
    starts_on = LONG_AGO


class PostcodeFactory(DjangoModelFactory[Postcode]):
    class Meta:
        model = Postcode

    pcds = Sequence(lambda n: f"SW{n % 20} {n % 10}AA")
    ward = SubFactory(WardFactory)


class UserFactory(DjangoModelFactory[User]):
    """An account that signs in with ``PASSWORD``."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = Sequence(lambda n: f"user{n}")
    display_name = Sequence(lambda n: f"PC {n:04}")
    role = Role.OFFICER

    @classmethod
    def _create(cls, model_class: type[User], *_: Any, **fields: Any) -> User:
        return model_class.objects.create_user(fields.pop("username"), PASSWORD, **fields)


class TeamMembershipFactory(DjangoModelFactory[TeamMembership]):
    class Meta:
        model = TeamMembership

    user = SubFactory(UserFactory)
    team = SubFactory(TeamFactory)
    starts_on = LONG_AGO


class BcuMembershipFactory(DjangoModelFactory[BcuMembership]):
    class Meta:
        model = BcuMembership

    user = SubFactory(UserFactory, role=Role.HCOP)
    bcu = SubFactory(BcuFactory)
    starts_on = LONG_AGO


class LeaveFactory(DjangoModelFactory[Leave]):
    """Away on the day of ``NOW``, back on the next."""

    class Meta:
        model = Leave

    user = SubFactory(UserFactory)
    starts_on = NOW.date()
    back_on = NOW.date() + timedelta(days=1)
    set_at = NOW
    set_by = SelfAttribute("user")


class BriefingFactory(DjangoModelFactory[Briefing]):
    """A session of its own."""

    class Meta:
        model = Briefing

    title = Sequence(lambda n: f"Online session {n}")
    held_on = NOW.date()
    recorded_at = NOW
    recorded_by = SubFactory(UserFactory, role=Role.HCOP)


class BriefingAttendanceFactory(DjangoModelFactory[BriefingAttendance]):
    """Somebody was there."""

    class Meta:
        model = BriefingAttendance

    briefing = SubFactory(BriefingFactory)
    user = SubFactory(UserFactory)


class NotedChangeFactory(DjangoModelFactory[NotedChange]):
    """Of one team."""

    class Meta:
        model = NotedChange

    happened_on = NOW.date()
    text = "A second sergeant joined."
    team = SubFactory("tests.factories.TeamFactory")
    noted_at = NOW
    noted_by = SubFactory(UserFactory, role=Role.SUPERVISOR)


class TeamGoalFactory(DjangoModelFactory[TeamGoal]):
    """To be reached in a month."""

    class Meta:
        model = TeamGoal

    team = SubFactory("tests.factories.TeamFactory")
    percent = 80
    by_day = NOW.date() + timedelta(days=30)
    set_at = NOW
    set_by = SubFactory(UserFactory, role=Role.SUPERVISOR)


class BannerFactory(DjangoModelFactory[Banner]):
    """Stands for a day."""

    class Meta:
        model = Banner

    text = "Flags are set late today."
    set_at = NOW
    set_by = SubFactory(UserFactory, role=Role.ADMINISTRATOR)
    ends_at = NOW + timedelta(days=1)


class PlaceMoveFactory(DjangoModelFactory[PlaceMove]):
    """A team that is to be merged into another of its borough, tomorrow by the clock of the tests."""

    class Meta:
        model = PlaceMove

    from_team = SubFactory(TeamFactory)
    to_team = SubFactory(TeamFactory, borough=SelfAttribute("..from_team.borough"))
    is_merge = True
    starts_on = NOW.date() + timedelta(days=1)
    set_at = NOW
    set_by = SubFactory(UserFactory, role=Role.ADMINISTRATOR)


class MailboxTestFactory(DjangoModelFactory[MailboxTest]):
    """A test mail to the team's mailbox whose code nobody has given yet."""

    class Meta:
        model = MailboxTest

    team = SubFactory(TeamFactory)
    address = SelfAttribute("team.mailbox")
    code = Sequence(lambda n: f"CODE{n:06}")
    asked_at = NOW
    asked_by = SubFactory(UserFactory, role=Role.ADMINISTRATOR)


class CaseFactory(DjangoModelFactory[Case]):
    """A crime against an individual, reported the evening before ``NOW``, not decided yet."""

    class Meta:
        model = Case

    ward = SubFactory(WardFactory)
    bcu = SelfAttribute("ward.borough.bcu")
    crime_reference = Sequence(lambda n: f"01/{7_100_000 + n}/26")
    reported_at = Sequence(lambda n: NOW - timedelta(hours=12) + timedelta(seconds=n % 3600))
    occurred_at = LazyAttribute(lambda case: case.reported_at - timedelta(hours=1))
    offence = "Harassment"
    strands = LazyFunction(lambda: [Strand.RACE.value])
    is_crime = True
    victim_type = VictimType.INDIVIDUAL
    officer_in_case = "PC 9001"
    imported_at = NOW - timedelta(hours=1)
    changed_at = SelfAttribute("imported_at")
    # Of a case with a decision or a referral the database writes the rest.
    state = LazyAttribute(
        lambda case: CaseState.NOT_SUITABLE if getattr(case, "decided_at", None) else CaseState.WAITING
    )


class PersonalTextFactory(DjangoModelFactory[PersonalText]):
    class Meta:
        model = PersonalText

    case = SubFactory(CaseFactory)
    kind = TextKind.SAFETY_NOTE
    body = "Do not attend the address"
    changed_at = NOW - timedelta(hours=1)


class SubmissionFactory(DjangoModelFactory[Submission]):
    class Meta:
        model = Submission

    bcu = SubFactory(BcuFactory)
    submitted_by = SubFactory(UserFactory, role=Role.HCOP)
    submitted_at = NOW


class DecisionFactory(DjangoModelFactory[Decision]):
    """A draft: suitable."""

    class Meta:
        model = Decision

    case = SubFactory(CaseFactory)
    suitable = True
    drafted_by = SubFactory(UserFactory, role=Role.HCOP)
    drafted_at = NOW - timedelta(minutes=10)


def conduct(wards: Iterable[str], **given: Any) -> Conduct:
    """Recruits for a year around ``NOW`` and follows each case for 30 days."""
    return Conduct(
        **{
            "question": "Does SRC keep more victims with their case?",
            "eligibility": "Hate crimes against an individual.",
            "wards": tuple(wards) or ("none",),
            "recruits_from": NOW.date() - timedelta(days=180),
            "recruits_until": NOW.date() + timedelta(days=180),
            "follow_up_days": 30,
            "expected": Expected(control=31, src=24, charge=5),
            **given,
        }
    )


def _protocol(name: str, bcu: Bcu) -> dict[str, Canonical]:
    """Blocks of 4, 6 or 8, stratified by the boroughs that the BCU has by now, in all its wards."""
    boroughs = Borough.objects.filter(bcu=bcu).order_by("code").values_list("code", flat=True)
    design = Design(
        Scheme.STRATIFIED_BLOCKS, target=250, block_sizes=(4, 6, 8), strata=tuple(boroughs) or ("none",)
    )
    wards = Ward.objects.filter(borough__bcu=bcu).order_by("code").values_list("code", flat=True)
    return protocol_of(
        name=name, bcu=bcu.code, design=design, stratified_by="borough", conduct=conduct(wards)
    )


class TrialFactory(DjangoModelFactory[Trial]):
    """A trial that recruits, or is in another ``status``, with all it took to get there; its seed ``SEED``.

    ``approved=False``: a draft without approvals and registrar.
    """

    class Meta:
        model = Trial
        skip_postgeneration_save = True

    class Params:
        approved = True

    bcu = SubFactory(BcuFactory)
    name = Sequence(lambda n: f"Trial {n}")
    status = TrialStatus.RECRUITING
    protocol = LazyAttribute(lambda trial: _protocol(trial.name, trial.bcu))
    proposed_by = SubFactory(UserFactory, role=Role.TRIAL_LEAD)
    sealed_by = SubFactory(UserFactory, role=Role.LEADER)
    began_at = NOW - timedelta(days=30)

    @classmethod
    def _create(cls, model_class: type[Trial], *_: Any, **fields: Any) -> Trial:
        """By the steps that the database asks for."""
        status, began_at = fields.pop("status"), fields.pop("began_at")
        approved, sealed_by = fields.pop("approved", True), fields.pop("sealed_by")
        proposed_by = fields.pop("proposed_by")
        trial = model_class.objects.create(**fields)
        if approved:
            for kind in ApprovalKind:
                ApprovalFactory.create(trial=trial, kind=kind)
            RegistrarFactory.create(trial=trial)
        if status != TrialStatus.DRAFT:
            trial.proposed_at, trial.proposed_by = began_at, proposed_by
            trial.commitment = commitment(trial.protocol, SEED)
            trial.seed_encrypted = seal_seed(SEED)
            advance(trial, TrialStatus.SEALED, by=sealed_by, at=began_at)
            advance(trial, status, by=proposed_by, at=began_at)
        return trial


def advance(trial: Trial, status: TrialStatus, *, by: User, at: datetime = NOW) -> None:
    """Takes the trial on to the status, past the actions, its controls checked; its seed is ``SEED``."""
    order = TrialStatus.values
    for step in order[order.index(trial.status) + 1 : order.index(status) + 1]:
        name = STEPS[TrialStatus(step)]
        trial.status = step
        setattr(trial, f"{name}_at", at)
        setattr(trial, f"{name}_by", by)
        if step == TrialStatus.CLOSED:
            trial.closed_because = "The target was reached."
        if step == TrialStatus.LOCKED:
            controls = trial.allocations.filter(arm=Arm.CONTROL, position__isnull=False)
            for control in controls.filter(control_check__isnull=True):
                ControlCheckFactory.create(allocation=control)
        if step == TrialStatus.REVEALED:
            trial.revealed_seed = SEED.hex()
        trial.save()


class ApprovalFactory(DjangoModelFactory[Approval]):
    class Meta:
        model = Approval

    trial = SubFactory(TrialFactory, status=TrialStatus.DRAFT, approved=False)
    kind = ApprovalKind.ETHICS
    reference = Sequence(lambda n: f"REF/{n}")
    given_by = "The committee"
    given_on = LONG_AGO
    recorded_at = NOW - timedelta(days=40)
    recorded_by = SubFactory(UserFactory, role=Role.TRIAL_LEAD)


class RegistrarFactory(DjangoModelFactory[Registrar]):
    class Meta:
        model = Registrar

    trial = SubFactory(TrialFactory, status=TrialStatus.DRAFT, approved=False)
    name = "University library"
    email = Sequence(lambda n: f"registrar{n}@example.org")


class PauseFactory(DjangoModelFactory[Pause]):
    class Meta:
        model = Pause

    trial = SubFactory(TrialFactory)
    reason = "The team is being briefed again."
    meanwhile = Mode.SRC_FOR_ALL
    paused_at = NOW
    paused_by = SubFactory(UserFactory, role=Role.TRIAL_LEAD)


class TrialNoticeFactory(DjangoModelFactory[TrialNotice]):
    class Meta:
        model = TrialNotice

    trial = SubFactory(TrialFactory)
    kind = NoticeKind.HEAD
    on = LazyFunction(NOW.date)
    content = LazyAttribute(
        lambda notice: {
            "format": DOMAIN,
            "commitment": notice.trial.commitment,
            "heads": [{"count": 0, "hash": "", "on": notice.on.isoformat()}],
        }
    )
    noticed_at = NOW
    noticed_by = SubFactory(UserFactory, role=Role.SYSTEM)


def _before(allocation: Any) -> Allocation | None:
    return Allocation.objects.filter(trial=allocation.trial).order_by("number").last()


def _next_position(allocation: Any) -> int | None:
    if allocation.follows:
        return None
    return (
        1
        + Allocation.objects.filter(
            trial=allocation.trial, stratum=allocation.stratum, position__isnull=False
        ).count()
    )


class AllocationFactory(DjangoModelFactory[Allocation]):
    """An allocation written directly: it is linked to the one before, but its own hash is of no key."""

    class Meta:
        model = Allocation

    case = SubFactory(CaseFactory)
    trial = SubFactory(TrialFactory, bcu=SelfAttribute("..case.bcu"))
    number = LazyAttribute(lambda row: (before.number if (before := _before(row)) else 0) + 1)
    unit = LazyAttribute(lambda row: row.follows.unit if row.follows else token_hex(16))
    follows = None
    stratum = SelfAttribute("case.ward.borough.code")
    position = LazyAttribute(_next_position)
    arm = Arm.SRC
    submission = SubFactory(SubmissionFactory, bcu=SelfAttribute("..case.bcu"))
    allocated_at = NOW
    salt = LazyFunction(lambda: token_hex(16))
    case_digest = LazyFunction(lambda: token_hex(32))
    moment_digest = LazyFunction(lambda: token_hex(32))
    previous_hash = LazyAttribute(lambda row: before.row_hash if (before := _before(row)) else "")
    row_hash = LazyFunction(lambda: token_hex(32))


class DeviationFactory(DjangoModelFactory[Deviation]):
    class Meta:
        model = Deviation

    allocation = SubFactory(AllocationFactory, arm=Arm.CONTROL)
    kind = DeviationKind.BY_ACCIDENT
    happened_on = LazyFunction(NOW.date)
    recorded_at = NOW
    recorded_by = SubFactory(UserFactory, role=Role.HCOP)


class ControlCheckFactory(DjangoModelFactory[ControlCheck]):
    class Meta:
        model = ControlCheck

    allocation = SubFactory(AllocationFactory, arm=Arm.CONTROL)
    contacted = False
    checked_at = LazyAttribute(lambda check: check.allocation.allocated_at + timedelta(days=30))
    checked_by = SubFactory(UserFactory, role=Role.HCOP)


class UnitKeyFactory(DjangoModelFactory[UnitKey]):
    class Meta:
        model = UnitKey

    allocation = SubFactory(AllocationFactory)
    trial = SelfAttribute("allocation.trial")
    key_hash = Sequence(lambda n: f"{n:064x}")


class ReferralFactory(DjangoModelFactory[Referral]):
    """An open referral, made at ``NOW`` less an hour and due 72 hours after it was made."""

    class Meta:
        model = Referral

    number = Sequence(lambda n: f"SRC-2026-{900_000 + n:06}")
    case = SubFactory(CaseFactory, decided_at=NOW - timedelta(hours=1))
    ward = SelfAttribute("case.ward")
    team = SelfAttribute("ward.team")
    made_at = NOW - timedelta(hours=1)
    made_by = SubFactory(UserFactory, role=Role.HCOP)
    due_at = LazyAttribute(lambda referral: referral.made_at + timedelta(hours=72))

    class Params:
        completed = Trait(
            status=ReferralStatus.COMPLETED,
            contacted_at=LazyAttribute(lambda r: r.made_at + timedelta(hours=5)),
            closed_at=LazyAttribute(lambda r: r.made_at + timedelta(hours=5)),
            closed_by=SubFactory(UserFactory),
        )
        closed = Trait(
            status=ReferralStatus.CLOSED,
            close_reason=CloseReason.NO_REPLY,
            closed_at=LazyAttribute(lambda r: r.made_at + timedelta(hours=70)),
            closed_by=SubFactory(UserFactory),
        )


class DeadlinePolicyFactory(DjangoModelFactory[DeadlinePolicy]):
    """What the settings ask, as a policy: 72 hours, or 24; reminders a day before and when overdue."""

    class Meta:
        model = DeadlinePolicy

    bcu = SubFactory(BcuFactory)
    starts_on = LazyFunction(NOW.date)
    contact_hours = LazyAttribute(lambda policy: None if policy.contact_working_days else 72)
    contact_working_days = None
    refer_now_hours = LazyAttribute(lambda policy: None if policy.refer_now_working_days else 24)
    refer_now_working_days = None
    attempts_no_reply = 2
    attempts_wrong_details = 1
    remind_taker = LazyFunction(lambda: [-24, 0])
    remind_mailbox = LazyFunction(lambda: [-24, 0])
    set_at = NOW
    set_by = SubFactory(UserFactory, role=Role.ADMINISTRATOR)


class BankHolidayFactory(DjangoModelFactory[BankHoliday]):
    class Meta:
        model = BankHoliday

    day = date(2026, 11, 25)
    name = "A day of thanks"
    added_at = NOW
    added_by = SubFactory(UserFactory, role=Role.ADMINISTRATOR)


class ClockStopFactory(DjangoModelFactory[ClockStop]):
    class Meta:
        model = ClockStop

    referral = SubFactory(ReferralFactory)
    reason = StopReason.VICTIM_ASKED
    starts_at = NOW
    ends_at = LazyAttribute(lambda stop: stop.starts_at + timedelta(days=1))
    stopped_by = SubFactory(UserFactory)


class DueMoveFactory(DjangoModelFactory[DueMove]):
    class Meta:
        model = DueMove

    referral = SelfAttribute("stop.referral")
    reason = MoveReason.STOPPED
    from_due_at = SelfAttribute("referral.due_at")
    to_due_at = LazyAttribute(lambda move: move.from_due_at + timedelta(days=1))
    stop = SubFactory(ClockStopFactory)
    moved_at = NOW
    moved_by = SubFactory(UserFactory)


class LateDecisionFactory(DjangoModelFactory[LateDecision]):
    class Meta:
        model = LateDecision

    case = SubFactory(CaseFactory)
    told_at = NOW


class ContactAttemptFactory(DjangoModelFactory[ContactAttempt]):
    class Meta:
        model = ContactAttempt

    referral = SubFactory(ReferralFactory)
    made_by = SubFactory(UserFactory)
    made_at = LazyAttribute(lambda attempt: attempt.referral.made_at + timedelta(minutes=30))
    logged_at = SelfAttribute("made_at")
    method = Method.TELEPHONE
    result = Result.NO_ANSWER


class SettledAttemptFactory(DjangoModelFactory[SettledAttempt]):
    class Meta:
        model = SettledAttempt

    attempt = SubFactory(ContactAttemptFactory)
    settled_at = SelfAttribute("attempt.logged_at")
    settled_by = SelfAttribute("attempt.made_by")


class ReopeningFactory(DjangoModelFactory[Reopening]):
    class Meta:
        model = Reopening

    referral = SubFactory(ReferralFactory)
    reason = ReopeningReason.MISTAKE
    reopened_at = SelfAttribute("earlier_closed_at")
    reopened_by = SubFactory(UserFactory, role=Role.SUPERVISOR)
    earlier_reason = CloseReason.DECLINED
    earlier_closed_at = SelfAttribute("referral.made_at")


class SafetyDecisionFactory(DjangoModelFactory[SafetyDecision]):
    class Meta:
        model = SafetyDecision

    referral = SubFactory(ReferralFactory)
    method = Method.VIDEO
    decided_at = SelfAttribute("referral.made_at")
    decided_by = SubFactory(UserFactory, role=Role.SUPERVISOR)


class FollowUpFactory(DjangoModelFactory[FollowUp]):
    class Meta:
        model = FollowUp

    attempt = SubFactory(ContactAttemptFactory, result=Result.CONTACT_MADE)
    referral = SelfAttribute("attempt.referral")
    kind = FollowUpKind.STATEMENT
    raised_at = SelfAttribute("attempt.logged_at")
    raised_by = SelfAttribute("attempt.made_by")
    acknowledge_by = LazyAttribute(lambda follow_up: acknowledge_by(follow_up.kind, follow_up.raised_at))
    done_at = None
    dropped = False
    result = LazyAttribute(lambda done: "dealt_with" if done.done_at and not done.dropped else "")


class CrimeRecordEventFactory(DjangoModelFactory[CrimeRecordEvent]):
    class Meta:
        model = CrimeRecordEvent

    case = SubFactory(CaseFactory, decided_at=NOW - timedelta(hours=1))
    kind = CrimeRecordKind.CANCELLED
    noticed_at = NOW
    noticed_by = SubFactory(UserFactory, role=Role.HCOP)


class HandOverFactory(DjangoModelFactory[HandOver]):
    class Meta:
        model = HandOver

    referral = SubFactory(ReferralFactory)
    from_ward = SubFactory(WardFactory)
    from_team = SelfAttribute("from_ward.team")
    to_ward = SelfAttribute("referral.ward")
    to_team = SelfAttribute("referral.team")
    handed_at = NOW
    handed_by = SubFactory(UserFactory, role=Role.HCOP)


class ReopenedDecisionFactory(DjangoModelFactory[ReopenedDecision]):
    """Of a submitted decision that made nothing, whose row goes with it."""

    class Meta:
        model = ReopenedDecision

    class Params:
        decision = SubFactory(DecisionFactory, submission=SubFactory(SubmissionFactory))

    case = SelfAttribute("decision.case")
    submission = SelfAttribute("decision.submission")
    suitable = SelfAttribute("decision.suitable")
    reason = SelfAttribute("decision.reason")
    duplicate_of = SelfAttribute("decision.duplicate_of")
    contact_by = SelfAttribute("decision.contact_by")
    assessed_for = SelfAttribute("decision.assessed_for")
    version = SelfAttribute("decision.version")
    because = ReopenReason.WRONG_MARK
    reopened_at = NOW
    reopened_by = SelfAttribute("decision.drafted_by")


class FoundNotSuitableFactory(DjangoModelFactory[FoundNotSuitable]):
    class Meta:
        model = FoundNotSuitable

    class Params:
        referral = SubFactory(ReferralFactory)

    case = SelfAttribute("referral.case")
    reason = Reason.DUPLICATE
    contact_by = ContactBy.INVESTIGATOR
    found_at = NOW
    found_by = SubFactory(UserFactory, role=Role.HCOP)


class ReferralOrderFactory(DjangoModelFactory[ReferralOrder]):
    """That the victim asked for contact, which made the referral."""

    class Meta:
        model = ReferralOrder

    referral = SubFactory(ReferralFactory)
    reason = OrderReason.ASKED_FOR_CONTACT
    ordered_at = SelfAttribute("referral.made_at")
    ordered_by = SelfAttribute("referral.made_by")


class ReferralNoticeFactory(DjangoModelFactory[ReferralNotice]):
    """A changed safety note nobody has read."""

    class Meta:
        model = ReferralNotice

    referral = SubFactory(ReferralFactory)
    changed = LazyFunction(lambda: [Noticed.SAFETY_NOTE.value])
    noticed_at = NOW
    noticed_by = SubFactory(UserFactory, role=Role.HCOP)


class NotificationFactory(DjangoModelFactory[Notification]):
    class Meta:
        model = Notification

    unique_key = Sequence(lambda n: f"referral_made:{n}")
    message_id = Sequence(lambda n: f"<{n}@example.police.uk>")
    kind = MailKind.REFERRAL_MADE
    referral = SubFactory(ReferralFactory)
    recipient = SelfAttribute("referral.team.mailbox")
    created_at = SelfAttribute("referral.made_at")
    not_before = SelfAttribute("created_at")


class RefusingMailboxFactory(DjangoModelFactory[RefusingMailbox]):
    """Refused for good, at first and so far for the last time."""

    class Meta:
        model = RefusingMailbox

    address = Sequence(lambda n: f"refusing{n}@example.police.uk")
    since = NOW
    last_tried_at = SelfAttribute("since")
    next_try_at = LazyAttribute(lambda mailbox: mailbox.last_tried_at + timedelta(hours=1))
    reply_code = 550


class DigestChoiceFactory(DjangoModelFactory[DigestChoice]):
    """Chosen the day before ``NOW`` by the person themselves; a team's with ``user=None, team=…``."""

    class Meta:
        model = DigestChoice

    kind = DigestKind.MORNING
    user = SubFactory(UserFactory)
    chosen_at = NOW - timedelta(days=1)
    chosen_by = LazyAttribute(lambda choice: choice.user or UserFactory.create(role=Role.SUPERVISOR))


class DigestFactory(DjangoModelFactory[Digest]):
    class Meta:
        model = Digest

    choice = SubFactory(DigestChoiceFactory)
    on = NOW.date()
    until = NOW + timedelta(hours=6)
    made_at = NOW
    numbers = LazyFunction(
        lambda: {"whose": "Your referrals", "due_today": 2, "overdue": 1, "untaken": 3, "follow_ups": 1}
    )


class FaultFactory(DjangoModelFactory[Fault]):
    class Meta:
        model = Fault

    name = Sequence(lambda n: f"task {n}")
    what = "The task “send reminders”"
    began_at = NOW


class AccessReviewFactory(DjangoModelFactory[AccessReview]):
    """One that is open."""

    class Meta:
        model = AccessReview

    started_at = NOW
    started_by = SubFactory(UserFactory, role=Role.ADMINISTRATOR)


class AccessAnswerFactory(DjangoModelFactory[AccessAnswer]):
    class Meta:
        model = AccessAnswer

    review = SubFactory(AccessReviewFactory)
    person = SubFactory(UserFactory)
    said = AccessAnswer.Said.KEEP
    answered_at = NOW
    answered_by = SubFactory(UserFactory, role=Role.SUPERVISOR)


class HeldPartFactory(DjangoModelFactory[HeldPart]):
    """The whole of an extract's file, headings and no row."""

    class Meta:
        model = HeldPart

    kind = PartKind.CONTENT
    number = 0
    body_encrypted = LazyFunction(lambda: encrypt_extract(b"crime_reference,reported_at\r\n"))


class CaseImportFactory(DjangoModelFactory[CaseImport]):
    """An extract without rows that waits for confirmation."""

    class Meta:
        model = CaseImport
        skip_postgeneration_save = True

    bcu = SubFactory(BcuFactory)
    uploaded_by = SubFactory(UserFactory, role=Role.HCOP)
    uploaded_at = NOW - timedelta(minutes=5)
    queued_at = SelfAttribute("uploaded_at")
    status = ImportStatus.WAITING
    report_encrypted = LazyFunction(lambda: keep_report(ImportPreview(0, 0, 0, 0, 0, "", 0, 0)))
    parts = RelatedFactory(HeldPartFactory, "extract")


class HeadingMeaningFactory(DjangoModelFactory[HeadingMeaning]):
    class Meta:
        model = HeadingMeaning

    bcu = SubFactory(BcuFactory)
    heading = "story"
    column = "offence"
    said_by = SubFactory(UserFactory, role=Role.HCOP)
    said_at = NOW


class StrandMeaningFactory(DjangoModelFactory[StrandMeaning]):
    class Meta:
        model = StrandMeaning

    bcu = SubFactory(BcuFactory)
    word = "ri"
    strands = (Strand.RACE.value,)
    said_by = SubFactory(UserFactory, role=Role.HCOP)
    said_at = NOW


class OutcomeCodeFactory(DjangoModelFactory[OutcomeCode]):
    class Meta:
        model = OutcomeCode
        django_get_or_create = ("code",)

    code = 16
    short_title = LazyAttribute(lambda outcome: f"Outcome {outcome.code}")
    description = SelfAttribute("short_title")
    attrition = LazyAttribute(lambda outcome: outcome.code in {14, 16})
    charge = LazyAttribute(lambda outcome: outcome.code == 1)
    positive = LazyAttribute(lambda outcome: outcome.code in {1, 2, 3, 4, 5, 6, 8, 9, 10, 22})


class RecordedOutcomeFactory(DjangoModelFactory[RecordedOutcome]):
    class Meta:
        model = RecordedOutcome

    case = SubFactory(CaseFactory)
    code = SubFactory(OutcomeCodeFactory)
    recorded_at = NOW - timedelta(days=1)
    imported_at = NOW
    imported_by = SubFactory(UserFactory, role=Role.HCOP)


class AuditEntryFactory(DjangoModelFactory[AuditEntry]):
    class Meta:
        model = AuditEntry

    at = Sequence(lambda n: NOW - timedelta(hours=1) + timedelta(seconds=n % 3600))
    actor = SubFactory(UserFactory)
    action = Action.LIST_SHOWN
    purpose = Purpose.REVIEW
    subject = "case"
    origin = "test"
    request_id = LazyFunction(uuid.uuid4)


class DataSetFactory(DjangoModelFactory[DataSet]):
    """The data set of a trial without a unit."""

    class Meta:
        model = DataSet

    trial = SubFactory(TrialFactory, status=TrialStatus.LOCKED)
    number = 1
    content = LazyFunction(list)
    digest = "0" * 64
    made_at = NOW
    made_by = SubFactory(UserFactory, role=Role.TRIAL_LEAD)


class LookFactory(DjangoModelFactory[Look]):
    class Meta:
        model = Look

    trial = SubFactory(TrialFactory)
    reason = "The ethics committee asks."
    content = LazyFunction(dict)
    opened_at = NOW
    opened_by = SubFactory(UserFactory, role=Role.TRIAL_LEAD)
