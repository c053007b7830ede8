"""An uploaded extract between upload and confirmation, and what came of it."""

import uuid

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q

from referrals.models.places import Bcu


class ImportStatus(models.TextChoices):
    """Where an import is."""

    WAITING = "waiting", "Waiting for confirmation"
    SAVED = "saved", "Saved"
    DISCARDED = "discarded", "Discarded"
    EXPIRED = "expired", "Not confirmed in time"


@pghistory.track(exclude=["content_encrypted"], model_name="CaseImportEvent")
class CaseImport(models.Model):
    """One extract. Its bytes are encrypted while it waits and gone once it is settled."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    key = models.UUIDField(unique=True, default=uuid.uuid4)
    bcu = models.ForeignKey(Bcu, on_delete=models.PROTECT, related_name="imports")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=ImportStatus.choices, default=ImportStatus.WAITING)
    content_encrypted = models.BinaryField(null=True)
    settled_at = models.DateTimeField(null=True)
    rows = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    status=ImportStatus.WAITING,
                    settled_at__isnull=True,
                    content_encrypted__isnull=False,
                )
                | Q(
                    ~Q(status=ImportStatus.WAITING),
                    settled_at__isnull=False,
                    content_encrypted__isnull=True,
                ),
                name="settled_import_keeps_no_content",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()}, {self.uploaded_at:%d %B %Y}"
