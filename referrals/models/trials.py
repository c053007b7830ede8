"""A trial from draft to reveal: what is agreed before it, who does each step, and who outside is told."""

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from referrals.models.places import Bcu, Mode
from referrals.rules.trial import seal
from referrals.rules.trial.allocation import MOST_UNITS, Design
from referrals.rules.trial.protocol import Conduct, conduct_of, design_of
from src_app.choices import NamedChoices
from src_app.database import AppendOnly, one_line, read_sql, refuse


class TrialStatus(NamedChoices):
    """Where a trial is in its life, in order; there is no way back."""

    DRAFT = "draft", "Draft"
    SEALED = "sealed", "Sealed"
    RECRUITING = "recruiting", "Recruiting"
    CLOSED = "closed", "Closed to recruitment"
    LOCKED = "locked", "Outcomes locked"
    REVEALED = "revealed", "Revealed"

    @classmethod
    def since(cls, status: "TrialStatus") -> list[str]:
        """The status and all after it."""
        return cls.values[cls.values.index(status) :]


STEPS = {
    TrialStatus.SEALED: "sealed",
    TrialStatus.RECRUITING: "opened",
    TrialStatus.CLOSED: "closed",
    TrialStatus.LOCKED: "locked",
    TrialStatus.REVEALED: "revealed",
}
_FROZEN = (
    "bcu_id",
    "name",
    "protocol",
    "commitment",
    "seed_encrypted",
    "proposed_at",
    "proposed_by_id",
)


def _pair(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(**{f"{name}_at__isnull": True, f"{name}_by__isnull": True})
        | Q(**{f"{name}_at__isnull": False, f"{name}_by__isnull": False}),
        name=f"trial_{name}_at_by",
    )


def _dated_since(status: TrialStatus, name: str) -> models.CheckConstraint:
    """The step has its date from that status on, and none before."""
    since = Q(status__in=TrialStatus.since(status))
    return models.CheckConstraint(
        condition=(since & Q(**{f"{name}_at__isnull": False})) | (~since & Q(**{f"{name}_at__isnull": True})),
        name=f"trial_{name}_since_{status.value}",
    )


def _goes_forward() -> str:
    """SQL: the next step or none, what is sealed unchanged, and no step's date changed once it is set."""
    order = "ARRAY[" + ", ".join(f"'{status}'" for status in TrialStatus.values) + "]"
    dated = [f"{name}_{part}" for name in STEPS.values() for part in ("at", "by_id")]
    dated += ["closed_because", "revealed_seed"]
    changed = [f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in _FROZEN]
    redated = [
        f"(coalesce(OLD.{column}::text, '') <> '' AND OLD.{column} IS DISTINCT FROM NEW.{column})"
        for column in dated
    ]
    return read_sql(
        "referrals/models/sql/goes_forward.sql",
        order=order,
        sealed_changed=" OR ".join(changed),
        set_before_changed=" OR ".join(redated),
    )


