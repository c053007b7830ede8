"""Submitting a day's decisions: units are allocated, referrals made and mail queued, all of it or none."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import OperationalError, transaction
from django.db.models import Max, Q
from django.utils import timezone

from referrals.cases.readers import of_linked_cases, report_of
from referrals.contact.actions.notices import ask_for_duplicates, drop_contacts, own_contacts
from referrals.contact.actions.refer import refer
from referrals.models import (
    Allocation,
    Arm,
    Bcu,
    Case,
    ContactBy,
    Decision,
    Mode,
    PersonalText,
    Referral,
    Submission,
    Trial,
    TrialStatus,
    Ward,
)
from referrals.places.ward_modes import WardModes
from referrals.review.actions.chosen_team import place_of
from referrals.review.actions.drafts import Overtaken, refuse_named_back
from referrals.review.readers.rows import asks_for_restrictions, calls_for_referral
from referrals.rules.eligibility import ineligible_because
from referrals.rules.trial.seal import commitment
from referrals.scope import bcus_of, cases_visible_to
from referrals.trial.actions.allocate import allocate, firsts_of_unit
from referrals.trial.actions.life import close_if_ended, close_locked
from referrals.trial.actions.trial_lock import WAIT_FOR_LOCK, refuse_clock_behind
from referrals.trial.readers.open_questions import questions_that_decide
from src_app.accounts.guards import NotAllowed, check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.busy import Trouble, looked_up_by_key, trouble_of
from src_app.keys import WrongKey, open_seed
from src_app.refused import Refused


@dataclass(frozen=True)
class Looked:
    """Keys of the cases whose texts somebody looked at: for a call for referral, and for restrictions."""

    at_calls: Collection[int]
    at_notes: Collection[int]


@looked_up_by_key
def submit(
    *,
    bcu: Bcu,
    seen: Mapping[int, int],
    key: uuid.UUID,
    looked_at: Collection[int] = (),
    notes_read: Collection[int] = (),
    by: User,
    at: datetime,
) -> Submission:
    """Makes the drafts final. ``seen`` gives, for each case, the version of the draft that was checked.

    ``looked_at``: cases whose wishes or notes may call for a referral now, and which somebody said are not to
    be referred. ``notes_read``: cases that go to a team with a safety note and without a restriction, and of
    which somebody said that none follows. Without it such a case is refused.

    First what is referred outside any trial; then, in order of report time and reference, a suitable case of
    a trial ward is allocated, one of a ward with SRC for all referred, one of a ward not started gets usual
    service. A trial that reaches its target is closed, and the cases after it go by the ward's next mode.
    Whoever submits gets the task to see that somebody else contacts the victims of cases not suitable. The
    same ``key`` and decisions again return the first submission. Raises :class:`Overtaken` where a draft
    changed after it was checked, and :class:`Refused` where something is missing or the key was used for
    other decisions; then nothing is submitted.
    """
    check_authority(by, Permission.REVIEW_CASES)
    if not bcus_of(by).filter(pk=bcu.pk).exists():
        raise NotAllowed
    if not seen:
        raise Refused("Nothing is marked yet: mark at least one case suitable or not suitable.")
    try:
        with transaction.atomic():
            if earlier := _earlier(key, bcu, seen):
                return earlier
            return _submit(bcu, seen, key, Looked(looked_at, notes_read), by, at)
    except Overtaken:
        # By this very submission, perhaps: sent twice, or its first sender died while it was committed.
        if earlier := _earlier(key, bcu, seen):
            return earlier
        raise
    except WrongKey as error:
        raise Refused(
            "The trial's seal key is missing. Nothing was submitted: tell the administrator."
        ) from error
    except OperationalError as error:
        trouble = trouble_of(error)
        if trouble in (Trouble.BUSY, Trouble.SLOW):
            raise Refused(trouble.sentence) from error
        raise


def _earlier(key: uuid.UUID, bcu: Bcu, seen: Mapping[int, int]) -> Submission | None:
    """The submission of these decisions under that key, if any; raises :class:`Refused` for others."""
    earlier = Submission.objects.filter(key=key).first()
    if earlier is None:
        return None
    submitted = dict(earlier.decisions.values_list("case_id", "version"))
    submitted |= dict(earlier.reopened_decisions.values_list("case_id", "version"))
    if earlier.bcu_id != bcu.pk or submitted != dict(seen):
        raise Refused(
            "This page was used to submit other decisions. Nothing more was submitted: check again."
        )
    return earlier


def _submit(
    bcu: Bcu, seen: Mapping[int, int], key: uuid.UUID, looked: Looked, by: User, at: datetime
) -> Submission:
    trials = {
        trial.pk: trial
        for trial in Trial.objects.filter(bcu=bcu, status__in=(TrialStatus.RECRUITING, TrialStatus.CLOSED))
        .order_by("pk")
        .select_for_update(of=("self",))
    }
    _check_clock(trials, at)
    for trial in trials.values():
        close_if_ended(trial=trial, at=at)
    _hold_wards(bcu, seen)
    decisions = _checked(bcu, seen, by)
    refuse_named_back(
        bcu.pk, {each.case.crime_reference: each.duplicate_of for each in decisions if each.duplicate_of}
    )
    _refuse_unread_texts(decisions, looked)
    places = _places(decisions)
    submission = Submission.objects.create(key=key, bcu=bcu, submitted_by=by, submitted_at=at)
    for trial_id, assessed in _assessed(decisions, places).items():
        # A trial of another BCU decides about none of these.
        own = trial_id if trial_id in trials else None
        Decision.objects.filter(pk__in=assessed).update(submission=submission, assessed_for=own)
    Case.objects.filter(pk__in=[decision.case_id for decision in decisions]).update(decided_at=at)
    record(
        Action.DECISIONS_SUBMITTED,
        by=by,
        purpose=Purpose.REVIEW,
        subject="case",
        references=[decision.case.crime_reference for decision in decisions],
        fields=["decided_at", "submission"],
    )
    SubmissionOutcome(submission=submission, trials=trials, by=by, at=at).carry_out(decisions, places)
    drop_contacts(cases=[each.case for each in decisions if _goes_out(each)], by=by, at=at)
    own_contacts(said=[each for each in decisions if not _goes_out(each)], owner=by, by=by, at=at)
    ask_for_duplicates(cases=[each.case for each in decisions], owner=by, by=by, at=at)
    return submission


def _check_clock(trials: Mapping[int, Trial], at: datetime) -> None:
    """A person may wait a while for the lock; a clock that is further behind what was recorded is wrong."""
    latest = Allocation.objects.filter(trial__in=trials).aggregate(latest=Max("allocated_at"))["latest"]
    for after in (latest, *(trial.opened_at for trial in trials.values())):
        refuse_clock_behind(at + WAIT_FOR_LOCK, after)


def _hold_wards(bcu: Bcu, seen: Collection[int]) -> None:
    """Locks the wards of these cases and of the teams chosen for them, so that none changes its team."""
    chosen = Decision.objects.filter(case__in=seen, case__bcu=bcu, team__isnull=False)
    homes = Case.objects.filter(pk__in=seen, bcu=bcu, ward__isnull=False)
    wards = Ward.objects.filter(Q(pk__in=homes.values("ward")) | Q(team__in=chosen.values("team")))
    list(wards.order_by("pk").only("pk").select_for_update(no_key=True))


def _checked(bcu: Bcu, seen: Mapping[int, int], by: User) -> list[Decision]:
    """The BCU's decisions as they were checked, their cases locked, by report time, then reference."""
    left = Decision.objects.filter(case__in=seen, contact_by=ContactBy.OTHER_REPORT)
    others = list(left.values_list("duplicate_of", flat=True))
    # Other reports that victims are left to are locked too, all in one order: none is decided meanwhile.
    cases = (
        cases_visible_to(by)
        .filter(Q(pk__in=seen, decided_at__isnull=True) | Q(crime_reference__in=others), bcu=bcu)
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    locked = {case.pk for case in cases if case.pk in seen and case.decided_at is None}
    decisions = list(
        Decision.objects.filter(case__in=locked)
        .select_related("case__ward__team", "case__ward__borough", "team")
        .order_by("case__reported_at", "case__crime_reference")
    )
    if len(decisions) != len(seen) or any(d.version != seen[d.case_id] for d in decisions):
        raise Overtaken(
            "One of these reports or decisions was changed, or submitted, after you opened this page. "
            "Nothing was submitted: check the list again."
        )
    for decision in decisions:
        # A later extract may have made an incident of it after it was drafted.
        if decision.suitable and (reason := ineligible_because(report_of(decision.case))):
            raise Refused(f"{decision.case.crime_reference}: {reason} Nothing was submitted.")
        if _goes_out(decision) and decision.team is None and not decision.case.is_placed:
            raise Refused(
                f"{decision.case.crime_reference} has no ward of this BCU: choose a team for it, then submit."
            )
    return decisions


def _refuse_unread_texts(decisions: list[Decision], looked: Looked) -> None:
    """Raises :class:`Refused` for a case whose texts may call for a referral, or for a restriction."""
    texts: dict[int, dict[str, str]] = {decision.case_id: {} for decision in decisions}
    for case_id, kind, body in PersonalText.objects.filter(case__in=texts).values_list(
        "case", "kind", "body"
    ):
        texts[case_id][kind] = body
    calls, notes = [], []
    for decision in decisions:
        case, found = decision.case, texts[decision.case_id]
        if not decision.referred_anyway and case.pk not in looked.at_calls and calls_for_referral(found):
            calls.append(case.crime_reference)
        if _goes_out(decision) and case.pk not in looked.at_notes and asks_for_restrictions(case, found):
            notes.append(case.crime_reference)
    if calls:
        raise Refused(
            f"{', '.join(calls)}: wishes or notes may call for a contact. Nothing was submitted: "
            "refer now, or tick that you looked."
        )
    if notes:
        raise Refused(
            f"{', '.join(notes)}: a safety note without a restriction. Nothing was submitted: "
            "set the restrictions, or tick that none follows."
        )


def _goes_out(decision: Decision) -> bool:
    return decision.suitable or decision.referred_anyway


class SubmissionOutcome:
    """What becomes of each case of one submission: allocated, referred, or left to usual service.

    A case's own ward decides whether it is randomised and in which stratum. A case without a ward goes by the
    first ward, by code, of the team that the HCOP chose. If the HCOP chose a team, that team gets the
    referral either way. The trials' seeds are decrypted here, and kept no longer than this object lives.
    """

    def __init__(self, *, submission: Submission, trials: dict[int, Trial], by: User, at: datetime) -> None:
        self.submission, self.trials, self.by, self.at = submission, trials, by, at
        self.seeds: dict[int, bytes] = {}
        self.units: dict[int, int] = {}

    def carry_out(self, decisions: list[Decision], places: dict[int, tuple[Ward, Ward]]) -> None:
        """Allocates and refers the cases whose decisions have a key in ``places``.

        ``places`` gives for each the ward whose mode counts, and the ward under which contact is counted.
        """
        self.homes = {home for home, _ in places.values()}
        self.modes = WardModes(self.homes)
        allocated = []
        going = [decision for decision in decisions if decision.pk in places]
        # Cases referred outside any trial come first: a linked report of the victim is then no unit of one.
        for decision in sorted(going, key=lambda decision: not decision.referred_anyway):
            case, (home, served) = decision.case, places[decision.pk]
            allocation = None
            if decision.suitable:
                mode, trial, first = self._mode_for(case, home)
                if trial:
                    allocation = self._allocate(trial, case, home, first)
                    allocated.append(case.crime_reference)
                if mode == Mode.NOT_STARTED or (allocation and allocation.arm == Arm.CONTROL):
                    continue
            refer(
                case=case,
                team=decision.team or served.team,
                ward=served,
                allocation=allocation,
                refer_now=decision.referred_anyway,
                by=self.by,
                at=self.at,
            )
        if allocated:
            record(
                Action.CASES_ALLOCATED,
                by=self.by,
                purpose=Purpose.REVIEW,
                subject="case",
                references=allocated,
            )

    def _mode_for(self, case: Case, home: Ward) -> tuple[Mode, Trial | None, Allocation | None]:
        """The mode that applies to the case, the trial that allocates it, and the allocation that it follows.

        A later report of a unit follows the unit's first allocation, in the same trial, as long as that trial
        recruits or the unit is followed up. A case that begins a unit of its own follows none.
        """
        for first in firsts_of_unit(case, self.trials.values()):
            if self._is_followed(first):
                return Mode.TRIAL, self.trials[first.trial_id], first
        effective = self.modes.effective_mode(home.pk, _day_of(case))
        if effective.trial is None:
            return effective.mode, None, None
        trial = self.trials.get(effective.trial.pk)
        if trial is None:
            raise Refused(
                f"{case.crime_reference}: the trial of its ward is another BCU's. Nothing was submitted: "
                "tell the trial lead, clear this case and submit the others."
            )
        # A victim who was referred outside the trial gets SRC already: there is nothing to randomise.
        referred = Referral.objects.filter(
            of_linked_cases(case), allocation__isnull=True, made_at__gte=trial.opened_at
        )
        return (Mode.SRC_FOR_ALL, None, None) if referred.exists() else (Mode.TRIAL, trial, None)

    def _is_followed(self, first: Allocation) -> bool:
        trial = self.trials[first.trial_id]
        over = first.allocated_at + timedelta(days=trial.conduct.follow_up_days)
        return trial.status == TrialStatus.RECRUITING or self.at < over

    def _allocate(self, trial: Trial, case: Case, ward: Ward, follows: Allocation | None) -> Allocation:
        if follows is None and (open_questions := questions_that_decide(trial, case)):
            raise Refused(
                f"{case.crime_reference}: {' '.join(open_questions)} The trial balances by the answer: "
                "give it in the overnight review. Nothing was submitted."
            )
        if trial.pk not in self.seeds:
            self.seeds[trial.pk] = _sealed_seed(trial, case)
            self.units[trial.pk] = trial.allocations.filter(position__isnull=False).count()
        allocation = allocate(
            trial=trial,
            seed=self.seeds[trial.pk],
            case=case,
            borough=ward.borough,
            submission=self.submission,
            follows=follows,
            at=self.at,
        )
        self.units[trial.pk] += allocation.position is not None
        target = trial.design.target
        if trial.status == TrialStatus.RECRUITING and self.units[trial.pk] >= target:
            close_locked(
                trial=trial,
                because=f"The target of {target} was reached.",
                by=User.objects.system(),
                at=self.at,
            )
            self.modes = WardModes(self.homes)
        return allocation


def _sealed_seed(trial: Trial, case: Case) -> bytes:
    """The seed, where protocol and seed are still those that were sealed."""
    seed = open_seed(trial.seed_encrypted)
    if commitment(trial.protocol, seed) != trial.commitment:
        raise Refused(
            f"{case.crime_reference}: protocol or seed of {trial.name} are not those that were sealed. "
            "Nothing was submitted: tell the trial lead and the auditor, clear the cases of its wards and "
            "submit the others."
        )
    return seed


def _day_of(case: Case) -> date:
    """The day of the report, in London."""
    return timezone.localdate(case.reported_at)


def _places(decisions: list[Decision]) -> dict[int, tuple[Ward, Ward]]:
    return {decision.pk: _wards_of(decision) for decision in decisions if _goes_out(decision)}


def _assessed(decisions: list[Decision], places: dict[int, tuple[Ward, Ward]]) -> dict[int | None, list[int]]:
    """The decisions, suitable or not, by the trial that recruits in the case's ward; ``None``: no trial."""
    homes = {
        decision.pk: places[decision.pk][0] if decision.pk in places else decision.case.ward
        for decision in decisions
    }
    modes = WardModes({home for home in homes.values() if home})
    found: dict[int | None, list[int]] = {}
    for decision in decisions:
        home = homes[decision.pk]
        trial = modes.effective_mode(home.pk, _day_of(decision.case)).trial if home else None
        found.setdefault(trial.pk if trial else None, []).append(decision.pk)
    return found


def _wards_of(decision: Decision) -> tuple[Ward, Ward]:
    """The ward whose mode and stratum count, and the ward under which contact is counted."""
    case, home = decision.case, decision.case.ward
    if decision.team is None:
        assert home is not None
        return home, home
    try:
        served = place_of(case, decision.team)
    except Refused as refused:
        raise Refused(f"{case.crime_reference}: {refused} Nothing was submitted.") from refused
    return (home if home and case.is_placed else served), served
