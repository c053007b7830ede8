"""The sweep of the outbox, beside a bare smtplib loop on one connection to the same mail server."""

import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import cycle, islice
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage

from bench.databases import Database
from bench.figures import Times
from bench.people import World
from referrals.mail.messages import message_of
from referrals.mail.outbox import deliver_waiting
from referrals.models import MailKind, Notification, Referral, ReferralStatus
from src_app.audit.record import acting

# The sweep is to send at least so much of what a bare loop sends in the same time.
LEAST_OF_BARE = 0.7
ROUNDS = 5
_CATCHER = "127.0.0.1"


def measure_mail(database: Database, world: World, messages: int) -> dict[str, Any]:
    """The sweep of so many due reminders, and a loop that sends as many copies of one of them.

    In rounds, the one after the other, to a server in a process of its own that keeps nothing.
    """
    database.use()
    Notification.objects.filter(sent_at=None).update(abandoned_at=world.now)
    swept, bare = Times(), Times()
    a_round = max(messages // ROUNDS, 1)
    with _mail_server() as port:
        for nth in range(ROUNDS):
            _make_due(a_round, nth, world)
            copy = message_of(Notification.objects.filter(sent_at=None, abandoned_at=None)[0])
            bare.time(partial(_send_bare, port, a_round, copy))
            swept.time(partial(_sweep_all, world))
    rate = 1 / swept.to(bare)
    return {
        "name": "mail",
        "rows": a_round * ROUNDS,
        "compared_with": "a bare smtplib loop on one connection",
        "milliseconds": {"sweep_and_send": swept.as_json(), "bare_loop": bare.as_json()},
        "messages_a_second": {
            "sweep_and_send": round(a_round / swept.middle),
            "bare_loop": round(a_round / bare.middle),
        },
        "ratios": {"sweep_rate_to_bare_rate": round(rate, 2)},
        "missed": f"{rate:.2f} of the rate of a bare loop, aim {LEAST_OF_BARE:g}"
        if rate < LEAST_OF_BARE
        else "",
    }


def _make_due(messages: int, nth: int, world: World) -> None:
    """Reminders of open referrals that wait, several of one referral where there are few."""
    opened = Referral.objects.filter(status=ReferralStatus.OPEN).select_related("team").order_by("pk")
    referrals = list(opened[:messages])
    at = world.now - timedelta(hours=1)
    Notification.objects.bulk_create(
        (
            Notification(
                unique_key=f"bench:{nth}:{number}",
                message_id=f"<bench.{nth}.{number}@{settings.MAIL_DOMAIN}>",
                kind=MailKind.OVERDUE,
                recipient=referral.team.mailbox,
                referral=referral,
                created_at=at,
                not_before=at,
            )
            for number, referral in enumerate(islice(cycle(referrals), messages))
        ),
        batch_size=2_000,
    )


def _sweep_all(world: World) -> None:
    system = world.people["system"]
    with acting("bench mail", by=system):
        while Notification.objects.filter(sent_at=None, abandoned_at=None).exists():
            deliver_waiting(by=system)


def _send_bare(port: int, messages: int, copy: EmailMessage) -> None:
    content = copy.message().as_bytes().replace(b"\n", b"\r\n")
    with smtplib.SMTP(_CATCHER, port) as server:
        for _ in range(messages):
            server.sendmail(copy.from_email, copy.to, content)


@contextmanager
def _mail_server() -> Iterator[int]:
    """A server that takes everything; mail goes there meanwhile."""
    address = ("--listen", f"{_CATCHER}:{settings.EMAIL_PORT}")
    sink = ("--class", "aiosmtpd.handlers.Sink")
    server = subprocess.Popen([sys.executable, "-m", "aiosmtpd", "--nosetuid", *address, *sink])  # noqa: S603
    try:
        _wait_for(settings.EMAIL_PORT)
        yield settings.EMAIL_PORT
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int) -> None:
    for _ in range(600):
        try:
            smtplib.SMTP(_CATCHER, port).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the mail server does not answer")
