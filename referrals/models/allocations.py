"""The arm that each case is in for ever, and what did not go as it was allocated."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from referrals.models.cases import Case, Submission
from referrals.models.trials import Trial
from referrals.rules.trial.allocation import Arm as RuleArm
from src_app.choices import NamedChoices
from src_app.database import AppendOnly, one_line, read_sql, refuse


class Arm(NamedChoices):
    """The two arms of the trial."""

    SRC = RuleArm.SRC.value, "SRC"
    CONTROL = RuleArm.CONTROL.value, "Usual service (control)"


class Allocation(AppendOnly):
    """The arm of one case. Linked reports follow the first of their unit and take no position.

    ``number`` counts all rows of the trial; ``row_hash`` is an HMAC over the row and ``previous_hash``, under
    a key derived from the seed, so that a changed, removed or added row breaks the chain. What is hashed can
    be published: ``unit`` is a random pseudonym, and of case and moment there are digests with ``salt``,
    which is not published.
    """

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="allocations")
    number = models.PositiveIntegerField()
    unit = models.CharField(max_length=32)
    stratum = models.CharField(max_length=100, blank=True)
    levels = models.JSONField(default=dict)
    position = models.PositiveIntegerField(null=True)
    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="allocation")
    follows = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="followers")
    arm = models.CharField(max_length=10, choices=Arm.as_choices)
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="allocations")
    allocated_at = models.DateTimeField()
    salt = models.CharField(max_length=32)
    case_digest = models.CharField(max_length=64)
    moment_digest = models.CharField(max_length=64)
    previous_hash = models.CharField(max_length=64, blank=True)
    row_hash = models.CharField(max_length=64)

    class Meta(AppendOnly.Meta):
        constraints = [
            models.UniqueConstraint(fields=["trial", "number"], name="allocation_number_once"),
            models.UniqueConstraint(fields=["trial", "stratum", "position"], name="allocation_position_once"),
            models.UniqueConstraint(fields=["trial", "previous_hash"], name="allocation_chain_never_forks"),
            models.UniqueConstraint(
                fields=["trial", "unit"], name="allocation_unit_once", condition=Q(follows__isnull=True)
            ),
            models.CheckConstraint(
                condition=Q(position__isnull=True, follows__isnull=False)
                | Q(position__isnull=False, follows__isnull=True),
                name="allocation_has_a_position_or_follows",
            ),
            models.CheckConstraint(condition=Q(arm__in=Arm.values), name="allocation_arm_is_known"),
        ]
        indexes = [
            # Of the controls alone, to count those whose follow-up is over: every overnight review does.
            models.Index(
                fields=["trial", "allocated_at", "id"],
                name="allocation_control_by_time",
                condition=Q(arm=Arm.CONTROL, position__isnull=False),
            )
        ]
        triggers = [
            *AppendOnly.Meta.triggers,
            refuse(
                name="follows_the_first",
                unless=read_sql("referrals/models/sql/follows_the_first.sql"),
            ),
            refuse(
                name="takes_the_next_place",
                unless=read_sql("referrals/models/sql/takes_the_next_place.sql"),
            ),
            refuse(
                name="only_while_recruiting",
                unless=read_sql("referrals/models/sql/only_while_recruiting.sql"),
            ),
        ]

    def __str__(self) -> str:
        return f"allocation {self.number}"


class UnitKey(AppendOnly):
    """An incident or victim hash of a unit in a trial: what the database forbids to be allocated twice."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="+")
    key_hash = models.CharField(max_length=64)
    allocation = models.ForeignKey(Allocation, on_delete=models.PROTECT, related_name="unit_keys")

    class Meta(AppendOnly.Meta):
        constraints = [models.UniqueConstraint(fields=["trial", "key_hash"], name="unit_once_in_a_trial")]

    def __str__(self) -> str:
        return f"unit of {self.allocation}"


class DeviationKind(NamedChoices):
    """What did not go as it was allocated. The arm stays, and the unit is analysed as it was allocated."""

    BY_ACCIDENT = "by_accident", "Control contacted by accident"
    FOR_SAFETY = "for_safety", "Control contacted because safety called for it"
    NOT_DELIVERED = "not_delivered", "SRC not delivered"
    IN_ERROR = "in_error", "Allocated in error: the case was not eligible"
    WRONG_WARD = "wrong_ward", "Allocated in the wrong ward"
    REFERRED_FOR_SAFETY = "referred_for_safety", "Control referred because safety called for it"
    REFERRED_BY_WISH = "referred_by_wish", "Control referred because the victim asked for contact"
    FLAGGED = "flagged", "Control flagged as an SRC case"


