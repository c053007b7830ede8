"""Outgoing mail, written in the transaction that causes it and delivered afterwards."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from referrals.models.places import MailboxTest, PlaceMove, Team
from referrals.models.referrals import Referral
from referrals.models.trials import Trial, TrialNotice
from src_app.choices import NamedChoices
from src_app.database import one_line, together


class MailKind(NamedChoices):
    """What a message is about; its words are in ``templates/mail``."""

    REFERRAL_MADE = "referral_made", "New referral"
    DUE_SOON = "due_soon", "Due soon"
    OVERDUE = "overdue", "Overdue"
    CHASED = "chased", "Reminder asked for"
    CALL_BACK = "call_back", "The victim asked to be called back"
    FOLLOW_UP = "follow_up", "Something came up that somebody must act on"
    OFFICER_IN_CASE = "officer_in_case", "Something came up about a case of the officer"
    NOTE_RECORD = "note_record", "Not noted on the crime record yet"
    FOLLOW_UPS_LATE = "follow_ups_late", "Nobody deals with follow-ups"
    BARRED_METHOD = "barred_method", "A barred way of contact was used"
    REFERRAL_CHANGED = "referral_changed", "Something changed on an open referral"
    CLOSED_BY_RECORD = "closed_by_record", "Closed by the crime record"
    CLOSED_BY_HCOP = "closed_by_hcop", "Closed by the hate crime officer"
    REOPENED = "reopened", "Open again"
    HANDED_TO = "handed_to", "Handed over to this team"
    HANDED_ON = "handed_on", "Handed over to another team"
    GIVEN = "given", "Given to an officer"
    RING_AGAIN = "ring_again", "The victim is to be rung again"
    RING_AGAIN_CHANGED = "ring_again_changed", "Something changed before the victim is rung again"
    RING_NO_MORE = "ring_no_more", "The victim is not to be rung again after all"
    HOLDER_AWAY = "holder_away", "Nobody has it: whoever had it is away"
    TRIAL_NOTICE = "trial_notice", "What a registrar keeps of a trial"
    TRIAL_PROPOSED = "trial_proposed", "A trial waits to be sealed"
    ACCESS_REVIEW = "access_review", "Who of the team still needs an account"
    SIGN_IN_RESET = "sign_in_reset", "The sign-in was reset"
    ADDRESS_CHANGED = "address_changed", "The e-mail address was changed"
    DECISION_LATE = "decision_late", "Reports wait too long for a decision"
    MAILBOX_TEST = "mailbox_test", "Does this mailbox get its mail?"
    PLACE_MOVE = "place_move", "Wards or a team go to another team"
    FAULT = "fault", "Something of this system is late"
    FAULT_OVER = "fault_over", "Something of this system is no longer late"
    DIGEST_MORNING = "digest_morning", "What waits this morning"
    DIGEST_WEEK = "digest_week", "How the last week went"


# What names nothing: whose it is and when it was queued say all of it.
_OF_NOTHING = (
    MailKind.ACCESS_REVIEW,
    MailKind.SIGN_IN_RESET,
    MailKind.ADDRESS_CHANGED,
    MailKind.DECISION_LATE,
    MailKind.FOLLOW_UPS_LATE,
)
_OF_NO_REFERRAL = (
    *_OF_NOTHING,
    MailKind.TRIAL_NOTICE,
    MailKind.TRIAL_PROPOSED,
    MailKind.MAILBOX_TEST,
    MailKind.PLACE_MOVE,
    MailKind.FAULT,
    MailKind.FAULT_OVER,
    MailKind.DIGEST_MORNING,
    MailKind.DIGEST_WEEK,
)


def _about(*names: str) -> Q:
    """The condition that a message names these and nothing else."""
    condition = Q()
    for name in ("referral", "trial_notice", "trial", "mailbox_test", "place_move", "fault", "digest"):
        condition &= Q(**{f"{name}__isnull": name not in names})
    return condition


class Fault(models.Model):
    """Something of this system that was late: the administrator is told when it begins and when it is over.

    ``name`` stays the same as long as it is late; ``what`` says it in words.
    """

    name = models.CharField(max_length=120)
    what = models.CharField(max_length=200)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            *one_line("fault", "name", "what"),
            models.UniqueConstraint(
                fields=["name"], name="fault_open_once", condition=Q(ended_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.what


class RefusingMailbox(models.Model):
    """An address that the mail server refuses: for good (5xx), or for a while (4xx) and more than once.

    ``next_try_at``: before it nothing that was tried already is sent there again.
    """

    address = models.EmailField()
    since = models.DateTimeField()
    last_tried_at = models.DateTimeField()
    next_try_at = models.DateTimeField()
    reply_code = models.PositiveSmallIntegerField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["address"], name="refusing_mailbox_open_once", condition=Q(ended_at__isnull=True)
            ),
            models.CheckConstraint(
                condition=Q(reply_code__gte=400, reply_code__lte=599), name="refusing_mailbox_reply_code"
            ),
        ]

    def __str__(self) -> str:
        return self.address


class DigestKind(NamedChoices):
    """What somebody may choose to be sent regularly."""

    MORNING = "morning", "Each weekday morning: what waits"
    WEEK = "week", "Each Monday: how the last week went"


class DigestChoice(models.Model):
    """That a person, or a supervisor for a team's mailbox, chose a digest; it holds until it ends."""

    kind = models.CharField(max_length=20, choices=DigestKind.as_choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="digest_choices"
    )
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="digest_choices")
    chosen_at = models.DateTimeField()
    chosen_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=True, team__isnull=False) | Q(user__isnull=False, team__isnull=True),
                name="digest_choice_of_a_person_or_a_team",
            ),
            models.CheckConstraint(
                condition=together("ended_at", "ended_by"), name="digest_choice_ended_at_by"
            ),
            models.UniqueConstraint(
                fields=["kind", "user"], name="digest_choice_once", condition=Q(ended_at__isnull=True)
            ),
            models.UniqueConstraint(
                fields=["kind", "team"], name="digest_choice_once_a_team", condition=Q(ended_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user or self.team}"


class Digest(models.Model):
    """The numbers of one digest, as they were when it was written. Of no use after ``until``."""

    choice = models.ForeignKey(DigestChoice, on_delete=models.PROTECT, related_name="digests")
    on = models.DateField()
    until = models.DateTimeField()
    numbers = models.JSONField()
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["choice", "on"], name="digest_once_a_day")]

    def __str__(self) -> str:
        return f"{self.choice}, {self.on}"


