"""Where the audit row cannot be written, nothing is changed: tried on every action there is."""

import importlib
import inspect
import pkgutil
import uuid
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from types import ModuleType
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone
from pytest_django.fixtures import Settings

import outcomes
import referrals
import src_app.accounts
from outcomes.evaluation.actions import correct_data_set, lock_outcomes, open_look
from outcomes.rates.actions import compute_rates, recount
from outcomes.recording.actions import import_outcomes
from outcomes.recording.reference import load_outcome_codes
from referrals.contact.actions.absence import return_work
from referrals.contact.actions.attempts import log_attempt, settle_attempt, withdraw_attempt
from referrals.contact.actions.closing import close_without_contact
from referrals.contact.actions.follow_ups import acknowledge, chase, finish, undo
from referrals.contact.actions.notices import read_notices
from referrals.contact.actions.refer import refer
from referrals.contact.actions.taking import give, give_back, take
from referrals.crime_record.actions.flags import (
    confirm_flags,
    confirm_flags_removed,
    reconcile_flags,
    unconfirm_flags,
    unconfirm_flags_removed,
)
from referrals.crime_record.actions.follow import follow_crime_record
from referrals.crime_record.readers import GivenList
from referrals.digests.actions import choose_digests, send_digests
from referrals.health.actions import tell_of_faults
from referrals.intake.held.holding import (
    delete_expired_extracts,
    discard_extract,
    hold_extract,
    note_refused,
    save_extract,
)
from referrals.intake.held.matching import match_columns, match_strands, remember_headings
from referrals.intake.held.report import report_of
from referrals.intake.held.work import resume_work
from referrals.intake.saving.save import import_cases
from referrals.mail.outbox import remind_due
from referrals.models import (
    AccessAnswer,
    Allocation,
    ApprovalKind,
    Arm,
    Case,
    CaseImport,
    CloseReason,
    ContactBy,
    ContactCount,
    DeviationKind,
    DigestKind,
    ImportStatus,
    Leave,
    Method,
    Mode,
    OrderReason,
    Question,
    Reason,
    ReopenReason,
    Restriction,
    Result,
    Strand,
    Trial,
    TrialStatus,
)
from referrals.people.actions.access_review import confirm_access, end_review, start_review
from referrals.people.actions.importing import import_people, preview_people
from referrals.people.actions.people import add_person, change_role, close_person, give_new_sign_in
from referrals.places.actions.leave import end_leave, set_leave
from referrals.places.actions.membership import (
    join_bcu,
    join_team,
    leave_bcu,
    leave_team,
    move,
)
from referrals.places.actions.postcodes import load_postcodes
from referrals.places.actions.wards import load_places
from referrals.review.actions.drafts import (
    answer_questions,
    choose_team,
    clear_draft,
    draft_not_suitable,
    draft_suitable,
    set_safety,
)
from referrals.review.actions.put_right import find_not_suitable, move_referral, reopen_decision
from referrals.review.actions.refer_now import refer_now
from referrals.review.actions.submit import submit
from referrals.rules.trial.allocation import Design, Scheme
from referrals.rules.trial.rollout import Order
from referrals.scope import today
from referrals.trial.actions.design import (
    delete_draft,
    draft_trial,
    name_registrar,
    record_approval,
    remove_registrar,
    revise_trial,
)
from referrals.trial.actions.deviations import check_controls, record_deviation, withdraw_deviation
from referrals.trial.actions.life import (
    close,
    close_ended,
    open_recruitment,
    pause,
    proposal_digest,
    propose,
    resume,
    reveal,
    seal,
)
from referrals.trial.actions.registry import send_heads
from referrals.trial.actions.roll_out import plan_roll_out, set_trial_wards
from referrals.trial.actions.ward_modes import set_ward_mode
from referrals.trial.bundle import export_trial, head_of
from referrals.trial.check import check_trial
from src_app.accounts.actions import (
    change_details,
    close_account,
    make_account,
    reopen_account,
    reset_sign_in,
    set_role,
)
from src_app.accounts.models import ClosedBecause, User
from src_app.accounts.roles import Role
from src_app.audit import record as audit_record
from tests import factories
from tests.conftest import World
from tests.extracts import POSTCODES, extract, row
from tests.factories import NOW

