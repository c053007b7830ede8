"""Sixteen people submit at once, and are killed in the midst: no case is lost, doubled or steered."""

import multiprocessing
import os
import random
import signal
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from referrals.models import (
    Allocation,
    Arm,
    Bcu,
    Case,
    CaseState,
    Decision,
    Mode,
    Notification,
    Referral,
    Submission,
    Trial,
    Ward,
)
from referrals.review.actions.submit import submit
from referrals.rules.trial.allocation import Design, Scheme, arm_at
from referrals.rules.trial.protocol import protocol_of
from referrals.rules.trial.seal import allocation_key
from referrals.trial.actions.allocate import chained
from referrals.trial.bundle import head_of
from referrals.trial.check import check_trial
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests import submitting
from tests.conftest import World
from tests.database import owner_rights
from tests.factories import (
    NOW,
    SEED,
    BoroughFactory,
    CaseFactory,
    TrialFactory,
    WardFactory,
    WardModeFactory,
    conduct,
)
from tests.patience import patience
from tests.process_tree import wait_for
from tests.referrals.standalone.runs import verify
from tests.thorough import repeated

# Eighty submissions either way.
PEOPLE, CASES, AT_ONCE, LINKED = 16, repeated(960, 2_000), repeated(12, 25), 60
# How many are killed: seen in the midst of a transaction, seen to wait for one, and at any moment.
IN_THE_MIDST, WAITING, WHENEVER = 5, 2, 1
# So many submissions are made before the next is killed.
BETWEEN = 5

Plan = list[tuple[str, list[tuple[int, int]]]]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("killed submission")]


class Person(NamedTuple):
    """A process that submits its plan, by the name that its session has in the database."""

    name: str
    plan: Plan
    process: ForkServerProcess
    tell: Connection
    said_in: Path

    def said(self, word: str) -> list[list[str]]:
        """What followed the word in each line that begins with it."""
        lines = [line.split() for line in self.said_in.read_text().splitlines()]
        return [rest for first, *rest in lines if first == word]

    @property
    def done(self) -> dict[str, str]:
        """The submissions it was told of, by key."""
        return {key: number for key, number, *_ in self.said("done")}

    @property
    def under_way(self) -> str:
        """The key it began with last."""
        return self.said("begun")[-1][0]

    def begin(self) -> None:
        self.tell.send("begin")

    def send_signal(self, number: signal.Signals) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        self.process.kill()
        self.process.join(patience(60))
        assert self.process.exitcode == -signal.SIGKILL

    def finish(self) -> None:
        """Waits until it has submitted everything."""
        self.process.join(patience(600))
        assert self.process.exitcode == 0, self.said_in.read_text()
        assert set(self.done) == {key for key, _ in self.plan}


class Session(NamedTuple):
    """What the database says a person's session does."""

    state: str
    statement: str
    has_written: bool
    waits_for_lock: bool

    @property
    def in_the_midst(self) -> bool:
        """A transaction is open that has written, and no statement of it is being executed."""
        return self.has_written and self.state == "idle in transaction"

    @property
    def commits(self) -> bool:
        return self.state == "active" and self.statement == "COMMIT"


GONE = Session("gone", "", False, False)


def sessions() -> dict[str, Session]:
    """The sessions of everybody who submits, by name."""
    with owner_rights(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT application_name, state, query, backend_xid IS NOT NULL,"
            " wait_event_type IS NOT DISTINCT FROM 'Lock' FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE 'person %'"
        )
        return {name: Session(*rest) for name, *rest in cursor.fetchall()}


@pytest.fixture
def trial(world: World) -> Trial:
    """Stratified by four boroughs, in all eight wards."""
    for name in ("Kingston", "Richmond"):
        world.wards.append(
            WardFactory.create(borough=BoroughFactory.create(bcu=world.south_west, name=name), name=name)
        )
    design = Design(
        Scheme.STRATIFIED_BLOCKS,
        target=2 * CASES,
        block_sizes=(4, 6, 8),
        strata=tuple(sorted({ward.borough.code for ward in world.wards})),
    )
    protocol = protocol_of(
        name="Pilot",
        bcu=world.south_west.code,
        design=design,
        stratified_by="borough",
        conduct=conduct(ward.code for ward in world.wards),
    )
    trial = TrialFactory.create(bcu=world.south_west, name="Pilot", protocol=protocol)
    for ward in world.wards:
        WardModeFactory.create(ward=ward, mode=Mode.TRIAL, trial=trial)
    return trial


