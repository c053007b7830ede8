"""Locking, correcting and looking: who may, when, and what is kept and told."""

import threading
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import connection, transaction

from outcomes.evaluation.actions import correct_data_set, lock_outcomes, open_look
from outcomes.evaluation.readers.data_set import rows_of
from outcomes.models import DataSet, Look
from referrals.models import Arm, Case, NoticeKind, Notification, Trial, TrialStatus
from referrals.rules.trial.analysis import Plan, PlannedLook
from referrals.rules.trial.draws import sha256
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.audit.record import acting
from src_app.refused import Refused
from tests.conftest import World
from tests.factories import (
    NOW,
    ContactAttemptFactory,
    DataSetFactory,
    OutcomeCodeFactory,
    RecordedOutcomeFactory,
    TrialFactory,
)
from tests.outcomes.evaluation.trials import (
    allocate,
    check,
    close,
    planned_trial,
)
from tests.patience import patience

DAY = timedelta(days=1)
END = NOW + 30 * DAY
TODAY = NOW.date()
OPEN = (TrialStatus.RECRUITING, TrialStatus.CLOSED)
MakeCase = Callable[..., Case]


@pytest.fixture
def recruiting(world: World, make_case: MakeCase) -> Trial:
    """Three units of SRC, of which one withdrew, and two of control, both withdrawn; all controls checked."""
    trial = planned_trial(
        world.south_west, Plan(looks=(PlannedLook(TODAY, "leader"), PlannedLook(TODAY + 7 * DAY, "leader")))
    )
    allocate(trial, make_case, Arm.SRC, [16, 18, None])
    check(allocate(trial, make_case, Arm.CONTROL, [14, 16]))
    return trial


@pytest.fixture
def closed(recruiting: Trial, trial_lead: User) -> Trial:
    close(recruiting, trial_lead)
    return recruiting


@pytest.fixture
def locked(closed: Trial, trial_lead: User) -> Trial:
    lock_outcomes(trial_id=closed.pk, by=trial_lead, at=END)
    return Trial.objects.get(pk=closed.pk)


def _late_outcome(trial: Trial) -> None:
    """One that was recorded in time and comes here after the lock."""
    case = trial.allocations.filter(arm=Arm.SRC).latest("pk").case
    code = OutcomeCodeFactory.create(code=1)
    RecordedOutcomeFactory.create(case=case, code=code, recorded_at=END - DAY, imported_at=END + DAY)


def test_a_lock_keeps_the_rows_and_sends_their_digest_to_every_registrar(
    closed: Trial, trial_lead: User
) -> None:
    rows = rows_of(closed, END)
    data_set = lock_outcomes(trial_id=closed.pk, by=trial_lead, at=END)
    kept = DataSet.objects.get(trial=closed)
    assert kept == data_set
    assert kept.content == rows
    assert (kept.number, kept.reason, kept.made_at, kept.made_by) == (1, "", END, trial_lead)
    assert kept.digest == sha256(rows) == sha256(kept.content)
    trial = Trial.objects.get(pk=closed.pk)
    assert (trial.status, trial.locked_at, trial.locked_by) == (TrialStatus.LOCKED, END, trial_lead)
    notice = trial.notices.get(kind=NoticeKind.LOCKED)
    told = {name: notice.content[name] for name in ("data_set", "sha256", "rows")}
    assert told == {"data_set": 1, "sha256": kept.digest, "rows": 5}
    assert Notification.objects.filter(trial_notice=notice).count() == trial.registrars.count() == 1


def test_another_s_registrar_is_told_nothing(closed: Trial, trial_lead: User, world: World) -> None:
    other = TrialFactory.create(bcu=world.south_west)
    lock_outcomes(trial_id=closed.pk, by=trial_lead, at=END)
    assert not Notification.objects.filter(recipient=other.registrars.get().email).exists()


