"""A referral, from being made to its end, and what the team is told of changes."""

import uuid
from datetime import datetime

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Least

from referrals.models.allocations import Allocation
from referrals.models.cases import Case, backwards
from referrals.models.counts import count_contacts, keep_state_by_referral
from referrals.models.places import Team, Ward
from src_app.choices import NamedChoices
from src_app.database import AppendOnly, read_sql, refuse, together


class ReferralStatus(NamedChoices):
    """Where a referral is."""

    OPEN = "open", "Open"
    COMPLETED = "completed", "Contact made"
    CLOSED = "closed", "Closed without contact"


class CloseReason(NamedChoices):
    """Why a referral ended without contact; it stays in the denominator."""

    DECLINED = "declined", "Victim declined contact"
    WRONG_DETAILS = "wrong_details", "No working contact details"
    UNSAFE = "unsafe", "Unsafe to contact"
    NO_REPLY = "no_reply", "No reply after repeated attempts"
    CANCELLED = "cancelled", "Crime cancelled"
    TRANSFERRED = "transferred", "Crime transferred, and the contact with it"
    RECLASSIFIED = "reclassified", "No longer a crime"
    UNFLAGGED = "unflagged", "No longer flagged as a hate crime"
    NOT_SUITABLE = "not_suitable", "Found not suitable after it was referred"


# Given by the crime record and by nobody here; each is the word of the event that closed it.
CLOSED_BY_RECORD = (
    CloseReason.CANCELLED,
    CloseReason.TRANSFERRED,
    CloseReason.RECLASSIFIED,
    CloseReason.UNFLAGGED,
)
# What an attempt can show, or a supervisor decide.
CLOSED_BY_TEAM = tuple(
    reason for reason in CloseReason if reason not in (*CLOSED_BY_RECORD, CloseReason.NOT_SUITABLE)
)