Act = Callable[..., Any]
# Each makes what the action needs and returns its arguments.
ARGUMENTS: dict[Act, Callable[["Scene"], dict[str, Any]]] = {}
# They give something outside and change nothing: without its audit row it is not given.
DISCLOSURES = {export_trial, head_of, check_trial, reconcile_flags}
# Parts of an action: their caller holds the transaction or writes the row. Delivery of mail commits its claim
# before it sends, on purpose. A look at the watched folder calls the actions here for each file.
# A question about power saves nothing.
PARTS = {
    "ask_hcop",
    "ask_power",
    "check_authority",
    "check_may_export",
    "check_scope",
    "check_trial_wards",
    "close_by_record",
    "close_locked",
    "close_not_suitable",
    "deliver",
    "deliver_new",
    "deliver_waiting",
    "drop_contacts",
    "export_cases",
    "follow_ward",
    "give_notice",
    "hand_over",
    "lock_draft",
    "lock_referral",
    "lock_submitted",
    "lock_trial",
    "look_for_power",
    "locked",
    "note_head",
    "own_contacts",
    "preview_cases",
    "preview_roll_out",
    "raise_task",
    "record_change",
    "record_trial",
    "refer_again",
    "refuse_handed_over",
    "refuse_officer_in_case",
    "take_extracts",
    "take_step",
    "tell",
    "tell_registrars",
}


class Scene:
    """The world and its people, for those who prepare an action."""

    def __init__(self, world: World, people: dict[str, User]) -> None:
        self.world = world
        self.hcop = people["hcop"]
        self.officer = people["officer"]
        self.supervisor = people["supervisor"]
        self.trial_lead = people["trial_lead"]
        self.leader = people["leader"]
        self.system = people["system"]

    def decided(self, case: Any) -> Any:
        """The case with a submitted decision."""
        submission = factories.SubmissionFactory.create(bcu=case.bcu)
        factories.DecisionFactory.create(case=case, submission=submission)
        Case.objects.filter(pk=case.pk).update(decided_at=NOW)
        return case

    def case(self, **fields: Any) -> Any:
        return factories.CaseFactory.create(ward=self.world.wards[0], **fields)

    def trial(self, status: TrialStatus) -> Trial:
        return factories.TrialFactory.create(bcu=self.world.south_west, status=status)

    def control(self) -> Allocation:
        """A control unit of a trial that recruits."""
        return factories.AllocationFactory.create(
            case=self.case(), trial=self.trial(TrialStatus.RECRUITING), arm=Arm.CONTROL
        )

    def step(self, status: TrialStatus) -> dict[str, Any]:
        """What the step after that status is told."""
        return {"trial_id": self.trial(status).pk, "by": self.trial_lead, "at": NOW}

    def terms(self) -> dict[str, Any]:
        """What a draft says."""
        wards = [ward.code for ward in self.world.wards]
        return {
            "name": "Pilot",
            "design": Design(Scheme.COMPLETE, target=250),
            "conduct": factories.conduct(wards),
        }

    def referral(self, **fields: Any) -> Any:
        return factories.ReferralFactory.create(case__ward=self.world.wards[0], **fields)


def prepares(action: Act) -> Callable[[Any], Any]:
    def keep(prepare: Callable[[Scene], dict[str, Any]]) -> Callable[[Scene], dict[str, Any]]:
        ARGUMENTS[action] = prepare
        return prepare

    return keep


@prepares(draft_suitable)
def _(scene: Scene) -> dict[str, Any]:
    return {"case_id": scene.case().pk, "version": None, "by": scene.hcop, "at": NOW}


@prepares(draft_not_suitable)
def _(scene: Scene) -> dict[str, Any]:
    why = {"reason": Reason.CLOSED, "contact_by": ContactBy.INVESTIGATOR}
    return {"case_id": scene.case().pk, "version": None, **why, "by": scene.hcop, "at": NOW}


@prepares(choose_team)
def _(scene: Scene) -> dict[str, Any]:
    chosen = {"team": scene.world.teams[1], "why": "Hotel"}
    return {"case_id": scene.case().pk, "version": None, **chosen, "by": scene.hcop, "at": NOW}


@prepares(refer_now)
def _(scene: Scene) -> dict[str, Any]:
    case = scene.decided(scene.control().case)
    order = {"key": uuid.uuid4(), "reason": OrderReason.HIGH_RISK}
    return {"case_id": case.pk, **order, "by": scene.hcop, "at": NOW}


