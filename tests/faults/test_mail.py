"""The outbox under faults: what the mail server took is compared with the outbox row by row.

A real worker sends what waits in a real PostgreSQL, told by a real Redis, to a real SMTP server. Meanwhile
the mail server goes away, hangs, refuses for a while and for good, breaks off, and answers too late; the
worker is killed before, while and after a message is taken; the database drops every connection, the broker
is emptied, each sweep is asked for twice, and the clock is set on and back. Nothing may be lost, and nothing
may come twice that is not marked.

How fast anything is does not matter. Waiting times (a lease, an hour's rest) are cut short in the rows. A
restart of PostgreSQL is seen from outside: every connection breaks, and for a moment none is accepted.
``script/test --thorough`` runs the whole of it: 2,000 messages and more than 200 faults.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils import timezone
from environ import Env

from local.services.processes import free_port
from referrals.models import Notification, Referral, RefusingMailbox
from src_app.audit.models import Action, AuditEntry
from src_app.celery import app
from tests.away import Door, doors
from tests.factories import NotificationFactory
from tests.patience import patience
from tests.thorough import repeated

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("mail faults")]

ROOT = Path(__file__).resolve().parents[2]
MESSAGES, MAILBOXES = repeated(60, 2_000), repeated(6, 40)
# How often each of these happens to a message, and to a mailbox.
OF_A_MESSAGE = {
    "busy": repeated(3, 30),
    "disliked": repeated(1, 10),
    "breaks off": repeated(2, 30),
    "takes it and breaks off": repeated(2, 30),
    "takes it and answers too late": repeated(1, 20),
    "worker killed before": repeated(1, 10),
    "worker killed while": repeated(1, 10),
    "worker killed after": repeated(1, 10),
}
OF_A_MAILBOX = {"550 No such user": repeated(2, 30), "452 Mailbox full": repeated(2, 30)}
WORLDS_ROUNDS = repeated(1, 6)


@dataclass
class MailServer:
    """Keeps what it accepts, and does to each message what is planned for it, once for each attempt."""

    kill_workers: Callable[[], None]
    of_message: dict[str, list[str]] = field(default_factory=dict)
    of_mailbox: dict[str, list[str]] = field(default_factory=dict)
    accepted: list[tuple[str, str]] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, _: Any) -> str:  # noqa: N802
        if planned := self.of_mailbox.get(address):
            self.happened[planned[-1]] += 1
            return planned.pop()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        message_id = str(message_from_bytes(envelope.content)["Message-ID"])
        planned = self.of_message.get(message_id)
        fault = planned.pop() if planned else ""
        self.happened[fault] += 1
        if fault == "busy":
            return "451 Busy, come back later"
        if fault == "disliked":
            return "554 Not liked"
        if fault == "worker killed before":
            self.kill_workers()
        if fault in ("breaks off", "worker killed before"):
            server.transport.abort()
            return ""
        self.accepted.extend((message_id, recipient) for recipient in envelope.rcpt_tos)
        if fault == "worker killed while":
            self.kill_workers()
        if fault in ("takes it and breaks off", "worker killed while"):
            server.transport.abort()
        if fault == "takes it and answers too late":
            await asyncio.sleep(patience(3))
        if fault == "worker killed after":
            # The answer goes out first.
            asyncio.get_running_loop().call_later(0.002, self.kill_workers)
        return "250 Accepted"


class Workers:
    """Mail workers behind doors; a killed one is replaced when ``revive`` is called."""

    def __init__(self, env: dict[str, str], log: Path, number: int) -> None:
        self._env, self._log = env, log
        self.running: list[subprocess.Popen[bytes]] = []
        self._number = number

    def revive(self) -> bool:
        """Starts those that are missing; says whether any was."""
        self.running = [worker for worker in self.running if worker.poll() is None]
        missing = self._number - len(self.running)
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        for _ in range(missing):
            name = f"mailer{time.monotonic_ns()}@%h"
            command = [
                "celery",
                "-A",
                "tests.faults.hasty_mailer",
                "worker",
                "--queues",
                "mail",
                "--pool",
                "solo",
            ]
            with open(self._log, "ab") as log:
                self.running.append(
                    subprocess.Popen(
                        [sys.executable, "-m", *command, "--hostname", name, *quiet],
                        cwd=ROOT,
                        env=self._env,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                    )
                )
        return missing > 0

    def kill(self) -> None:
        """SIGKILL for all of them: each is one process."""
        for worker in self.running:
            worker.kill()

    def end(self) -> None:
        self.kill()
        for worker in self.running:
            worker.wait(patience(60))


@dataclass
class Scene:
    """The doors, the workers and the server."""

    database: Door
    mail: Door
    server: MailServer
    workers: Workers


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    connection.ensure_connection()
    info = connection.connection.info
    is_file = info.host.startswith("/")
    database_at = f"{info.host}/.s.PGSQL.{info.port}" if is_file else (info.host, info.port)
    runtime = Env.db_url_config(settings.DATABASE_URL)
    sign_in = ":".join(filter(None, (runtime["USER"], runtime["PASSWORD"])))
    port = free_port()
    with doors(database_at, ("127.0.0.1", port)) as (database, mail):
        env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": f"postgres://{sign_in}@127.0.0.1:{database.port}/{info.dbname}",
            "REDIS_URL": settings.REDIS_URL,
            "EMAIL_URL": f"smtp://127.0.0.1:{mail.port}",
        }
        workers = Workers(env, tmp_path / "workers.log", repeated(1, 2))
        server = MailServer(workers.kill)
        controller = Controller(server, hostname="127.0.0.1", port=port)
        controller.start()
        try:
            yield Scene(database, mail, server, workers)
        finally:
            workers.end()
            controller.stop()


def _plan(server: MailServer, messages: list[Notification]) -> None:
    random = Random(2_000)
    for faults, keys, plans in (
        (OF_A_MESSAGE, [message.message_id for message in messages], server.of_message),
        (OF_A_MAILBOX, sorted({message.recipient for message in messages}), server.of_mailbox),
    ):
        for fault, times in faults.items():
            for key in random.sample(keys, times):
                planned = plans.setdefault(key, [])
                # After this one the message may be sent, so it is the last to come.
                planned.insert(0 if fault == "worker killed after" else len(planned), fault)


def _worlds_faults(scene: Scene) -> list[Callable[[], None]]:
    """What happens to the world around the outbox, one at a time."""

    def empty_broker() -> None:
        with app.connection_for_write() as broker:
            broker.SimpleQueue("mail").clear()

    def restart_database() -> None:
        scene.database.refuse()
        time.sleep(0.5)
        scene.database.open()

    def mail_server_is(how: Callable[[], None]) -> Callable[[], None]:
        def away() -> None:
            how()
            time.sleep(0.5)
            scene.mail.open()

        return away

    def set_clock(by: timedelta) -> Callable[[], None]:
        """A clock that is set on makes leases and rests end early, and one that is set back late."""

        def shift() -> None:
            unsent = Notification.objects.filter(sent_at=None)
            unsent.update(not_before=F("not_before") - by, claimed_until=F("claimed_until") - by)
            RefusingMailbox.objects.update(next_try_at=F("next_try_at") - by)

        return shift

    hour = timedelta(hours=1)
    return [
        empty_broker,
        restart_database,
        mail_server_is(scene.mail.refuse),
        mail_server_is(scene.mail.hang),
        set_clock(hour),
        set_clock(-hour),
    ] * WORLDS_ROUNDS


def _time_passes(*, also_leases: bool) -> None:
    """What rests may be tried again; a lease runs out where its worker is gone, or nothing else is left."""
    now = timezone.now()
    RefusingMailbox.objects.update(next_try_at=now)
    unsent = Notification.objects.filter(sent_at=None)
    unsent.filter(claim_token=None).update(not_before=now)
    if also_leases:
        unsent.filter(claim_token__isnull=False).update(claimed_until=now)


def _send_all(scene: Scene, world: list[Callable[[], None]]) -> None:
    """Until everything is sent. The world's faults are spread over the sending."""
    unsent = Notification.objects.filter(sent_at=None)
    planned = len(world)
    ends_at = time.monotonic() + patience(1_800)
    idle = 0
    while left := unsent.count():
        assert time.monotonic() < ends_at, f"{left} messages are still not sent"
        was_killed = scene.workers.revive()
        idle = 0 if unsent.filter(claim_token=None).exists() else idle + 1
        _time_passes(also_leases=was_killed or idle > 20)
        for _ in ("beat", "another beat"):
            app.send_task("referrals.tasks.deliver_waiting_mail", queue="mail", expires=5)
        if world and (MESSAGES - left) * (planned + 1) >= (planned - len(world) + 1) * MESSAGES:
            world.pop()()
        time.sleep(0.25)


