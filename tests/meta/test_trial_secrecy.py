"""Of a trial that recruits, no seed, no key and no arm to come is anywhere but under its seal."""

import base64
import hashlib
import io
import logging
import logging.config
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from celery import shared_task
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command
from django.core.signals import got_request_exception
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils.log import AdminEmailHandler
from pytest_django.fixtures import Settings
from redis import Redis

from local.services.postgres import binaries
from referrals.models import Allocation, ApprovalKind, Case, Mode, Referral, Trial
from referrals.review.actions.submit import submit
from referrals.rules.trial.allocation import (
    Arm,
    Design,
    Scheme,
    arms_of,
)
from referrals.rules.trial.protocol import protocol_of
from referrals.rules.trial.seal import allocation_key, chain_key, commitment
from referrals.tasks import deliver_waiting_mail
from src_app.accounts.models import User
from src_app.audit.models import AuditEntry
from src_app.audit.record import acting
from src_app.logs import logging_config
from src_app.scrubbing import REMOVED
from tests.conftest import World
from tests.database import owner_rights
from tests.factories import (
    NOW,
    BriefingFactory,
    CaseImportFactory,
    ContactAttemptFactory,
    DecisionFactory,
    DeviationFactory,
    FollowUpFactory,
    HeldPartFactory,
    LeaveFactory,
    PersonalTextFactory,
    PlaceMoveFactory,
    TrialFactory,
    WardModeFactory,
    conduct,
)
from tests.meta.test_access import PATTERNS
from tests.outcomes.evaluation.trials import look_of
from tests.traces import FEWEST_ARMS, FORMS, Traces

# No run of numbers, as the seed of other tests is: that would be found anywhere.
SECRET = hashlib.sha256(b"a seed").digest()
TO_COME = 60
DAYS, A_DAY = 2, 14

Kept = dict[str, bytes]
ClientOf = Callable[[User], Client]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clock")]


@pytest.fixture(params=["stratified blocks", "complete"])
def trial(request: pytest.FixtureRequest, world: World, monkeypatch: pytest.MonkeyPatch) -> Trial:
    """In all wards, its seed ``SECRET``."""
    monkeypatch.setattr("tests.factories.SEED", SECRET)
    boroughs = tuple(sorted({ward.borough.code for ward in world.wards}))
    protocol = protocol_of(
        name="Pilot",
        bcu=world.south_west.code,
        design={
            "complete": Design(Scheme.COMPLETE, target=250),
            "stratified blocks": Design(
                Scheme.STRATIFIED_BLOCKS, target=250, block_sizes=(4, 6, 8), strata=boroughs
            ),
        }[request.param],
        stratified_by="" if request.param == "complete" else "borough",
        conduct=conduct(ward.code for ward in world.wards),
    )
    trial = TrialFactory.create(bcu=world.south_west, name="Pilot", protocol=protocol)
    assert trial.commitment == commitment(protocol, SECRET)
    for ward in world.wards:
        WardModeFactory.create(ward=ward, mode=Mode.TRIAL, trial=trial)
    return trial