@prepares(reopen_decision)
def _(scene: Scene) -> dict[str, Any]:
    case = scene.decided(scene.case())
    return {"case_id": case.pk, "because": ReopenReason.WRONG_MARK, "by": scene.hcop, "at": NOW}


@prepares(find_not_suitable)
def _(scene: Scene) -> dict[str, Any]:
    case = scene.decided(scene.control().case)
    found = {"reason": Reason.CLOSED, "contact_by": ContactBy.INVESTIGATOR}
    return {"case_id": case.pk, **found, "by": scene.hcop, "at": NOW}


@prepares(move_referral)
def _(scene: Scene) -> dict[str, Any]:
    referral = scene.referral()
    given = {"seen": referral.ward_id, "ward": scene.world.wards[1], "why": "Hotel"}
    return {"case_id": referral.case_id, **given, "by": scene.hcop, "at": NOW}


@prepares(clear_draft)
def _(scene: Scene) -> dict[str, Any]:
    decision = factories.DecisionFactory.create(case=scene.case())
    return {"case_id": decision.case_id, "version": decision.version, "by": scene.hcop, "at": NOW}


@prepares(set_safety)
def _(scene: Scene) -> dict[str, Any]:
    safety = {"restrictions": [Restriction.NO_HOME_VISIT], "note": "Dog", "seen": None}
    return {"case_id": scene.case().pk, **safety, "by": scene.hcop, "at": NOW}


@prepares(answer_questions)
def _(scene: Scene) -> dict[str, Any]:
    case = scene.case(questions=[Question.REPEAT_VICTIM])
    return {"case_id": case.pk, "repeat_victim": True, "by": scene.hcop, "at": NOW}


@prepares(submit)
def _(scene: Scene) -> dict[str, Any]:
    decision = factories.DecisionFactory.create(case=scene.case())
    seen = {decision.case_id: decision.version}
    return {"bcu": scene.world.south_west, "seen": seen, "key": uuid.uuid4(), "by": scene.hcop, "at": NOW}


@prepares(draft_trial)
def _(scene: Scene) -> dict[str, Any]:
    return {"bcu": scene.world.south_west, **scene.terms(), "by": scene.trial_lead}


@prepares(revise_trial)
def _(scene: Scene) -> dict[str, Any]:
    return {"trial_id": scene.trial(TrialStatus.DRAFT).pk, **scene.terms(), "by": scene.trial_lead}


@prepares(delete_draft)
def _(scene: Scene) -> dict[str, Any]:
    return {"trial_id": scene.trial(TrialStatus.DRAFT).pk, "by": scene.trial_lead}


@prepares(record_approval)
def _(scene: Scene) -> dict[str, Any]:
    given = {"reference": "1", "given_by": "The committee", "given_on": date(2026, 11, 1)}
    trial = scene.trial(TrialStatus.DRAFT)
    return {"trial_id": trial.pk, "kind": ApprovalKind.ETHICS, **given, "by": scene.trial_lead, "at": NOW}


@prepares(name_registrar)
def _(scene: Scene) -> dict[str, Any]:
    registrar = {"name": "Library", "email": "library@example.org"}
    return {"trial_id": scene.trial(TrialStatus.DRAFT).pk, **registrar, "by": scene.trial_lead}


@prepares(remove_registrar)
def _(scene: Scene) -> dict[str, Any]:
    trial = scene.trial(TrialStatus.DRAFT)
    return {"trial_id": trial.pk, "registrar_id": trial.registrars.get().pk, "by": scene.trial_lead}


@prepares(propose)
def _(scene: Scene) -> dict[str, Any]:
    return {**scene.step(TrialStatus.DRAFT), "tell": "leader@example.org"}


@prepares(seal)
def _(scene: Scene) -> dict[str, Any]:
    trial = propose(**scene.step(TrialStatus.DRAFT))
    return {"trial_id": trial.pk, "digest": proposal_digest(trial), "by": scene.leader, "at": NOW}


@prepares(export_trial)
def _(scene: Scene) -> dict[str, Any]:
    return {"trial": scene.trial(TrialStatus.RECRUITING), "by": scene.trial_lead}


