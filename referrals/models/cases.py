"""Hate crime reports as they come from the crime management system, and what was decided about them."""

import uuid

import pghistory
import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Func, Q, TextField, Value
from django.db.models.functions import Reverse, Upper

from referrals.models.counts import keep_own_state, keep_state_by_decision
from referrals.models.places import Bcu, Team, Ward
from src_app.choices import NamedChoices
from src_app.database import AppendOnly, one_line, read_sql, refuse


def backwards(reference: str) -> Reverse:
    """The letters and digits of the field ``reference`` from the last to the first, in capitals.

    With an index on it a reference is found by its end or the whole of it, however it is written.
    """
    signs = Func(
        F(reference),
        Value("[^0-9A-Za-z]"),
        Value(""),
        Value("g"),
        function="regexp_replace",
        output_field=TextField(),
    )
    return Reverse(Upper(signs))


class Strand(NamedChoices):
    """The five monitored strands of hate crime."""

    RACE = "race", "Race or ethnicity"
    RELIGION = "religion", "Religion or belief"
    SEXUAL_ORIENTATION = "sexual_orientation", "Sexual orientation"
    DISABILITY = "disability", "Disability"
    TRANSGENDER = "transgender", "Transgender identity"


class VictimType(NamedChoices):
    """Whom the offence was against."""

    INDIVIDUAL = "individual", "Individual"
    ORGANISATION = "organisation", "Organisation"
    STATE = "state", "State"


class Restriction(NamedChoices):
    """What the officer must not do, or must do, whatever the victim's wishes: safety overrides wishes."""

    NO_HOME_VISIT = "no_home_visit", "No home visit"
    NO_VOICEMAIL = "no_voicemail", "No voicemail"
    VICTIM_ONLY = "victim_only", "Speak to the victim only"
    TWO_OFFICERS = "two_officers", "Two officers"
    THROUGH_GUARDIAN = "through_guardian", "Child: through a safe parent or guardian"
    SAFEGUARDING_FIRST = "safeguarding_first", "Speak to safeguarding before contact"
    INTERPRETER = "interpreter", "Interpreter needed"


class CrimeStatus(NamedChoices):
    """Where the crime record stands; an investigation that is filed or closed is still a recorded crime."""

    RECORDED = "recorded", "Recorded"
    CANCELLED = "cancelled", "Cancelled"
    TRANSFERRED = "transferred", "Transferred to another force or BCU"


class Question(NamedChoices):
    """What the extract leaves open about a case, for the HCOP to answer before the decision."""

    REPEAT_VICTIM = "repeat_victim", "Is this a repeat victim?"
    STRANDS = "strands", "Which strand is it?"
    ANOTHER_VICTIM = "another_victim", "Another victim is named on the crime record: look"


class CaseState(NamedChoices):
    """What became of a case."""

    WAITING = "waiting", "Awaiting decision"
    REFERRED = "referred", "SRC"
    USUAL_SERVICE = "usual_service", "Usual service"
    NOT_SUITABLE = "not_suitable", "Not suitable"


class TextKind(NamedChoices):
    """What a text about a person is."""

    SAFETY_NOTE = "safety_note", "Safety note"
    REVIEW_SAFETY = "review_safety", "Safety note of the overnight review"
    CONTACT_WISHES = "contact_wishes", "Contact wishes"
    COMMUNICATION_NEED = "communication_need", "Communication need"
    TEAM_REASON = "team_reason", "Why this team"
    ATTEMPT_NOTE = "attempt_note", "Note of a contact attempt"


