"""Telling the administrator of what is late."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction

from referrals.health.readers import health
from referrals.mail.outbox import queue
from referrals.models import Fault, MailKind
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.database import FAULTS_LOCK, wait_for_advisory_lock


def tell_of_faults(*, by: User, at: datetime) -> None:
    """Puts one message in the outbox for each thing that is newly late, and one for each that no longer is.

    Where mail itself is late, or the worker is away, nothing goes out: the page and /metrics say so.
    """
    check_authority(by, Permission.SEND_REMINDERS)
    if not settings.ADMIN_MAILBOX:
        return
    with transaction.atomic():
        # Two at a time would tell of each twice.
        wait_for_advisory_lock(FAULTS_LOCK)
        late = health(at=at).late()
        known = {fault.name: fault for fault in Fault.objects.filter(ended_at__isnull=True)}
        begun = [Fault(name=name, what=what, began_at=at) for name, what in late.items() if name not in known]
        Fault.objects.bulk_create(begun)
        ended = [fault for name, fault in known.items() if name not in late]
        for fault in ended:
            fault.ended_at = at
            fault.save(update_fields=["ended_at"])
        _tell(MailKind.FAULT, begun, by, at)
        _tell(MailKind.FAULT_OVER, ended, by, at)


def _tell(kind: MailKind, faults: Sequence[Fault], by: User, at: datetime) -> None:
    recipient = settings.ADMIN_MAILBOX
    for fault in faults:
        queue(kind=kind, fault=fault, recipient=recipient, unique_key=f"{kind}:{fault.pk}", at=at)
    if faults:
        record(
            Action.MAIL_QUEUED,
            by=by,
            purpose=Purpose.ADMINISTRATION,
            subject="fault",
            references=[fault.name for fault in faults],
            recipients=[recipient],
        )