@prepares(head_of)
def _(scene: Scene) -> dict[str, Any]:
    return {"trial": scene.trial(TrialStatus.RECRUITING), "by": scene.trial_lead, "at": NOW}


@prepares(check_trial)
def _(scene: Scene) -> dict[str, Any]:
    return {"trial": scene.trial(TrialStatus.RECRUITING), "heads": {}, "by": scene.trial_lead}


@prepares(open_recruitment)
def _(scene: Scene) -> dict[str, Any]:
    return scene.step(TrialStatus.SEALED)


@prepares(pause)
def _(scene: Scene) -> dict[str, Any]:
    return {**scene.step(TrialStatus.RECRUITING), "reason": "Why", "meanwhile": Mode.SRC_FOR_ALL}


@prepares(resume)
def _(scene: Scene) -> dict[str, Any]:
    trial = scene.trial(TrialStatus.RECRUITING)
    factories.PauseFactory.create(trial=trial)
    return {"trial_id": trial.pk, "by": scene.trial_lead, "at": NOW}


@prepares(close)
def _(scene: Scene) -> dict[str, Any]:
    return {**scene.step(TrialStatus.RECRUITING), "because": "Why"}


@prepares(close_ended)
def _(scene: Scene) -> dict[str, Any]:
    scene.trial(TrialStatus.RECRUITING)
    return {"by": scene.system, "at": NOW + timedelta(days=365)}


@prepares(reveal)
def _(scene: Scene) -> dict[str, Any]:
    return scene.step(TrialStatus.LOCKED)


@prepares(lock_outcomes)
def _(scene: Scene) -> dict[str, Any]:
    return scene.step(TrialStatus.CLOSED)


@prepares(correct_data_set)
def _(scene: Scene) -> dict[str, Any]:
    """The digest of the first is none of what is recorded."""
    trial = scene.trial(TrialStatus.LOCKED)
    factories.DataSetFactory.create(trial=trial)
    return {"trial_id": trial.pk, "reason": "Why", "by": scene.trial_lead, "at": NOW}


@prepares(open_look)
def _(scene: Scene) -> dict[str, Any]:
    return {**scene.step(TrialStatus.RECRUITING), "planned_on": None, "reason": "Why"}


@prepares(record_deviation)
def _(scene: Scene) -> dict[str, Any]:
    what = {"kind": DeviationKind.BY_ACCIDENT, "happened_on": NOW.date()}
    return {"allocation_id": scene.control().pk, **what, "by": scene.hcop, "at": NOW}


@prepares(withdraw_deviation)
def _(scene: Scene) -> dict[str, Any]:
    deviation = factories.DeviationFactory.create(allocation=scene.control())
    return {"deviation_id": deviation.pk, "by": scene.hcop, "at": NOW}


@prepares(check_controls)
def _(scene: Scene) -> dict[str, Any]:
    control = scene.control()
    after = NOW + timedelta(days=31)
    return {"trial": control.trial, "allocation_ids": [control.pk], "by": scene.hcop, "at": after}


@prepares(send_heads)
def _(scene: Scene) -> dict[str, Any]:
    scene.trial(TrialStatus.RECRUITING)
    return {"by": scene.system, "at": NOW}


@prepares(set_ward_mode)
def _(scene: Scene) -> dict[str, Any]:
    mode = {"mode": Mode.NOT_STARTED, "starts_on": date(2026, 11, 23)}
    return {"wards": scene.world.wards, **mode, "by": scene.system}


@prepares(set_trial_wards)
def _(scene: Scene) -> dict[str, Any]:
    mode = {"mode": Mode.NOT_STARTED, "starts_on": NOW.date()}
    wards = [ward.code for ward in scene.world.wards]
    return {**scene.step(TrialStatus.RECRUITING), "wards": wards, **mode}


@prepares(plan_roll_out)
def _(scene: Scene) -> dict[str, Any]:
    pace = {"first_day": NOW.date(), "wards_a_step": 2, "days_between": 7}
    return {**scene.step(TrialStatus.SEALED), **pace, "order": Order.DRAWN}


@prepares(confirm_flags)
def _(scene: Scene) -> dict[str, Any]:
    return {"referral_ids": [scene.referral().pk], "by": scene.hcop, "at": NOW}