class NumberSeries(models.Model):
    """The last referral number given in a year; its row lock keeps the series without gaps."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.year)


# What is worked out of other columns is no history of its own.
@pghistory.track(exclude=["act_by"])
class Referral(models.Model):
    """A case that a neighbourhood team is asked to contact, known by its number, ``SRC-2026-000123``.

    ``ruled_out_since``: when the crime record was first seen to rule the case out (cancelled, transferred,
    reclassified, unflagged); empty while it is a hate crime of the BCU. From then on the flag has to go.
    ``given_by``: who gave it to whoever has it; empty where they took it themselves. ``counted_from``,
    ``working_days``, ``day_ends``: how its due time was counted; empty where it was given in hours.
    ``stopped_until``: when the clock goes on that was stopped last. ``call_back_at``: when the victim asked
    at the last attempt to be called back. ``act_by``: the earlier of that and the due time; lists go by it.
    """

    number = models.CharField(max_length=20, unique=True)
    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="referral")
    allocation = models.OneToOneField(
        Allocation, on_delete=models.PROTECT, null=True, related_name="referral"
    )
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="referrals")
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="referrals")
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    due_at = models.DateTimeField()
    counted_from = models.DateTimeField(null=True)
    working_days = models.PositiveSmallIntegerField(null=True)
    day_ends = models.TimeField(null=True)
    stopped_until = models.DateTimeField(null=True)
    call_back_at = models.DateTimeField(null=True)
    # PostgreSQL's LEAST passes over what is empty.
    act_by = models.GeneratedField(
        expression=Least("due_at", "call_back_at"), output_field=models.DateTimeField(), db_persist=True
    )
    status = models.CharField(max_length=10, choices=ReferralStatus.as_choices, default=ReferralStatus.OPEN)
    flag_confirmed_at = models.DateTimeField(null=True)
    flag_confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    ruled_out_since = models.DateTimeField(null=True)
    flag_removed_at = models.DateTimeField(null=True)
    flag_removed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    taken_at = models.DateTimeField(null=True)
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    contacted_at = models.DateTimeField(null=True)
    close_reason = models.CharField(max_length=20, choices=CloseReason.as_choices, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=together("flag_confirmed_at", "flag_confirmed_by"),
                name="referral_flag_confirmed_at_by",
            ),
            models.CheckConstraint(
                condition=together("flag_removed_at", "flag_removed_by"),
                name="referral_flag_removed_at_by",
            ),
            models.CheckConstraint(
                condition=Q(flag_removed_at__isnull=True) | Q(ruled_out_since__isnull=False),
                name="referral_flag_removed_had_to_go",
            ),
            models.CheckConstraint(condition=together("taken_at", "taken_by"), name="referral_taken_at_by"),
            models.CheckConstraint(
                condition=Q(given_by__isnull=True) | Q(taken_by__isnull=False),
                name="referral_given_to_somebody",
            ),
            models.CheckConstraint(
                condition=together("closed_at", "closed_by"), name="referral_closed_at_by"
            ),
            models.CheckConstraint(
                condition=Q(
                    status=ReferralStatus.OPEN,
                    closed_at__isnull=True,
                    contacted_at__isnull=True,
                    close_reason="",
                )
                | Q(
                    status=ReferralStatus.COMPLETED,
                    closed_at__isnull=False,
                    contacted_at__isnull=False,
                    close_reason="",
                )
                | Q(
                    status=ReferralStatus.CLOSED,
                    closed_at__isnull=False,
                    contacted_at__isnull=True,
                    close_reason__in=CloseReason.values,
                ),
                name="referral_status_agrees_with_its_dates",
            ),
            models.CheckConstraint(
                condition=Q(due_at__gt=F("made_at")), name="referral_due_after_it_is_made"
            ),
            models.CheckConstraint(
                condition=together("counted_from", "working_days", "day_ends"),
                name="referral_counted_in_working_days",
            ),
            models.CheckConstraint(
                condition=Q(stopped_until__isnull=True) | Q(due_at__gte=F("stopped_until")),
                name="referral_due_when_the_clock_goes_on",
            ),
        ]
        indexes = [
            models.Index(
                fields=["team", "act_by", "id"],
                name="referral_open_by_team",
                condition=Q(status=ReferralStatus.OPEN),
            ),
            models.Index(
                fields=["call_back_at"],
                name="referral_to_call_back",
                condition=Q(status=ReferralStatus.OPEN, call_back_at__isnull=False),
            ),
            models.Index(
                fields=["due_at", "id"],
                name="referral_open_by_due",
                condition=Q(status=ReferralStatus.OPEN),
            ),
            models.Index(
                fields=["made_at", "id"],
                name="referral_flag_to_confirm",
                condition=Q(flag_confirmed_at__isnull=True, ruled_out_since__isnull=True),
            ),
            models.Index(
                fields=["ruled_out_since", "id"],
                name="referral_flag_to_remove",
                condition=Q(
                    ruled_out_since__isnull=False,
                    flag_removed_at__isnull=True,
                ),
            ),
            models.Index(fields=["ward", "due_at"], name="referral_by_ward"),
            models.Index(
                fields=["team", "-closed_at", "-id"],
                name="referral_ended_by_team",
                condition=Q(closed_at__isnull=False),
            ),
            models.Index(
                fields=["due_at", "ward"],
                name="referral_ended_by_due",
                condition=Q(closed_at__isnull=False),
            ),
            models.Index(
                fields=["due_at", "ward"],
                name="referral_stopped_by_due",
                condition=Q(stopped_until__isnull=False),
            ),
            models.Index(OpClass(backwards("number"), "text_pattern_ops"), name="referral_backwards"),
        ]
        triggers = [
            *count_contacts(),
            *keep_state_by_referral(),
            refuse(
                name="never_of_a_control",
                unless=read_sql("referrals/models/sql/never_of_a_control.sql"),
            ),
            refuse(
                name="unsafe_after_a_decision",
                unless=read_sql("referrals/models/sql/unsafe_after_a_decision.sql"),
            ),
            refuse(
                name="open_at_an_open_team",
                unless=read_sql("referrals/models/sql/open_at_an_open_team.sql"),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def is_stopped(self, at: datetime) -> bool:
        """Whether its clock stands at that moment, as ``referrals.rules.deadlines.standing`` has it."""
        is_open = self.status == ReferralStatus.OPEN
        return is_open and self.stopped_until is not None and at < self.stopped_until

    def put_back(self) -> list[str]:
        """Nobody has it any more; returns the names of the fields to save."""
        self.taken_at = self.taken_by = self.given_by = None
        return ["taken_at", "taken_by", "given_by"]


class HandOverReason(NamedChoices):
    """Why a referral went to another team, where it was no change of the victim's ward."""

    LIVES_ELSEWHERE = "lives_elsewhere", "The victim lives there now"
    STAYS_ELSEWHERE = "stays_elsewhere", "The victim stays there for now"
    WRONG_TEAM = "wrong_team", "It came to the wrong team"
    KNOWN_TO_TEAM = "known_to_team", "Somebody of the team knows the victim or the suspect"
    NOBODY_FREE = "nobody_free", "Nobody of the team can make the contact in time"
    OTHER_TEAM_ASKED = "other_team_asked", "The victim asked for another team"
    REORGANISED = "reorganised", "Another team covers the ward from then on"


# What a person may choose; the other is given where wards or teams change.
TRANSFER_REASONS = tuple(reason for reason in HandOverReason if reason != HandOverReason.REORGANISED)


