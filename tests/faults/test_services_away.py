"""Broker, mail server and database are taken away one by one while people work: nothing is lost or doubled.

The real web server, workers, beat and SMTP peer run against the test's database. Each reaches the others
through a door that the test shuts. How fast they are is not judged: what each page says is compared with what
the database holds then, and nobody has to do anything twice because a service besides the database is away.
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
from src_app.health.models import TaskRun
from src_app.health.readers import HEARTBEAT
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
# These end a hang, and are far longer than anything takes.
ONE_ANSWER, TOLD = 120, 600
UNSAVED = ("Nothing of yours was saved", "Nothing was submitted")
FIELD = re.compile(r'<input type="hidden"\s+name="([^"]+)"\s+value="([^"]*)"')


class Answer(NamedTuple):
    """What somebody saw: a status, 0 where there was no answer."""

    status: int
    text: str

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
        status, text = 0, ""
        try:
            with self._opener.open(self.site + path, content, timeout=patience(ONE_ANSWER)) as response:
                status, text = response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read().decode(errors="replace")
        except (OSError, HTTPException):
            pass
        answer = Answer(status, text)
        self.seen.append(answer)
        return answer

    def signs_in(self, username: str) -> bool:
        page = self.ask(reverse("account_login"))
        given = [("csrfmiddlewaretoken", page.token), ("login", username), ("password", PASSWORD)]
        return "Sign out" in self.ask(reverse("account_login"), given).text


class Truth:
    """Holds what pages say of one form, sent until it is said to be saved, against the rows it has made."""

    def __init__(self, rows: Callable[[], int]) -> None:
        self._rows = rows
        self._may_be_saved = False

    def is_saved(self, page: Answer, *, says_so: bool) -> bool:
        """Whether it is, by that page; fails the test where that is not true."""
        rows = self._rows()
        if says_so:
            assert rows == 1, f"said to be saved, and there are {rows}"
        elif any(words in page.text for words in UNSAVED) and not self._may_be_saved:
            assert rows == 0, "said to be unsaved, and it is there"
        else:
            assert rows <= 1, f"there are {rows}"
            self._may_be_saved = True
        return says_so


class People:
    """An officer who logs contact, an HCOP who decides and submits, and somebody who signs in."""

    def __init__(self, site: str, referrals: Iterable[Referral], cases: Iterable[Case]) -> None:
        self.site = site
        self.seen: list[Answer] = []
        self.signing_in: list[Answer] = []
        self.officer, self.hcop = Browser(site, self.seen), Browser(site, self.seen)
        self.referrals, self.cases = iter(referrals), iter(cases)
        self.submitted: list[Case] = []

    def sign_in(self) -> None:
        """As officer and HCOP; fails the test where one cannot."""
        assert self.officer.signs_in("officer")
        assert self.hcop.signs_in("hcop")

    def tasks(self) -> list[Callable[[], object]]:
        """What they do at the same time, each until they are told that it is done."""
        referrals, cases = list(islice(self.referrals, TASKS)), list(islice(self.cases, TASKS))
        return [
            lambda: all(map(self._is_logged, referrals)),
            lambda: all(map(self._is_decided, cases)),
            lambda: _until_told(lambda: Browser(self.site, self.signing_in).signs_in("officer")),
        ]

    def _is_logged(self, referral: Referral) -> bool:
        """Opens the form and saves it, with one key until it is told that it is saved."""
        path = reverse("log_contact", args=[referral.number])
        form: list[tuple[str, str]] = []

        def opens() -> bool:
            form[:] = self.officer.ask(path).fields
            return "key" in dict(form)

        _until_told(opens)
        truth = Truth(ContactAttempt.objects.filter(key=dict(form)["key"]).count)

        def saves() -> bool:
            page = self.officer.ask(path, [*form, ("method", "telephone"), ("result", "contact_made")])
            return truth.is_saved(page, says_so=": contact made." in page.text)

        return _until_told(saves)

    def _is_decided(self, case: Case) -> bool:
        """Marks one case suitable, checks and submits it, until it is told that it is submitted."""
        truth = Truth(Submission.objects.filter(decisions__case=case).count)
        _until_told(lambda: self._submits(case, truth))
        self.submitted.append(case)
        return True

    def _submits(self, case: Case, truth: Truth) -> bool:
        """Looks first whether it is submitted, and submits it otherwise."""
        review, mark = self.hcop.ask(reverse("overnight_review")), reverse("mark_suitable", args=[case.pk])
        if review.status != HTTPStatus.OK:
            return False
        if mark not in review.text:
            return truth.is_saved(review, says_so=True)
        self.hcop.ask(mark, [("csrfmiddlewaretoken", review.token), ("version", "")])
        check = self.hcop.ask(reverse("check_decisions"))
        if case.crime_reference not in check.text:
            return False
        page = self.hcop.ask(reverse("submit_decisions"), check.fields)
        return truth.is_saved(page, says_so="Submitted: 1 decision" in page.text)


def _until_told(do: Callable[[], bool]) -> bool:
    ends_at = time.monotonic() + patience(TOLD)
    while not do():
        assert time.monotonic() < ends_at, "it is never said to be done"
        time.sleep(0.2)
    return True


def _then_let_go(task: Callable[[], object]) -> None:
    """For a thread, which has a connection to the database of its own."""
    try:
        task()
    finally:
        connection.close()


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
    undisturbed = _statuses_while(people)
    assert undisturbed.keys() == {HTTPStatus.OK}
    for name, take_away, give_back in (
        # First: once it has failed, it is left alone for some seconds.
        ("Redis hangs", site.redis.hang, site.redis.open),
        ("Redis refuses", site.redis.refuse, site.redis.open),
        ("the mail server refuses", site.mail_server.refuse, site.mail_server.open),
        ("the mail server hangs", site.mail_server.hang, site.mail_server.open),
        ("the mail server is slow", partial(site.mail_server.slow_down, 0.5), site.mail_server.open),
    ):
        take_away()
        assert _statuses_while(people, name) == undisturbed, name
        give_back()
    site.database.refuse()
    statuses = _statuses_while(people, "the database restarts", until_troubled=site.database.open)
    assert statuses.keys() == {HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE}
    assert _statuses_while(people, "all is there again") == undisturbed
    _nothing_is_lost(site, people)


def _statuses_while(
    people: People, what: str = "all is there", until_troubled: Callable[[], None] | None = None
) -> Counter[int]:
    """How often each status was answered to officer and HCOP until everybody's tasks were done.

    `until_troubled` is called after some errors.
    """
    before = len(people.seen)
    people.signing_in.clear()
    with ThreadPoolExecutor(3) as threads:
        doing = [threads.submit(_then_let_go, task) for task in people.tasks()]
        if until_troubled:
            wait_for(lambda: sum(answer.status != HTTPStatus.OK for answer in people.seen[before:]) > 5, what)
            until_troubled()
        for each in doing:
            each.result()
    statuses = Counter(answer.status for answer in people.seen[before:])
    log.info("%s: %s", what, dict(statuses))
    # Whoever signs in may have to wait: a limit's lock that was taken in Redis stays there for ten seconds
    # where Redis goes before it is given back, and many tries are too many.
    may_be_told = {*statuses, HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS}
    assert {answer.status for answer in people.signing_in} <= may_be_told, what
    return statuses


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
    # Beat and the worker are at work again, too, after all that was away.
    heartbeats = TaskRun.objects.filter(name=HEARTBEAT, finished_at__gt=timezone.now())
    wait_for(heartbeats.exists, "a heartbeat")
    wait_for(lambda: not made.filter(sent_at__isnull=True).exists(), "every message to be sent")
    arrived = Counter(message_from_bytes(path.read_bytes())["Message-ID"] for path in site.mail.iterdir())
    assert set(arrived) == set(made.values_list("message_id", flat=True))
    twice = {message for message, copies in arrived.items() if copies > 1}
    assert twice <= set(made.filter(possible_duplicate=True).values_list("message_id", flat=True))
