"""The yearly look through who still needs an account."""

from django.conf import settings
from django.db import models

from src_app.choices import NamedChoices
from src_app.database import AppendOnly, together


class AccessReview(models.Model):
    """One look through all accounts: supervisors are asked about their teams. One is open at a time."""

    started_at = models.DateTimeField()
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=together("ended_at", "ended_by"), name="access_review_ended_by"),
            models.UniqueConstraint(
                fields=["ended_at"], nulls_distinct=False, name="access_review_one_is_open"
            ),
        ]

    def __str__(self) -> str:
        return f"access review {self.pk}"


class AccessAnswer(AppendOnly):
    """What a supervisor said of a person in a review; the latest counts."""

    class Said(NamedChoices):
        """Whether the account is still needed."""

        KEEP = "keep", "Still needed"
        CLOSE = "close", "Should be closed"

    review = models.ForeignKey(AccessReview, on_delete=models.PROTECT, related_name="answers")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    said = models.CharField(max_length=10, choices=Said.as_choices)
    answered_at = models.DateTimeField()
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"account {self.person_id}: {self.get_said_display()}"
