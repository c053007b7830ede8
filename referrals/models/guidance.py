"""Briefings, who attended them, and the banner."""

import pghistory
from django.conf import settings
from django.db import models

from src_app.database import one_line


@pghistory.track()
class Briefing(models.Model):
    """A session in which people were told how the contact is made, and why."""

    title = models.CharField(max_length=100)
    held_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            *one_line("briefing", "title"),
            models.UniqueConstraint(fields=["held_on", "title"], name="briefing_once_a_day"),
        ]

    def __str__(self) -> str:
        return self.title


@pghistory.track()
class BriefingAttendance(models.Model):
    """Somebody was at a briefing; ``was_there`` is false where that was said by mistake."""

    briefing = models.ForeignKey(Briefing, on_delete=models.PROTECT, related_name="attendances")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    was_there = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["briefing", "user"], name="briefing_attended_once")]

    def __str__(self) -> str:
        return f"{self.user} at {self.briefing}"


@pghistory.track()
class Banner(models.Model):
    """A sentence on top of every page until ``ends_at``; the last that was set counts."""

    text = models.CharField(max_length=200)
    set_at = models.DateTimeField()
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            *one_line("banner", "text"),
            models.CheckConstraint(
                condition=models.Q(ends_at__gte=models.F("set_at")), name="banner_ends_not_before_it_is_set"
            ),
        ]

    def __str__(self) -> str:
        return self.text
