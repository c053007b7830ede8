"""What of this system is late. Times and counts alone: nothing about a victim, a case or a referral."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import OuterRef, Subquery

from referrals.mail.readers import Outbox, RefusedMailbox, outbox, refused_mailboxes
from referrals.models import Bcu, CaseImport, ImportStatus, PlaceMove
from src_app.audit.models import Action, AuditEntry
from src_app.health.readers import HEARTBEAT, Task, tasks
from src_app.templatetags.words import spoken

MAIL_SWEEP = "referrals.tasks.deliver_waiting_mail"


@dataclass(frozen=True)
class Seen:
    """When something was last heard of. ``code``: of the BCU, or the name of the task that shows it."""

    what: str
    last_at: datetime | None
    is_late: bool
    code: str = ""


@dataclass(frozen=True)
class Health:
    """All that is known of how this system fares."""

    processes: list[Seen]
    tasks: list[Task]
    outbox: Outbox
    refused_mailboxes: list[RefusedMailbox]
    extracts: list[Seen]
    outcomes: Seen
    refused_moves: list[PlaceMove]

    def late(self) -> dict[str, str]:
        """What is late, in words, by a name that stays the same as long as it is."""
        return dict(self._late())

    def _late(self) -> Iterator[tuple[str, str]]:
        for process in self.processes:
            if process.is_late:
                yield f"task {process.code}", f"The heartbeat of {process.what.lower()}"
        for task in self.tasks:
            if task.is_late and task.run.name not in (HEARTBEAT, MAIL_SWEEP):
                yield f"task {task.run.name}", f"The task “{task_words(task)}”"
        if self.outbox.is_late:
            yield "outbox", "Mail that waits to be sent"
        if self.refused_mailboxes:
            yield "mailboxes", "Mail to mailboxes that refuse it"
        for extract in self.extracts:
            if extract.is_late:
                yield f"extract {extract.code}", f"The extract of {extract.what}"
        if self.outcomes.is_late:
            yield "outcomes", "The file of outcomes"
        for move in self.refused_moves:
            why = f"A move that was not carried out: {move}. {move.refused_because}"
            yield f"move {move.pk}", why[:200]


def health(*, at: datetime) -> Health:
    """How this system fares at that moment; seven queries, one more for each refused move."""
    found = tasks(at=at)
    return Health(
        processes=_processes(found),
        tasks=found,
        outbox=outbox(at=at),
        refused_mailboxes=refused_mailboxes(),
        extracts=extracts(at),
        outcomes=outcome_file(at),
        refused_moves=list(
            PlaceMove.objects.filter(PlaceMove.waits())
            .exclude(refused_because="")
            .select_related("from_team", "to_team")
            .order_by("pk")
        ),
    )


def task_words(task: Task) -> str:
    """``send reminders``: a task by what it does."""
    return spoken(task.run.name.rpartition(".")[2])


def _processes(found: list[Task]) -> list[Seen]:
    """Each is known by a task that only it, and beat, can have brought about."""
    by_name = {task.run.name: task for task in found}
    return [
        Seen(what, task.run.finished_at if task else None, task is None or task.is_late, name)
        for what, name in (("Beat and worker", HEARTBEAT), ("Beat and mail worker", MAIL_SWEEP))
        for task in [by_name.get(name)]
    ]


def extracts(at: datetime) -> list[Seen]:
    """The last extract that was saved of each BCU. One that never had any takes no part yet."""
    saved = CaseImport.objects.filter(bcu=OuterRef("pk"), status=ImportStatus.SAVED)
    last = saved.order_by("-uploaded_at", "-pk").values("uploaded_at")[:1]
    bcus = (
        Bcu.objects.annotate(last_at=Subquery(last)).order_by("name").values_list("name", "code", "last_at")
    )
    return [
        Seen(name, last_at, _is_over(last_at, settings.EXTRACT_LATE_AFTER, at), code)
        for name, code, last_at in bcus
    ]


def outcome_file(at: datetime) -> Seen:
    """The last file of outcomes, by the audit log: one that brought nothing new came all the same."""
    files = AuditEntry.objects.filter(action=Action.OUTCOMES_IMPORTED)
    last_at = files.order_by("-at", "-pk").values_list("at", flat=True).first()
    return Seen("Outcomes", last_at, _is_over(last_at, settings.OUTCOMES_LATE_AFTER, at))


def _is_over(last_at: datetime | None, limit: timedelta, at: datetime) -> bool:
    return last_at is not None and last_at + limit < at