def drafted(wards: list[Ward], count: int, by: User, *, linked: int = 0) -> list[tuple[int, int]]:
    """Cases, each of the next ward and marked suitable: keys and the versions of their drafts.

    So many of the second half are of the same victims as those of the first.
    """
    half = count // 2
    cases = Case.objects.bulk_create(
        CaseFactory.build(
            ward=wards[n % len(wards)],
            bcu=wards[0].borough.bcu,
            victim_hash=f"{n % half:064x}" if n % half < linked else "",
        )
        for n in range(count)
    )
    Decision.objects.bulk_create(
        Decision(case=case, suitable=True, drafted_by=by, drafted_at=NOW) for case in cases
    )
    return [(case.pk, 1) for case in cases]


def in_submissions(cases: list[tuple[int, int]]) -> Plan:
    return [(str(uuid.uuid4()), cases[n : n + AT_ONCE]) for n in range(0, len(cases), AT_ONCE)]


Start = Callable[..., Person]


@pytest.fixture
def start(trial: Trial, hcop: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts somebody with a plan; whoever is left at the end is killed."""
    people: list[Person] = []
    given = urlsplit(os.environ["DATABASE_URL"])
    address = given._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    # Read by the process that all are forked from, which begins with the first of them.
    monkeypatch.setenv("DATABASE_URL", address)
    monkeypatch.setenv("REDIS_URL", settings.REDIS_URL)
    forked = multiprocessing.get_context("forkserver")
    forked.set_forkserver_preload([submitting.__name__])

    def start_person(plan: Plan, *, halt: bool = False) -> Person:
        name = f"person {len(people)}"
        said_in = tmp_path / name
        said_in.touch()
        begin, tell = forked.Pipe(duplex=False)
        whole = {"bcu": trial.bcu_id, "by": hcop.pk, "at": NOW.isoformat(), "submissions": plan}
        process = forked.Process(target=submitting.be, args=(name, said_in, begin, whole, halt))
        process.start()
        begin.close()
        people.append(Person(name, plan, process, tell, said_in))
        return people[-1]

    yield start_person
    for person in people:
        person.process.kill()
        person.tell.close()
    for person in people:
        person.process.join(patience(60))


@pytest.fixture
def chance() -> random.Random:
    """Who is killed and when; said where the test fails, and ``TEST_SEED`` does the same again."""
    seed = os.environ.get("TEST_SEED") or str(random.randrange(2**32))
    print(f"TEST_SEED={seed}")  # noqa: T201 - pytest shows it with a failure
    return random.Random(seed)


def begin_together(people: list[Person]) -> None:
    """All at the same moment, once each of them is ready."""
    wait_for(lambda: all(person.said("ready") for person in people), "everybody to be ready")
    for person in people:
        person.begin()


def is_stopped_in_the_midst(person: Person) -> bool:
    """Stops the process, and says whether its transaction is open then and has written."""
    person.send_signal(signal.SIGSTOP)
    # The statement that was sent is executed still; nothing comes after it.
    wait_for(lambda: sessions().get(person.name, GONE).state != "active", "its last statement")
    return sessions().get(person.name, GONE).in_the_midst


def kill_in_the_midst(people: list[Person], chance: random.Random) -> Person:
    """Kills whoever writes, at any place of the transaction; nothing is left of it."""
    deadline = time.monotonic() + patience(120)
    while time.monotonic() < deadline:
        writing = {name for name, session in sessions().items() if session.has_written}
        for person in (each for each in people if each.name in writing):
            # Anywhere in a transaction.
            time.sleep(chance.uniform(0, 0.1))
            if is_stopped_in_the_midst(person):
                person.kill()
                wait_until_gone(person)
                assert not Submission.objects.filter(key=person.under_way).exists()
                return person
            person.send_signal(signal.SIGCONT)
    raise AssertionError("nobody was found in the midst of a transaction")


def kill_while_it_waits(people: list[Person], chance: random.Random) -> Person:
    """Kills somebody whose session waits for another's lock."""
    found: list[Person] = []

    def is_found() -> bool:
        now = sessions()
        found[:] = [each for each in people if now.get(each.name, GONE).waits_for_lock]
        return bool(found)

    wait_for(is_found, "somebody to wait")
    person = chance.choice(found)
    person.kill()
    return person


def kill_at_any_moment(people: list[Person], chance: random.Random) -> Person:
    """Kills somebody who has not finished, wherever they are."""
    time.sleep(chance.uniform(0, 0.5))
    person = chance.choice([each for each in people if len(each.done) < len(each.plan)])
    person.kill()
    return person


def wait_until_gone(person: Person) -> None:
    """Until the database has noticed that the process is no more, and undone what was open."""
    wait_for(lambda: person.name not in sessions(), "the database to notice")


def wait_until_submitted(count: int) -> None:
    wait_for(lambda: Submission.objects.count() >= count, f"{count} submissions")


def kill_some(people: list[Person], chance: random.Random) -> list[Person]:
    """Kills so many of each kind, in any order, while the others go on."""
    left, killed = list(people), []
    kinds = [
        *[kill_in_the_midst] * IN_THE_MIDST,
        *[kill_while_it_waits] * WAITING,
        *[kill_at_any_moment] * WHENEVER,
    ]
    chance.shuffle(kinds)
    for number, kill in enumerate(kinds, start=1):
        wait_until_submitted(number * BETWEEN)
        killed.append(kill(left, chance))
        left.remove(killed[-1])
    return killed


def test_sixteen_processes_of_which_eight_are_killed_leave_every_case_submitted_once(
    world: World,
    trial: Trial,
    hcop: User,
    trial_lead: User,
    start: Start,
    chance: random.Random,
    tmp_path: Path,
) -> None:
    plans: list[Plan] = [[] for _ in range(PEOPLE)]
    for number, submission in enumerate(in_submissions(drafted(world.wards, CASES, hcop, linked=LINKED))):
        plans[number % PEOPLE].append(submission)
    people = [start(plan) for plan in plans]
    begin_together(people)
    killed = kill_some(people, chance)
    early_head = head_of(trial=trial, by=trial_lead, at=NOW)
    successors = [start(person.plan) for person in killed]
    begin_together(successors)
    for person in (each for each in [*people, *successors] if each not in killed):
        person.finish()
    for person, successor in zip(killed, successors, strict=True):
        # What the killed one was told holds: the same key again is the same submission.
        assert person.done.items() <= successor.done.items()
    every_key = {key: number for person in [*people, *successors] for key, number in person.done.items()}
    assert every_key == {str(key): str(number) for key, number in Submission.objects.values_list("key", "pk")}
    assert len(every_key) == CASES / AT_ONCE
    assert_whole(trial, CASES, linked=LINKED)
    assert_verified(trial, trial_lead, tmp_path, early_head)


def test_killed_between_its_last_statement_and_the_commit_leaves_nothing_and_no_gap(
    world: World, trial: Trial, hcop: User, trial_lead: User, start: Start, tmp_path: Path
) -> None:
    first, second, third = in_submissions(drafted(world.wards, 3 * AT_ONCE, hcop))
    before = start([first])
    before.begin()
    before.finish()
    halted = start([second], halt=True)
    halted.begin()
    wait_for(lambda: halted.said("halted"), "everything to be written")
    assert sessions()[halted.name].in_the_midst
    halted.kill()
    wait_until_gone(halted)
    assert Submission.objects.count() == 1
    assert Allocation.objects.count() == Case.objects.filter(decided_at__isnull=False).count() == AT_ONCE
    assert Notification.objects.count() == Referral.objects.count()
    assert not Decision.objects.filter(case__in=dict(second[1]), submission__isnull=False).exists()
    after = start([third, second])
    after.begin()
    after.finish()
    assert_whole(trial, 3 * AT_ONCE)
    assert_verified(trial, trial_lead, tmp_path)


def test_killed_while_it_commits_its_key_gives_what_was_committed_even_to_who_asks_before(
    world: World, trial: Trial, hcop: User, trial_lead: User, start: Start, tmp_path: Path
) -> None:
    """The process is gone, and the database commits all the same: nobody was told of it."""
    ((key, cases),) = plan = in_submissions(drafted(world.wards, AT_ONCE, hcop))
    with _slow_commit():
        person = start(plan)
        person.begin()
        wait_for(lambda: sessions().get(person.name, GONE).commits, "it to commit")
        person.kill()
        assert not Submission.objects.exists()
        again = submit(bcu=Bcu.objects.get(code="SW"), seen=dict(cases), key=uuid.UUID(key), by=hcop, at=NOW)
    assert person.done == {}
    assert again == Submission.objects.get()
    assert_whole(trial, AT_ONCE)
    assert_verified(trial, trial_lead, tmp_path)


@contextmanager
def _slow_commit() -> Iterator[None]:
    """The commit of a submission takes two seconds, unless it is made by the test itself."""
    with owner_rights(), connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF current_setting('application_name') LIKE 'person %' THEN PERFORM pg_sleep(2); END IF;
                RETURN NULL;
            END $$;
            CREATE CONSTRAINT TRIGGER wait_at_commit AFTER INSERT ON referrals_submission
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_at_commit();
            """
        )
    try:
        yield
    finally:
        with owner_rights(), connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION wait_at_commit CASCADE")


def assert_whole(trial: Trial, count: int, *, linked: int = 0) -> None:
    """Every case is submitted and allocated once, in order, to the arm of its position, with what follows."""
    assert Decision.objects.filter(submission__isnull=False).count() == Decision.objects.count() == count
    assert Case.objects.filter(decided_at__isnull=False).exclude(state=CaseState.WAITING).count() == count
    rows = list(Allocation.objects.select_related("follows").order_by("number"))
    assert [row.number for row in rows] == list(range(1, count + 1))
    assert len({row.case_id for row in rows}) == count
    assert all(row.submission_id == row.case.decision.submission_id for row in rows)
    assert [row.previous_hash for row in rows] == ["", *(row.row_hash for row in rows[:-1])]
    assert sum(row.follows is not None for row in rows) == linked
    assert all(row.follows is None or row.arm == row.follows.arm for row in rows)
    _assert_positions(trial, [row for row in rows if row.follows is None])
    _assert_referred([row.pk for row in rows if row.arm == Arm.SRC])
    written = AuditEntry.objects.filter(action=Action.CASES_ALLOCATED).values_list("references", flat=True)
    allocated = Counter(reference for references in written for reference in references)
    assert allocated == Counter(Case.objects.values_list("crime_reference", flat=True))


def _assert_positions(trial: Trial, units: list[Allocation]) -> None:
    key, design = allocation_key(SEED, trial.protocol_digest), trial.design
    strata = {row.stratum for row in units}
    assert strata == set(design.strata)
    assert len(strata) == 4
    for stratum in strata:
        taken = [(row.position, row.arm) for row in units if row.stratum == stratum]
        assert taken == [
            (position, arm_at(key, design, position=position, stratum=stratum).value)
            for position in range(1, len(taken) + 1)
        ]


def _assert_referred(src: list[int]) -> None:
    """Each allocation to SRC has one referral, and each referral its mail; nobody else has any."""
    referrals = dict(Referral.objects.values_list("number", "allocation"))
    assert sorted(referrals.values()) == sorted(src)
    assert sorted(referrals) == [f"SRC-2026-{n:06}" for n in range(1, len(src) + 1)]
    mailed = Notification.objects.values_list("referral__number", flat=True)
    assert sorted(mailed) == sorted(referrals)


def assert_verified(trial: Trial, by: User, directory: Path, *earlier: dict[str, Any]) -> None:
    """By the check inside, and by the program for people outside on a whole bundle; against every head."""
    heads = {str(n): each for n, each in enumerate([*earlier, head_of(trial=trial, by=by, at=NOW)])}
    inside = check_trial(trial=trial, heads=heads, by=by)
    assert (inside["result"], inside["problem"]) == ("verified", None)
    rows = trial.allocations.select_related("follows").order_by("number")
    bundle = {
        "format": "src-trial-1",
        "protocol": trial.protocol,
        "commitment": trial.commitment,
        "seed": SEED.hex(),
        "allocations": [
            {**chained(row), "previous": row.previous_hash, "hash": row.row_hash} for row in rows
        ],
    }
    outside = verify(directory, bundle, *heads.values())
    assert outside.report["result"] == "verified"
    assert outside.status == 0