@prepares(confirm_flags_removed)
def _(scene: Scene) -> dict[str, Any]:
    wrong = scene.referral(flag_confirmed_at=NOW, flag_confirmed_by=scene.hcop, ruled_out_since=NOW)
    return {"referral_ids": [wrong.pk], "by": scene.hcop, "at": NOW}


@prepares(reconcile_flags)
def _(scene: Scene) -> dict[str, Any]:
    given = GivenList(NOW.date(), 1, (scene.referral().case_id,))
    return {"bcu": scene.world.south_west, "given": given, "by": scene.hcop, "at": NOW}


@prepares(unconfirm_flags)
def _(scene: Scene) -> dict[str, Any]:
    confirmed = scene.referral(flag_confirmed_at=NOW, flag_confirmed_by=scene.hcop)
    return {"referral_ids": [confirmed.pk], "by": scene.hcop, "at": NOW}


@prepares(unconfirm_flags_removed)
def _(scene: Scene) -> dict[str, Any]:
    set_by = {"flag_confirmed_at": NOW, "flag_confirmed_by": scene.hcop, "ruled_out_since": NOW}
    removed = scene.referral(**set_by, flag_removed_at=NOW, flag_removed_by=scene.hcop)
    return {"referral_ids": [removed.pk], "by": scene.hcop, "at": NOW}


@prepares(follow_crime_record)
def _(scene: Scene) -> dict[str, Any]:
    cancelled = scene.referral(case__crime_status="cancelled").case_id
    moved = scene.referral(ward=scene.world.wards[1]).case_id
    noted = scene.referral().case_id
    changed = {cancelled: ["crime_status"], moved: ["ward"], noted: ["safety_note"]}
    return {"changed": changed, "by": scene.system, "at": NOW}


@prepares(read_notices)
def _(scene: Scene) -> dict[str, Any]:
    notice = factories.ReferralNoticeFactory.create(referral=scene.referral())
    return {
        "referral_id": notice.referral_id,
        "notice_ids": [notice.pk],
        "by": scene.officer,
        "at": NOW,
    }


@prepares(take)
def _(scene: Scene) -> dict[str, Any]:
    return {"referral_id": scene.referral().pk, "by": scene.officer, "at": NOW}


@prepares(give_back)
def _(scene: Scene) -> dict[str, Any]:
    taken = scene.referral(taken_at=NOW, taken_by=scene.officer)
    return {"referral_id": taken.pk, "by": scene.officer}


@prepares(give)
def _(scene: Scene) -> dict[str, Any]:
    given = [scene.referral().pk]
    return {"referral_ids": given, "to": scene.officer, "by": scene.supervisor, "at": NOW}


@prepares(return_work)
def _(scene: Scene) -> dict[str, Any]:
    scene.referral(taken_at=NOW, taken_by=scene.officer)
    _leave(scene)
    return {"by": User.objects.system(), "at": NOW}


@prepares(set_leave)
def _(scene: Scene) -> dict[str, Any]:
    days = {"starts_on": today(), "back_on": today() + timedelta(days=1)}
    return {"user": scene.officer, **days, "by": scene.officer, "at": NOW}


@prepares(end_leave)
def _(scene: Scene) -> dict[str, Any]:
    return {"leave_id": _leave(scene).pk, "by": scene.officer}


def _leave(scene: Scene) -> Leave:
    """That of the officer, who is away today."""
    return factories.LeaveFactory.create(
        user=scene.officer, starts_on=today(), back_on=today() + timedelta(days=1)
    )


@prepares(log_attempt)
def _(scene: Scene) -> dict[str, Any]:
    attempt = {"method": Method.TELEPHONE, "result": Result.CONTACT_MADE, "made_at": NOW, "note": "Well"}
    return {
        "referral_id": scene.referral().pk,
        "key": uuid.uuid4(),
        **attempt,
        "by": scene.officer,
        "at": NOW,
    }


@prepares(withdraw_attempt)
def _(scene: Scene) -> dict[str, Any]:
    attempt = factories.ContactAttemptFactory.create(referral=scene.referral(), made_by=scene.officer)
    return {"attempt_id": attempt.pk, "key": uuid.uuid4(), "by": scene.officer, "at": NOW}


@prepares(settle_attempt)
def _(scene: Scene) -> dict[str, Any]:
    attempt = factories.ContactAttemptFactory.create(referral=scene.referral(), made_by=scene.officer)
    return {"attempt_id": attempt.pk, "by": scene.officer, "at": NOW}


