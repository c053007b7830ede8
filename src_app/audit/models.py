"""The audit log: who saw and changed what, when, for what purpose and from where.

Data Protection Act 2018, section 62. It holds identifiers and names of fields, never values, so that erasing
a record does not live on in its log; and it serves lawfulness, self-monitoring, security and criminal
proceedings only: nothing may read it to measure anybody's work.
"""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from src_app.choices import NamedChoices
from src_app.database import AppendOnly


class Action(NamedChoices):
    """What was done. The first word is the thing, the second what became of it."""

    SIGNED_IN = "signed in", "Signed in"
    SIGNED_OUT = "signed out", "Signed out"
    SIGN_IN_FAILED = "sign-in failed", "Sign-in failed"
    SECOND_FACTOR_FAILED = "second factor failed", "Second factor failed"
    SECOND_FACTOR_SET = "second factor set", "Second factor or recovery codes set"
    SECOND_FACTOR_REMOVED = "second factor removed", "Second factor or recovery codes removed"
    PASSWORD_CHANGED = "password changed", "Password changed"
    ACCOUNT_MADE = "account made", "Account made"
    ACCOUNT_CHANGED = "account changed", "Account changed"
    ACCOUNT_CLOSED = "account closed", "Account closed"
    ACCOUNT_REOPENED = "account reopened", "Account open again"
    SIGN_IN_RESET = "sign-in reset", "Password and second factor reset"
    ACCESS_REVIEW_STARTED = "access review started", "Access review started"
    ACCESS_CONFIRMED = "access confirmed", "Said who still needs an account"
    ACCESS_REVIEW_ENDED = "access review ended", "Access review ended"
    MEMBERSHIP_MADE = "membership made", "Put in a team or BCU"
    MEMBERSHIP_ENDED = "membership ended", "Taken out of a team or BCU"
    LEAVE_SET = "leave set", "Leave set or ended"
    BRIEFING_RECORDED = "briefing recorded", "Said who was at a briefing"
    CHANGE_NOTED = "change noted", "Dated change noted for the run chart"
    GOAL_SET = "goal set", "Goal of a team set"
    VIEW_SAVED = "view saved", "View of compliance saved or removed"
    BANNER_SET = "banner set", "Banner set or taken off"
    DIGESTS_CHOSEN = "digests chosen", "Digests by e-mail chosen or ended"
    LIST_SHOWN = "list shown", "List or page shown"
    SEARCHED = "searched", "Searched"
    CASE_OPENED = "case opened", "Case opened"
    REFERRAL_OPENED = "referral opened", "Referral opened"
    DOWNLOADED = "downloaded", "Downloaded"
    EXTRACT_UPLOADED = "extract uploaded", "Extract uploaded"
    EXTRACT_CONFIRMED = "extract confirmed", "Extract confirmed for saving"
    EXTRACT_DISCARDED = "extract discarded", "Extract discarded"
    HEADINGS_MATCHED = "headings matched", "Headings of extracts matched"
    CASES_IMPORTED = "cases imported", "Cases imported"
    OUTCOMES_IMPORTED = "outcomes imported", "Outcomes imported"
    DECISION_DRAFTED = "decision drafted", "Decision drafted"
    DECISION_CLEARED = "decision cleared", "Decision cleared"
    RESTRICTIONS_SET = "restrictions set", "Restrictions set"
    QUESTIONS_ANSWERED = "questions answered", "Questions answered"
    DECISIONS_SUBMITTED = "decisions submitted", "Decisions submitted"
    CASES_ALLOCATED = "cases allocated", "Cases allocated"
    REFERRALS_MADE = "referrals made", "Referrals made"
    FLAGS_CONFIRMED = "flags confirmed", "Flags confirmed"
    FLAGS_REMOVED = "flags removed", "Flags removed"
    FLAGS_COMPARED = "flags compared", "Flags compared with a list"
    FLAGS_UNDONE = "flags undone", "Flags confirmed or removed by mistake"
    CRIME_RECORD_CHANGED = "crime record changed", "Crime record ruled a case out, or in again"
    REFERRAL_CHANGED = "referral changed", "Change of an open referral noticed"
    CHANGE_READ = "change read", "Change of a referral read"
    DECISION_REOPENED = "decision reopened", "Submitted decision taken back"
    FOUND_NOT_SUITABLE = "found not suitable", "Case found not suitable after it was allocated or referred"
    REFERRAL_HANDED_OVER = "referral handed over", "Referral handed over to another team"
    REFERRAL_REOPENED = "referral reopened", "Referral open again"
    REFERRAL_TAKEN = "referral taken", "Referral taken"
    REFERRAL_GIVEN = "referral given", "Referral given to an officer"
    REFERRAL_RETURNED = "referral returned", "Referral returned"
    ATTEMPT_LOGGED = "attempt logged", "Contact attempt logged"
    ATTEMPT_WITHDRAWN = "attempt withdrawn", "Contact attempt withdrawn"
    ATTEMPT_SETTLED = "attempt settled", "What a contact attempt left to do is done"
    REFERRAL_COMPLETED = "referral completed", "Referral completed"
    SAFETY_DECIDED = "safety decided", "Decided whether another way of contact is safe"
    REFERRAL_CLOSED = "referral closed", "Referral closed without contact"
    FOLLOW_UP_RAISED = "follow-up raised", "Follow-up raised"
    FOLLOW_UP_ACKNOWLEDGED = "follow-up acknowledged", "Follow-up acknowledged"
    FOLLOW_UP_RETURNED = "follow-up returned", "Follow-up is nobody's again"
    FOLLOW_UP_DONE = "follow-up done", "Follow-up done"
    FOLLOW_UP_UNDONE = "follow-up undone", "Follow-up said to be done by mistake"
    MAIL_QUEUED = "mail queued", "Mail queued"
    MAIL_SENT = "mail sent", "Mail sent"
    RATES_COMPUTED = "rates computed", "Rates computed"
    TRIAL_DRAFTED = "trial drafted", "Draft of a trial saved"
    TRIAL_DELETED = "trial deleted", "Draft of a trial deleted"
    TRIAL_APPROVED = "trial approved", "Approval of a trial recorded"
    REGISTRARS_NAMED = "registrars named", "Registrars of a trial named"
    TRIAL_PROPOSED = "trial proposed", "Trial proposed for sealing"
    TRIAL_SEALED = "trial sealed", "Trial sealed"
    TRIAL_OPENED = "trial opened", "Trial opened"
    TRIAL_PAUSED = "trial paused", "Recruitment paused"
    TRIAL_RESUMED = "trial resumed", "Recruitment resumed"
    TRIAL_CLOSED = "trial closed", "Trial closed to recruitment"
    TRIAL_LOCKED = "trial locked", "Outcomes of a trial locked"
    DATA_SET_CORRECTED = "data set corrected", "Corrected data set of a trial made"
    LOOK_OPENED = "look opened", "Groups of a trial compared before the lock"
    TRIAL_REVEALED = "trial revealed", "Trial revealed"
    REGISTRARS_TOLD = "registrars told", "Registrars of a trial told"
    DEVIATION_RECORDED = "deviation recorded", "Deviation in a trial recorded"
    DEVIATION_WITHDRAWN = "deviation withdrawn", "Deviation in a trial withdrawn"
    CONTROLS_CHECKED = "controls checked", "Controls checked for contact"
    WARD_MODE_SET = "ward mode set", "Ward's mode set"
    DEADLINES_SET = "deadlines set", "Deadlines of a BCU set"
    HOLIDAY_ADDED = "holiday added", "Bank holiday added"
    CLOCK_STOPPED = "clock stopped", "Clock of a referral stopped"
    CLOCK_WENT_ON = "clock went on", "Clock of a referral went on before its time"
    WARD_CHANGED = "ward changed", "Ward's name or code changed"
    WARDS_MOVED = "wards moved", "Wards moved to another team"
    MOVE_PLANNED = "move planned", "Move of wards or of a team planned"
    MOVE_DROPPED = "move dropped", "Planned move of wards or of a team dropped"
    TEAM_ADDED = "team added", "Team added"
    TEAM_CHANGED = "team changed", "Team's name or mailbox changed"
    TEAM_CLOSED = "team closed", "Team closed"
    TEAM_MERGED = "team merged", "Team merged into another"
    MAILBOX_TESTED = "mailbox tested", "Test mail to a team's mailbox asked for"
    MAILBOX_CONFIRMED = "mailbox confirmed", "Test mail to a team's mailbox confirmed"
    REFERENCE_DATA_LOADED = "reference data loaded", "Reference data loaded"


