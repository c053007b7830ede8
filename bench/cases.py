"""Made cases and all that follows from one: decision, allocation, referral, attempts, mail, outcomes, log."""

import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from django.utils import timezone

from bench import words
from bench.filling import Table
from bench.people import TRIAL_BEGAN, TRIAL_RAN, World
from outcomes.models import RecordedOutcome
from referrals.models import (
    Allocation,
    Case,
    CaseState,
    ContactAttempt,
    ContactBy,
    ControlCheck,
    Decision,
    FollowUp,
    FollowUpKind,
    FollowUpResult,
    MailKind,
    Method,
    Notification,
    PersonalText,
    Reason,
    Referral,
    ReferralStatus,
    Result,
    Submission,
    TextKind,
    UnitKey,
    Ward,
)
from src_app.audit.models import Action, AuditEntry, Purpose

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DUE_AFTER = timedelta(hours=72)
FOLLOWED_FOR = timedelta(days=61)
# Controls among so many first allocations have not been looked up on the crime record yet.
NOT_LOOKED_UP = 80
# What is younger is the present, the same at every size; what is older is history.
RECENT = timedelta(days=15)


@dataclass(frozen=True)
class Review:
    """A submission of decisions and when it was made."""

    key: int
    at: datetime


@dataclass(frozen=True)
class Made:
    """A report, and whether it is a control of the trial."""

    case: int
    ward: Ward
    reference: str
    reported_at: datetime
    control: bool


Fate = Literal["suitable", "high_risk", "not_suitable"] | None


def _state(fate: Fate, *, control: bool) -> CaseState:
    if fate is None:
        return CaseState.WAITING
    if fate == "not_suitable":
        return CaseState.NOT_SUITABLE
    return CaseState.USUAL_SERVICE if control else CaseState.REFERRED