# What says by itself that a control was contacted.
CONTROL_CONTACTED = (DeviationKind.BY_ACCIDENT, DeviationKind.FOR_SAFETY)
# Recorded with the referral of a control, which says whether the contact was made.
CONTROL_REFERRED = (DeviationKind.REFERRED_FOR_SAFETY, DeviationKind.REFERRED_BY_WISH)
# Of one arm alone.
OF_CONTROL = (*CONTROL_CONTACTED, *CONTROL_REFERRED, DeviationKind.FLAGGED)
OF_SRC = (DeviationKind.NOT_DELIVERED,)


class NotDelivered(NamedChoices):
    """Why SRC was not delivered."""

    NOT_REACHED = "not_reached", "The victim could not be reached"
    DECLINED = "declined", "The victim declined"
    UNSAFE = "unsafe", "Contact would have been unsafe"
    NO_OFFICER = "no_officer", "No officer was free"
    OVERLOOKED = "overlooked", "It was overlooked"
    RULED_OUT = "ruled_out", "The crime record ruled the case out"
    OTHER = "other", "Another reason, on the crime record"


class Deviation(AppendOnly):
    """A deviation of one allocation, as the HCOP records it; a mistake is withdrawn by a further row.

    ``ordered_by`` is rank and number of who ordered a contact for safety.
    """

    allocation = models.ForeignKey(Allocation, on_delete=models.PROTECT, related_name="deviations")
    kind = models.CharField(max_length=20, choices=DeviationKind.as_choices)
    why = models.CharField(max_length=20, choices=NotDelivered.as_choices, blank=True)
    ordered_by = models.CharField(max_length=60, blank=True)
    happened_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    withdraws = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="withdrawn_by")

    class Meta(AppendOnly.Meta):
        constraints = [
            *one_line("deviation", "ordered_by"),
            models.CheckConstraint(
                condition=Q(kind__in=DeviationKind.values), name="deviation_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(kind=DeviationKind.NOT_DELIVERED, why__in=NotDelivered.values)
                | (~Q(kind=DeviationKind.NOT_DELIVERED) & Q(why="")),
                name="deviation_says_why_src_was_not_delivered",
            ),
            models.CheckConstraint(
                condition=(Q(kind=DeviationKind.FOR_SAFETY) & ~Q(ordered_by=""))
                | (~Q(kind=DeviationKind.FOR_SAFETY) & Q(ordered_by="")),
                name="deviation_says_who_ordered_contact_for_safety",
            ),
        ]
        triggers = [
            *AppendOnly.Meta.triggers,
            refuse(
                name="of_its_arm",
                unless="""
                    NEW.kind IN ('in_error', 'wrong_ward') OR EXISTS (
                        SELECT FROM referrals_allocation
                        WHERE id = NEW.allocation_id
                            AND arm = CASE NEW.kind WHEN 'not_delivered' THEN 'src' ELSE 'control' END
                    )
                """,
            ),
            refuse(
                name="withdraws_its_like",
                unless="""
                    NEW.withdraws_id IS NULL OR EXISTS (
                        SELECT FROM referrals_deviation AS other
                        WHERE other.id = NEW.withdraws_id AND other.withdraws_id IS NULL
                            AND other.allocation_id = NEW.allocation_id AND other.kind = NEW.kind
                    )
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.allocation}"


class ControlCheck(AppendOnly):
    """That the crime record of a control unit was looked at, after its follow-up, for a contact."""

    allocation = models.OneToOneField(Allocation, on_delete=models.PROTECT, related_name="control_check")
    contacted = models.BooleanField()
    checked_at = models.DateTimeField()
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(AppendOnly.Meta):
        triggers = [
            *AppendOnly.Meta.triggers,
            refuse(
                name="of_a_control_unit",
                unless=read_sql("referrals/models/sql/of_a_control_unit.sql"),
            ),
        ]

    def __str__(self) -> str:
        return f"check of {self.allocation}"