@prepares(close_without_contact)
def _(scene: Scene) -> dict[str, Any]:
    referral = scene.referral()
    factories.ContactAttemptFactory.create(referral=referral, result=Result.DECLINED, made_by=scene.officer)
    reason = CloseReason.DECLINED
    return {"referral_id": referral.pk, "reason": reason, "by": scene.officer, "at": NOW}


@prepares(acknowledge)
def _(scene: Scene) -> dict[str, Any]:
    follow_up = factories.FollowUpFactory.create(attempt__referral=scene.referral())
    return {"follow_up_id": follow_up.pk, "by": scene.supervisor, "at": NOW}


@prepares(finish)
def _(scene: Scene) -> dict[str, Any]:
    owned = {"acknowledged_at": NOW, "acknowledged_by": scene.supervisor}
    follow_up = factories.FollowUpFactory.create(attempt__referral=scene.referral(), **owned)
    return {"follow_up_id": follow_up.pk, "by": scene.supervisor, "at": NOW}


@prepares(undo)
def _(scene: Scene) -> dict[str, Any]:
    done = {
        "acknowledged_at": NOW,
        "acknowledged_by": scene.supervisor,
        "done_at": NOW,
        "done_by": scene.supervisor,
    }
    follow_up = factories.FollowUpFactory.create(attempt__referral=scene.referral(), **done)
    return {"follow_up_id": follow_up.pk, "by": scene.supervisor, "at": NOW}


@prepares(chase)
def _(scene: Scene) -> dict[str, Any]:
    return {"referral_id": scene.referral().pk, "key": uuid.uuid4(), "by": scene.supervisor, "at": NOW}


@prepares(remind_due)
def _(scene: Scene) -> dict[str, Any]:
    scene.referral()
    return {"by": scene.system, "at": NOW + timedelta(days=9)}


@prepares(choose_digests)
def _(scene: Scene) -> dict[str, Any]:
    team = scene.world.teams[0]
    return {"kinds": [DigestKind.WEEK], "teams": [team], "by": scene.supervisor, "at": NOW}


@prepares(send_digests)
def _(scene: Scene) -> dict[str, Any]:
    scene.referral()
    factories.DigestChoiceFactory.create(user=None, team=scene.world.teams[0])
    return {"by": scene.system, "at": NOW}


@prepares(tell_of_faults)
def _(scene: Scene) -> dict[str, Any]:
    return {"by": scene.system, "at": NOW}


@prepares(join_team)
def _(scene: Scene) -> dict[str, Any]:
    place = {"team": scene.world.teams[4], "starts_on": NOW.date()}
    return {"user": scene.officer, **place, "by": scene.system}


@prepares(join_bcu)
def _(scene: Scene) -> dict[str, Any]:
    place = {"bcu": scene.world.north, "starts_on": NOW.date()}
    return {"user": scene.hcop, **place, "by": scene.system}


@prepares(leave_team)
def _(scene: Scene) -> dict[str, Any]:
    place = {"team": scene.world.teams[0], "on": NOW.date()}
    return {"user": scene.officer, **place, "by": scene.system}


@prepares(leave_bcu)
def _(scene: Scene) -> dict[str, Any]:
    place = {"bcu": scene.world.south_west, "on": NOW.date()}
    return {"user": scene.hcop, **place, "by": scene.system}


@prepares(close_account)
def _(scene: Scene) -> dict[str, Any]:
    return {"user": scene.officer, "because": ClosedBecause.LEFT, "by": scene.system}


@prepares(start_review)
def _(scene: Scene) -> dict[str, Any]:
    return {"by": scene.system, "at": NOW}


@prepares(confirm_access)
def _(scene: Scene) -> dict[str, Any]:
    factories.AccessReviewFactory.create()
    said = {scene.officer.pk: AccessAnswer.Said.CLOSE}
    return {"said": said, "by": scene.supervisor, "at": NOW}


@prepares(end_review)
def _(scene: Scene) -> dict[str, Any]:
    factories.AccessReviewFactory.create()
    return {"by": scene.system, "at": NOW}


@prepares(import_people)
def _(scene: Scene) -> dict[str, Any]:
    text = "User name,Name,Role,E-mail\npc1,PC 1,officer,pc1@example.police.uk\n"
    return {"text": text, "seen": preview_people(text).digest, "by": scene.system, "at": NOW}