@pghistory.track(
    fields=[
        "bcu",
        "crime_reference",
        "reported_at",
        "is_crime",
        "crime_status",
        "hate_flag",
        "ward",
        "restrictions",
        "restrictions_set_at",
        "restrictions_set_by",
        "changed_at",
        "decided_at",
    ],
    model_name="CaseEvent",
)
class Case(models.Model):
    """One report. The crime management system is the record; this holds the least that does the job.

    ``state`` says again what decision and referral say, for lists to be read by: the database writes it.
    """

    # Indexes of the lists begin with these two.
    bcu = models.ForeignKey(Bcu, on_delete=models.PROTECT, related_name="cases", db_index=False)
    crime_reference = models.CharField(max_length=40, unique=True)
    reported_at = models.DateTimeField()
    occurred_at = models.DateTimeField(null=True)
    offence = models.CharField(max_length=200)
    strands = ArrayField(models.CharField(max_length=20, choices=Strand.as_choices), default=list)
    is_crime = models.BooleanField()
    crime_status = models.CharField(
        max_length=20,
        choices=CrimeStatus.as_choices,
        default=CrimeStatus.RECORDED,
        db_default=CrimeStatus.RECORDED,
    )
    hate_flag = models.BooleanField(default=True, db_default=True)
    victim_type = models.CharField(max_length=20, choices=VictimType.as_choices)
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, null=True, related_name="cases", db_index=False)
    repeat_victim = models.BooleanField(default=False)
    victim_under_18 = models.BooleanField(default=False)
    officer_in_case = models.CharField(max_length=60, blank=True)
    questions = ArrayField(
        models.CharField(max_length=20, choices=Question.as_choices), default=list, db_default=[]
    )
    # What no later extract asks again, as it was said or asked once; another victim, by a hash of its own.
    settled = ArrayField(models.CharField(max_length=40), default=list, db_default=[])
    incident_hash = models.CharField(max_length=64, blank=True)
    victim_hash = models.CharField(max_length=64, blank=True)
    restrictions = ArrayField(models.CharField(max_length=20, choices=Restriction.as_choices), default=list)
    restrictions_set_at = models.DateTimeField(null=True)
    restrictions_set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    imported_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    state = models.CharField(
        max_length=20, choices=CaseState.as_choices, default=CaseState.WAITING, db_default=CaseState.WAITING
    )

    class Meta:
        constraints = [
            *one_line("case", "crime_reference", "offence", "officer_in_case"),
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, state__in=[CaseState.WAITING, CaseState.REFERRED])
                | Q(decided_at__isnull=False, state__in=CaseState.values) & ~Q(state=CaseState.WAITING),
                name="case_waits_until_it_is_decided",
            ),
            models.CheckConstraint(
                condition=Q(restrictions_set_at__isnull=True, restrictions_set_by__isnull=True)
                | Q(restrictions_set_at__isnull=False, restrictions_set_by__isnull=False),
                name="case_restrictions_set_at_by",
            ),
            models.CheckConstraint(
                condition=Q(strands__contained_by=Strand.values), name="case_strands_are_known"
            ),
            models.CheckConstraint(
                condition=Q(crime_status__in=CrimeStatus.values), name="case_crime_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(restrictions__contained_by=Restriction.values),
                name="case_restrictions_are_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["bcu", "reported_at", "id"],
                name="case_awaiting_decision",
                condition=Q(decided_at__isnull=True),
            ),
            models.Index(fields=["bcu", "-reported_at", "-id"], name="case_latest"),
            # For an account of several BCUs, whose order no index that begins with one of them gives.
            models.Index(fields=["-reported_at", "-id"], name="case_latest_of_several"),
            models.Index(fields=["bcu", "state", "-reported_at", "-id"], name="case_latest_by_state"),
            # With the state last, a filter by ward and state is read from the index alone.
            models.Index(fields=["ward", "-reported_at", "-id", "state"], name="case_latest_by_ward"),
            models.Index(fields=["incident_hash"], name="case_incident", condition=~Q(incident_hash="")),
            models.Index(fields=["victim_hash"], name="case_victim", condition=~Q(victim_hash="")),
            models.Index(OpClass(backwards("crime_reference"), "text_pattern_ops"), name="case_backwards"),
        ]
        triggers = [
            keep_own_state(),
            pgtrigger.Trigger(
                name="decided_once",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__decided_at__isnull=False)
                & pgtrigger.Q(old__decided_at__df=pgtrigger.F("new__decided_at")),
                func=read_sql("referrals/models/sql/decided_once.sql"),
            ),
        ]

    def __str__(self) -> str:
        return self.crime_reference

    @property
    def is_placed(self) -> bool:
        """Whether the ward of the victim's home says which team has it: known, and of its BCU."""
        return self.ward is not None and self.ward.borough.bcu_id == self.bcu_id

    @property
    def latest_finding(self) -> "FoundNotSuitable | None":
        """That it was found not suitable after all, if it was; of several the latest."""
        return max(self.found_not_suitable.all(), key=lambda found: found.pk, default=None)


