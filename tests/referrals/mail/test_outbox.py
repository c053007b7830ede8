"""The outbox, against a real SMTP peer."""

import asyncio
import smtplib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import Message
from itertools import chain, repeat
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from aiosmtpd.controller import Controller
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from referrals.mail import claims, outbox
from referrals.mail.keys import call_back_key
from referrals.mail.messages import message_of
from referrals.mail.reminders import remind_due
from referrals.models import (
    CloseReason,
    FollowUpKind,
    MailKind,
    Notification,
    Referral,
    ReferralStatus,
    RefusingMailbox,
)
from referrals.tasks import deliver_mail, deliver_waiting_mail
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.audit.record import acting
from src_app.breaker import Breaker
from src_app.celery import app
from src_app.database import MAIL_SWEEP_LOCK
from tests.away import hanging
from tests.factories import (
    NOW,
    ContactAttemptFactory,
    FollowUpFactory,
    NotificationFactory,
    ReferralFactory,
    RefusingMailboxFactory,
    UserFactory,
)
from tests.patience import patience

MakeReferral = Callable[..., Referral]
HOUR = timedelta(hours=1)


@dataclass
class Peer:
    """An SMTP server that keeps what it accepts, and refuses or dawdles as often as it is told to."""

    accepted: list[Message] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refuse: int = 0
    slow: int = 0
    # What it answers of a recipient, and of a message with these words.
    unknown: dict[str, str] = field(default_factory=dict)
    disliked: dict[bytes, str] = field(default_factory=dict)
    tried: list[str] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, _: Any) -> str:  # noqa: N802
        self.tried.append(address)
        if address not in self.unknown:
            envelope.rcpt_tos.append(address)
        return self.unknown.get(address, "250 OK")

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refuse:
            self.refuse -= 1
            return "451 Busy, come back later"
        for words, answer in self.disliked.items():
            if words in envelope.content:
                return answer
        self.accepted.append(message_from_bytes(envelope.content))
        self.recipients += envelope.rcpt_tos
        if self.slow:
            self.slow -= 1
            await asyncio.sleep(patience(4))
        return "250 Accepted"