class Notification(models.Model):
    """One message to one recipient, sent once: ``unique_key`` forbids its twin.

    A worker claims it with a token and a lease; an expired lease with an attempt behind it is sent again
    under the same Message-ID and marked a possible duplicate. ``trial``: one that was proposed; empty again
    where its draft is deleted.
    """

    unique_key = models.CharField(max_length=120, unique=True)
    message_id = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=20, choices=MailKind.as_choices)
    recipient = models.EmailField()
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, null=True, related_name="notifications")
    trial_notice = models.ForeignKey(
        TrialNotice, on_delete=models.PROTECT, null=True, related_name="notifications"
    )
    trial = models.ForeignKey(Trial, on_delete=models.SET_NULL, null=True, related_name="+")
    fault = models.ForeignKey(Fault, on_delete=models.PROTECT, null=True, related_name="notifications")
    mailbox_test = models.ForeignKey(
        MailboxTest, on_delete=models.PROTECT, null=True, related_name="notifications"
    )
    place_move = models.ForeignKey(
        PlaceMove, on_delete=models.PROTECT, null=True, related_name="notifications"
    )
    digest = models.ForeignKey(Digest, on_delete=models.PROTECT, null=True, related_name="notifications")
    created_at = models.DateTimeField()
    not_before = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    claim_token = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    possible_duplicate = models.BooleanField(default=False)
    sent_at = models.DateTimeField(null=True)
    abandoned_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(
                    (Q(kind=MailKind.TRIAL_NOTICE) & _about("trial_notice"))
                    | (Q(kind=MailKind.TRIAL_PROPOSED) & (_about("trial") | _about()))
                    | (Q(kind__in=_OF_NOTHING) & _about())
                    | (Q(kind=MailKind.MAILBOX_TEST) & _about("mailbox_test"))
                    | (Q(kind=MailKind.PLACE_MOVE) & _about("place_move"))
                    | (Q(kind__in=[MailKind.FAULT, MailKind.FAULT_OVER]) & _about("fault"))
                    | (Q(kind__in=[MailKind.DIGEST_MORNING, MailKind.DIGEST_WEEK]) & _about("digest"))
                    | (~Q(kind__in=_OF_NO_REFERRAL) & _about("referral"))
                ),
                name="notification_is_about_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(claim_token__isnull=True, claimed_until__isnull=True)
                | Q(claim_token__isnull=False, claimed_until__isnull=False),
                name="notification_claim_token_until",
            ),
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True) | Q(abandoned_at__isnull=True),
                name="notification_sent_or_abandoned",
            ),
        ]
        indexes = [
            models.Index(
                fields=["not_before", "id"],
                name="notification_waiting",
                condition=Q(sent_at__isnull=True, abandoned_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return self.unique_key