class CrimeRecordKind(NamedChoices):
    """What became of the crime after the case was decided; the words of ``rules.crime_record``."""

    CANCELLED = "cancelled", "Crime cancelled"
    TRANSFERRED = "transferred", "Crime transferred"
    RECLASSIFIED = "reclassified", "Reclassified: no longer a crime"
    UNFLAGGED = "unflagged", "Hate flag taken off"
    REINSTATED = "reinstated", "A hate crime of this BCU again"


class CrimeRecordEvent(AppendOnly):
    """The day an extract first showed that a decided case is no hate crime of the BCU any more, or is again.

    The latest one says how the crime record stands; arm, decision and outcome stay what they are.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="crime_record_events")
    kind = models.CharField(max_length=20, choices=CrimeRecordKind.as_choices)
    noticed_at = models.DateTimeField()
    noticed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(AppendOnly.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=CrimeRecordKind.values), name="crime_record_kind_is_known"
            )
        ]
        indexes = [
            models.Index(
                fields=["-noticed_at"],
                name="crime_record_reinstated",
                condition=Q(kind=CrimeRecordKind.REINSTATED),
            )
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


@pghistory.track(exclude=["body"], model_name="PersonalTextEvent")
class PersonalText(models.Model):
    """Every free text about a person, in one place, so that disposal is one statement and is real.

    History says that a text changed (``changed_at``), never what it said. Erasing empties ``body`` and dates
    ``erased_at``; what points here stays whole.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="texts")
    kind = models.CharField(max_length=20, choices=TextKind.as_choices)
    body = models.TextField(blank=True)
    changed_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "kind"],
                name="one_text_of_a_kind",
                condition=~Q(kind=TextKind.ATTEMPT_NOTE),
            ),
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True) | Q(body=""), name="erased_text_is_empty"
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class Reason(NamedChoices):
    """Why a case is not suitable. The first is the pilot's rule; the others are local."""

    NO_CRIME = "no_crime", "A hate incident, not a crime"
    OUTSIDE_BCU = "outside_bcu", "Victim lives outside the BCU"
    NO_INDIVIDUAL = "no_individual", "Organisation or State as victim"
    DUPLICATE = "duplicate", "Duplicate of another report"
    CLOSED = "closed", "Already closed, or support already withdrawn"
    UNSAFE = "unsafe", "Contact would be unsafe"
    DOMESTIC = "domestic", "Domestic abuse, or suspect in the family or household"
    POLICE_VICTIM = "police_victim", "Police victim: restricted record"
    HIGH_RISK = "high_risk", "High risk: refer now, outside any trial"
    ASKED_FOR_CONTACT = "asked_for_contact", "Asked for contact: refer now, outside any trial"
    OTHER = "other", "Another reason, on the crime record"


REFERRED_ANYWAY = (Reason.HIGH_RISK, Reason.ASKED_FOR_CONTACT)


class ContactBy(NamedChoices):
    """Who will contact the victim of a case that is not suitable: nobody is left without."""

    NEIGHBOURHOOD_TEAM = "neighbourhood_team", "The neighbourhood team"
    HOME_BCU = "home_bcu", "The victim's home BCU"
    SAFEGUARDING = "safeguarding", "Safeguarding"
    POLICE_SCHEME = "police_scheme", "The force's scheme for police victims"
    INVESTIGATOR = "investigator", "The investigating officer only"
    OTHER_REPORT = "other_report", "Whoever contacts them for the other report"


