"""A trial, and the arm each of its cases is in for ever."""

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from referrals.models.cases import Case, Submission
from referrals.models.places import Bcu
from referrals.rules import seal
from referrals.rules.allocation import Arm as RuleArm
from referrals.rules.allocation import Design
from referrals.rules.protocol import design_of
from src_app.database import AppendOnly, refuse


class Arm(models.TextChoices):
    """The two arms of the trial."""

    SRC = RuleArm.SRC.value, "SRC"
    CONTROL = RuleArm.CONTROL.value, "Usual service (control)"


class TrialStatus(models.TextChoices):
    """Where a trial is in its life; there is no way back."""

    DRAFT = "draft", "Draft"
    RECRUITING = "recruiting", "Recruiting"


@pghistory.track(exclude=["seed_encrypted"], model_name="TrialEvent")
class Trial(models.Model):
    """A randomised trial of SRC against usual service.

    The 256-bit seed is encrypted under a key that is not in the database. No list of allocations exists: an
    arm is derived from the seed when its position is taken. ``commitment`` binds protocol and seed: whoever
    noted it can tell later whether either was changed.
    """

    bcu = models.ForeignKey(Bcu, on_delete=models.PROTECT, related_name="trials")
    name = models.CharField(max_length=200, unique=True)
    status = models.CharField(max_length=20, choices=TrialStatus.choices, default=TrialStatus.DRAFT)
    protocol = models.JSONField(default=dict)
    commitment = models.CharField(max_length=64, blank=True)
    seed_encrypted = models.BinaryField(null=True)
    opened_at = models.DateTimeField(null=True)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=TrialStatus.values), name="trial_status_is_known"),
            models.CheckConstraint(
                condition=Q(opened_at__isnull=True, opened_by__isnull=True)
                | Q(opened_at__isnull=False, opened_by__isnull=False),
                name="trial_opened_at_by",
            ),
            models.CheckConstraint(
                condition=Q(status=TrialStatus.DRAFT)
                | Q(
                    seed_encrypted__isnull=False, opened_at__isnull=False, commitment__regex="^[0-9a-f]{64}$"
                ),
                name="trial_recruits_from_a_seed",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="open_is_not_deleted",
                operation=pgtrigger.Delete,
                condition=~pgtrigger.Q(old__status=TrialStatus.DRAFT),
            ),
            pgtrigger.Protect(
                name="open_is_frozen",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__status=TrialStatus.DRAFT)
                & (
                    pgtrigger.Q(old__bcu__df=pgtrigger.F("new__bcu"))
                    | pgtrigger.Q(old__name__df=pgtrigger.F("new__name"))
                    | pgtrigger.Q(old__protocol__df=pgtrigger.F("new__protocol"))
                    | pgtrigger.Q(old__commitment__df=pgtrigger.F("new__commitment"))
                    | pgtrigger.Q(old__seed_encrypted__df=pgtrigger.F("new__seed_encrypted"))
                    | pgtrigger.Q(new__status=TrialStatus.DRAFT)
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def design(self) -> Design:
        """How it allocates."""
        return design_of(self.protocol)

    @property
    def stratified_by(self) -> str:
        """What of a case is its stratum; empty where there are none."""
        return str(self.protocol["stratified_by"])

    @property
    def protocol_digest(self) -> str:
        """What the protocol is known by."""
        return seal.protocol_digest(self.protocol)


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
    arm = models.CharField(max_length=10, choices=Arm.choices)
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
        triggers = [
            *AppendOnly.Meta.triggers,
            refuse(
                name="follows_the_first",
                unless="""
                    NEW.follows_id IS NULL OR EXISTS (
                        SELECT FROM referrals_allocation AS first
                        WHERE first.id = NEW.follows_id AND first.follows_id IS NULL
                            AND first.trial_id = NEW.trial_id AND first.arm = NEW.arm
                            AND first.unit = NEW.unit
                    )
                """,
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
