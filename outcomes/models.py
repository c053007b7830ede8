"""From outcome code to rate."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from outcomes.count_triggers import of_case_changes, of_decision_changes, of_new_outcomes
from referrals.models import Bcu, Case, Decision, Trial, Ward
from src_app.database import AppendOnly, one_line, refuse


class OutcomeCode(models.Model):
    """A Home Office outcome code, 1 to 22, and which of the pilot's three measures it counts towards."""

    code = models.PositiveSmallIntegerField(primary_key=True)
    short_title = models.CharField(max_length=60)
    description = models.CharField(max_length=200)
    attrition = models.BooleanField()
    charge = models.BooleanField()
    positive = models.BooleanField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(code__range=(1, 22)), name="outcome_code_1_to_22")]

    def __str__(self) -> str:
        return f"{self.code} {self.short_title}"


class RecordedOutcome(AppendOnly):
    """An outcome a case was given; without ``code``, that it was open again. The latest recorded counts.

    ``written``: the code as the file had it, such as 2A. ``is_day``: the file had a day and no time, and
    ``recorded_at`` is its begin in London.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="outcomes")
    code = models.ForeignKey(OutcomeCode, on_delete=models.PROTECT, null=True, related_name="+")
    written = models.CharField(max_length=60, blank=True, default="")
    recorded_at = models.DateTimeField()
    is_day = models.BooleanField(default=False)
    imported_at = models.DateTimeField()
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(AppendOnly.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["case", "recorded_at", "code"], nulls_distinct=False, name="outcome_recorded_once"
            ),
            *one_line("outcome", "written"),
        ]
        indexes = [models.Index(fields=["case", "-recorded_at", "-id"], name="outcome_latest_of_case")]
        triggers = [*AppendOnly.Meta.triggers, *of_new_outcomes()]

    def __str__(self) -> str:
        return f"outcome {self.code_id}" if self.code_id else "open again"


class OutcomeCount(models.Model):
    """A number to add to the suitable, decided cases of a BCU with this latest outcome (null: still open).

    SRC and usual service together, never by arm. The sum over the rows is how many there are; each change
    of a case, decision or outcome adds rows and none is changed, so that nobody waits for another's count.
    """

    bcu = models.ForeignKey(Bcu, on_delete=models.PROTECT, related_name="+", db_index=False)
    code = models.ForeignKey(
        OutcomeCode, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    cases = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["bcu", "code"], include=["cases"], name="outcome_count_by_code")]

    def __str__(self) -> str:
        return f"{self.bcu}, {self.code or 'not closed'}"


class CountedCase(Case):
    """The case table, as far as a change of it is counted here."""

    class Meta:
        proxy = True
        triggers = of_case_changes()


class CountedDecision(Decision):
    """The decision table, as far as a change of it is counted here."""

    class Meta:
        proxy = True
        triggers = of_decision_changes()


class RateSnapshot(models.Model):
    """One night's counts of one ward (``ward`` null: the whole BCU). Snapshots serve trends only.

    Contact counts are of referrals; outcome counts are of all decided suitable cases, SRC and usual service
    together: nothing here can be split by arm.
    """

    day = models.DateField()
    computed_at = models.DateTimeField()
    bcu = models.ForeignKey(Bcu, on_delete=models.PROTECT, related_name="+")
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, null=True, related_name="+")
    in_time = models.PositiveIntegerField()
    late = models.PositiveIntegerField()
    overdue = models.PositiveIntegerField()
    not_yet_due = models.PositiveIntegerField()
    closed_without_contact = models.PositiveIntegerField()
    cases = models.PositiveIntegerField()
    closed = models.PositiveIntegerField()
    attrition = models.PositiveIntegerField()
    charge = models.PositiveIntegerField()
    positive = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "bcu", "ward"],
                name="rate_snapshot_one_a_day",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.ward or self.bcu}, {self.day}"


class DataSet(AppendOnly):
    """What a trial's analysis is made of, as it was when outcomes were locked: no crime reference.

    ``digest`` is the SHA-256 of the content's canonical form. A correction is a further data set, beside the
    first, with its reason.
    """

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="data_sets")
    number = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=300, blank=True)
    content = models.JSONField()
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(AppendOnly.Meta):
        constraints = [
            models.UniqueConstraint(fields=["trial", "number"], name="data_set_number_once"),
            models.CheckConstraint(
                condition=Q(number=1, reason="") | (Q(number__gt=1) & ~Q(reason="")),
                name="data_set_corrected_for_a_reason",
            ),
        ]
        triggers = [
            *AppendOnly.Meta.triggers,
            refuse(
                name="of_locked_outcomes",
                unless="""
                    EXISTS (
                        SELECT FROM referrals_trial
                        WHERE id = NEW.trial_id AND status IN ('locked', 'revealed')
                    )
                    AND NEW.number = 1 + (SELECT count(*) FROM outcomes_dataset WHERE trial_id = NEW.trial_id)
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"data set {self.number} of {self.trial}"


class Look(AppendOnly):
    """The arms compared before outcomes were locked: what was seen, by whom, when and why.

    ``planned_on`` is the day that the protocol gave for it; a look that was not planned says its reason.
    """

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="looks")
    planned_on = models.DateField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    content = models.JSONField()
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(AppendOnly.Meta):
        constraints = [
            models.UniqueConstraint(fields=["trial", "planned_on"], name="look_planned_once"),
            models.CheckConstraint(
                condition=Q(planned_on__isnull=False, reason="")
                | (Q(planned_on__isnull=True) & ~Q(reason="")),
                name="look_is_planned_or_says_why",
            ),
        ]
        triggers = [
            *AppendOnly.Meta.triggers,
            refuse(
                name="before_the_lock",
                unless="""
                    EXISTS (
                        SELECT FROM referrals_trial
                        WHERE id = NEW.trial_id AND status IN ('recruiting', 'closed')
                    )
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"look at {self.trial}"