def test_a_lock_is_recorded_with_who_was_told(closed: Trial, trial_lead: User) -> None:
    lock_outcomes(trial_id=closed.pk, by=trial_lead, at=END)
    locked = AuditEntry.objects.get(action=Action.TRIAL_LOCKED)
    assert (locked.actor, locked.references) == (trial_lead, [f"trial {closed.pk}"])
    told = AuditEntry.objects.get(action=Action.REGISTRARS_TOLD)
    assert told.recipients == [closed.registrars.get().email]


def test_it_is_refused_while_a_follow_up_is_not_over(closed: Trial, trial_lead: User) -> None:
    with pytest.raises(Refused, match=r"follow-up of 5 of 5 units is not over: .* 23 December 2026, 7:30am"):
        lock_outcomes(trial_id=closed.pk, by=trial_lead, at=END - timedelta(seconds=1))
    assert Trial.objects.get(pk=closed.pk).status == TrialStatus.CLOSED
    assert not DataSet.objects.exists()


def test_it_is_refused_while_a_control_is_not_checked(
    recruiting: Trial, make_case: MakeCase, trial_lead: User
) -> None:
    allocate(recruiting, make_case, Arm.CONTROL, [16])
    close(recruiting, trial_lead)
    with pytest.raises(Refused, match="1 of 3 controls is not checked"):
        lock_outcomes(trial_id=recruiting.pk, by=trial_lead, at=END)
    assert not DataSet.objects.exists()


@pytest.mark.parametrize("status", [each for each in TrialStatus if each != TrialStatus.CLOSED])
def test_only_a_closed_trial_can_be_locked(status: TrialStatus, world: World, trial_lead: User) -> None:
    trial = TrialFactory.create(bcu=world.south_west, status=status)
    with pytest.raises(Refused, match="open its page again"):
        lock_outcomes(trial_id=trial.pk, by=trial_lead, at=END)


def test_a_clock_that_is_behind_locks_nothing(world: World, trial_lead: User) -> None:
    trial = TrialFactory.create(bcu=world.south_west)
    close(trial, trial_lead)
    with pytest.raises(Refused, match="clock"):
        lock_outcomes(trial_id=trial.pk, by=trial_lead, at=NOW - DAY)


def test_only_the_trial_lead_of_the_bcu_locks_and_corrects(
    closed: Trial, leader: User, hcop: User, trial_lead: User, world: World
) -> None:
    other = TrialFactory.create(bcu=world.north, status=TrialStatus.CLOSED)
    for by in (leader, hcop):
        with pytest.raises(NotAllowed):
            lock_outcomes(trial_id=closed.pk, by=by, at=END)
        with pytest.raises(NotAllowed):
            correct_data_set(trial_id=closed.pk, reason="Why", by=by, at=END)
    for act in (lock_outcomes, correct_data_set):
        reason = {"reason": "Why"} if act is correct_data_set else {}
        with pytest.raises(Trial.DoesNotExist):
            act(trial_id=other.pk, by=trial_lead, at=END, **reason)


@pytest.mark.django_db(transaction=True)
def test_two_locks_at_once_make_one_data_set(closed: Trial, trial_lead: User) -> None:
    refused = []
    barrier = threading.Barrier(2, timeout=patience(60))

    def lock() -> None:
        barrier.wait()
        try:
            with acting("test", by=trial_lead):
                lock_outcomes(trial_id=closed.pk, by=trial_lead, at=END)
        except Refused as error:
            refused.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=lock) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert DataSet.objects.filter(trial=closed).count() == 1


def test_a_correction_stands_beside_the_first_with_its_reason(locked: Trial, trial_lead: User) -> None:
    first = locked.data_sets.get()
    _late_outcome(locked)
    second = correct_data_set(trial_id=locked.pk, reason=" Came late ", by=trial_lead, at=END + DAY)
    assert (second.number, second.reason, second.made_at) == (2, "Came late", END + DAY)
    assert locked.data_sets.get(number=1).content == first.content != second.content
    assert second.digest == sha256(second.content) != first.digest
    notice = locked.notices.filter(kind=NoticeKind.LOCKED).latest("pk")
    assert notice.content["data_set"] == 2
    assert notice.content["reason"] == "Came late"
    assert notice.content["sha256"] == second.digest
    assert AuditEntry.objects.filter(action=Action.DATA_SET_CORRECTED).count() == 1