_ACTION_LABELS = dict(Action.choices)


class Purpose(NamedChoices):
    """Why, taken from the page or task, never typed."""

    REVIEW = "review", "Overnight review"
    CONTACT = "contact", "Reassurance contact"
    SUPERVISION = "supervision", "Supervision of contact"
    EVALUATION = "evaluation", "Evaluation of the practice"
    INTAKE = "intake", "Intake of reports and outcomes"
    AUDIT = "audit", "Audit"
    ADMINISTRATION = "administration", "Administration"
    SECURITY = "security", "Security of the system"


class AuditEntry(AppendOnly):
    """One act of one account. ``references`` are crime references and referral numbers, at most 1,000.

    ``rows``: how many a downloaded file, or a list of flags, held; of one with more references each of its
    entries says so.
    """

    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    action = models.CharField(max_length=40, choices=Action.as_choices)
    purpose = models.CharField(max_length=20, choices=Purpose.as_choices)
    subject = models.CharField(max_length=40)
    references = ArrayField(models.CharField(max_length=60), default=list)
    fields = ArrayField(models.CharField(max_length=60), default=list)
    recipients = ArrayField(models.CharField(max_length=254), default=list)
    rows = models.PositiveIntegerField(null=True)
    origin = models.CharField(max_length=100)
    address = models.GenericIPAddressField(null=True)
    request_id = models.UUIDField()

    class Meta(AppendOnly.Meta):
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_latest"),
            models.Index(fields=["actor", "-at", "-id"], name="audit_actor_latest"),
            models.Index(fields=["action", "-at", "-id"], name="audit_action_latest"),
            models.Index(fields=["purpose", "-at", "-id"], name="audit_purpose_latest"),
            GinIndex(fields=["references"], name="audit_references"),
            models.Index(fields=["request_id"], name="audit_request"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action}"

    def get_action_display(self) -> str:
        """The act in words. Looked up: Django goes through the whole list, for every row of a page."""
        return _ACTION_LABELS.get(self.action, self.action)