def test_under_faults_nothing_is_lost_and_nothing_comes_twice_unmarked(
    scene: Scene, make_referral: Callable[..., Referral]
) -> None:
    referral, at = make_referral(), timezone.now()
    messages = [
        NotificationFactory.create(
            referral=referral,
            recipient=f"team{number % MAILBOXES}@example.org",
            created_at=at,
            unique_key=f"faults:{number}",
        )
        for number in range(MESSAGES)
    ]
    _plan(scene.server, messages)
    world = _worlds_faults(scene)
    of_the_world = len(world)
    _send_all(scene, world)
    scene.workers.end()

    assert world == []
    happened = {fault: times for fault, times in scene.server.happened.items() if fault}
    assert happened.keys() == {*OF_A_MESSAGE, *OF_A_MAILBOX}
    assert of_the_world + sum(happened.values()) >= repeated(20, 200)
    _holds_row_by_row(scene.server.accepted)
    assert not RefusingMailbox.objects.filter(ended_at=None).exists()


def _holds_row_by_row(accepted: list[tuple[str, str]]) -> None:
    copies = Counter(accepted)
    rows = {(row.message_id, row.recipient): row for row in Notification.objects.all()}
    assert len(rows) == MESSAGES
    assert copies.keys() == rows.keys(), "lost, or sent to somebody else"
    for key, row in rows.items():
        assert row.sent_at is not None
        assert row.abandoned_at is None
        assert 1 <= copies[key] <= row.attempts, row
        assert copies[key] == 1 or row.possible_duplicate, row
    assert AuditEntry.objects.filter(action=Action.MAIL_SENT).count() == MESSAGES
