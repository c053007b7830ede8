"""Some months of earlier cases: every morning's import, review and submission, and what followed.

Nothing is written past the actions, so every constraint and history row holds. Both arms meet the same
chances: what the demo shows of outcomes is noise, and no effect is built in.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from local.demo.reports import SLOW_WARD, Reporter
from outcomes.rates.actions import compute_rates
from outcomes.recording.actions import import_outcomes
from referrals.contact.actions.attempts import log_attempt
from referrals.contact.actions.closing import close_without_contact
from referrals.contact.actions.follow_ups import finish
from referrals.crime_record.actions.flags import confirm_flags
from referrals.intake.saving.save import import_cases
from referrals.models import (
    Bcu,
    Case,
    CloseReason,
    ContactBy,
    Decision,
    FollowUp,
    FollowUpResult,
    Method,
    MinutesSpent,
    Notification,
    Reason,
    Referral,
    Restriction,
    Result,
    Submission,
    VictimType,
)
from referrals.review.actions.drafts import draft_not_suitable, draft_suitable, set_safety
from referrals.review.actions.submit import submit
from src_app.accounts.models import User

STILL_OPEN = timedelta(days=9)
MONDAY = 0
OVERDUE_IN = "Wandsworth"
OUTCOMES = {"16": 26, "14": 6, "18": 26, "15": 19, "1": 9, "8": 5, "3": 3, "21": 3, "9": 2, "22": 1}


@dataclass
class History:
    """Plays the mornings from ``start`` to ``end``, with the same ``seed`` always the same."""

    bcu: Bcu
    hcop: User
    crews: dict[int, User]
    system: User
    start: datetime
    end: datetime
    seed: int = 49

    def __post_init__(self) -> None:
        # Reports and reviews are the same at every installation; what follows hangs on each one's arms.
        self.reports, self.reviews, self.random = (Random(self.seed + n) for n in range(3))  # noqa: S311
        self.forgotten: set[int] = set()
        self.closed_before = self.start

    def play(self) -> int:
        """Brings the cases about; returns how many."""
        for morning, extract in Reporter(self.reports).days(self.start, self.end):
            import_cases(content=extract, bcu=self.bcu, by=self.system, at=morning)
            self._review(morning)
            self._follow(self._submit(morning + timedelta(minutes=30)))
            if morning.weekday() == MONDAY:
                self._close_investigations(morning)
                compute_rates(by=self.system, at=morning)
        self._close_investigations(self.end)
        self._leave_no_mail()
        return Case.objects.count()

    def _review(self, morning: datetime) -> None:
        waiting = Case.objects.filter(decided_at__isnull=True).order_by("pk")
        for case in waiting.select_related("ward__borough").prefetch_related("texts"):
            reason = self._reason(case, morning)
            if reason:
                before = Case.objects.filter(pk__lt=case.pk).order_by("pk").last()
                is_duplicate = reason == Reason.DUPLICATE
                referred = reason == Reason.ASKED_FOR_CONTACT
                draft_not_suitable(
                    case_id=case.pk,
                    version=None,
                    reason=reason,
                    contact_by=ContactBy.NEIGHBOURHOOD_TEAM if referred else ContactBy.INVESTIGATOR,
                    duplicate_of=(before.crime_reference if before else "kept elsewhere")
                    if is_duplicate
                    else "",
                    by=self.hcop,
                    at=morning,
                )
                continue
            if any("Do not attend" in text.body for text in case.texts.all()):
                set_safety(
                    case_id=case.pk,
                    restrictions=[Restriction.NO_HOME_VISIT],
                    note="",
                    seen=None,
                    by=self.hcop,
                    at=morning,
                )
            draft_suitable(case_id=case.pk, version=None, by=self.hcop, at=morning)

    def _reason(self, case: Case, morning: datetime) -> Reason | None:
        if not case.is_crime:
            return Reason.NO_CRIME
        if case.victim_type != VictimType.INDIVIDUAL:
            return Reason.NO_INDIVIDUAL
        if self._is_forgotten(case, morning):
            self.forgotten.add(case.pk)
            return Reason.ASKED_FOR_CONTACT
        return Reason.DUPLICATE if self.reviews.random() < 0.04 else None

    def _is_forgotten(self, case: Case, morning: datetime) -> bool:
        """Two of last week's cases nobody contacts, so that there is something overdue to look at."""
        last_week = timedelta(days=4) <= self.end - morning <= timedelta(days=10)
        here = case.ward is not None and case.ward.borough.name == OVERDUE_IN
        return last_week and here and len(self.forgotten) < 2

    def _submit(self, at: datetime) -> Submission:
        drafts = Decision.objects.filter(submission__isnull=True)
        seen = dict(drafts.values_list("case_id", "version"))
        submission = submit(
            bcu=self.bcu,
            seen=seen,
            notes_read=seen,
            key=uuid.UUID(int=self.random.getrandbits(128)),
            by=self.hcop,
            at=at,
        )
        made = Referral.objects.filter(case__decision__submission=submission)
        if at < self.end - timedelta(days=1):
            ids = list(made.values_list("pk", flat=True))
            confirm_flags(referral_ids=ids, by=self.hcop, at=at + timedelta(minutes=20))
            tasks = FollowUp.objects.filter(case__decision__submission=submission)
            for pk in tasks.values_list("pk", flat=True):
                finish(
                    follow_up_id=pk, result=FollowUpResult.TOLD, by=self.hcop, at=at + timedelta(minutes=40)
                )
        return submission

    def _follow(self, submission: Submission) -> None:
        """What the teams did about the day's referrals; they grow better at it over the weeks."""
        length = (self.end - self.start).total_seconds()
        progress = (submission.submitted_at - self.start).total_seconds() / length
        # Nobody is left waiting for months: what is still open is of the last days.
        recent = self.end - submission.submitted_at < STILL_OPEN
        referrals = Referral.objects.filter(case__decision__submission=submission)
        for referral in referrals.select_related("ward__borough").order_by("number"):
            if referral.case_id in self.forgotten:
                continue
            slow = referral.ward.name == SLOW_WARD
            chance = self.random.random() * (1.35 if slow else 1)
            if chance < 0.6 + 0.18 * progress:
                self._contact(referral, self.random.uniform(2, 68))
            elif chance < 0.9:
                self._contact(referral, self.random.uniform(74, 150))
            elif chance < 0.98 or not recent:
                self._give_up(referral)

    def _contact(self, referral: Referral, hours: float) -> None:
        made_at = referral.made_at + timedelta(hours=hours)
        if self.random.random() < 0.4:
            self._try(referral, Result.NO_ANSWER, referral.made_at + timedelta(hours=hours * 0.5))
        self._try(referral, Result.CONTACT_MADE, made_at)

    def _give_up(self, referral: Referral) -> None:
        reason, result = self.random.choice(
            [
                (CloseReason.DECLINED, Result.DECLINED),
                (CloseReason.NO_REPLY, Result.NO_ANSWER),
                (CloseReason.WRONG_DETAILS, Result.WRONG_DETAILS),
            ]
        )
        for hours in (20, 50, 70):
            if not self._try(referral, Result.NO_ANSWER, referral.made_at + timedelta(hours=hours)):
                return
        at = referral.made_at + timedelta(hours=71)
        if self._try(referral, result, at):
            close_without_contact(referral_id=referral.pk, reason=reason, by=self._crew(referral), at=at)

    def _try(self, referral: Referral, result: Result, made_at: datetime) -> bool:
        """Logs an attempt, unless it would lie beyond the end of the history."""
        if made_at > self.end:
            return False
        made = result == Result.CONTACT_MADE
        log_attempt(
            referral_id=referral.pk,
            key=uuid.UUID(int=self.random.getrandbits(128)),
            method=Method.TELEPHONE if self.random.random() < 0.7 else Method.ELSEWHERE,
            result=result,
            made_at=made_at,
            by=self._crew(referral),
            at=made_at,
            minutes_spent=self.random.choice([None, *MinutesSpent]),
            risk_assessment=made and self.random.random() < 0.6,
            support_offered=made and self.random.random() < 0.5,
            noted_on_record=made and self.random.random() < 0.7,
        )
        return True

    def _crew(self, referral: Referral) -> User:
        return self.crews[referral.ward.borough_id]

    def _close_investigations(self, at: datetime) -> None:
        """Outcomes of most investigations that have become more than three weeks old since last time."""
        lines = ["crime_reference,outcome_code,recorded_at"]
        since, self.closed_before = self.closed_before, at - timedelta(days=21)
        old = Case.objects.filter(reported_at__gte=since, reported_at__lt=self.closed_before)
        for case in old.order_by("pk"):
            if self.random.random() < 0.7:
                code = self.random.choices(list(OUTCOMES), list(OUTCOMES.values()))[0]
                closed = case.reported_at + timedelta(days=self.random.uniform(5, 21))
                lines.append(f"{case.crime_reference},{code},{closed:%d/%m/%Y %H:%M}")
        import_outcomes(content="\n".join(lines).encode(), by=self.system, at=at)

    def _leave_no_mail(self) -> None:
        """Mail of the past is marked as sent: the demo's mailbox shows today's alone."""
        for mail in Notification.objects.filter(sent_at__isnull=True):
            mail.sent_at, mail.attempts = mail.created_at + timedelta(minutes=1), 1
            mail.save(update_fields=["sent_at", "attempts"])