def test_a_revealed_trial_can_still_be_corrected(world: World, trial_lead: User) -> None:
    trial = TrialFactory.create(bcu=world.south_west, status=TrialStatus.REVEALED)
    DataSetFactory.create(trial=trial)
    assert correct_data_set(trial_id=trial.pk, reason="Why", by=trial_lead, at=NOW).number == 2


def test_nothing_is_corrected_where_nothing_changed(locked: Trial, trial_lead: User) -> None:
    for changes in (False, True):
        if changes:
            _late_outcome(locked)
            correct_data_set(trial_id=locked.pk, reason="Why", by=trial_lead, at=END + DAY)
        with pytest.raises(Refused, match=f"Nothing has changed since data set {1 + changes}"):
            correct_data_set(trial_id=locked.pk, reason="Why", by=trial_lead, at=END + 9 * DAY)
    assert locked.data_sets.count() == 2


def test_a_further_attempt_at_contact_after_follow_up_changes_nothing(
    locked: Trial, trial_lead: User
) -> None:
    referral = locked.allocations.filter(arm=Arm.SRC).latest("pk").referral
    ContactAttemptFactory.create(referral=referral, made_at=END + DAY)
    with pytest.raises(Refused, match="Nothing has changed"):
        correct_data_set(trial_id=locked.pk, reason="Why", by=trial_lead, at=END + 2 * DAY)


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_correction_and_a_look_say_why(locked: Trial, trial_lead: User, world: World, reason: str) -> None:
    _late_outcome(locked)
    with pytest.raises(Refused, match="Say why"):
        correct_data_set(trial_id=locked.pk, reason=reason, by=trial_lead, at=END + DAY)
    other = TrialFactory.create(bcu=world.south_west)
    with pytest.raises(Refused, match="Say why"):
        open_look(trial_id=other.pk, planned_on=None, reason=reason, by=trial_lead, at=NOW)


def test_nothing_is_corrected_before_the_lock(closed: Trial, trial_lead: User) -> None:
    with pytest.raises(Refused, match="closed to recruitment by now"):
        correct_data_set(trial_id=closed.pk, reason="Why", by=trial_lead, at=END)


def test_the_planned_reader_opens_their_look_on_its_day(recruiting: Trial, leader: User) -> None:
    look = open_look(trial_id=recruiting.pk, planned_on=TODAY, reason="ignored", by=leader, at=NOW)
    assert (look.planned_on, look.reason, look.opened_by, look.opened_at) == (TODAY, "", leader, NOW)
    assert look.content == {
        "src": {"units": 3, "closed": 2, "attrition": 1, "charge": 0, "positive": 0},
        "control": {"units": 2, "closed": 2, "attrition": 2, "charge": 0, "positive": 0},
    }
    entry = AuditEntry.objects.get(action=Action.LOOK_OPENED)
    assert (entry.actor, entry.references, entry.fields) == (
        leader,
        [f"trial {recruiting.pk}"],
        ["planned look"],
    )


def test_a_look_holds_what_was_known_then(recruiting: Trial, trial_lead: User) -> None:
    look = open_look(trial_id=recruiting.pk, planned_on=None, reason="Ethics asks", by=trial_lead, at=NOW)
    _late_outcome(recruiting)
    later = open_look(trial_id=recruiting.pk, planned_on=None, reason="Ethics asks", by=trial_lead, at=END)
    assert look.content["src"]["charge"] == Look.objects.get(pk=look.pk).content["src"]["charge"] == 0
    assert later.content["src"]["charge"] == 1


