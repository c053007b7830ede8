"""When each kind of task last ran."""

from django.db import models


class TaskRun(models.Model):
    """The last runs of the tasks of one name. ``error`` is the class of the last failure, and nothing more.

    ``known_since``: when it was first planned or run, so that one that never ran can be late.
    """

    name = models.CharField(max_length=100, primary_key=True)
    known_since = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=100, blank=True)

    def __str__(self) -> str:
        return self.name
