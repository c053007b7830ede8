"""The steps of a trial, each by whom it takes, none back."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django.fixtures import Settings

from referrals.models import (
    STEPS,
    ApprovalKind,
    Mode,
    NoticeKind,
    Notification,
    Pause,
    Trial,
    TrialStatus,
)
from referrals.rules.trial.protocol import YES_OR_NO
from referrals.rules.trial.seal import commitment
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
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.audit.record import acting
from src_app.keys import open_seed
from src_app.refused import Refused
from tests.conftest import World
from tests.database import refused_by, tampering
from tests.factories import NOW, SEED, AllocationFactory, PauseFactory, RegistrarFactory, TrialFactory
from tests.patience import patience

OTHER_KEY = "b3RoZXIga2V5IG90aGVyIGtleSBvdGhlciBrZXkgMTI="


@pytest.fixture
def trial_in(world: World) -> Callable[[TrialStatus], Trial]:
    """A trial of South West in a status."""
    return lambda status: TrialFactory.create(bcu=world.south_west, status=status)


@pytest.fixture
def proposed(trial_in: Callable[[TrialStatus], Trial], trial_lead: User) -> Trial:
    return propose(trial_id=trial_in(TrialStatus.DRAFT).pk, by=trial_lead, at=NOW)


def _seal(trial: Trial, by: User) -> Trial:
    return seal(trial_id=trial.pk, digest=proposal_digest(trial), by=by, at=NOW)


def test_a_seal_draws_a_seed_that_is_kept_encrypted_and_publishes_the_commitment(
    proposed: Trial, leader: User
) -> None:
    RegistrarFactory.create(trial=proposed)
    trial = _seal(proposed, leader)
    assert (trial.status, trial.sealed_at, trial.sealed_by) == (TrialStatus.SEALED, NOW, leader)
    kept = Trial.objects.get(pk=trial.pk)
    seed = open_seed(kept.seed_encrypted)
    assert len(seed) == 32
    assert seed not in bytes(kept.seed_encrypted or b"")
    assert kept.commitment == commitment(kept.protocol, seed)
    notice = kept.notices.get(kind=NoticeKind.SEALED)
    assert (notice.content["commitment"], notice.content["protocol"]) == (kept.commitment, kept.protocol)
    told = Notification.objects.filter(trial_notice=notice).values_list("recipient", flat=True)
    assert set(told) == set(kept.registrars.values_list("email", flat=True))
    assert len(told) == 2


def test_two_trials_have_two_seeds(
    trial_in: Callable[[TrialStatus], Trial], trial_lead: User, leader: User
) -> None:
    seeds = set()
    for _ in range(2):
        draft = propose(trial_id=trial_in(TrialStatus.DRAFT).pk, by=trial_lead, at=NOW)
        seeds.add(open_seed(_seal(draft, leader).seed_encrypted))
    assert len(seeds) == 2


def test_whoever_proposed_a_trial_does_not_seal_it(proposed: Trial, trial_lead: User) -> None:
    with pytest.raises(Refused, match="somebody else has to seal it"):
        _seal(proposed, trial_lead)
    with pytest.raises(DatabaseError, match="sealed_by_another"), transaction.atomic():
        Trial.objects.filter(pk=proposed.pk).update(
            status=TrialStatus.SEALED,
            sealed_at=NOW,
            sealed_by=trial_lead,
            commitment="0" * 64,
            seed_encrypted=b"sealed",
        )


@pytest.mark.parametrize("missing", [*ApprovalKind, "registrar"])
def test_a_trial_lacking_anything_is_neither_proposed_nor_sealed(
    proposed: Trial, trial_lead: User, leader: User, missing: str
) -> None:
    if missing == "registrar":
        proposed.registrars.all().delete()
    else:
        proposed.approvals.filter(kind=missing).delete()
    with pytest.raises(Refused, match="Still missing"):
        propose(trial_id=proposed.pk, by=trial_lead, at=NOW)
    with pytest.raises(Refused, match="Still missing"):
        _seal(proposed, leader)
    with pytest.raises(DatabaseError, match="sealed_with_every_approval"), transaction.atomic():
        Trial.objects.filter(pk=proposed.pk).update(
            status=TrialStatus.SEALED,
            sealed_at=NOW,
            sealed_by=leader,
            commitment="0" * 64,
            seed_encrypted=b"sealed",
        )


@pytest.mark.parametrize("stratified_by", ["race", "borough+race"])
def test_race_is_a_stratum_only_where_the_assessment_allows_it(
    proposed: Trial, trial_lead: User, leader: User, stratified_by: str
) -> None:
    boroughs = proposed.design.strata
    by_race = {
        **proposed.protocol,
        "stratified_by": stratified_by,
        "allocation": {
            **proposed.protocol["allocation"],
            "strata": [f"{code}+{level}" for code in boroughs for level in YES_OR_NO]
            if "+" in stratified_by
            else list(YES_OR_NO),
        },
    }
    Trial.objects.filter(pk=proposed.pk).update(protocol=by_race)
    proposed.refresh_from_db()
    with pytest.raises(Refused, match="allows the strand"):
        _seal(proposed, leader)
    with pytest.raises(DatabaseError, match="strand_as_assessed"), transaction.atomic():
        Trial.objects.filter(pk=proposed.pk).update(
            status=TrialStatus.SEALED,
            sealed_at=NOW,
            sealed_by=leader,
            commitment="0" * 64,
            seed_encrypted=b"sealed",
        )
    proposed.approvals.filter(kind=ApprovalKind.DATA_PROTECTION).update(allows_strand=True)
    assert _seal(proposed, leader).status == TrialStatus.SEALED


def test_a_protocol_that_leaves_a_borough_of_its_wards_out_is_not_sealed(
    proposed: Trial, leader: User
) -> None:
    """As where a ward came to a borough that the design does not know, after it was drafted."""
    first, *_ = proposed.design.strata
    fewer = {**proposed.protocol["allocation"], "strata": [first]}
    Trial.objects.filter(pk=proposed.pk).update(protocol={**proposed.protocol, "allocation": fewer})
    proposed.refresh_from_db()
    with pytest.raises(Refused, match="a stratum of these wards that the design leaves out"):
        _seal(proposed, leader)


def test_what_changed_after_it_was_read_is_not_sealed(
    proposed: Trial, leader: User, trial_lead: User
) -> None:
    read = proposal_digest(proposed)
    changes: list[Callable[[], object]] = [
        lambda: Trial.objects.filter(pk=proposed.pk).update(
            protocol={**proposed.protocol, "question": "Another?"}
        ),
        lambda: proposed.registrars.update(email="lead@force.example"),
        lambda: proposed.approvals.filter(kind=ApprovalKind.ETHICS).update(reference="Another"),
    ]
    for change in changes:
        with transaction.atomic():
            change()
            propose(trial_id=proposed.pk, by=trial_lead, at=NOW)
            with pytest.raises(Refused, match="changed after you opened"):
                seal(trial_id=proposed.pk, digest=read, by=leader, at=NOW)
            transaction.set_rollback(True)
    assert seal(trial_id=proposed.pk, digest=read, by=leader, at=NOW).status == TrialStatus.SEALED


@pytest.mark.parametrize("keys", [[], ["no key"]], ids=["missing", "malformed"])
def test_without_a_key_nothing_is_sealed(
    proposed: Trial, leader: User, settings: Settings, keys: list[str]
) -> None:
    settings.TRIAL_SEAL_KEYS = keys
    with pytest.raises(Refused, match="no key to seal"):
        _seal(proposed, leader)
    proposed.refresh_from_db()
    assert (proposed.status, proposed.seed_encrypted) == (TrialStatus.DRAFT, None)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_seal_at_once_one_does_and_the_other_is_told(
    proposed: Trial, leader: User, world: World
) -> None:
    together = threading.Barrier(2, timeout=patience(60))
    said: list[str] = []

    def work() -> None:
        try:
            together.wait()
            with acting("test thread", by=leader):
                _seal(proposed, leader)
            said.append("sealed")
        except Refused as refused:
            said.append(str(refused))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said)[1] == "sealed"
    assert "is sealed by now" in sorted(said)[0]
    assert Trial.objects.get().notices.count() == 1


def test_recruitment_opens_on_the_days_of_the_protocol(
    trial_in: Callable[[TrialStatus], Trial], trial_lead: User
) -> None:
    trial = trial_in(TrialStatus.SEALED)
    days = trial.conduct
    for at, says in (
        (NOW - timedelta(days=200), "clock of this system is behind"),
        (NOW + timedelta(days=181), "last day of recruitment was"),
    ):
        with pytest.raises(Refused, match=says):
            open_recruitment(trial_id=trial.pk, by=trial_lead, at=at)
    assert days.recruits_until == (NOW + timedelta(days=180)).date()
    opened = open_recruitment(trial_id=trial.pk, by=trial_lead, at=NOW)
    assert (opened.status, opened.opened_by) == (TrialStatus.RECRUITING, trial_lead)


def test_recruitment_does_not_open_before_its_first_day(world: World, trial_lead: User) -> None:
    trial = TrialFactory.create(bcu=world.south_west, status=TrialStatus.DRAFT)
    later = {**trial.protocol, "recruits_from": "2026-12-01"}
    trial = TrialFactory.create(bcu=world.south_west, status=TrialStatus.SEALED, protocol=later)
    with pytest.raises(Refused, match="from 1 December 2026 on"):
        open_recruitment(trial_id=trial.pk, by=trial_lead, at=NOW)


def test_a_pause_says_why_and_ends(trial_in: Callable[[TrialStatus], Trial], trial_lead: User) -> None:
    trial = trial_in(TrialStatus.RECRUITING)
    why = {"reason": "Two complaints are looked into.", "meanwhile": Mode.NOT_STARTED}
    pause(trial_id=trial.pk, **why, by=trial_lead, at=NOW)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="paused already"):
        pause(trial_id=trial.pk, **why, by=trial_lead, at=NOW)  # type: ignore[arg-type]
    resume(trial_id=trial.pk, by=trial_lead, at=NOW + timedelta(days=1))
    with pytest.raises(Refused, match="is not paused"):
        resume(trial_id=trial.pk, by=trial_lead, at=NOW)
    ended = Pause.objects.get()
    assert (ended.reason, ended.paused_by, ended.resumed_by) == (why["reason"], trial_lead, trial_lead)


@pytest.mark.parametrize("name", ["resume", "close"])
def test_a_pause_ends_no_earlier_than_it_began_whatever_the_clock_says(
    trial_in: Callable[[TrialStatus], Trial], trial_lead: User, name: str
) -> None:
    trial = trial_in(TrialStatus.RECRUITING)
    PauseFactory.create(trial=trial, paused_at=NOW)
    acts: dict[str, Callable[..., object]] = {
        "resume": lambda at: resume(trial_id=trial.pk, by=trial_lead, at=at),
        "close": lambda at: close(trial_id=trial.pk, because="Why", by=trial_lead, at=at),
    }
    with pytest.raises(Refused, match="clock of this system is behind"):
        acts[name](NOW - timedelta(hours=1))
    acts[name](NOW - timedelta(seconds=1))
    assert Pause.objects.get().resumed_at == NOW


def test_closing_says_why_ends_a_pause_and_sends_the_head_of_the_chain(
    trial_in: Callable[[TrialStatus], Trial], trial_lead: User
) -> None:
    trial = trial_in(TrialStatus.RECRUITING)
    last = AllocationFactory.create(trial=trial, case__ward__borough__bcu=trial.bcu, number=1)
    PauseFactory.create(trial=trial)
    closed = close(trial_id=trial.pk, because="The money is spent.", by=trial_lead, at=NOW)
    assert (closed.status, closed.closed_because) == (TrialStatus.CLOSED, "The money is spent.")
    assert Pause.objects.get().resumed_at == NOW
    head = trial.notices.get(kind=NoticeKind.HEAD)
    assert head.content["heads"] == [{"count": 1, "hash": last.row_hash, "on": "2026-11-23"}]


def test_a_trial_closes_by_itself_the_day_after_its_last(
    trial_in: Callable[[TrialStatus], Trial], system: User, trial_lead: User
) -> None:
    trial = trial_in(TrialStatus.RECRUITING)
    last = NOW + timedelta(days=180)
    assert close_ended(by=system, at=last) == 0
    assert close_ended(by=system, at=last + timedelta(days=1)) == 1
    assert close_ended(by=system, at=last + timedelta(days=1)) == 0
    trial.refresh_from_db()
    assert (trial.closed_by, trial.status) == (system, TrialStatus.CLOSED)
    with pytest.raises(NotAllowed):
        close_ended(by=trial_lead, at=last)


def test_the_reveal_publishes_the_seed(trial_in: Callable[[TrialStatus], Trial], trial_lead: User) -> None:
    trial = reveal(trial_id=trial_in(TrialStatus.LOCKED).pk, by=trial_lead, at=NOW)
    assert (trial.status, trial.revealed_seed) == (TrialStatus.REVEALED, SEED.hex())
    assert trial.notices.get(kind=NoticeKind.REVEALED).content["seed"] == SEED.hex()


def test_without_the_key_that_sealed_it_nothing_is_revealed(
    trial_in: Callable[[TrialStatus], Trial], trial_lead: User, settings: Settings
) -> None:
    trial = trial_in(TrialStatus.LOCKED)
    settings.TRIAL_SEAL_KEYS = [OTHER_KEY]
    with pytest.raises(Refused, match="key that sealed this trial is missing"):
        reveal(trial_id=trial.pk, by=trial_lead, at=NOW)
    trial.refresh_from_db()
    assert trial.revealed_seed == ""


def test_a_trial_sealed_under_an_older_key_is_revealed_while_that_key_is_kept(
    trial_in: Callable[[TrialStatus], Trial], trial_lead: User, settings: Settings
) -> None:
    trial = trial_in(TrialStatus.LOCKED)
    settings.TRIAL_SEAL_KEYS = [OTHER_KEY, *settings.TRIAL_SEAL_KEYS]
    assert reveal(trial_id=trial.pk, by=trial_lead, at=NOW).revealed_seed == SEED.hex()


def test_a_protocol_or_seed_that_was_not_sealed_is_not_revealed(
    trial_in: Callable[[TrialStatus], Trial], trial_lead: User
) -> None:
    trial = trial_in(TrialStatus.LOCKED)
    with tampering():
        Trial.objects.filter(pk=trial.pk).update(protocol={**trial.protocol, "question": "Another?"})
    with pytest.raises(Refused, match="not those that were sealed"):
        reveal(trial_id=trial.pk, by=trial_lead, at=NOW)
    trial.refresh_from_db()
    assert (trial.status, trial.revealed_seed) == (TrialStatus.LOCKED, "")


ACTS: dict[str, tuple[Callable[..., object], TrialStatus]] = {
    "propose": (lambda pk, by: propose(trial_id=pk, by=by, at=NOW), TrialStatus.DRAFT),
    "open": (lambda pk, by: open_recruitment(trial_id=pk, by=by, at=NOW), TrialStatus.SEALED),
    "pause": (
        lambda pk, by: pause(trial_id=pk, reason="Why", meanwhile=Mode.SRC_FOR_ALL, by=by, at=NOW),
        TrialStatus.RECRUITING,
    ),
    "close": (lambda pk, by: close(trial_id=pk, because="Why", by=by, at=NOW), TrialStatus.RECRUITING),
    "reveal": (lambda pk, by: reveal(trial_id=pk, by=by, at=NOW), TrialStatus.LOCKED),
}


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize("status", TrialStatus)
def test_each_step_is_taken_from_the_one_before_it_alone(
    trial_in: Callable[[TrialStatus], Trial], trial_lead: User, name: str, status: TrialStatus
) -> None:
    act, before = ACTS[name]
    trial = trial_in(status)
    if status == before:
        act(trial.pk, trial_lead)
        return
    with pytest.raises(Refused, match="by now"):
        act(trial.pk, trial_lead)
    trial.refresh_from_db()
    assert trial.status == status


@pytest.mark.parametrize("name", ACTS)
def test_each_step_is_the_trial_leads(
    trial_in: Callable[[TrialStatus], Trial], hcop: User, leader: User, name: str
) -> None:
    act, before = ACTS[name]
    trial = trial_in(before)
    for by in (hcop, leader):
        with pytest.raises(NotAllowed):
            act(trial.pk, by)


def test_the_database_lets_no_trial_go_back_or_skip_a_step(
    trial_in: Callable[[TrialStatus], Trial], trial_lead: User
) -> None:
    order = list(TrialStatus)
    for place, status in enumerate(order):
        trial = trial_in(status)
        for other_place, other in enumerate(order):
            if other_place in (place, place + 1):
                continue
            since = {
                f"{name}_{part}": value
                for step, name in STEPS.items()
                if order.index(step) <= other_place
                for part, value in (("at", NOW), ("by", trial_lead))
            }
            with refused_by("goes_forward"):
                Trial.objects.filter(pk=trial.pk).update(status=other, **since)


def test_the_date_of_a_step_is_not_changed(trial_in: Callable[[TrialStatus], Trial]) -> None:
    trial = trial_in(TrialStatus.REVEALED)
    for name in STEPS.values():
        with pytest.raises(DatabaseError, match="goes forward"), transaction.atomic():
            Trial.objects.filter(pk=trial.pk).update(**{f"{name}_at": NOW + timedelta(days=1)})


def test_every_step_leaves_its_audit_row(proposed: Trial, trial_lead: User, leader: User) -> None:
    _seal(proposed, leader)
    open_recruitment(trial_id=proposed.pk, by=trial_lead, at=NOW)
    close(trial_id=proposed.pk, because="Done.", by=trial_lead, at=NOW)
    steps = (Action.TRIAL_PROPOSED, Action.TRIAL_SEALED, Action.TRIAL_OPENED, Action.TRIAL_CLOSED)
    rows = AuditEntry.objects.filter(action__in=steps, references=[f"trial {proposed.pk}"])
    assert [row.action for row in rows.order_by("pk")] == list(steps)
