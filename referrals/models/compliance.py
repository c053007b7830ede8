"""Dated changes that a run chart starts anew from, goals of teams, and views that somebody has named."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from referrals.models.places import Bcu, Team
from src_app.database import AppendOnly, one_line


class NotedChange(AppendOnly):
    """Something that changed on a day, in a sentence, for a whole BCU or for one team."""

    happened_on = models.DateField()
    text = models.CharField(max_length=200)
    bcu = models.ForeignKey(Bcu, on_delete=models.PROTECT, null=True, related_name="noted_changes")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="noted_changes")
    noted_at = models.DateTimeField()
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(AppendOnly.Meta):
        constraints = [
            *one_line("noted_change", "text"),
            models.CheckConstraint(
                condition=Q(bcu__isnull=True, team__isnull=False) | Q(bcu__isnull=False, team__isnull=True),
                name="noted_change_of_a_bcu_or_a_team",
            ),
        ]

    def __str__(self) -> str:
        return self.text


class TeamGoal(AppendOnly):
    """The share contacted in time that a team wants to reach by a day; the last one counts."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="goals")
    percent = models.PositiveSmallIntegerField()
    by_day = models.DateField()
    set_at = models.DateTimeField()
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(AppendOnly.Meta):
        constraints = [
            models.CheckConstraint(condition=Q(percent__range=(1, 100)), name="goal_is_a_share"),
        ]

    def __str__(self) -> str:
        return f"{self.team}: {self.percent}% by {self.by_day}"


class SavedView(models.Model):
    """What an account asks of the compliance page, by the name it gave it; its own and nobody else's."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="saved_views")
    name = models.CharField(max_length=60)
    asked = models.CharField(max_length=300)

    class Meta:
        constraints = [
            *one_line("saved_view", "name", "asked"),
            models.UniqueConstraint(fields=["user", "name"], name="saved_view_by_one_name"),
        ]

    def __str__(self) -> str:
        return self.name
