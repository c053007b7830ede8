"""Attempts at contact, and what somebody else must act on because of them."""

import uuid

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from referrals.models.cases import Case, PersonalText
from referrals.models.places import Ward
from referrals.models.referrals import CloseReason, Referral
from src_app.accounts.models import User
from src_app.choices import NamedChoices
from src_app.database import AppendOnly, read_sql, refuse, together


class Method(NamedChoices):
    """How contact was tried; the victim's wish decides, safety overrides it."""

    TELEPHONE = "telephone", "Telephone"
    HOME_VISIT = "home_visit", "Home visit"
    ELSEWHERE = "elsewhere", "In person, at another place"
    VIDEO = "video", "Video"
    RELAY = "relay", "Relay or sign language service"


class Result(NamedChoices):
    """What came of it. A voicemail is no contact."""

    CONTACT_MADE = "contact_made", "Contact made: spoke with the victim or guardian"
    NO_ANSWER = "no_answer", "No answer"
    MESSAGE_LEFT = "message_left", "Message left"
    SOMEONE_ELSE = "someone_else", "Someone else answered"
    CALL_BACK = "call_back", "Asked to be called back"
    DECLINED = "declined", "Victim declined"
    WRONG_DETAILS = "wrong_details", "Wrong details"
    UNSAFE = "unsafe", "Unsafe to attend"


class MinutesSpent(NamedChoices):
    """How long an attempt took, roughly: whoever made it is asked for a tap, not for a sum."""

    UNDER_5 = "under_5", "Under 5"
    TO_15 = "to_15", "5–15"
    TO_30 = "to_30", "15–30"
    OVER_30 = "over_30", "Over 30"