@pytest.fixture
def peer(settings: Settings) -> Iterator[Peer]:
    """Outgoing mail really goes there."""
    kept = Peer()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(kept, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "src_app.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    yield kept
    controller.stop()


@pytest.fixture
def waiting(make_referral: MakeReferral) -> Notification:
    """A message about a new referral that nobody has sent yet."""
    return NotificationFactory.create(referral=make_referral())


def test_a_message_reaches_the_teams_mailbox_under_its_fixed_id(
    waiting: Notification, peer: Peer, system: User, clock: time_machine.Traveller
) -> None:
    assert waiting.referral is not None
    assert outbox.deliver(notification_id=waiting.pk, by=system)
    [message] = peer.accepted
    assert peer.recipients == [waiting.referral.team.mailbox]
    assert message["Message-ID"] == waiting.message_id
    assert message["Subject"] == f"New referral {waiting.referral.number}, {waiting.referral.ward.name}"
    waiting.refresh_from_db()
    assert waiting.sent_at is not None
    assert waiting.claim_token is None
    entry = AuditEntry.objects.get(action=Action.MAIL_SENT)
    assert entry.recipients == [waiting.recipient]
    assert entry.references == [waiting.referral.number]


def test_a_domain_with_other_letters_gets_its_mail(waiting: Notification, peer: Peer, system: User) -> None:
    Notification.objects.update(recipient="abbey@küste.example")
    assert outbox.deliver(notification_id=waiting.pk, by=system)
    assert peer.recipients == ["abbey@xn--kste-0ra.example"]
    assert peer.accepted[0]["To"] == "abbey@xn--kste-0ra.example"


LEADS_TO = {
    MailKind.FOLLOW_UP: "/follow-ups/",
    MailKind.BARRED_METHOD: "/follow-ups/",
    MailKind.HANDED_ON: "/referrals/",
    MailKind.RING_AGAIN: "/referrals/",
}


@pytest.mark.parametrize(
    "kind",
    [
        kind.value
        for kind in MailKind
        if not kind.startswith(
            (
                *(
                    "trial_",
                    "access_",
                    "sign_in",
                    "address_",
                    "decision_",
                    "follow_ups",
                    "fault",
                    "mailbox_",
                    "place_",
                ),
                "digest_",
            )
        )
    ],
)
def test_a_message_holds_number_ward_and_link_and_nothing_of_the_victim(
    make_referral: MakeReferral, peer: Peer, system: User, clock: time_machine.Traveller, kind: str
) -> None:
    referral = make_referral(case__offence="Threats to kill", case__officer_in_case="PC 4242")
    mail = NotificationFactory.create(referral=referral, kind=kind)
    if kind.startswith("closed"):
        Referral.objects.filter(pk=referral.pk).update(
            status="closed", close_reason="cancelled", closed_at=referral.due_at, closed_by=system
        )
    if kind == MailKind.CALL_BACK:
        referral.call_back_at = referral.due_at
        referral.save(update_fields=["call_back_at"])
        mail.unique_key = call_back_key(referral)
        mail.save(update_fields=["unique_key"])
    if kind in (MailKind.RING_AGAIN, MailKind.RING_AGAIN_CHANGED):
        raised = {"attempt": None, "raised_at": NOW, "raised_by": system}
        FollowUpFactory.create(referral=referral, kind=FollowUpKind.RING_AGAIN_WISH, **raised)
    if kind in (MailKind.NOTE_RECORD, MailKind.OFFICER_IN_CASE):
        UserFactory.create(email=mail.recipient)
        contact = ContactAttemptFactory.create(referral=referral)
        mail.unique_key = f"{kind}:{contact.pk if kind == MailKind.NOTE_RECORD else contact.key}"
        mail.save(update_fields=["unique_key"])
    if kind == MailKind.GIVEN:
        holder = UserFactory.create(email=mail.recipient)
        Referral.objects.filter(pk=referral.pk).update(taken_by=holder, taken_at=referral.made_at)
    outbox.deliver(notification_id=mail.pk, by=system)
    body = str(peer.accepted[0])
    assert referral.number in body
    # Whoever had it before is not told the ward: it may tell where the victim stays now.
    assert (referral.ward.name in body) == (kind != MailKind.HANDED_ON)
    page = LEADS_TO.get(MailKind(kind), f"/referrals/{referral.number}/")
    assert f"{django_settings.SITE_URL}{page}\n" in body
    for secret in ("Threats", "PC 4242", referral.case.crime_reference, "ace"):
        assert secret not in body.replace("Reassurance", "").replace("reassurance", "")


@pytest.mark.parametrize(
    ("hours", "says"),
    [
        (5, "is due by 23 November 2026, 12:30pm."),
        (-5, "was due by 23 November 2026, 2:30am and is overdue."),
    ],
)
def test_a_reminder_asked_for_says_whether_the_time_has_passed(
    make_referral: MakeReferral, system: User, clock: time_machine.Traveller, hours: int, says: str
) -> None:
    referral = make_referral(made_at=NOW - 72 * HOUR, due_at=NOW + hours * HOUR)
    mail = NotificationFactory.create(referral=referral, kind=MailKind.CHASED)
    assert says in str(message_of(mail).body)


def test_a_message_is_sent_once(
    waiting: Notification, peer: Peer, system: User, clock: time_machine.Traveller
) -> None:
    assert [outbox.deliver(notification_id=waiting.pk, by=system) for _ in range(3)] == [True, False, False]
    assert len(peer.accepted) == 1


def test_a_refused_message_is_tried_again_later_under_the_same_id(
    waiting: Notification, peer: Peer, system: User, clock: time_machine.Traveller
) -> None:
    peer.refuse = 1
    assert not outbox.deliver(notification_id=waiting.pk, by=system)
    waiting.refresh_from_db()
    assert waiting.last_error == "SMTPDataError"
    assert waiting.not_before == NOW + timedelta(minutes=1)
    assert not outbox.deliver(notification_id=waiting.pk, by=system)
    clock.shift(timedelta(minutes=2))
    assert outbox.deliver(notification_id=waiting.pk, by=system)
    waiting.refresh_from_db()
    assert (waiting.attempts, waiting.possible_duplicate) == (2, False)
    assert [message["Message-ID"] for message in peer.accepted] == [waiting.message_id]


def test_a_mail_server_that_is_down_loses_nothing(
    waiting: Notification, settings: Settings, system: User, clock: time_machine.Traveller
) -> None:
    settings.EMAIL_BACKEND = "src_app.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    for _ in range(12):
        outbox.deliver(notification_id=waiting.pk, by=system)
        clock.shift(2 * HOUR)
    waiting.refresh_from_db()
    assert (waiting.attempts, waiting.abandoned_at, waiting.sent_at) == (12, None, None)
    assert waiting.not_before - NOW <= 24 * HOUR


def test_a_mail_server_too_slow_to_answer_may_get_a_message_twice_and_both_are_known(
    waiting: Notification, peer: Peer, system: User, settings: Settings, clock: time_machine.Traveller
) -> None:
    settings.EMAIL_TIMEOUT, peer.slow = patience(2), 1
    assert not outbox.deliver(notification_id=waiting.pk, by=system)
    clock.shift(timedelta(minutes=2))
    assert outbox.deliver(notification_id=waiting.pk, by=system)
    waiting.refresh_from_db()
    assert (waiting.attempts, waiting.possible_duplicate) == (2, True)
    assert {message["Message-ID"] for message in peer.accepted} == {waiting.message_id}


def test_a_message_that_cannot_be_written_holds_up_no_other(
    waiting: Notification, make_referral: MakeReferral, peer: Peer
) -> None:
    broken = NotificationFactory.create(
        referral=make_referral(), message_id="<two\nlines@example>", not_before=NOW - HOUR
    )
    deliver_waiting_mail()
    assert len(peer.accepted) == 1
    broken.refresh_from_db()
    assert broken.last_error == "BadHeaderError"


@pytest.fixture
def many(make_referral: MakeReferral) -> list[Notification]:
    """Messages that wait, the oldest first."""
    referral = make_referral()
    return [
        NotificationFactory.create(referral=referral, not_before=NOW - (5 - number) * HOUR)
        for number in range(5)
    ]


def _sent() -> int:
    return Notification.objects.filter(sent_at__isnull=False).count()


def test_a_mail_server_that_hangs_is_waited_for_once_in_a_sweep_and_by_no_new_message(
    many: list[Notification], peer: Peer, system: User, settings: Settings
) -> None:
    port = settings.EMAIL_PORT
    with hanging() as silent:
        settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = silent.port, 0.2
        deliver_waiting_mail()
        for _ in range(3):
            deliver_waiting_mail()
            deliver_mail(many[-1].pk)
        assert len(silent.callers) == 1
    # The others were not tried, so they do not wait longer than the server is away.
    assert list(Notification.objects.order_by("pk").values_list("attempts", flat=True)) == [1, 0, 0, 0, 0]
    settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = port, patience(10)
    outbox._MAIL_SERVER.worked()
    deliver_waiting_mail()
    assert _sent() == 4
    assert outbox.deliver(notification_id=many[0].pk, by=system, at=timezone.now() + HOUR)
    assert len(peer.accepted) == 5
    many[0].refresh_from_db()
    assert many[0].possible_duplicate


def test_a_sweep_that_takes_long_ends_and_the_next_goes_on(
    many: list[Notification], peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LONGEST_SWEEP", timedelta(0))
    deliver_waiting_mail()
    assert _sent() == 0
    monkeypatch.undo()
    deliver_waiting_mail()
    assert _sent() == len(peer.accepted) == 5


@pytest.mark.parametrize("refuse", [0, 99])
def test_a_sweep_ends_within_a_claim_and_gives_back_what_it_did_not_try(
    many: list[Notification], peer: Peer, monkeypatch: pytest.MonkeyPatch, refuse: int
) -> None:
    """Whatever the server answers: one that refuses each message slowly would hold up all others."""
    peer.refuse = refuse
    moments = chain([0.0, 0.0, 0.0], repeat(outbox.LONGEST_SWEEP.total_seconds() + 1))
    monkeypatch.setattr(outbox, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    deliver_waiting_mail()
    tried = Notification.objects.filter(attempts__gt=0)
    assert tried.count() == 1
    assert Notification.objects.filter(claim_token__isnull=False).count() == 0
    assert not Notification.objects.filter(possible_duplicate=True).exists()


def test_a_sweep_asks_the_database_no_more_for_more_messages(many: list[Notification], peer: Peer) -> None:
    deliver_waiting_mail()
    asked = []
    for more in (5, 30):
        NotificationFactory.create_batch(more, referral=many[0].referral)
        with CaptureQueriesContext(connection) as queries:
            deliver_waiting_mail()
        asked.append(len(queries))
    assert asked[0] == asked[1]
    assert len(peer.accepted) == AuditEntry.objects.filter(action=Action.MAIL_SENT).count() == 40


def test_what_went_out_is_noted_while_the_rest_is_sent(
    many: list[Notification], peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that little may come twice where the worker dies."""
    noted = []
    send = outbox._send

    def look_and_send(*args: Any) -> Exception | None:
        noted.append(_sent())
        return send(*args)

    monkeypatch.setattr(outbox, "_send", look_and_send)
    monkeypatch.setattr(outbox, "NOTED_AFTER", timedelta(0))
    deliver_waiting_mail()
    assert noted == [0, 1, 2, 3, 4]


def test_one_sweep_is_at_work_at_a_time(many: list[Notification], peer: Peer) -> None:
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MAIL_SWEEP_LOCK])
    deliver_waiting_mail()
    assert peer.accepted == []
    # Closing alone would give it back only when the server notices.
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [MAIL_SWEEP_LOCK])
    other.close()
    deliver_waiting_mail()
    assert len(peer.accepted) == 5


def test_after_an_outage_messages_that_cannot_go_hold_up_no_other(
    many: list[Notification], peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mail server was away, its rest is over, and the first to go are refused."""
    service = Breaker("the mail server", rest=3_600)
    service.failed(OSError())
    service.not_asked()
    monkeypatch.setattr(outbox, "_MAIL_SERVER", service)
    # The oldest is with another worker.
    Notification.objects.filter(pk=many[0].pk).update(
        claim_token=uuid4(), claimed_until=timezone.now() + HOUR
    )
    deliver_mail(many[0].pk)
    peer.refuse = 2
    deliver_waiting_mail()
    assert _sent() == 2


def test_a_refusal_of_one_message_holds_up_no_other(many: list[Notification], peer: Peer) -> None:
    peer.refuse = 1
    deliver_waiting_mail()
    assert _sent() == 4


def test_a_sweep_that_no_worker_came_to_is_dropped_before_the_next() -> None:
    for entry in app.conf.beat_schedule.values():
        if isinstance(entry["schedule"], float):
            assert entry["options"]["expires"] < entry["schedule"]


def _claimed(notification: Notification, at: datetime) -> list[Notification]:
    _, claimed = claims.claim(claims.waiting(at).filter(pk=notification.pk), at)
    return claimed


def test_what_a_dead_worker_left_is_sent_again_and_marked_a_possible_duplicate(
    waiting: Notification, peer: Peer, system: User, clock: time_machine.Traveller
) -> None:
    assert _claimed(waiting, NOW)  # and then its worker died
    assert not claims.waiting(NOW).exists()
    clock.shift(django_settings.MAIL_LEASE + timedelta(seconds=1))
    assert claims.waiting(NOW + django_settings.MAIL_LEASE + timedelta(seconds=1)).get() == waiting
    assert outbox.deliver(notification_id=waiting.pk, by=system)
    waiting.refresh_from_db()
    assert waiting.possible_duplicate
    assert peer.accepted[0]["Message-ID"] == waiting.message_id


def test_a_worker_that_lost_its_claim_does_not_mark_the_message_sent(
    waiting: Notification, system: User, clock: time_machine.Traveller
) -> None:
    late = _claimed(waiting, NOW)
    assert late
    _claimed(waiting, NOW + django_settings.MAIL_LEASE + HOUR)
    claims.mark_sent(late, system)
    waiting.refresh_from_db()
    assert waiting.sent_at is None


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_with_the_same_message_one_sends_it(
    waiting: Notification, peer: Peer, system: User
) -> None:
    together = threading.Barrier(4, timeout=patience(60))

    def work() -> None:
        together.wait()
        with acting("test thread", by=system):
            outbox.deliver(notification_id=waiting.pk, by=system)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(peer.accepted) == 1


def _due_in(hours: float, **fields: Any) -> Referral:
    return ReferralFactory.create(
        made_at=NOW - timedelta(hours=80), due_at=NOW + timedelta(hours=hours), **fields
    )


def _kinds() -> list[str]:
    return list(Notification.objects.order_by("pk").values_list("kind", flat=True))


def test_a_reminder_goes_out_a_day_before_and_another_when_overdue_each_once(system: User, db: None) -> None:
    referral = _due_in(30)
    for hours, expected in (
        (0, []),
        (5, []),
        (6, [MailKind.DUE_SOON]),
        (7, [MailKind.DUE_SOON]),
        (30, [MailKind.DUE_SOON]),  # whoever is contacted at the due time is contacted in time
        (30.001, [MailKind.DUE_SOON, MailKind.OVERDUE]),
        (31, [MailKind.DUE_SOON, MailKind.OVERDUE]),
        (500, [MailKind.DUE_SOON, MailKind.OVERDUE]),
    ):
        remind_due(by=system, at=NOW + timedelta(hours=hours))
        assert _kinds() == expected, f"after {hours} hours"
    assert set(Notification.objects.values_list("recipient", flat=True)) == {referral.team.mailbox}


def test_where_a_day_is_all_there_is_a_reminder_goes_out_at_half_of_it(system: User, db: None) -> None:
    ReferralFactory.create(made_at=NOW, due_at=NOW + timedelta(hours=24))
    assert remind_due(by=system, at=NOW + timedelta(hours=11, minutes=59)) == 0
    assert remind_due(by=system, at=NOW + timedelta(hours=12)) == 1


def test_a_referral_overdue_before_anybody_looked_gets_the_overdue_reminder_alone(
    system: User, db: None
) -> None:
    _due_in(-3)
    assert remind_due(by=system, at=NOW) == 1
    assert _kinds() == [MailKind.OVERDUE]


def test_whoever_has_it_is_reminded_too_where_their_account_has_an_address(
    make_referral: MakeReferral, officer: User, system: User
) -> None:
    User.objects.filter(pk=officer.pk).update(email="pc1001@example.police.uk")
    due = {"made_at": NOW - timedelta(days=5), "due_at": NOW - timedelta(hours=1)}
    mine = make_referral(taken_by=officer, taken_at=NOW - timedelta(days=1), **due)
    make_referral(**due)
    assert remind_due(by=system, at=NOW) == 2
    assert remind_due(by=system, at=NOW) == 0
    told = Notification.objects.filter(referral=mine).values_list("recipient", flat=True)
    assert set(told) == {mine.team.mailbox, "pc1001@example.police.uk"}
    assert Notification.objects.count() == 3


@pytest.mark.parametrize("kind", [MailKind.GIVEN, MailKind.OVERDUE])
@pytest.mark.parametrize("now_with", ["them", "a colleague", "nobody"])
def test_what_goes_to_a_person_goes_only_while_they_have_it(
    make_referral: MakeReferral,
    peer: Peer,
    officer: User,
    colleague: User,
    system: User,
    kind: MailKind,
    now_with: str,
) -> None:
    User.objects.filter(pk=officer.pk).update(email="pc1001@example.police.uk")
    holder = {"them": officer, "a colleague": colleague, "nobody": None}[now_with]
    referral = make_referral(taken_by=holder, taken_at=NOW if holder else None)
    mail = NotificationFactory.create(
        referral=referral, kind=kind, recipient="pc1001@example.police.uk", unique_key=f"{kind}:taker"
    )
    assert outbox.deliver(notification_id=mail.pk, by=system) is (now_with == "them")
    mail.refresh_from_db()
    assert (mail.abandoned_at is None) is (now_with == "them")
    told = AuditEntry.objects.filter(action=Action.MAIL_SENT).values_list("recipients", flat=True)
    assert list(told) == ([[]] if now_with == "them" else [])


@pytest.mark.parametrize("taken", [True, False])
def test_that_nobody_has_it_is_told_only_while_that_is_so(
    make_referral: MakeReferral, peer: Peer, officer: User, system: User, taken: bool
) -> None:
    referral = make_referral(taken_by=officer if taken else None, taken_at=NOW if taken else None)
    mail = NotificationFactory.create(referral=referral, kind=MailKind.HOLDER_AWAY)
    assert outbox.deliver(notification_id=mail.pk, by=system) is not taken


@pytest.mark.parametrize("ended", ["completed", "closed"])
def test_nothing_reminds_of_a_referral_that_has_ended(
    make_referral: MakeReferral, system: User, ended: str
) -> None:
    make_referral(**{ended: True})
    assert remind_due(by=system, at=NOW + timedelta(days=30)) == 0


def test_a_reminder_queued_before_completion_is_not_sent_after_it(
    peer: Peer, system: User, clock: time_machine.Traveller, db: None
) -> None:
    referral = _due_in(-1)
    remind_due(by=system, at=NOW)
    Referral.objects.filter(pk=referral.pk).update(
        status=ReferralStatus.CLOSED,
        close_reason=CloseReason.NO_REPLY,
        closed_at=NOW,
        closed_by=system,
    )
    mail = Notification.objects.get()
    assert not outbox.deliver(notification_id=mail.pk, by=system)
    mail.refresh_from_db()
    assert mail.abandoned_at == NOW
    assert peer.accepted == []


def test_an_officer_sends_no_reminders(officer: User) -> None:
    with pytest.raises(NotAllowed):
        remind_due(by=officer, at=NOW)


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_does_not_undo_what_was_saved(
    make_referral: MakeReferral, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr("src_app.task_queue.current_app.send_task", fail)
    referral = make_referral()
    with transaction.atomic():
        outbox.queue(
            kind=MailKind.REFERRAL_MADE, referral=referral, recipient="a@b.example", unique_key="k", at=NOW
        )
    assert claims.waiting(NOW).get() == Notification.objects.get()


def test_a_message_whose_cause_is_rolled_back_never_was(make_referral: MakeReferral) -> None:
    referral = make_referral()
    with transaction.atomic():
        outbox.queue(
            kind=MailKind.REFERRAL_MADE, referral=referral, recipient="a@b.example", unique_key="k", at=NOW
        )
        transaction.set_rollback(True)
    assert not Notification.objects.exists()


@pytest.mark.parametrize(
    ("only_to", "recipient", "is_sent"),
    [
        (["example.org"], "abbey@example.org", True),
        (["example.org"], "abbey@Teams.Example.org", True),
        (["example.org"], "abbey@notexample.org", False),
        (["abbey@example.org"], "abbey@example.org", True),
        (["abbey@example.org"], "balham@example.org", False),
        ([], "abbey@example.org", False),
    ],
)
def test_outside_production_mail_to_nobody_on_the_list_is_held_back_and_the_log_and_the_row_say_so(
    waiting: Notification,
    peer: Peer,
    system: User,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    only_to: list[str],
    recipient: str,
    is_sent: bool,
) -> None:
    settings.MAIL_ONLY_TO = only_to
    Notification.objects.update(recipient=recipient)
    assert outbox.deliver(notification_id=waiting.pk, by=system, at=NOW) is is_sent
    assert len(peer.accepted) == is_sent
    waiting.refresh_from_db()
    row = (waiting.abandoned_at, waiting.last_error)
    assert row == ((None, "") if is_sent else (NOW, claims.HELD_BACK))
    assert ("held back" in caplog.text) is not is_sent
    assert recipient not in caplog.text


@pytest.mark.parametrize("only_to", [[], ["example.org"]])
def test_in_production_everybody_gets_mail_unless_a_list_was_left_there(
    waiting: Notification, peer: Peer, system: User, settings: Settings, only_to: list[str]
) -> None:
    settings.PRODUCTION, settings.MAIL_ONLY_TO = True, only_to
    Notification.objects.update(recipient="abbey@force.police.uk")
    assert outbox.deliver(notification_id=waiting.pk, by=system) is not bool(only_to)


ABBEY, BALHAM = "abbey@example.org", "balham@example.org"


def _to(referral: Referral, recipient: str, **fields: Any) -> Notification:
    return NotificationFactory.create(referral=referral, recipient=recipient, created_at=NOW, **fields)


def _refusals() -> list[tuple[str, int]]:
    found = RefusingMailbox.objects.filter(ended_at=None).order_by("address")
    return list(found.values_list("address", "reply_code"))


def test_a_mailbox_refused_for_good_is_noted_at_once_and_tried_hourly_for_a_day_then_daily(
    waiting: Notification, peer: Peer, system: User, clock: time_machine.Traveller
) -> None:
    peer.unknown[waiting.recipient] = "550 No such user"
    tried_at = []
    for minutes in range(0, 6 * 24 * 60, 30):
        at = NOW + timedelta(minutes=minutes)
        before = len(peer.tried)
        outbox.deliver(notification_id=waiting.pk, by=system, at=at)
        if len(peer.tried) > before:
            tried_at.append(minutes // 60)
    assert tried_at == [*range(24), 24, 48, 72, 96, 120]
    (mailbox,) = RefusingMailbox.objects.all()
    assert (mailbox.address, mailbox.since, mailbox.reply_code) == (waiting.recipient, NOW, 550)
    assert mailbox.last_tried_at == NOW + 120 * HOUR
    waiting.refresh_from_db()
    assert (waiting.abandoned_at, waiting.possible_duplicate) == (None, False)


def test_of_what_waits_for_a_mailbox_that_refuses_one_is_tried_and_the_rest_is_left(
    many: list[Notification], peer: Peer, clock: time_machine.Traveller
) -> None:
    """New messages are tried once; then one of them says whether it still refuses."""
    address = many[0].recipient
    peer.unknown[address] = "550 No such user"
    deliver_waiting_mail()
    assert len(peer.tried) == 5
    for tries in (6, 7):
        clock.shift(3 * HOUR)
        deliver_waiting_mail()
        deliver_waiting_mail()
        assert len(peer.tried) == tries
    assert Notification.objects.filter(abandoned_at=None, sent_at=None).count() == 5


def test_a_mailbox_that_takes_mail_again_clears_itself_and_gets_at_once_what_waits(
    many: list[Notification], peer: Peer, system: User, clock: time_machine.Traveller
) -> None:
    assert many[0].referral is not None
    peer.unknown[many[0].recipient] = "550 No such user"
    deliver_waiting_mail()
    elsewhere = _to(many[0].referral, BALHAM, not_before=NOW + 5 * HOUR, attempts=1)
    peer.unknown.clear()
    clock.shift(timedelta(minutes=5))
    new = _to(many[0].referral, many[0].recipient, not_before=NOW)
    assert outbox.deliver(notification_id=new.pk, by=system)
    assert RefusingMailbox.objects.get().ended_at == NOW + timedelta(minutes=5)
    deliver_waiting_mail()
    assert len(peer.accepted) == 6
    elsewhere.refresh_from_db()
    assert elsewhere.not_before == NOW + 5 * HOUR


def test_where_the_server_refused_everybody_all_are_tried_again_once_one_is_taken(
    make_referral: MakeReferral, peer: Peer, system: User, clock: time_machine.Traveller
) -> None:
    referral = make_referral()
    long_since = RefusingMailboxFactory.create(address=ABBEY, since=NOW - 30 * HOUR)
    old = _to(referral, ABBEY, not_before=NOW + 5 * HOUR, attempts=9)
    addresses = [f"team{number}@example.police.uk" for number in range(3)]
    for address in addresses:
        peer.unknown[address] = "554 Relay denied"
        outbox.deliver(notification_id=_to(referral, address, not_before=NOW).pk, by=system)
        clock.shift(timedelta(minutes=10))
    peer.unknown.clear()
    # A new message is tried at once, and is taken.
    outbox.deliver(notification_id=_to(referral, addresses[1], not_before=NOW).pk, by=system)
    deliver_waiting_mail()
    assert sorted(peer.recipients) == sorted([*addresses, addresses[1]])
    assert _refusals() == [(ABBEY, long_since.reply_code)]
    old.refresh_from_db()
    assert old.not_before == NOW + 5 * HOUR


def test_a_mailbox_refused_for_a_while_is_tried_as_any_other_and_noted_the_second_time(
    waiting: Notification, peer: Peer, system: User, clock: time_machine.Traveller
) -> None:
    peer.unknown[waiting.recipient] = "452 Mailbox full"
    for minutes, known in ((0, []), (1, [(waiting.recipient, 452)]), (3, [(waiting.recipient, 452)])):
        at = NOW + timedelta(minutes=minutes)
        assert not outbox.deliver(notification_id=waiting.pk, by=system, at=at)
        assert _refusals() == known
    peer.unknown.clear()
    assert outbox.deliver(notification_id=waiting.pk, by=system, at=NOW + timedelta(minutes=7))
    assert _refusals() == []


@pytest.mark.parametrize("answer", ["554 Not taken", "552 Mailbox full"])
def test_what_is_refused_for_good_after_its_content_is_a_mailbox_that_refuses(
    waiting: Notification, peer: Peer, system: User, clock: time_machine.Traveller, answer: str
) -> None:
    peer.disliked[b"Subject"] = answer
    outbox.deliver(notification_id=waiting.pk, by=system)
    assert _refusals() == [(waiting.recipient, int(answer[:3]))]


def test_one_message_that_is_refused_where_others_are_taken_is_no_refusing_mailbox(
    make_referral: MakeReferral, peer: Peer, clock: time_machine.Traveller
) -> None:
    good, bad = make_referral(), make_referral()
    peer.disliked[bad.number.encode()] = "554 Looks like spam"
    disliked = _to(bad, ABBEY, not_before=NOW - HOUR)
    deliver_waiting_mail()
    assert _refusals() == [(ABBEY, 554)]
    clock.shift(timedelta(minutes=1))
    _to(good, ABBEY, not_before=NOW)
    deliver_waiting_mail()
    for _ in range(3):
        deliver_waiting_mail()
    assert _refusals() == []
    disliked.refresh_from_db()
    assert disliked.not_before == NOW + timedelta(minutes=1) + 24 * HOUR
    assert len(peer.accepted) == 1


def test_what_the_server_says_of_the_sender_is_no_mailboxs_refusal(
    waiting: Notification, peer: Peer, system: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise smtplib.SMTPSenderRefused(550, b"no", "us@example.org")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    outbox.deliver(notification_id=waiting.pk, by=system, at=NOW)
    assert _refusals() == []
    waiting.refresh_from_db()
    assert waiting.not_before == NOW + timedelta(minutes=1)