@pghistory.track(exclude=["seed_encrypted"], model_name="TrialEvent")
class Trial(models.Model):
    """A randomised trial of SRC against usual service.

    The 256-bit seed is encrypted under a key that is not in the database, until it is published as
    ``revealed_seed``. No list of allocations exists: an arm is derived from the seed when its position is
    taken. ``commitment`` binds protocol and seed: whoever noted it can tell later whether either was changed.
    """

    bcu = models.ForeignKey(Bcu, on_delete=models.PROTECT, related_name="trials")
    name = models.CharField(max_length=200, unique=True)
    status = models.CharField(max_length=20, choices=TrialStatus.as_choices, default=TrialStatus.DRAFT)
    protocol = models.JSONField(default=dict)
    commitment = models.CharField(max_length=64, blank=True)
    seed_encrypted = models.BinaryField(null=True)
    revealed_seed = models.CharField(max_length=64, blank=True)
    proposed_at = models.DateTimeField(null=True)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    sealed_at = models.DateTimeField(null=True)
    sealed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    opened_at = models.DateTimeField(null=True)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    closed_because = models.CharField(max_length=300, blank=True)
    locked_at = models.DateTimeField(null=True)
    locked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    revealed_at = models.DateTimeField(null=True)
    revealed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            *one_line("trial", "name", "closed_because"),
            models.CheckConstraint(condition=Q(status__in=TrialStatus.values), name="trial_status_is_known"),
            models.CheckConstraint(
                condition=Q(protocol__allocation__target__isnull=True)
                | Q(
                    protocol__allocation__target__gte=2,
                    protocol__allocation__target__lte=MOST_UNITS,
                ),
                name="trial_target_is_bounded",
            ),
            _pair("proposed"),
            *(_pair(name) for name in STEPS.values()),
            *(_dated_since(status, name) for status, name in STEPS.items()),
            models.CheckConstraint(
                condition=Q(sealed_at__isnull=True)
                | (Q(sealed_at__gte=F("proposed_at")) & ~Q(sealed_by=F("proposed_by"))),
                name="trial_is_sealed_by_another_than_proposed_it",
            ),
            models.CheckConstraint(
                condition=Q(opened_at__gte=F("sealed_at"))
                & Q(closed_at__gte=F("opened_at"))
                & Q(locked_at__gte=F("closed_at"))
                & Q(revealed_at__gte=F("locked_at")),
                name="trial_steps_follow_one_another",
            ),
            models.CheckConstraint(
                condition=Q(status=TrialStatus.DRAFT, seed_encrypted__isnull=True, commitment="")
                | (
                    ~Q(status=TrialStatus.DRAFT)
                    & Q(proposed_at__isnull=False, seed_encrypted__isnull=False)
                    & Q(commitment__regex="^[0-9a-f]{64}$")
                ),
                name="trial_is_sealed_with_a_seed",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_because="")
                | (Q(closed_at__isnull=False) & ~Q(closed_because="")),
                name="trial_closes_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(status=TrialStatus.REVEALED, revealed_seed__regex="^[0-9a-f]{64}$")
                | (~Q(status=TrialStatus.REVEALED) & Q(revealed_seed="")),
                name="trial_shows_its_seed_once_revealed",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="sealed_is_not_deleted",
                operation=pgtrigger.Delete,
                condition=~pgtrigger.Q(old__status=TrialStatus.DRAFT),
            ),
            pgtrigger.Protect(
                name="begins_as_a_draft",
                operation=pgtrigger.Insert,
                condition=~pgtrigger.Q(new__status=TrialStatus.DRAFT),
            ),
            pgtrigger.Trigger(
                name="goes_forward", when=pgtrigger.Before, operation=pgtrigger.Update, func=_goes_forward()
            ),
            refuse(
                name="sealed_with_every_approval",
                unless="""
                    NEW.status = 'draft'
                    OR (SELECT count(*) FROM referrals_approval WHERE trial_id = NEW.id) = 3
                    AND EXISTS (SELECT FROM referrals_registrar WHERE trial_id = NEW.id)
                """,
            ),
            refuse(
                name="locked_with_every_control_checked",
                unless=read_sql("referrals/models/sql/locked_with_every_control_checked.sql"),
            ),
            refuse(
                name="strand_as_assessed",
                unless=read_sql("referrals/models/sql/strand_as_assessed.sql"),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def design(self) -> Design:
        """How it allocates."""
        return design_of(self.protocol)

    @property
    def conduct(self) -> Conduct:
        """Whom it asks about, where, when, and how it is analysed."""
        return conduct_of(self.protocol)

    @property
    def stratified_by(self) -> str:
        """What of a case is its stratum; empty where there are none."""
        return str(self.protocol["stratified_by"])

    @property
    def protocol_digest(self) -> str:
        """What the protocol is known by."""
        return seal.protocol_digest(self.protocol)


def of_drafts_alone() -> list[pgtrigger.Trigger]:
    """Triggers that freeze rows of a trial once it is sealed: none is added, changed or taken away."""
    return [
        pgtrigger.Trigger(
            name="of_drafts_alone",
            when=pgtrigger.Before,
            operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
            func=read_sql("referrals/models/sql/of_drafts_alone.sql"),
        )
    ]


class ApprovalKind(NamedChoices):
    """What must be agreed before a trial can be sealed."""

    CHIEF_OFFICER = "chief_officer", "Chief officer"
    ETHICS = "ethics", "Ethics"
    DATA_PROTECTION = "data_protection", "Data protection assessment"


@pghistory.track(model_name="ApprovalEvent")
class Approval(models.Model):
    """An approval as it was given outside this system; frozen with the trial's seal.

    ``allows_strand``: the data protection assessment allows "race: yes or no" as a stratum.
    """

    trial = models.ForeignKey(Trial, on_delete=models.CASCADE, related_name="approvals")
    kind = models.CharField(max_length=20, choices=ApprovalKind.as_choices)
    reference = models.CharField(max_length=60)
    given_by = models.CharField(max_length=100)
    given_on = models.DateField()
    allows_strand = models.BooleanField(default=False)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            *one_line("approval", "reference", "given_by"),
            models.UniqueConstraint(fields=["trial", "kind"], name="approval_one_of_a_kind"),
            models.CheckConstraint(condition=Q(kind__in=ApprovalKind.values), name="approval_kind_is_known"),
            models.CheckConstraint(
                condition=~Q(reference="") & ~Q(given_by=""), name="approval_says_who_and_where"
            ),
            models.CheckConstraint(
                condition=Q(allows_strand=False) | Q(kind=ApprovalKind.DATA_PROTECTION),
                name="approval_of_a_strand_is_data_protections",
            ),
        ]
        triggers = of_drafts_alone()

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.reference}"