@pytest.mark.parametrize(
    ("planned_on", "days", "words"),
    [
        (TODAY + 7 * DAY, 6, "it cannot be opened before"),
        (date(2026, 1, 1), 0, "plans no look for 1 January 2026"),
    ],
)
def test_a_planned_look_is_opened_on_no_other_day(
    recruiting: Trial, leader: User, planned_on: date, days: int, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        open_look(trial_id=recruiting.pk, planned_on=planned_on, reason="", by=leader, at=NOW + days * DAY)
    assert not Look.objects.exists()


def test_a_planned_look_is_opened_once(recruiting: Trial, leader: User) -> None:
    open_look(trial_id=recruiting.pk, planned_on=TODAY, reason="", by=leader, at=NOW)
    with pytest.raises(Refused, match="was opened on 23 November 2026, 7:30am"):
        open_look(trial_id=recruiting.pk, planned_on=TODAY, reason="", by=leader, at=NOW + DAY)
    assert Look.objects.count() == 1


def test_a_planned_look_is_its_reader_s_and_no_reason_makes_it_another_s(
    recruiting: Trial, trial_lead: User
) -> None:
    with pytest.raises(Refused, match="names somebody else"):
        open_look(trial_id=recruiting.pk, planned_on=TODAY, reason="I must", by=trial_lead, at=NOW)
    assert not Look.objects.exists()


def test_a_look_that_was_not_planned_is_the_trial_lead_s(
    recruiting: Trial, leader: User, trial_lead: User
) -> None:
    with pytest.raises(NotAllowed):
        open_look(trial_id=recruiting.pk, planned_on=None, reason="I must", by=leader, at=NOW)
    look = open_look(trial_id=recruiting.pk, planned_on=None, reason=" I must ", by=trial_lead, at=NOW)
    assert (look.planned_on, look.reason) == (None, "I must")


def test_the_same_reason_again_is_the_same_look_while_nothing_changed(
    recruiting: Trial, trial_lead: User
) -> None:
    """A double tap does not count twice against the p-values."""
    asked = {"trial_id": recruiting.pk, "planned_on": None, "by": trial_lead}
    first = open_look(reason="I must", at=NOW, **asked)  # type: ignore[arg-type]
    assert open_look(reason="I must", at=NOW + DAY, **asked) == first  # type: ignore[arg-type]
    assert open_look(reason="Another", at=NOW + DAY, **asked) != first  # type: ignore[arg-type]
    assert AuditEntry.objects.filter(action=Action.LOOK_OPENED).count() == 2


def test_who_reads_no_trials_opens_no_look(recruiting: Trial, hcop: User, world: World, leader: User) -> None:
    with pytest.raises(NotAllowed):
        open_look(trial_id=recruiting.pk, planned_on=TODAY, reason="", by=hcop, at=NOW)
    other = planned_trial(world.north, Plan(looks=(PlannedLook(TODAY, "leader"),)))
    with pytest.raises(Trial.DoesNotExist):
        open_look(trial_id=other.pk, planned_on=TODAY, reason="", by=leader, at=NOW)


@pytest.mark.parametrize("status", [each for each in TrialStatus if each not in OPEN])
def test_there_is_a_look_only_between_opening_and_lock(
    status: TrialStatus, world: World, trial_lead: User
) -> None:
    trial = TrialFactory.create(bcu=world.south_west, status=status)
    with pytest.raises(Refused, match="open its page again"):
        open_look(trial_id=trial.pk, planned_on=None, reason="Why", by=trial_lead, at=NOW)


def test_a_lock_that_fails_leaves_no_part_behind(
    closed: Trial, trial_lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digest is told last but one: where that fails, nothing is locked."""

    def fail(**_: object) -> None:
        raise RuntimeError("no outbox")

    monkeypatch.setattr("outcomes.evaluation.actions.tell_registrars", fail)
    with pytest.raises(RuntimeError), transaction.atomic():
        lock_outcomes(trial_id=closed.pk, by=trial_lead, at=END)
    assert Trial.objects.get(pk=closed.pk).status == TrialStatus.CLOSED
    assert not DataSet.objects.exists()
