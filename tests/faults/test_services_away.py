"""Broker, mail server and database are taken away one by one while people work: nothing is lost or doubled.

The real web server, workers, beat and SMTP peer run against the test's database. Each reaches the others
through a door that the test shuts.
"""

import logging
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from functools import partial
from http import HTTPStatus
from http.client import HTTPException
from http.cookiejar import CookieJar
from itertools import islice
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from environ import Env

from local.services.processes import addresses, free_port, processes
from referrals.models import Case, ContactAttempt, MailKind, Notification, Referral, Submission
from src_app.accounts.models import User
from tests.away import Door, doors
from tests.conftest import World
from tests.factories import PASSWORD, CaseFactory, ReferralFactory
from tests.patience import patience
from tests.process_tree import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

log = logging.getLogger(__name__)

# So many cases are decided and so many contacts logged with one service away, and in all.
TASKS = 3
ALL_TASKS = 8 * TASKS
# Seconds that no request takes, whatever is away, and half of them do not: one wait for a broker took six.
AT_MOST, MOSTLY = 45, 4
FIELD = re.compile(r'<input type="hidden"\s+name="([^"]+)"\s+value="([^"]*)"')


class Answer(NamedTuple):
    """What somebody saw: a status, 0 where there was no answer, in how many seconds."""

    status: int
    text: str
    seconds: float

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The hidden fields of its last form that has a key, or of the last one."""
        forms = [FIELD.findall(form) for form in self.text.split("<form")[1:]]
        keyed = [form for form in forms if "key" in dict(form)]
        return (keyed or forms or [[]])[-1]

    @property
    def token(self) -> str:
        fields: dict[str, str] = dict(FIELD.findall(self.text))
        return fields.get("csrfmiddlewaretoken", "")


class Browser:
    """Asks as a browser does, with cookies, and keeps what it was answered."""

    def __init__(self, site: str, seen: list[Answer]) -> None:
        self.site, self.seen = site, seen
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def ask(self, path: str, fields: list[tuple[str, str]] | None = None) -> Answer:
        content = None if fields is None else urllib.parse.urlencode(fields).encode()
        began, status, text = time.monotonic(), 0, ""
        try:
            with self._opener.open(self.site + path, content, timeout=patience(120)) as response:
                status, text = response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read().decode(errors="replace")
        except (OSError, HTTPException):
            pass
        answer = Answer(status, text, time.monotonic() - began)
        self.seen.append(answer)
        return answer

    def signs_in(self, username: str) -> bool:
        page = self.ask(reverse("account_login"))
        given = [("csrfmiddlewaretoken", page.token), ("login", username), ("password", PASSWORD)]
        return "Sign out" in self.ask(reverse("account_login"), given).text


class People:
    """An officer who logs contact, an HCOP who decides and submits, and somebody who signs in."""

    def __init__(self, site: str, referrals: Iterable[Referral], cases: Iterable[Case]) -> None:
        self.site = site
        self.seen: list[Answer] = []
        self.officer, self.hcop = Browser(site, self.seen), Browser(site, self.seen)
        self.referrals, self.cases = iter(referrals), iter(cases)
        self.submitted: list[Case] = []

    def sign_in(self) -> None:
        """As officer and HCOP; fails the test where one cannot."""
        assert self.officer.signs_in("officer")
        assert self.hcop.signs_in("hcop")

    def tasks(self) -> list[Callable[[], bool]]:
        """What they do at the same time, until they are told that it is done; each says whether it is."""
        referrals, cases = list(islice(self.referrals, TASKS)), list(islice(self.cases, TASKS))
        return [
            lambda: all(_until_told(partial(self._log, each)) for each in referrals),
            lambda: all(_until_told(partial(self._decide, each)) for each in cases),
            lambda: _until_told(lambda: Browser(self.site, self.seen).signs_in("officer")),
        ]

    def _log(self, referral: Referral) -> bool:
        """Opens the form and saves it, with one key until it is told that it is saved."""
        path = reverse("log_contact", args=[referral.number])
        form = self.officer.ask(path).fields
        given = [*form, ("method", "telephone"), ("result", "contact_made")]
        return bool(form) and _until_told(
            lambda: "contact made. There is nothing more" in self.officer.ask(path, given).text
        )

    def _decide(self, case: Case) -> bool:
        """Marks one case suitable, checks and submits it; looks first, and says whether it is submitted."""
        review, mark = self.hcop.ask(reverse("overnight_review")), reverse("mark_suitable", args=[case.pk])
        if review.status != HTTPStatus.OK:
            return False
        if mark not in review.text:
            self.submitted.append(case)
            return True
        marked = [("csrfmiddlewaretoken", review.token), ("version", "")]
        self.hcop.ask(mark, marked)
        check = self.hcop.ask(reverse("check_decisions"))
        if case.crime_reference in check.text:
            self.hcop.ask(reverse("submit_decisions"), check.fields)
        return False


def _until_told(do: Callable[[], bool]) -> bool:
    ends_at = time.monotonic() + patience(240)
    while not do():
        if time.monotonic() > ends_at:
            return False
        time.sleep(0.2)
    return True


class Site(NamedTuple):
    """Where it answers, the doors behind it, and where mail arrives."""

    address: str
    redis: Door
    database: Door
    mail_server: Door
    mail: Path


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The whole system behind doors."""
    (tmp_path / "log").mkdir()
    port, mail_port = free_port(), free_port()
    redis_at, number = _redis()
    connection.ensure_connection()
    database = connection.connection.info
    is_file = database.host.startswith("/")
    database_at = f"{database.host}/.s.PGSQL.{database.port}" if is_file else (database.host, database.port)
    with doors(redis_at, database_at, ("127.0.0.1", mail_port)) as (to_redis, to_database, to_mail):
        runtime = Env.db_url_config(settings.DATABASE_URL)
        sign_in = ":".join(filter(None, (runtime["USER"], runtime["PASSWORD"])))
        env = {
            **os.environ,
            **addresses(port, to_mail.port),
            "DATABASE_URL": f"postgres://{sign_in}@127.0.0.1:{to_database.port}/{database.dbname}",
            "REDIS_URL": f"redis://127.0.0.1:{to_redis.port}/{number}",
        }
        with processes(tmp_path, env, port=port, mail_port=mail_port) as running:
            running.wait_until_answering()
            yield Site(f"http://127.0.0.1:{port}", to_redis, to_database, to_mail, tmp_path / "mail" / "new")
            running.raise_if_one_ended()