@prepares(close_person)
def _(scene: Scene) -> dict[str, Any]:
    return {"user": scene.officer, "because": ClosedBecause.LEFT, "by": scene.system}


@prepares(reopen_account)
def _(scene: Scene) -> dict[str, Any]:
    User.objects.filter(pk=scene.officer.pk).update(is_active=False)
    return {"user": scene.officer, "password": "long and odd 78", "by": scene.system, "at": NOW}


@prepares(change_details)
def _(scene: Scene) -> dict[str, Any]:
    details = {"display_name": "PS 1001", "email": "ps1001@example.police.uk"}
    return {"user": scene.officer, **details, "by": scene.system}


@prepares(set_role)
def _(scene: Scene) -> dict[str, Any]:
    return {"user": scene.officer, "role": Role.SUPERVISOR, "by": scene.system}


@prepares(change_role)
def _(scene: Scene) -> dict[str, Any]:
    return {"user": scene.officer, "role": Role.AUDITOR, "by": scene.system}


@prepares(move)
def _(scene: Scene) -> dict[str, Any]:
    places = {"teams": [scene.world.teams[4]], "bcus": []}
    return {"user": scene.officer, **places, "on": timezone.localdate(), "by": scene.system}


@prepares(add_person)
def _(scene: Scene) -> dict[str, Any]:
    account = {"username": "pc1", "display_name": "PC 1", "role": Role.OFFICER, "password": "long and odd 77"}
    places = {"teams": scene.world.teams[:1], "bcus": []}
    return {**account, "email": "pc1@example.police.uk", **places, "by": scene.system, "at": NOW}


@prepares(give_new_sign_in)
@prepares(reset_sign_in)
def _(scene: Scene) -> dict[str, Any]:
    return {"user": scene.officer, "password": "long and odd 78", "by": scene.system, "at": NOW}


@prepares(make_account)
def _(scene: Scene) -> dict[str, Any]:
    account = {"username": "pc1", "display_name": "PC 1", "role": Role.OFFICER, "password": "long and odd 77"}
    account["email"] = "pc1@example.police.uk"
    return {**account, "by": scene.system, "at": NOW}


@prepares(hold_extract)
def _(scene: Scene) -> dict[str, Any]:
    upload = {"key": uuid.uuid4(), "content": extract(row()), "bcu": scene.world.south_west}
    return {**upload, "by": scene.hcop, "at": NOW}


@prepares(note_refused)
def _(scene: Scene) -> dict[str, Any]:
    file = {"key": uuid.uuid4(), "file_name": "night.csv", "size": 9, "problem": "It is no table."}
    return {**file, "bcu": scene.world.south_west, "by": scene.system, "at": NOW}


def _held(scene: Scene) -> uuid.UUID:
    arguments = ARGUMENTS[hold_extract](scene)
    return uuid.UUID(str(hold_extract(**arguments).pk))


@prepares(save_extract)
def _(scene: Scene) -> dict[str, Any]:
    held = CaseImport.objects.get(pk=_held(scene))
    return {"import_id": held.pk, "seen": report_of(held).digest, "by": scene.hcop, "at": NOW}


@prepares(match_columns)
def _(scene: Scene) -> dict[str, Any]:
    meanings = {"Ref": "crime_reference", "When": "reported_at"}
    upload = {**ARGUMENTS[hold_extract](scene), "content": b"Ref,When\r\n01/7300001/26,22/11/2026 18:07\r\n"}
    held = hold_extract(**upload)
    return {"import_id": held.pk, "sheet": "", "meanings": meanings, "by": scene.hcop, "at": NOW}


@prepares(match_strands)
def _(scene: Scene) -> dict[str, Any]:
    held = hold_extract(**ARGUMENTS[hold_extract](scene))
    return {"import_id": held.pk, "meanings": {"RI": [Strand.RACE]}, "by": scene.hcop, "at": NOW}


@prepares(remember_headings)
def _(scene: Scene) -> dict[str, Any]:
    return {
        "bcu": scene.world.south_west,
        "meanings": {"Ref": "crime_reference"},
        "by": scene.hcop,
        "at": NOW,
    }