def secrets_of(trial: Trial) -> Traces:
    """Everything secret about the trial as it stands."""
    key = allocation_key(SECRET, trial.protocol_digest)
    taken = {
        stratum: Allocation.objects.filter(stratum=stratum, position__isnull=False).count()
        for stratum in trial.design.strata
    }
    return Traces(
        secrets={
            "seed": SECRET,
            "allocation key": key,
            "chain key": chain_key(SECRET, trial.protocol_digest),
            **{
                f"seal key {number}": base64.urlsafe_b64decode(sealing)
                for number, sealing in enumerate(settings.TRIAL_SEAL_KEYS)
            },
        },
        to_come={
            stratum or "the trial": list(
                islice(arms_of(key, trial.design, stratum=stratum), first, first + TO_COME)
            )
            for stratum, first in taken.items()
        },
    )


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What production's logging writes, and whatever it leaves out as too fine."""
    stream = io.StringIO()
    config = logging_config("production")
    config["handlers"]["standard_error"]["stream"] = stream
    config["root"]["level"] = "DEBUG"
    logging.config.dictConfig(config)
    yield stream
    logging.config.dictConfig(settings.LOGGING)


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement that is sent to the database, with its values; also of what is undone later."""
    sent: list[str] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        values = [bytes(each) if isinstance(each, memoryview) else each for each in params or ()]
        sent.append(f"{sql} {values!r}")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield sent


def submit_through_pages(browser: Client, cases: list[Case]) -> None:
    """Each case marked suitable, all checked, and submitted as the page's form would."""
    for case in cases:
        marked = browser.post(reverse("mark_suitable", args=[case.pk]))
        assert marked.status_code < 400
    submitted = browser.post(reverse("submit_decisions"), checked(browser))
    assert submitted.headers["Location"].startswith("/overnight-review/submitted/")


def checked(browser: Client) -> dict[str, Any]:
    """What the form of the check page sends."""
    page = browser.get(reverse("check_decisions")).content.decode()
    form: dict[str, Any] = {"decision": re.findall(r'name="decision"\s+value="([^"]+)"', page)}
    for name in ("key", "bcu"):
        (form[name],) = re.findall(rf'name="{name}" value="([^"]+)"', page)
    return form


def dump() -> bytes:
    """The whole database as SQL."""
    address = urlsplit(settings.DATABASE_OWNER_URL)._replace(path=f"/{connection.settings_dict['NAME']}")
    command = [binaries() / "pg_dump", "--dbname", address.geturl()]
    return subprocess.run(command, check=True, capture_output=True).stdout


def database() -> Kept:
    """A dump of it, what the planner keeps of its columns, and what its sessions last did."""
    with owner_rights(), connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("SELECT pg_stats::text FROM pg_stats WHERE schemaname = 'public'")
        statistics = "\n".join(row for (row,) in cursor.fetchall())
        cursor.execute("SELECT query FROM pg_stat_activity WHERE datname = current_database()")
        latest = "\n".join(row or "" for (row,) in cursor.fetchall())
    return {"dump": dump(), "statistics": statistics.encode(), "latest": latest.encode()}


def redis() -> Kept:
    """What each key holds: the cache, and the tasks that wait."""
    server = Redis.from_url(settings.REDIS_URL)
    reads: dict[Any, Callable[[bytes], Any]] = {
        b"string": server.get,
        b"list": lambda key: server.lrange(key, 0, -1),
        b"set": server.smembers,
        b"hash": server.hgetall,
        b"zset": lambda key: server.zrange(key, 0, -1),
    }
    return {f"redis {key!r}": _flat(reads[server.type(key)](key)) for key in server.scan_iter()}


def _flat(value: Any) -> bytes:
    if isinstance(value, dict):
        value = [*value, *value.values()]
    return b"\n".join(value) if isinstance(value, list | set) else bytes(value)


def commands(directory: Path) -> Kept:
    """What the commands about trials print."""
    said = {}
    for name in ("trial_head", "trial_export", "trial_check"):
        out = io.StringIO()
        call_command(name, "Pilot", stdout=out)
        said[name] = out.getvalue().encode()
    bundle = directory / "bundle.json"
    bundle.write_bytes(said["trial_export"])
    out = io.StringIO()
    call_command("trial_verify", str(bundle), stdout=out)
    return said | {"trial_verify": out.getvalue().encode()}


def pages(people: dict[str, User], records: dict[str, list[Any]]) -> Kept:
    """Every address, asked for by everybody, of some records of each kind that it may name."""
    found = {}
    for user in people.values():
        browser = Client()
        browser.force_login(user)
        for name, arguments in addresses(records):
            # Signing out is the end of looking.
            if name != "account_logout":
                response = browser.get(reverse(name, kwargs=arguments))
                assert response.status_code < 500
                body = b"".join(response) if response.streaming else response.content
                found[f"{user.role} {name} {arguments}"] = body + repr(response.headers).encode()
    return found