class Cases:
    """Gathers the rows of case after case, in the order of time; the same seed draws the same ones."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = Random(seed)  # noqa: S311 - made data
        self.hcop, self.system = world.people["hcop"].pk, world.people["system"].pk
        self.numbers: dict[int, int] = defaultdict(int)
        self.positions: dict[str, int] = defaultdict(int)
        self.cases = Table(
            Case,
            *("bcu_id", "crime_reference", "reported_at", "occurred_at", "offence", "strands", "is_crime"),
            *("victim_type", "ward_id", "repeat_victim", "victim_under_18", "officer_in_case"),
            *(
                "incident_hash",
                "victim_hash",
                "restrictions",
                "restrictions_set_at",
                "restrictions_set_by_id",
            ),
            *("imported_at", "changed_at", "decided_at", "state"),
        )
        self.texts = Table(PersonalText, "case_id", "kind", "body", "changed_at")
        self.submissions = Table(Submission, "key", "bcu_id", "submitted_by_id", "submitted_at")
        self.decisions = Table(
            Decision,
            *("case_id", "suitable", "reason", "contact_by", "drafted_by_id", "drafted_at", "submission_id"),
        )
        self.allocations = Table(
            Allocation,
            *("trial_id", "number", "unit", "stratum", "position", "case_id", "arm", "submission_id"),
            *("allocated_at", "levels", "salt", "case_digest", "moment_digest", "previous_hash", "row_hash"),
        )
        self.checks = Table(ControlCheck, "allocation_id", "contacted", "checked_at", "checked_by_id")
        self.unit_keys = Table(UnitKey, "trial_id", "key_hash", "allocation_id")
        self.referrals = Table(
            Referral,
            *("number", "case_id", "allocation_id", "team_id", "ward_id", "made_at", "made_by_id", "due_at"),
            *("status", "flag_confirmed_at", "flag_confirmed_by_id", "taken_at", "taken_by_id"),
            *("closed_at", "closed_by_id", "contacted_at", "close_reason"),
        )
        self.attempts = Table(
            ContactAttempt,
            *("key", "referral_id", "made_by_id", "made_at", "logged_at", "method", "result", "note_id"),
        )
        self.follow_ups = Table(
            FollowUp,
            *("referral_id", "attempt_id", "kind", "raised_at", "raised_by_id", "acknowledge_by"),
            *("acknowledged_at", "acknowledged_by_id", "done_at", "done_by_id", "result"),
        )
        self.mail = Table(
            Notification,
            *("unique_key", "message_id", "kind", "recipient", "referral_id", "created_at", "not_before"),
            *("attempts", "sent_at"),
        )
        self.outcomes = Table(
            RecordedOutcome, "case_id", "code_id", "recorded_at", "imported_at", "imported_by_id"
        )
        self.log = Table(
            AuditEntry,
            *("at", "actor_id", "action", "purpose", "subject", "references", "origin", "address"),
            "request_id",
        )

    @property
    def tables(self) -> Iterator[Table]:
        """In the order in which rows point at each other."""
        yield from (self.cases, self.texts, self.submissions, self.decisions, self.allocations)
        yield from (self.checks, self.unit_keys, self.referrals, self.attempts, self.follow_ups, self.mail)
        yield from (self.outcomes, self.log)

    def uuid(self) -> str:
        """A key; the same seed draws the same ones."""
        return str(uuid.UUID(int=self.random.getrandbits(128)))

    def review(self, at: datetime) -> Review:
        """A submission of the BCU's HCOP."""
        return Review(self.submissions.add(self.uuid(), self.world.bcu.pk, self.hcop, at), at)

    def case(self, reported_at: datetime, *, decided_at: datetime | None = None, fate: Fate = None) -> Made:
        """A report with its texts, and whether it is a control of the trial."""
        chance, number = self.random.random, self.cases.last + 1
        ward = self.world.wards[int(chance() * len(self.world.wards))]
        reference = f"01/{number:07}/{reported_at:%y}"
        imported_at = reported_at + 3 * HOUR
        restrictions = words.drawn(self.random, words.RESTRICTIONS)
        restricted = restrictions != "{}" and decided_at is not None
        control = fate == "suitable" and self._stratum(ward, reported_at) is not None and chance() < 0.5
        case = self.cases.add(
            self.world.bcu.pk,
            reference,
            reported_at,
            reported_at - chance() * 3 * DAY,
            words.drawn(self.random, words.OFFENCES),
            words.drawn(self.random, words.STRANDS),
            chance() > 0.06,
            "organisation" if chance() < 0.04 else "individual",
            ward.pk if chance() > 0.02 else None,
            chance() < 0.1,
            chance() < 0.06,
            f"PC {4000 + int(chance() * 3000)}SW",
            f"{number:064x}",
            # One in twenty shares its victim with the report before.
            f"{number - (chance() < 0.05):x}".rjust(64, "f"),
            restrictions if restricted else "{}",
            decided_at if restricted else None,
            self.hcop if restricted else None,
            imported_at,
            imported_at,
            decided_at,
            _state(fate, control=control).value,
        )
        for kind, bodies in (
            (TextKind.CONTACT_WISHES, words.WISHES),
            (TextKind.SAFETY_NOTE, words.SAFETY_NOTES),
            (TextKind.COMMUNICATION_NEED, words.NEEDS),
        ):
            if body := words.drawn(self.random, bodies):
                self.texts.add(case, kind.value, body, imported_at)
        self.record(imported_at + HOUR, self.hcop, Action.CASE_OPENED, Purpose.REVIEW, "case", reference)
        return Made(case, ward, reference, reported_at, control)

    def draft(self, case: int, *, suitable: bool, at: datetime, review: Review | None = None) -> None:
        """The decision about a case; without a review, one that is not submitted."""
        reason, contact_by = "", ""
        if not suitable:
            reason, contact_by = words.NOT_SUITABLE[int(self.random.random() * len(words.NOT_SUITABLE))]
        key = review.key if review else None
        self.decisions.add(case, suitable, reason, contact_by, self.hcop, at, key)

    def decided(self, reported_at: datetime, review: Review, *, ended: bool = True) -> None:
        """A decided case and all that followed; one that has not ``ended`` is an open referral."""
        chance = self.random.random()
        fate: Fate = "suitable"
        if ended:
            # High risk is referred outside any trial.
            fate = "high_risk" if chance < 0.02 else "suitable" if chance < 0.88 else "not_suitable"
        made = self.case(reported_at, decided_at=review.at, fate=fate)
        drafted_at = review.at - HOUR / 2
        self.record(drafted_at, self.hcop, Action.DECISION_DRAFTED, Purpose.REVIEW, "case", made.reference)
        if fate == "high_risk":
            why = Reason.HIGH_RISK.value, ContactBy.NEIGHBOURHOOD_TEAM.value
            self.decisions.add(made.case, False, *why, self.hcop, drafted_at, review.key)
        else:
            self.draft(made.case, suitable=fate == "suitable", at=drafted_at, review=review)
        allocation = self._allocate(made, review) if fate == "suitable" else None
        if fate != "not_suitable" and not made.control:
            self._refer(made.case, made.ward, review, allocation, ended=ended)
        if ended:
            self._outcomes(made.case, reported_at)

    def _stratum(self, ward: Ward, reported_at: datetime) -> str | None:
        """The borough under which the trial randomised a case, if it did."""
        since = reported_at - (self.world.now - TRIAL_BEGAN)
        return self.world.trial_wards.get(ward.pk) if timedelta() <= since <= TRIAL_RAN else None

    def _allocate(self, made: Made, review: Review) -> int | None:
        """The allocation of a case of the trial."""
        stratum = self._stratum(made.ward, made.reported_at)
        if stratum is None:
            return None
        self.positions[stratum] += 1
        number = self.allocations.last + 1
        allocation = self.allocations.add(
            *(self.world.trial.pk, number, f"{number:032x}", stratum, self.positions[stratum], made.case),
            *("control" if made.control else "src", review.key, review.at),
            *("{}", f"{number:032x}", f"{number:064x}", f"{number:064x}"),
            *(f"{number - 1:064x}" if number > 1 else "", f"{number:064x}"),
        )
        self.unit_keys.add(self.world.trial.pk, f"{made.case:064x}", allocation)
        if made.control and number > NOT_LOOKED_UP:
            self.checks.add(allocation, False, review.at + FOLLOWED_FOR, self.hcop)
        return allocation

    def _refer(self, case: int, ward: Ward, review: Review, allocation: int | None, *, ended: bool) -> None:
        """A referral to the ward's team, and what the team did."""
        chance = self.random.random
        year = timezone.localtime(review.at).year
        self.numbers[year] += 1
        number = f"SRC-{year}-{self.numbers[year]:06}"
        made_at, due_at = review.at, review.at + DUE_AFTER
        crew = self.world.crews[ward.team_id]
        officer = crew[int(chance() * len(crew))]
        how, end = chance(), made_at + (2 + chance() * 66) * HOUR
        contacted = ended and how < 0.86
        if contacted and how > 0.68:
            end = due_at + (1 + chance() * 80) * HOUR
        reason, result = words.ENDS_WITHOUT[int(chance() * len(words.ENDS_WITHOUT))]
        taken = ended or how < 0.4
        flagged = ended or how > 0.12
        status = ReferralStatus.OPEN
        if ended:
            status = ReferralStatus.COMPLETED if contacted else ReferralStatus.CLOSED
        referral = self.referrals.add(
            *(number, case, allocation, ward.team_id, ward.pk, made_at, self.hcop, due_at, status.value),
            *(made_at + HOUR / 3 if flagged else None, self.hcop if flagged else None),
            *(made_at + HOUR if taken else None, officer if taken else None),
            *(end if ended else None, officer if ended else None, end if contacted else None),
            reason if ended and not contacted else "",
        )
        self._mail(referral, number, MailKind.REFERRAL_MADE, made_at)
        if ended and end > due_at:
            self._mail(referral, number, MailKind.OVERDUE, due_at)
        tries = (1 if chance() < 0.4 else 0) if contacted or not ended else 2
        if taken:
            for nth in range(tries):
                at = made_at + (nth + 1) * HOUR
                self._try(case, referral, number, officer, at, Result.NO_ANSWER.value)
        if ended:
            last = self._try(
                case, referral, number, officer, end, Result.CONTACT_MADE.value if contacted else result
            )
            if contacted and chance() < 0.03:
                self._raise(referral, last, officer, end)

    def _try(self, case: int, referral: int, number: str, officer: int, at: datetime, result: str) -> int:
        """An attempt, one in three with a note, and its rows in the log."""
        chance, note = self.random.random, None
        if chance() < 0.3:
            body = words.drawn(self.random, words.ATTEMPT_NOTES)
            note = self.texts.add(case, TextKind.ATTEMPT_NOTE.value, body, at)
        method = Method.TELEPHONE if chance() < 0.7 else Method.ELSEWHERE
        self.record(at, officer, Action.ATTEMPT_LOGGED, Purpose.CONTACT, "referral", number)
        return self.attempts.add(self.uuid(), referral, officer, at, at, method.value, result, note)

    def _raise(self, referral: int, attempt: int, officer: int, at: datetime) -> None:
        """Something that came up in a contact; of the last days nobody has acknowledged it yet."""
        acknowledged = at < self.world.now - RECENT
        self.follow_ups.add(
            *(referral, attempt, FollowUpKind.STATEMENT.value, at, officer, at + DAY),
            *((at + HOUR, self.hcop) * 2 if acknowledged else (None,) * 4),
            FollowUpResult.ARRANGED.value if acknowledged else "",
        )

    def _mail(self, referral: int, number: str, kind: MailKind, at: datetime) -> None:
        """Mail that went out at once."""
        key = f"{kind.value}:{number}"
        self.mail.add(
            *(key, f"<{key}@example.police.uk>", kind.value, "team.snt@example.police.uk", referral),
            *(at, at, 1, at),
        )

    def _outcomes(self, case: int, reported_at: datetime) -> None:
        """How the investigation closed, where it has; one in forty was closed twice."""
        chance = self.random.random
        at = reported_at + (5 + chance() * 16) * DAY
        if at > self.world.now or chance() > 0.8:
            return
        for _ in range(2 if chance() < 0.025 else 1):
            code = words.drawn(self.random, words.OUTCOME_CODES)
            self.outcomes.add(case, code, at, at + HOUR, self.system)
            at += DAY / 2

    def record(
        self, at: datetime, actor: int, action: Action, purpose: Purpose, subject: str, reference: str
    ) -> None:
        """A row of the audit log."""
        self.log.add(
            *(at, actor, action.value, purpose.value, subject, f"{{{reference}}}", "page made_data"),
            *("10.0.0.1", self.uuid()),
        )