class Registrar(models.Model):
    """Somebody outside the force who keeps what the trial sends: commitment, heads, digests."""

    trial = models.ForeignKey(Trial, on_delete=models.CASCADE, related_name="registrars")
    name = models.CharField(max_length=100)
    email = models.EmailField()

    class Meta:
        constraints = [
            *one_line("registrar", "name"),
            models.UniqueConstraint(fields=["trial", "email"], name="registrar_once_in_a_trial"),
        ]
        triggers = of_drafts_alone()

    def __str__(self) -> str:
        return self.name


class Pause(models.Model):
    """Recruitment stopped for a while. ``meanwhile`` is the mode of the trial's wards as long as it lasts."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="pauses")
    reason = models.CharField(max_length=300)
    meanwhile = models.CharField(max_length=20, choices=Mode.as_choices)
    paused_at = models.DateTimeField()
    paused_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    resumed_at = models.DateTimeField(null=True)
    resumed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            *one_line("pause", "reason"),
            models.UniqueConstraint(
                fields=["trial"], name="pause_one_at_a_time", condition=Q(resumed_at__isnull=True)
            ),
            models.CheckConstraint(
                condition=Q(resumed_at__isnull=True, resumed_by__isnull=True)
                | Q(resumed_at__isnull=False, resumed_by__isnull=False),
                name="pause_resumed_at_by",
            ),
            models.CheckConstraint(
                condition=Q(resumed_at__isnull=True) | Q(resumed_at__gte=F("paused_at")),
                name="pause_ends_after_it_began",
            ),
            models.CheckConstraint(
                condition=Q(meanwhile__in=[Mode.SRC_FOR_ALL, Mode.NOT_STARTED]) & ~Q(reason=""),
                name="pause_says_why_and_what_meanwhile",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="is_not_deleted", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="ends_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__resumed_at__isnull=False)
                | pgtrigger.Q(old__reason__df=pgtrigger.F("new__reason"))
                | pgtrigger.Q(old__meanwhile__df=pgtrigger.F("new__meanwhile"))
                | pgtrigger.Q(old__paused_at__df=pgtrigger.F("new__paused_at"))
                | pgtrigger.Q(old__paused_by__df=pgtrigger.F("new__paused_by"))
                | pgtrigger.Q(old__trial__df=pgtrigger.F("new__trial")),
            ),
        ]

    def __str__(self) -> str:
        return f"pause of {self.trial}"


class NoticeKind(NamedChoices):
    """What registrars are told of."""

    SEALED = "trial_sealed", "Commitment"
    HEAD = "chain_head", "Head of the chain"
    LOCKED = "outcomes_locked", "Digest of the locked data set"
    REVEALED = "trial_revealed", "Seed"


class TrialNotice(AppendOnly):
    """What every registrar of a trial is sent, word for word: ``content`` is the file that goes with it."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=20, choices=NoticeKind.as_choices)
    on = models.DateField()
    content = models.JSONField()
    noticed_at = models.DateTimeField()
    noticed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(AppendOnly.Meta):
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=NoticeKind.values), name="trial_notice_kind_is_known")
        ]
        indexes = [models.Index(fields=["trial", "kind", "-id"], name="trial_notice_latest")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.trial}, {self.on}"