def _redis() -> tuple[tuple[str, int] | str, str]:
    """Where this test's Redis is, and the number of its database."""
    url = urlsplit(settings.REDIS_URL)
    if url.scheme == "unix":
        return url.path, url.query.removeprefix("db=")
    return (url.hostname or "127.0.0.1", url.port or 6379), url.path.strip("/")


@pytest.fixture
def people(site: Site, world: World, officer: User, hcop: User) -> People:
    """They have signed in, and have enough to do."""
    # Hashed as it is where the project serves; tests hash in another way.
    hashed = PBKDF2PasswordHasher().encode(PASSWORD, "salt" * 4, 10_000)
    User.objects.filter(pk__in=(officer.pk, hcop.pk)).update(password=hashed)
    at, ward = timezone.now(), world.wards[0]
    found = People(
        site.address,
        ReferralFactory.create_batch(ALL_TASKS, case__ward=ward, made_at=at),
        CaseFactory.create_batch(ALL_TASKS, ward=ward, reported_at=at),
    )
    found.sign_in()
    return found


def test_whatever_is_away_nothing_is_lost_and_nothing_done_twice(site: Site, people: People) -> None:
    assert _seen_while(people) == {HTTPStatus.OK}
    for name, take_away, give_back in (
        ("Redis refuses", site.redis.refuse, site.redis.open),
        ("Redis hangs", site.redis.hang, site.redis.open),
        ("the mail server refuses", site.mail_server.refuse, site.mail_server.open),
        ("the mail server hangs", site.mail_server.hang, site.mail_server.open),
        ("the mail server is slow", partial(site.mail_server.slow_down, 0.5), site.mail_server.open),
    ):
        take_away()
        assert _seen_while(people, name) == {HTTPStatus.OK}
        give_back()
    site.database.refuse()
    statuses = _seen_while(people, "the database restarts", until_troubled=site.database.open)
    assert statuses == {HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE}
    assert _seen_while(people, "all is there again") == {HTTPStatus.OK}
    _nothing_is_lost(site, people)


def _seen_while(
    people: People, what: str = "all is there", until_troubled: Callable[[], None] | None = None
) -> set[int]:
    """Which answers they got until their tasks were done; `until_troubled` is called after some errors."""
    before = len(people.seen)
    with ThreadPoolExecutor(3) as threads:
        doing = [threads.submit(task) for task in people.tasks()]
        if until_troubled:
            wait_for(lambda: sum(answer.status != HTTPStatus.OK for answer in people.seen[before:]) > 5, what)
            until_troubled()
        assert all(each.result() for each in doing), what
    seen = people.seen[before:]
    longest = max(answer.seconds for answer in seen)
    statuses = Counter(answer.status for answer in seen)
    log.info("%s: %d requests, %s, longest %.1f s", what, len(seen), dict(statuses), longest)
    assert longest < patience(AT_MOST), what
    assert median(answer.seconds for answer in seen) < patience(MOSTLY), what
    return set(statuses)


def _nothing_is_lost(site: Site, people: People) -> None:
    assert ContactAttempt.objects.count() == ALL_TASKS
    assert ContactAttempt.objects.values("referral").distinct().count() == ALL_TASKS
    assert Submission.objects.count() == len(people.submitted) == ALL_TASKS
    made = Notification.objects.filter(kind=MailKind.REFERRAL_MADE)
    assert made.count() == Referral.objects.filter(case__in=people.submitted).count() == ALL_TASKS
    # What was not taken is tried again after a minute or more, and what was taken while the database
    # was away, so that nobody noted it, after ten: here at once.
    waiting = Notification.objects.filter(sent_at__isnull=True)
    waiting.update(not_before=timezone.now())
    waiting.filter(claimed_until__isnull=False).update(claimed_until=timezone.now())
    wait_for(lambda: not made.filter(sent_at__isnull=True).exists(), "every message to be sent")
    arrived = Counter(message_from_bytes(path.read_bytes())["Message-ID"] for path in site.mail.iterdir())
    assert set(arrived) == set(made.values_list("message_id", flat=True))
    twice = {message for message, copies in arrived.items() if copies > 1}
    assert twice <= set(made.filter(possible_duplicate=True).values_list("message_id", flat=True))
