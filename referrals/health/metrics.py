"""The same for a monitor: gauges in Prometheus' text form, read from the database at each request.

So they are right whichever process of the web server answers. No label names a person.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import Count, Q
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from referrals.health.readers import health
from referrals.models import Referral, ReferralStatus


def metrics(*, at: datetime) -> bytes:
    """How this system fares at that moment; seven queries."""
    registry = CollectorRegistry()
    found = health(at=at)

    def say(name: str, told: str, values: Mapping[str, float], label: str = "") -> None:
        gauge = Gauge(f"reassurance_{name}", told, [label] if label else [], registry=registry)
        for value_of, value in values.items():
            (gauge.labels(value_of) if label else gauge).set(value)

    def ages(times: Iterable[tuple[str, datetime | None]]) -> dict[str, float]:
        return {name: (at - time).total_seconds() for name, time in times if time is not None}

    outbox = found.outbox
    say(
        "outbox_waiting",
        "Messages that wait to be sent to mailboxes that do not refuse.",
        {"": outbox.waiting},
    )
    say("outbox_failed", "Of these, how many failed at their last attempt.", {"": outbox.failed})
    oldest = ages([("", outbox.oldest_at)]) or {"": 0.0}
    say("outbox_oldest_age_seconds", "Age of the oldest of them; 0 where none waits.", oldest)
    refused = len(found.refused_mailboxes)
    say("refused_mailboxes", "Mailboxes that the mail server refuses.", {"": refused})
    finished = ages((task.run.name, task.run.finished_at) for task in found.tasks)
    say("task_last_finish_age_seconds", "Since a task last finished.", finished, "task")
    late = {task.run.name: float(task.is_late) for task in found.tasks}
    say("task_late", "1 where a task is late.", late, "task")
    extracts = ages((extract.code, extract.last_at) for extract in found.extracts)
    say("extract_age_seconds", "Since the last extract of a BCU came that was saved.", extracts, "bcu")
    outcomes = ages([("", found.outcomes.last_at)])
    if outcomes:
        say("outcomes_age_seconds", "Since the last file of outcomes came.", outcomes)
    for name, number in _referrals(at).items():
        say(f"referrals_{name}", f"Referrals that are {name}.", {"": number})
    return generate_latest(registry)


def _referrals(at: datetime) -> dict[str, int]:
    opened = Referral.objects.filter(status=ReferralStatus.OPEN)
    return opened.aggregate(open=Count("pk"), overdue=Count("pk", filter=Q(due_at__lt=at)))
