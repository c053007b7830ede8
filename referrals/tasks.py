"""What Celery does for referrals. Tasks take ids, may run twice, and act as this system."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from referrals.contact.actions import absence
from referrals.deadlines import actions as deadlines
from referrals.digests import actions as digests
from referrals.health import actions as health
from referrals.intake.held.holding import delete_expired_extracts as delete_expired
from referrals.intake.held.work import resume_work, work
from referrals.intake.watched import folder
from referrals.mail import outbox, reminders
from referrals.teams.actions import moves
from referrals.trial.actions import life, power, registry
from src_app.accounts.models import User
from src_app.audit.record import acting


@shared_task
def deliver_mail(notification_id: int) -> None:
    """Sends one message of the outbox."""
    system = User.objects.system()
    with acting("task deliver_mail", by=system):
        outbox.deliver_new(notification_id=notification_id, by=system)


@shared_task
def deliver_waiting_mail() -> None:
    """The sweep: sends what a dead worker, a lost task or a mail server that was away left in the outbox."""
    system = User.objects.system()
    with acting("task deliver_waiting_mail", by=system):
        outbox.deliver_waiting(by=system)


@shared_task
def send_reminders() -> None:
    """Queues the reminders that are due now, and tells inspectors of reports that wait too long."""
    system = User.objects.system()
    with acting("task send_reminders", by=system):
        reminders.remind_due(by=system, at=timezone.now())
        reminders.remind_of_call_backs(by=system, at=timezone.now())
        reminders.remind_of_notes(by=system, at=timezone.now())
        reminders.tell_of_late_decisions(by=system, at=timezone.now())
        reminders.tell_of_late_follow_ups(by=system, at=timezone.now())


@shared_task
def recount_due_times() -> None:
    """The sweep: what was referred without a bank holiday that is known now is due later."""
    system = User.objects.system()
    with acting("task recount_due_times", by=system):
        deadlines.recount_due_times(by=system, at=timezone.now())


@shared_task
def send_digests() -> None:
    """Queues the digests of this morning and of the last week, for whoever chose them."""
    system = User.objects.system()
    with acting("task send_digests", by=system):
        digests.send_digests(by=system, at=timezone.now())


@shared_task
def tell_of_faults() -> None:
    """The administrator hears of what is late, and of what no longer is."""
    system = User.objects.system()
    with acting("task tell_of_faults", by=system):
        health.tell_of_faults(by=system, at=timezone.now())


@shared_task
def return_work() -> None:
    """The sweep: what people have who are on leave, or have left, goes back to its team."""
    system = User.objects.system()
    with acting("task return_work", by=system):
        absence.return_work(by=system, at=timezone.now())


@shared_task
def carry_out_moves() -> None:
    """The sweep: wards and teams that go to another team from today on."""
    system = User.objects.system()
    with acting("task carry_out_moves", by=system):
        moves.carry_out_moves(by=system, at=timezone.now())


@shared_task
def work_on_extract(import_id: str) -> None:
    """Reads or saves a long extract, for whoever uploaded or confirmed it."""
    with acting("task work_on_extract", by=User.objects.system()):
        work(import_id=UUID(import_id), at=timezone.now())


@shared_task
def take_extracts() -> None:
    """Takes the finished files of the watched folder."""
    system = User.objects.system()
    with acting("task take_extracts", by=system):
        folder.take_extracts(by=system, at=timezone.now())


@shared_task
def resume_extracts() -> None:
    """The sweep: extracts that a dead worker or a lost task left."""
    system = User.objects.system()
    with acting("task resume_extracts", by=system):
        resume_work(by=system, at=timezone.now())


@shared_task
def delete_expired_extracts() -> None:
    """Extracts nobody confirmed are gone after a day."""
    system = User.objects.system()
    with acting("task delete_expired_extracts", by=system):
        delete_expired(by=system, at=timezone.now())


@shared_task
def send_heads() -> None:
    """The day's head of each trial's chain goes to its registrars."""
    system = User.objects.system()
    with acting("task send_heads", by=system):
        registry.send_heads(by=system, at=timezone.now())


@shared_task
def work_out_power(asked_by: int) -> None:
    """What the design could find that this account asked about last."""
    with acting("task work_out_power", by=User.objects.system()):
        power.work_out_power(asked_by=asked_by)


@shared_task
def close_ended_trials() -> None:
    """Trials whose last day of recruitment is over recruit no more."""
    system = User.objects.system()
    with acting("task close_ended_trials", by=system):
        life.close_ended(by=system, at=timezone.now())