def addresses(records: dict[str, list[Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each address with the records that it names; an argument that ``records`` lacks is an error here."""
    for pattern in PATTERNS:
        address = pattern.name or ""
        # The same word may be another record's at one address.
        known = {
            name: records.get(f"{name} of {address}") or records[name] for name in pattern.pattern.converters
        }
        # Of several kinds the shorter list goes round.
        for n in range(max(map(len, known.values()), default=1)):
            yield address, {name: each[n % len(each)] for name, each in known.items()}


def mails() -> Kept:
    """Everything that was sent."""
    return {f"mail {n}": each.message().as_bytes() for n, each in enumerate(mail.outbox)}


def leaks(traces: Traces, kept: Kept) -> dict[str, set[str]]:
    """Where there is a trace of what."""
    return {where: found for where, content in kept.items() if (found := traces.found_in(content))}


def test_nothing_kept_shown_or_sent_tells_the_seed_a_key_or_an_arm_to_come(
    world: World,
    trial: Trial,
    people: dict[str, User],
    make_case: Callable[..., Case],
    client_of: ClientOf,
    written: io.StringIO,
    tmp_path: Path,
) -> None:
    hcop = people["hcop"]
    with statements() as sent:
        for day in range(DAYS):
            cases = [
                make_case(
                    ward=world.wards[n % 6], reported_at=NOW - timedelta(hours=40 - 20 * day, minutes=n)
                )
                for n in range(A_DAY)
            ]
            submit_through_pages(client_of(hcop), cases)
        tasks = redis()
        deliver_waiting_mail()
        make_case()  # and one that waits
        kept = pages(people, _records(trial, people["trial_lead"]))
        kept |= commands(tmp_path) | mails() | database() | tasks | redis()
    kept |= {"statements": "\n".join(sent).encode(), "log": written.getvalue().encode()}
    _assert_full(kept, trial)
    traces = secrets_of(trial)
    assert {len(arms) for arms in traces.to_come.values()} == {TO_COME}
    assert leaks(traces, kept) == {}


def _records(trial: Trial, lead: User) -> dict[str, list[Any]]:
    """Some of each kind, by the name that addresses give them."""
    allocated = list(Allocation.objects.order_by("-pk").select_related("case"))
    referrals = list(Referral.objects.order_by("pk")[:3])
    attempts = [ContactAttemptFactory.create(referral=referral) for referral in referrals]
    follow_ups = [FollowUpFactory.create(attempt=attempt) for attempt in attempts]
    extracts = [CaseImportFactory.create(bcu=referrals[0].case.bcu) for _ in referrals]
    waiting = Case.objects.filter(decided_at__isnull=True)
    control = next(row for row in allocated if row.arm == Arm.CONTROL.value)
    return {
        "code": [referrals[0].ward.code],
        "trial_id": [trial.pk],
        "kind": ApprovalKind.values,
        "registrar_id": list(trial.registrars.values_list("pk", flat=True)),
        "user_id": [User.objects.get(username="officer").pk],
        "case_id": [control.case_id, allocated[0].case_id, waiting.get().pk],
        "look_id": [look_of(trial, by=lead).pk],
        "number of trial_data_set": [1],
        "deviation_id": [DeviationFactory.create(allocation=control).pk],
        "submission_id": sorted({row.submission_id for row in allocated}),
        "number": [referral.number for referral in referrals],
        "attempt_id": [attempt.pk for attempt in attempts],
        "follow_up_id": [follow_up.pk for follow_up in follow_ups],
        "import_id": [extract.pk for extract in extracts],
        "briefing_id": [BriefingFactory.create().pk],
        "leave_id": [LeaveFactory.create().pk],
        "team_id": [referrals[0].team_id],
        "ward_id": [referrals[0].ward_id],
        "move_id": [PlaceMoveFactory.create(from_team=referrals[0].team).pk],
        "pk": [1],  # of a passkey: there is none
        "request_id": list(AuditEntry.objects.order_by("-at").values_list("request_id", flat=True)[:3]),
    }


def _assert_full(kept: Kept, trial: Trial) -> None:
    """What was looked through is what it should be."""
    allocated = list(Allocation.objects.values_list("row_hash", "case__crime_reference", "arm"))
    assert len(allocated) == DAYS * A_DAY
    assert {arm for *_, arm in allocated} == {arm.value for arm in Arm}
    assert all(own.encode() in kept["dump"] and own.encode() in kept["trial_export"] for own, *_ in allocated)
    assert bytes(trial.seed_encrypted or b"").hex().encode() in kept["dump"]
    assert b"crime_reference" in kept["statistics"]
    assert any(b"deliver_mail" in content for content in kept.values())
    assert trial.commitment.encode() in kept["trial_lead trial_list {}"]
    assert any(
        allocated[0][1].encode() in page for name, page in kept.items() if name.startswith("hcop submitted")
    )
    assert sum(name.startswith("mail ") for name in kept) == Referral.objects.count()
    assert "INSERT INTO" in kept["statements"].decode()


BREAKS = {
    "as its arm is drawn": "referrals.trial.actions.allocate.arm_at",
    "as its row is hashed": "referrals.trial.actions.allocate.seal.chain_hash",
    "as a key is used": "referrals.rules.trial.draws._hmac",
}
Break = Callable[..., None]


@pytest.fixture(params=BREAKS)
def break_allocation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Break:
    """From then on allocating ends in an error, with the seed in what the functions on the way hold."""

    def break_it(words: str = "") -> None:
        def fail(*arguments: Any, **named: Any) -> None:
            raise ValueError(words and f"{words} {[*arguments, *named.values()]}")

        monkeypatch.setattr(BREAKS[request.param], fail)

    return break_it


@contextmanager
def held_by_frames() -> Iterator[list[Any]]:
    """What the functions hold that a page's error passes."""
    held: list[Any] = []

    def look(**_: Any) -> None:
        trace = sys.exc_info()[2]
        while trace:
            held.extend(trace.tb_frame.f_locals.values())
            trace = trace.tb_next

    got_request_exception.connect(look)
    try:
        yield held
    finally:
        got_request_exception.disconnect(look)


@pytest.fixture
def failing(
    trial: Trial, hcop: User, make_case: Callable[..., Case], client_of: ClientOf
) -> Callable[[], Any]:
    """Submits a case through its page, whatever comes of it."""
    browser = client_of(hcop)
    browser.raise_request_exception = False
    browser.post(reverse("mark_suitable", args=[make_case().pk]))
    form = checked(browser)
    return lambda: browser.post(reverse("submit_decisions"), form)


def test_a_submission_that_fails_in_the_midst_tells_nothing_even_where_its_error_says_the_seed(
    trial: Trial, written: io.StringIO, break_allocation: Break, failing: Callable[[], Any]
) -> None:
    traces = secrets_of(trial)
    break_allocation(f"seed {SECRET!r} {SECRET.hex()}, and what was given:")
    with statements() as sent, held_by_frames() as held:
        failed = failing()
    assert (failed.status_code, SECRET in held) == (500, True)
    assert '"error": "ValueError"' in written.getvalue()
    assert "referrals/trial/actions/allocate.py" in written.getvalue()
    assert not Allocation.objects.exists()
    kept = {"page": failed.content, "log": written.getvalue().encode(), "sent": "\n".join(sent).encode()}
    assert leaks(traces, kept | database() | redis()) == {}


def test_a_report_of_that_error_tells_nothing_in_a_mail_or_on_a_page_for_programmers(
    trial: Trial, break_allocation: Break, failing: Callable[[], Any], settings: Settings
) -> None:
    """Neither is set up; the locals would be in both."""
    traces = secrets_of(trial)
    break_allocation()
    settings.ADMINS = [("Administrator", "admin@example.police.uk")]
    handler = AdminEmailHandler(include_html=True)
    logger = logging.getLogger("django.request")
    logger.addHandler(handler)
    try:
        failing()
    finally:
        logger.removeHandler(handler)
    (report,) = mail.outbox
    assert isinstance(report, EmailMultiAlternatives)
    html = str(report.alternatives[0][0])
    settings.DEBUG = True
    page = failing().content
    for each in (report.body, html, page.decode()):
        assert "ValueError" in each
        assert "allocate.py" in each
    kept = {"text": str(report.body).encode(), "html": html.encode(), "page": page}
    assert leaks(traces, kept) == {}


def test_a_task_that_fails_in_the_midst_tells_nothing_in_its_log(
    world: World,
    trial: Trial,
    hcop: User,
    make_case: Callable[..., Case],
    written: io.StringIO,
    break_allocation: Break,
) -> None:
    case = DecisionFactory.create(case=make_case(), drafted_by=hcop).case

    @shared_task(name=f"tests.submitting.{uuid.uuid4()}")
    def submitting() -> None:
        with acting("test task", by=hcop):
            submit(bcu=world.south_west, seen={case.pk: 1}, key=uuid.uuid4(), by=hcop, at=NOW)

    traces = secrets_of(trial)
    break_allocation(f"seed {SECRET!r}")
    assert submitting.apply().state == "FAILURE"
    assert "tests.submitting" in written.getvalue()
    assert '"error": "ValueError"' in written.getvalue()
    assert leaks(traces, {"log": written.getvalue().encode()}) == {}


TEXT_FORMS = {name: form for name, form in FORMS.items() if name != "raw"}


@pytest.mark.parametrize("trial", ["stratified blocks"], indirect=True)
def test_what_is_planted_is_found_wherever_it_is_looked_for(
    trial: Trial, make_case: Callable[..., Case], written: io.StringIO, client_of: ClientOf, hcop: User
) -> None:
    """Without this, that nothing is found would prove nothing.

    The planner is not asked: what it keeps of a column outlives the column's rows, and this test.
    """
    traces = secrets_of(trial)
    case = make_case()
    note = PersonalTextFactory.create(case=case, body="")
    for name, form in TEXT_FORMS.items():
        planted = form(SECRET).decode()
        note.body = planted
        note.save(update_fields=["body"])
        cache.set("planted", planted)
        logging.getLogger("library").warning("the seed is %s", planted)
        line = written.getvalue().splitlines()[-1]
        kept = {"dump": dump(), "log": line.encode()}
        kept |= {"page": client_of(hcop).get(reverse("case", args=[case.pk])).content, **redis()}
        found = leaks(traces, kept)
        # In one form the scrubber takes pieces of it for postcodes.
        scrubbed = name == "text in JSON"
        assert (REMOVED in line) is scrubbed
        expected = {"redis", "page", "dump"} if scrubbed else {"redis", "page", "dump", "log"}
        assert {where.partition(" ")[0] for where in found} == expected, name
        assert set.union(*found.values()) == {"seed"}


@pytest.mark.parametrize("trial", ["stratified blocks"], indirect=True)
def test_raw_bytes_and_arms_to_come_are_found_in_database_and_redis(trial: Trial) -> None:
    traces = secrets_of(trial)
    stratum, arms = next(iter(traces.to_come.items()))
    extract = CaseImportFactory.create(file_name=" ".join(arm.value for arm in arms[:FEWEST_ARMS]))
    HeldPartFactory.create(extract=extract, number=1, body_encrypted=SECRET)
    bits = [b"1" if arm is Arm.SRC else b"0" for arm in arms]
    Redis.from_url(settings.REDIS_URL).rpush("planted", *bits, SECRET)
    found = leaks(traces, {"dump": dump(), **redis()})
    assert set(found) == {"dump", "redis b'planted'"}
    assert all(each >= {"seed", f"arms of {stratum}"} for each in found.values())