class ContactAttempt(AppendOnly):
    """One try to reach the victim. ``withdraws`` names an earlier attempt that was logged by mistake.

    ``call_back_at``: when the victim asked to be called back, if they named a time.

    A contact made on a referral that was closed without one keeps that closure (``earlier_…``), which
    stands again where the contact is withdrawn.
    """

    key = models.UUIDField(unique=True, default=uuid.uuid4)
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="attempts")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    # Empty where whoever made it logged it.
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    logged_at = models.DateTimeField()
    method = models.CharField(max_length=20, choices=Method.as_choices)
    with_interpreter = models.BooleanField(default=False)
    result = models.CharField(max_length=20, choices=Result.as_choices)
    barred_method = models.BooleanField(default=False)
    risk_assessment = models.BooleanField(default=False)
    support_offered = models.BooleanField(default=False)
    support_taken_up = models.BooleanField(default=False, db_default=False)
    noted_on_record = models.BooleanField(default=False)
    call_back_at = models.DateTimeField(null=True)
    minutes_spent = models.CharField(
        max_length=10, choices=MinutesSpent.as_choices, blank=True, default="", db_default=""
    )
    note = models.OneToOneField(PersonalText, on_delete=models.PROTECT, null=True, related_name="attempt")
    withdraws = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="withdrawn_by")
    earlier_reason = models.CharField(max_length=20, choices=CloseReason.as_choices, blank=True)
    earlier_closed_at = models.DateTimeField(null=True)
    # Nobody looks for the attempts that replaced what an account had closed.
    earlier_closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )

    class Meta(AppendOnly.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(made_at__lte=F("logged_at")), name="attempt_is_not_in_the_future"
            ),
            models.CheckConstraint(
                condition=Q(entered_by__isnull=True) | ~Q(entered_by=F("made_by")),
                name="attempt_entered_by_a_colleague",
            ),
            models.CheckConstraint(
                condition=Q(support_taken_up=False) | Q(support_offered=True),
                name="attempt_support_taken_up_was_offered",
            ),
            models.CheckConstraint(
                condition=Q(call_back_at__isnull=True)
                | Q(result=Result.CALL_BACK, call_back_at__gt=F("logged_at")),
                name="attempt_call_back_is_to_come",
            ),
            models.CheckConstraint(
                condition=Q(minutes_spent="") | Q(minutes_spent__in=MinutesSpent.values),
                name="attempt_minutes_are_known",
            ),
            models.CheckConstraint(
                condition=together("earlier_closed_at", "earlier_closed_by"),
                name="attempt_earlier_closed_at_by",
            ),
            models.CheckConstraint(
                condition=Q(earlier_reason="", earlier_closed_at__isnull=True)
                | Q(earlier_reason__in=CloseReason.values, earlier_closed_at__isnull=False),
                name="attempt_keeps_a_whole_closure_or_none",
            ),
        ]
        indexes = [models.Index(fields=["referral", "made_at", "id"], name="attempt_by_referral")]
        triggers = [
            *AppendOnly.Meta.triggers,
            refuse(
                name="keeps_the_closure_it_replaces",
                unless=read_sql("referrals/models/sql/keeps_the_closure_it_replaces.sql"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_method_display()}: {self.get_result_display()}"

    @staticmethod
    def is_to_note() -> Q:
        """The condition that an attempt stands, and nobody has said that it is noted on the crime record."""
        return Q(
            withdraws__isnull=True,
            withdrawn_by__isnull=True,
            noted_on_record=False,
            settled__isnull=True,
        )

    @property
    def logger(self) -> User:
        """Whoever logged it: who made it, or a colleague."""
        return self.entered_by or self.made_by


class SettledAttempt(AppendOnly):
    """That what an attempt left to do is done: noted on the crime record, and told to whoever must know.

    A follow-up of it stays open until somebody acknowledges it.
    """

    attempt = models.OneToOneField(ContactAttempt, on_delete=models.PROTECT, related_name="settled")
    settled_at = models.DateTimeField()
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return str(self.attempt)


class SafetyDecision(AppendOnly):
    """What a supervisor decided where an attempt found contact unsafe: another ``method``, or to close it.

    No referral is closed as unsafe without the latter.
    """

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="safety_decisions")
    method = models.CharField(max_length=20, choices=Method.as_choices, blank=True)
    decided_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(AppendOnly.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(method="") | Q(method__in=Method.values), name="safety_decision_method_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.referral}: {self.get_method_display() or 'no way is safe'}"


class FollowUpKind(NamedChoices):
    """What somebody else must act on: what a victim said, or what the crime record changed."""

    STATEMENT = "statement", "Wants to give a statement"
    WITHDRAW = "withdraw", "Wishes to withdraw support"
    NEW_OFFENCE = "new_offence", "Reports a new offence"
    THREAT = "threat", "Reports a threat"
    BARRED_METHOD = "barred_method", "A barred way of contact was used"
    UNSAFE = "unsafe", "Found unsafe to attend: is another way safe?"
    TRANSFERRED = "transferred", "Crime transferred: tell the other force or BCU"
    RULED_OUT = "ruled_out", "Closed by the crime record: who contacts the victim?"
    WARD_UNCLEAR = "ward_unclear", "Victim's ward now unknown or elsewhere: agree who makes contact"
    OFFICER_IN_CASE = "officer_in_case", "Taken by the officer in the case: a colleague must take it"
    WISHES_CHANGED = "wishes_changed", "Contact wishes changed after the decision"
    SAFETY_CHANGED = "safety_changed", "Safety note changed after the decision"
    RESTRICTIONS_CHANGED = "restrictions_changed", "Restrictions or safety note set after the decision"
    CONTACT_ELSEWHERE = "contact_elsewhere", "Not suitable: see that somebody else contacts the victim"
    RING_AGAIN_WISH = "ring_again_wish", "Ring the victim again: asked for contact"
    RING_AGAIN_RISK = "ring_again_risk", "Ring the victim again: high risk"
    RING_AGAIN_SAFETY = "ring_again_safety", "Ring the victim again: safety, see the crime record"
    NOT_REACHED = "not_reached", "At risk and not reached by ringing again: decide who tries"


# Raised by an attempt as it was logged, and ticked by nobody.
FOUND_OUT = (FollowUpKind.BARRED_METHOD, FollowUpKind.UNSAFE)
# Raised by each change of a decided case while no referral of it is open, when no team is told.
RAISED_BY_CHANGE = (
    FollowUpKind.WISHES_CHANGED,
    FollowUpKind.SAFETY_CHANGED,
    FollowUpKind.RESTRICTIONS_CHANGED,
)
# About a case that has no referral.
OF_A_CASE = (*RAISED_BY_CHANGE, FollowUpKind.CONTACT_ELSEWHERE)
# Asked by the HCOP of a team that has spoken with the victim already.
RING_AGAIN = (
    FollowUpKind.RING_AGAIN_WISH,
    FollowUpKind.RING_AGAIN_RISK,
    FollowUpKind.RING_AGAIN_SAFETY,
)
# Raised by no attempt at contact, but by the crime record, by what is kept here of the case, or by the HCOP.
RAISED_BY_RECORD = (
    FollowUpKind.TRANSFERRED,
    FollowUpKind.RULED_OUT,
    FollowUpKind.WARD_UNCLEAR,
    FollowUpKind.OFFICER_IN_CASE,
    FollowUpKind.NOT_REACHED,
    *OF_A_CASE,
    *RING_AGAIN,
)
# Each asks who contacts the victim now that no team does.
ASKS_WHO_CONTACTS = (FollowUpKind.RULED_OUT, FollowUpKind.CONTACT_ELSEWHERE)
# Of these, for the hate crime officer alone: a team can neither decide nor arrange them.
FOR_THE_HCOP = (
    FollowUpKind.TRANSFERRED,
    FollowUpKind.RULED_OUT,
    FollowUpKind.WARD_UNCLEAR,
    FollowUpKind.NOT_REACHED,
    *OF_A_CASE,
)


class FollowUpResult(NamedChoices):
    """What came of a follow-up. ``dealt_with``: of those from before results were kept."""

    ARRANGED = "arranged", "Arranged"
    PASSED_ON = "passed_on", "Passed to the officer in the case"
    NO_LONGER_WANTED = "no_longer_wanted", "No longer wanted"
    RECORDED = "recorded", "Recorded as a crime of its own"
    ON_RECORD = "on_record", "On the crime record already"
    SAFEGUARDED = "safeguarded", "Safeguarding has it"
    NO_DANGER = "no_danger", "Asked about: no danger now"
    TALKED_OVER = "talked_over", "Talked over with whoever did it"
    RULE_WRONG = "rule_wrong", "The restriction no longer holds"
    TOLD = "told", "Whoever is to act knows"
    NOT_NEEDED = "not_needed", "No contact needed"
    REFERRED = "referred", "Referred now"
    TEAM_AGREED = "team_agreed", "Agreed who makes contact"
    TAKEN_OVER = "taken_over", "A colleague has it"
    SPOKEN_WITH = "spoken_with", "Spoke with the victim"
    NOT_REACHED = "not_reached", "Not reached after several attempts"
    DECLINED = "declined", "Victim declined"
    ANOTHER_WAY = "another_way", "Another way is safe"
    NO_WAY = "no_way", "No way is safe: closed"
    OVERTAKEN = "overtaken", "The referral ended meanwhile"
    DEALT_WITH = "dealt_with", "Dealt with"


_TELL = (FollowUpResult.TOLD, FollowUpResult.NOT_NEEDED)
_DECIDE = (FollowUpResult.REFERRED, *_TELL)
_RING = (FollowUpResult.SPOKEN_WITH, FollowUpResult.NOT_REACHED, FollowUpResult.DECLINED)
# What can come of each kind, as its list offers it.
RESULTS_OF: dict[FollowUpKind, tuple[FollowUpResult, ...]] = {
    FollowUpKind.STATEMENT: (
        FollowUpResult.ARRANGED,
        FollowUpResult.PASSED_ON,
        FollowUpResult.NO_LONGER_WANTED,
    ),
    FollowUpKind.WITHDRAW: (FollowUpResult.PASSED_ON, FollowUpResult.NO_LONGER_WANTED),
    FollowUpKind.NEW_OFFENCE: (
        FollowUpResult.RECORDED,
        FollowUpResult.PASSED_ON,
        FollowUpResult.ON_RECORD,
    ),
    FollowUpKind.THREAT: (
        FollowUpResult.RECORDED,
        FollowUpResult.SAFEGUARDED,
        FollowUpResult.ON_RECORD,
        FollowUpResult.NO_DANGER,
    ),
    FollowUpKind.BARRED_METHOD: (FollowUpResult.TALKED_OVER, FollowUpResult.RULE_WRONG),
    FollowUpKind.UNSAFE: (FollowUpResult.ANOTHER_WAY, FollowUpResult.NO_WAY, FollowUpResult.OVERTAKEN),
    FollowUpKind.TRANSFERRED: _TELL,
    FollowUpKind.RULED_OUT: _TELL,
    FollowUpKind.WARD_UNCLEAR: (FollowUpResult.TEAM_AGREED, FollowUpResult.NOT_NEEDED),
    FollowUpKind.OFFICER_IN_CASE: (FollowUpResult.TAKEN_OVER, FollowUpResult.RULE_WRONG),
    FollowUpKind.WISHES_CHANGED: _DECIDE,
    FollowUpKind.SAFETY_CHANGED: _DECIDE,
    FollowUpKind.RESTRICTIONS_CHANGED: _DECIDE,
    FollowUpKind.CONTACT_ELSEWHERE: _TELL,
    FollowUpKind.RING_AGAIN_WISH: _RING,
    FollowUpKind.RING_AGAIN_RISK: _RING,
    FollowUpKind.RING_AGAIN_SAFETY: _RING,
    FollowUpKind.NOT_REACHED: _TELL,
}


def _result_of_its_kind() -> Q:
    """The condition that a follow-up which somebody has done has a result, and one of its kind."""
    is_over = Q(done_at__isnull=False, dropped=False)
    of_its_kind = Q(result=FollowUpResult.DEALT_WITH)
    for kind, results in RESULTS_OF.items():
        of_its_kind |= Q(kind=kind, result__in=results)
    return (is_over & of_its_kind) | (~is_over & Q(result=""))


@pghistory.track()
class FollowUp(models.Model):
    """A task, open until it is done; never an e-mail alone. Whoever acknowledges it owns it.

    It is about a referral, or about the case where there is none. ``dropped``: it ended because there was
    nothing more to do, and nobody did it. ``escalated_at``: when those in charge were told that nobody had
    acknowledged it by ``acknowledge_by``.
    """

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, null=True, related_name="follow_ups")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="follow_ups")
    attempt = models.ForeignKey(
        ContactAttempt, on_delete=models.PROTECT, null=True, related_name="follow_ups"
    )
    kind = models.CharField(max_length=20, choices=FollowUpKind.as_choices)
    raised_at = models.DateTimeField()
    raised_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    acknowledge_by = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    escalated_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    result = models.CharField(
        max_length=20, choices=FollowUpResult.as_choices, blank=True, default="", db_default=""
    )
    dropped = models.BooleanField(default=False, db_default=False)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["attempt", "kind"], name="follow_up_once_an_attempt"),
            models.UniqueConstraint(
                fields=["referral", "kind"],
                name="follow_up_of_the_record_once_open",
                condition=Q(attempt__isnull=True, acknowledged_at__isnull=True)
                & ~Q(kind__in=RAISED_BY_CHANGE),
            ),
            models.UniqueConstraint(
                fields=["case"],
                name="follow_up_of_contact_elsewhere_once_open",
                condition=Q(kind=FollowUpKind.CONTACT_ELSEWHERE, done_at__isnull=True),
            ),
            models.CheckConstraint(
                condition=Q(referral__isnull=False, case__isnull=True)
                & ~Q(kind=FollowUpKind.CONTACT_ELSEWHERE)
                | Q(referral__isnull=True, case__isnull=False, kind__in=OF_A_CASE),
                name="follow_up_of_a_referral_or_a_case",
            ),
            models.CheckConstraint(
                condition=Q(attempt__isnull=True, kind__in=RAISED_BY_RECORD)
                | (Q(attempt__isnull=False) & ~Q(kind__in=RAISED_BY_RECORD)),
                name="follow_up_of_an_attempt_or_the_record",
            ),
            models.CheckConstraint(
                condition=together("acknowledged_at", "acknowledged_by"),
                name="follow_up_acknowledged_at_by",
            ),
            models.CheckConstraint(condition=together("done_at", "done_by"), name="follow_up_done_at_by"),
            models.CheckConstraint(
                condition=Q(dropped=False) | Q(done_at__isnull=False), name="follow_up_dropped_is_over"
            ),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(acknowledged_at__isnull=False),
                name="follow_up_done_has_an_owner",
            ),
            models.CheckConstraint(condition=_result_of_its_kind(), name="follow_up_done_has_a_result"),
            models.CheckConstraint(
                condition=Q(acknowledge_by__gt=F("raised_at")), name="follow_up_acknowledged_later"
            ),
        ]
        indexes = [
            models.Index(
                fields=["raised_at", "id"], name="follow_up_open", condition=Q(done_at__isnull=True)
            ),
            models.Index(
                fields=["acknowledge_by"],
                name="follow_up_to_acknowledge",
                condition=Q(acknowledged_at__isnull=True, done_at__isnull=True),
            ),
            models.Index(
                fields=["-done_at", "-id"], name="follow_up_done", condition=Q(done_at__isnull=False)
            ),
        ]
        # A referral's task and a case's: no unique constraint sees both.
        triggers = [
            refuse(
                name="asked_once_who_contacts",
                unless=read_sql("referrals/models/sql/asked_once_who_contacts.sql"),
            )
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    @staticmethod
    def is_to_ring_again() -> Q:
        """The condition that a follow-up asks to ring a victim again, and is not done."""
        return Q(kind__in=RING_AGAIN, done_at__isnull=True)

    @property
    def about(self) -> Case:
        """The case it is about, of its referral or its own."""
        case = self.referral.case if self.referral else self.case
        assert case is not None
        return case

    @property
    def name(self) -> str:
        """What it is about, as people call it: the referral's number, or the crime reference."""
        return str(self.referral or self.about)

    @property
    def results(self) -> list[tuple[str, str]]:
        """What somebody can say that came of it, with its words; whether contact is safe is decided apart."""
        if self.kind == FollowUpKind.UNSAFE:
            return [(FollowUpResult.OVERTAKEN.value, FollowUpResult.OVERTAKEN.label)]
        return [(each.value, each.label) for each in RESULTS_OF[FollowUpKind(self.kind)]]

    @property
    def ward(self) -> Ward | None:
        """The ward under which the contact is counted, or that of the victim's home."""
        return self.referral.ward if self.referral else self.about.ward