def why_in_words(reason: str, duplicate_of: str) -> str:
    """Why a case is not suitable, with the reference of the report that it is a duplicate of."""
    label = Reason.label_of(reason)
    return f"{label}: {duplicate_of}" if duplicate_of else label


def _names_a_duplicate(model: str) -> list[models.BaseConstraint]:
    """Constraints that only a duplicate names another report, and only one that does leaves it the contact.

    Duplicates of before name none.
    """
    name = f"{model}_duplicate_is_of_a_report"
    condition = Q(duplicate_of="") | Q(reason=Reason.DUPLICATE)
    leaves_contact = Q(contact_by=ContactBy.OTHER_REPORT) & Q(duplicate_of="")
    return [
        models.CheckConstraint(condition=condition, name=name),
        models.CheckConstraint(condition=~leaves_contact, name=f"{model}_contact_left_to_a_report"),
        *one_line(model, "duplicate_of"),
    ]


def _by_other_report(model: str) -> models.Index:
    """An index of the duplicates whose victims are contacted for the other report."""
    condition = Q(contact_by=ContactBy.OTHER_REPORT)
    return models.Index(fields=["duplicate_of"], name=f"{model}_by_other_report", condition=condition)


class Submission(AppendOnly):
    """A day's decisions, checked and submitted together; from then on none of them changes.

    One may be taken back (:class:`ReopenedDecision`), and its case is then decided by another submission.
    """

    key = models.UUIDField(unique=True, default=uuid.uuid4)
    bcu = models.ForeignKey(Bcu, on_delete=models.PROTECT, related_name="submissions")
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField()

    class Meta(AppendOnly.Meta):
        indexes = [models.Index(fields=["bcu", "-submitted_at", "-id"], name="submission_latest")]

    def __str__(self) -> str:
        return f"{self.bcu}, {self.submitted_at:%d %B %Y}"


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Decision(models.Model):
    """Suitable or not, and why; a draft until its submission. ``version`` tells who was first.

    ``assessed_for``: the trial that recruited in the case's ward when it was submitted.
    """

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="decision")
    suitable = models.BooleanField()
    reason = models.CharField(max_length=20, choices=Reason.as_choices, blank=True)
    contact_by = models.CharField(max_length=20, choices=ContactBy.as_choices, blank=True)
    duplicate_of = models.CharField(max_length=40, blank=True, default="", db_default="")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="+")
    version = models.PositiveIntegerField(default=1)
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField()
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, null=True, related_name="decisions")
    assessed_for = models.ForeignKey(
        "referrals.Trial", on_delete=models.PROTECT, null=True, related_name="assessed"
    )

    class Meta:
        constraints = [
            *_names_a_duplicate("decision"),
            models.CheckConstraint(
                condition=Q(suitable=True, reason="", contact_by="")
                | Q(suitable=False, reason__in=Reason.values, contact_by__in=ContactBy.values),
                name="decision_not_suitable_says_why_and_who",
            ),
            models.CheckConstraint(
                condition=~Q(reason__in=[r.value for r in REFERRED_ANYWAY])
                | Q(contact_by=ContactBy.NEIGHBOURHOOD_TEAM),
                name="decision_referred_anyway_goes_to_team",
            ),
        ]
        indexes = [_by_other_report("decision")]
        triggers = [
            *keep_state_by_decision(),
            pgtrigger.Trigger(
                name="submitted_is_final",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__submission__isnull=False),
                func=read_sql("referrals/models/sql/submitted_is_final.sql"),
            ),
            pgtrigger.Trigger(
                name="waits_or_is_decided",
                when=pgtrigger.After,
                operation=pgtrigger.Delete,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(old__submission__isnull=False),
                func=read_sql("referrals/models/sql/waits_or_is_decided.sql"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case}: {'suitable' if self.suitable else 'not suitable'}"

    @property
    def why(self) -> str:
        """Why it is not suitable, in words."""
        return why_in_words(self.reason, self.duplicate_of)

    @property
    def mark(self) -> str:
        """What the case is marked as, in words."""
        if self.suitable:
            return "suitable"
        return "to be referred now" if self.referred_anyway else "not suitable"

    @property
    def referred_anyway(self) -> bool:
        """Not suitable for the trial, and referred all the same."""
        return self.reason in REFERRED_ANYWAY


class ReopenReason(NamedChoices):
    """Why a submitted decision is made anew."""

    WRONG_MARK = "wrong_mark", "The mark was wrong"
    RECORD_WRONG = "record_wrong", "The crime record was wrong or incomplete"
    LEARNT_SINCE = "learnt_since", "Something was learnt since"


class ReopenedDecision(AppendOnly):
    """A submitted decision that was taken back, as it was, so that its case waits in the review again.

    Only while it has made neither an allocation nor a referral, and not once the trial that it was assessed
    for is closed.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reopened_decisions")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="reopened_decisions")
    suitable = models.BooleanField()
    reason = models.CharField(max_length=20, choices=Reason.as_choices, blank=True)
    contact_by = models.CharField(max_length=20, choices=ContactBy.as_choices, blank=True)
    duplicate_of = models.CharField(max_length=40, blank=True, default="", db_default="")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="+")
    assessed_for = models.ForeignKey("referrals.Trial", on_delete=models.PROTECT, null=True, related_name="+")
    version = models.PositiveIntegerField()
    because = models.CharField(max_length=20, choices=ReopenReason.as_choices)
    reopened_at = models.DateTimeField()
    reopened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(AppendOnly.Meta):
        constraints = [
            *_names_a_duplicate("reopened"),
            models.UniqueConstraint(fields=["case", "submission"], name="decision_is_reopened_once"),
            models.CheckConstraint(condition=Q(because__in=ReopenReason.values), name="reopened_says_why"),
        ]
        triggers = [
            *AppendOnly.Meta.triggers,
            refuse(
                name="reopens_what_made_nothing",
                unless=read_sql("referrals/models/sql/reopens_what_made_nothing.sql"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case}: {self.get_because_display()}"


class FoundNotSuitable(AppendOnly):
    """That a case turned out not to be suitable after it was allocated or referred; the latest one counts.

    Decision, arm and allocation stay what they were; an open referral is closed with it. ``corrects``: the
    one before it, of which the reason, the other report or who contacts the victim was wrong.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="found_not_suitable")
    reason = models.CharField(max_length=20, choices=Reason.as_choices)
    contact_by = models.CharField(max_length=20, choices=ContactBy.as_choices)
    duplicate_of = models.CharField(max_length=40, blank=True, default="", db_default="")
    found_at = models.DateTimeField()
    found_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    corrects = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="corrected_by")

    class Meta(AppendOnly.Meta):
        constraints = [
            *_names_a_duplicate("found"),
            models.CheckConstraint(
                condition=Q(reason__in=[each.value for each in Reason if each not in REFERRED_ANYWAY])
                & Q(contact_by__in=ContactBy.values),
                name="found_not_suitable_says_why_and_who",
            ),
        ]
        indexes = [_by_other_report("found")]
        triggers = [
            *AppendOnly.Meta.triggers,
            refuse(
                name="found_of_what_went_out",
                unless="""EXISTS (SELECT FROM referrals_referral WHERE case_id = NEW.case_id)
                OR EXISTS (SELECT FROM referrals_allocation WHERE case_id = NEW.case_id)""",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case}: {self.get_reason_display()}"

    @property
    def why(self) -> str:
        """The reason in words."""
        return why_in_words(self.reason, self.duplicate_of)