class HandOver(AppendOnly):
    """A referral that went to another team: the victim's ward changed, or as ``reason`` says.

    ``by_hand``: somebody moved it, to another ward of the same team perhaps, and from then on the ward of the
    victim's home does not decide.
    """

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="hand_overs")
    from_team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+", db_index=False)
    to_team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    from_ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="+")
    to_ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="+")
    handed_at = models.DateTimeField()
    handed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    by_hand = models.BooleanField(default=False, db_default=False)
    reason = models.CharField(
        max_length=20, choices=HandOverReason.as_choices, blank=True, default="", db_default=""
    )

    class Meta(AppendOnly.Meta):
        constraints = [
            models.CheckConstraint(
                condition=~Q(from_team=F("to_team")) | (Q(by_hand=True) & ~Q(from_ward=F("to_ward"))),
                name="hand_over_is_to_another_team",
            ),
            models.CheckConstraint(
                condition=Q(reason="") | Q(reason__in=HandOverReason.values),
                name="hand_over_reason_is_known",
            ),
        ]
        indexes = [models.Index(fields=["from_team", "-handed_at"], name="hand_over_from_team")]

    def __str__(self) -> str:
        return f"{self.referral}: {self.from_team} to {self.to_team}"


class OrderReason(NamedChoices):
    """Why a victim is to be contacted after all."""

    ASKED_FOR_CONTACT = "asked_for_contact", "The victim asked for contact"
    HIGH_RISK = "high_risk", "High risk"
    OTHER_SAFETY = "other_safety", "Another reason of safety, on the crime record"


class ReferralOrder(AppendOnly):
    """That a decided case was referred now: after its decision, outside any trial.

    It made the referral, or opened one that had been closed without contact: then it keeps that closure
    (``earlier_…``). ``team``: the team that was chosen by hand, where the ward did not decide.
    """

    key = models.UUIDField(unique=True, default=uuid.uuid4)
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="orders")
    reason = models.CharField(max_length=20, choices=OrderReason.as_choices)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="+")
    ordered_at = models.DateTimeField()
    ordered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    earlier_reason = models.CharField(max_length=20, choices=CloseReason.as_choices, blank=True)
    earlier_closed_at = models.DateTimeField(null=True)

    class Meta(AppendOnly.Meta):
        constraints = [
            models.CheckConstraint(condition=Q(reason__in=OrderReason.values), name="order_reason_is_known"),
            models.CheckConstraint(
                condition=Q(earlier_reason="", earlier_closed_at__isnull=True)
                | Q(earlier_reason__in=CloseReason.values, earlier_closed_at__isnull=False),
                name="order_keeps_a_whole_closure_or_none",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.referral}: {self.get_reason_display()}"


class ReopeningReason(NamedChoices):
    """Why a supervisor opens a referral again that had ended."""

    MISTAKE = "mistake", "It was ended by mistake"
    VICTIM_ASKED = "victim_asked", "The victim asks for contact after all"


class Reopening(AppendOnly):
    """That a supervisor opened a referral again, and how it had ended (``earlier_…``).

    ``earlier_reason`` is empty where contact counted as made.
    """

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="reopenings")
    reason = models.CharField(max_length=20, choices=ReopeningReason.as_choices)
    reopened_at = models.DateTimeField()
    reopened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    earlier_reason = models.CharField(max_length=20, choices=CloseReason.as_choices, blank=True)
    earlier_closed_at = models.DateTimeField()

    class Meta(AppendOnly.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(reason=ReopeningReason.MISTAKE, earlier_reason="")
                | Q(reason__in=ReopeningReason.values, earlier_reason__in=CLOSED_BY_TEAM),
                name="reopening_of_what_a_team_ended",
            ),
            models.CheckConstraint(
                condition=Q(earlier_closed_at__lte=F("reopened_at")), name="reopening_after_the_end"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.referral}: {self.get_reason_display()}"


class Noticed(NamedChoices):
    """What may change on an open referral so that whoever has it must know; names, never values."""

    SAFETY_NOTE = "safety_note", "safety note"
    REVIEW_SAFETY = "review_safety", "safety note of the hate crime officer"
    RESTRICTIONS = "restrictions", "restrictions"
    CONTACT_WISHES = "contact_wishes", "contact wishes"
    COMMUNICATION_NEED = "communication_need", "communication need"
    UNDER_18 = "victim_under_18", "whether the victim is under 18"
    OFFICER_IN_CASE = "officer_in_case", "officer in the case"
    WARD = "ward", "ward of the victim's home"
    REOPENED = "reopened", "open again after it was closed by the crime record"
    OTHER_METHOD = "other_method", "how to make contact, as a supervisor decided"
    HOLDER_AWAY = "holder_away", "nobody has it now, because whoever had it is away"


@pghistory.track()
class ReferralNotice(models.Model):
    """A change of an open referral, shown until whoever has it says that they have read it.

    One row a change: what came after a page was opened is not taken as read with it.
    """

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="notices")
    changed = ArrayField(models.CharField(max_length=20, choices=Noticed.as_choices))
    noticed_at = models.DateTimeField()
    noticed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    read_at = models.DateTimeField(null=True)
    read_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(changed__contained_by=Noticed.values, changed__len__gt=0),
                name="notice_names_what_changed",
            ),
            models.CheckConstraint(condition=together("read_at", "read_by"), name="notice_read_at_by"),
        ]
        indexes = [
            models.Index(fields=["referral", "id"], name="notice_unread", condition=Q(read_at__isnull=True))
        ]

    def __str__(self) -> str:
        return ", ".join(Noticed(each).label for each in self.changed)
