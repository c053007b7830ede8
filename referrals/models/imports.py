"""Extracts from the moment they arrive until they are settled, and what their headings mean."""

import uuid
from datetime import datetime

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from referrals.models.cases import Strand
from referrals.models.places import Bcu
from src_app.choices import NamedChoices
from src_app.database import one_line, refuse


class ImportStatus(NamedChoices):
    """Where an import is. The first four hold the file; the others are settled and do not."""

    READING = "reading", "Being read"
    MATCHING = "matching", "Waiting for its columns to be matched"
    WAITING = "waiting", "Waiting for confirmation"
    SAVING = "saving", "Being saved"
    SAVED = "saved", "Saved"
    DISCARDED = "discarded", "Discarded"
    EXPIRED = "expired", "Not confirmed in time"
    REFUSED = "refused", "Could not be read"


# A worker has something to do.
WORKING = (ImportStatus.READING, ImportStatus.SAVING)
HELD = (*WORKING, ImportStatus.MATCHING, ImportStatus.WAITING)


class ImportSource(NamedChoices):
    """How an extract arrived."""

    PAGE = "page", "Uploaded"
    FOLDER = "folder", "Found in the watched folder"


@pghistory.track(exclude=["report_encrypted", "attempts", "queued_at"], model_name="CaseImportEvent")
class CaseImport(models.Model):
    """One extract. Its bytes, and what is told of its rows, are encrypted while it is held and gone after.

    ``problem`` is one sentence for the person: why it was refused, or what has to be done first.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    key = models.UUIDField(unique=True, default=uuid.uuid4)
    bcu = models.ForeignKey(Bcu, on_delete=models.PROTECT, related_name="imports")
    source = models.CharField(max_length=10, choices=ImportSource.as_choices, default=ImportSource.PAGE)
    file_name = models.CharField(max_length=100, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    sheet = models.CharField(max_length=100, blank=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=ImportStatus.as_choices, default=ImportStatus.READING)
    problem = models.CharField(max_length=300, blank=True)
    report_encrypted = models.BinaryField(null=True)
    queued_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    seen = models.CharField(max_length=64, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    settled_at = models.DateTimeField(null=True)
    rows = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            *one_line("import", "file_name"),
            models.CheckConstraint(
                condition=Q(status__in=ImportStatus.values), name="import_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=HELD, settled_at__isnull=True)
                | Q(
                    ~Q(status__in=HELD),
                    Q(report_encrypted__isnull=True)
                    | Q(source=ImportSource.FOLDER, status=ImportStatus.SAVED),
                    settled_at__isnull=False,
                ),
                name="settled_import_keeps_no_report_but_of_the_unseen",
            ),
            models.CheckConstraint(
                condition=~Q(status=ImportStatus.SAVING) | Q(confirmed_by__isnull=False),
                name="import_is_saved_for_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["bcu", "-uploaded_at", "-id"], name="import_latest"),
            # For an account of several BCUs.
            models.Index(fields=["-uploaded_at", "-id"], name="import_latest_of_several"),
            models.Index(fields=["queued_at"], name="import_held", condition=Q(settled_at__isnull=True)),
        ]
        triggers = [
            refuse(
                name="settled_import_keeps_no_content",
                unless=f"""
                    NEW.status IN ({", ".join(f"'{status}'" for status in HELD)}) OR NOT EXISTS (
                        SELECT FROM referrals_heldpart WHERE extract_id = NEW.id AND kind = 'content'
                    )
                """,
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()}, {self.uploaded_at:%d %B %Y}"

    @property
    def working(self) -> bool:
        """Whether a worker has something to do."""
        return self.status in WORKING

    @property
    def found(self) -> bool:
        """Whether it was found in the watched folder."""
        return self.source == ImportSource.FOLDER

    @property
    def saved_unseen(self) -> bool:
        """Whether it is saved without anybody having looked at what becomes of its rows."""
        return self.found and self.confirmed_by_id == self.uploaded_by_id

    @property
    def kept_until(self) -> datetime:
        """When what is held is deleted at the latest."""
        return self.uploaded_at + settings.WAITING_EXTRACT_KEPT_FOR


class PartKind(NamedChoices):
    """What a held part is a part of."""

    CONTENT = "content", "The file itself"
    REJECTED = "rejected", "Its rejected rows, to be mended"


class HeldPart(models.Model):
    """A piece of a file that is held, encrypted; a whole file never has to be in memory."""

    extract = models.ForeignKey(CaseImport, on_delete=models.PROTECT, related_name="parts")
    kind = models.CharField(max_length=10, choices=PartKind.as_choices)
    number = models.PositiveIntegerField()
    body_encrypted = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["extract", "kind", "number"], name="held_part_once"),
        ]
        triggers = [
            refuse(
                name="no_content_of_what_is_settled",
                unless="""
                    NEW.kind <> 'content' OR EXISTS (
                        SELECT FROM referrals_caseimport WHERE id = NEW.extract_id AND settled_at IS NULL
                    )
                """,
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, part {self.number}"


@pghistory.track()
class HeadingMeaning(models.Model):
    """What a heading of one BCU's extracts means, as somebody said; no column means that it is not used.

    ``heading`` is its letters and digits alone.
    """

    bcu = models.ForeignKey(Bcu, on_delete=models.PROTECT, related_name="heading_meanings")
    heading = models.CharField(max_length=100)
    column = models.CharField(max_length=40, blank=True)
    said_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    said_at = models.DateTimeField()

    class Meta:
        constraints = [
            *one_line("heading_meaning", "heading"),
            models.UniqueConstraint(fields=["bcu", "heading"], name="heading_has_one_meaning"),
        ]

    def __str__(self) -> str:
        return f"{self.heading}: {self.column or 'not used'}"

    @classmethod
    def of(cls, bcu: Bcu) -> dict[str, str]:
        """Column by heading, for that BCU."""
        return dict(cls.objects.filter(bcu=bcu).values_list("heading", "column"))


@pghistory.track()
class StrandMeaning(models.Model):
    """Which strands a word of one BCU's extracts names, as somebody said; none: no monitored strand.

    ``word`` is its letters and digits alone.
    """

    bcu = models.ForeignKey(Bcu, on_delete=models.PROTECT, related_name="strand_meanings")
    word = models.CharField(max_length=50)
    strands = ArrayField(models.CharField(max_length=20, choices=Strand.as_choices), default=list)
    said_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    said_at = models.DateTimeField()

    class Meta:
        constraints = [
            *one_line("strand_meaning", "word"),
            models.UniqueConstraint(fields=["bcu", "word"], name="strand_word_has_one_meaning"),
            models.CheckConstraint(
                condition=Q(strands__contained_by=Strand.values), name="strand_meaning_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.word}: {', '.join(self.strands) or 'no strand'}"

    @classmethod
    def of(cls, bcu: Bcu) -> dict[str, list[str]]:
        """Strands by word, for that BCU."""
        return dict(cls.objects.filter(bcu=bcu).values_list("word", "strands"))