@prepares(resume_work)
def _(scene: Scene) -> dict[str, Any]:
    CaseImport.objects.filter(pk=_held(scene)).update(status=ImportStatus.READING, attempts=3)
    return {"by": scene.system, "at": NOW + timedelta(minutes=5)}


@prepares(discard_extract)
def _(scene: Scene) -> dict[str, Any]:
    return {"import_id": _held(scene), "by": scene.hcop, "at": NOW}


@prepares(delete_expired_extracts)
def _(scene: Scene) -> dict[str, Any]:
    _held(scene)
    return {"by": scene.system, "at": NOW + timedelta(days=2)}


@prepares(import_cases)
def _(scene: Scene) -> dict[str, Any]:
    return {"content": extract(row()), "bcu": scene.world.south_west, "by": scene.hcop, "at": NOW}


@prepares(load_places)
def _(scene: Scene) -> dict[str, Any]:
    return {"by": scene.system}


@prepares(load_postcodes)
def _(scene: Scene) -> dict[str, Any]:
    load_places(by=scene.system)
    return {"files": [POSTCODES.open(newline="")], "by": scene.system}


@prepares(import_outcomes)
def _(scene: Scene) -> dict[str, Any]:
    factories.OutcomeCodeFactory.create(code=16)
    reference = scene.case().crime_reference
    content = f"crime_reference,outcome_code,recorded_at\r\n{reference},16,22/11/2026 10:00\r\n".encode()
    return {"content": content, "by": scene.hcop, "at": NOW}


@prepares(compute_rates)
def _(scene: Scene) -> dict[str, Any]:
    return {"by": scene.system, "at": NOW}


@prepares(recount)
def _(scene: Scene) -> dict[str, Any]:
    scene.referral(completed=True)
    ContactCount.objects.all().delete()
    return {"by": scene.system}


@prepares(load_outcome_codes)
def _(scene: Scene) -> dict[str, Any]:
    return {"by": scene.system}


def _modules(package: ModuleType) -> Iterable[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if ".management" not in found.name and ".migrations" not in found.name:
            yield importlib.import_module(found.name)


def test_every_action_is_tried_here() -> None:
    """An action is a public function told who acts; a new one needs its lines above."""
    modules = [*_modules(referrals), *_modules(outcomes), *_modules(src_app.accounts)]
    actions = {
        function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        if not name.startswith("_")
        if "by" in inspect.signature(function).parameters
    }
    # A referral is made, or opened again, inside another action, and tried with it.
    assert {action.__name__ for action in actions - set(ARGUMENTS) - {refer}} == PARTS


class AuditFails(Exception):
    """What the test makes happen."""


class _Broken:
    """In place of the audit model: it cannot be written."""

    def __init__(self, **_: Any) -> None:
        pass

    class objects:  # noqa: N801 - as Django names it
        @staticmethod
        def bulk_create(*_: Any, **__: Any) -> None:
            raise AuditFails


def _everything() -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the project's own tables, history among them, but for the audit log."""
    return {
        model._meta.label: sorted(model._default_manager.values_list(), key=repr)
        for model in apps.get_models()
        if model._meta.app_label in {"accounts", "referrals", "outcomes"}
    }


@pytest.fixture(autouse=True)
def _mailbox(settings: Settings) -> None:
    """Without one nobody is told of faults."""
    settings.ADMIN_MAILBOX = "administrator@example.org"


@pytest.fixture
def scene(
    world: World,
    hcop: User,
    officer: User,
    supervisor: User,
    trial_lead: User,
    leader: User,
    system: User,
) -> Scene:
    people = (hcop, officer, supervisor, trial_lead, leader, system)
    return Scene(world, {str(user.role): user for user in people})


@pytest.mark.parametrize("action", ARGUMENTS, ids=lambda action: action.__name__)
def test_nothing_is_changed(action: Act, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ARGUMENTS[action](scene)
    before = _everything()
    with monkeypatch.context() as broken:
        broken.setattr(audit_record, "AuditEntry", _Broken)
        with pytest.raises(AuditFails):
            action(**arguments)
    assert _everything() == before
    for file in arguments.get("files", []):
        file.seek(0)
    action(**arguments)
    changed = _everything() != before
    assert changed is (action not in DISCLOSURES), "with the log in order it does change something"
    for file in arguments.get("files", []):
        file.close()
