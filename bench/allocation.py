"""One allocation through a submission, beside a bare transaction that locks one row and adds one."""

import gc
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

from django.db import connection, connections, transaction
from django.utils import timezone
from psycopg2 import sql

from bench.databases import Database, Databases
from bench.figures import Times
from bench.memory import queries_seen
from bench.people import World, make_world
from local.demo.trials import begin_trial_of
from referrals.models import Allocation, Case, Decision, Mode, Strand, Trial, VictimType, WardMode
from referrals.review.actions.submit import submit
from referrals.rules.trial.allocation import MOST_UNITS, Design, Factor, Scheme
from referrals.trial.actions.allocate import allocate
from src_app.audit.record import acting
from src_app.database import run, runtime_role

# An allocation is to cost no more than so many bare transactions.
TIMES_BARE = 20.0
A_SUBMISSION = 20
# Before each submission, and after it: so many that one that waited for the machine does not count alone.
BARE = 50
# Larger than any trial that is filled here: the one that reaches its target is closed.
TARGET = MOST_UNITS
# Schemes whose arm hangs on earlier positions or on the blocks before: the later the position, the dearer.
GROWING = (Scheme.COMPLETE, Scheme.BLOCKS, Scheme.MINIMISATION)


@dataclass
class Measured:
    """Seconds of each round: a case of a submission, its allocation alone, and the bare transaction."""

    scheme: Scheme
    before: int
    statements: float
    units: int = 0
    whole: Times = field(default_factory=Times)
    allocated: Times = field(default_factory=Times)
    bare: Times = field(default_factory=Times)

    def as_json(self) -> dict[str, Any]:
        """In the form of what else is measured."""
        alone = self.allocated.to(self.bare)
        first, last = self.before + 1, self.before + self.units
        return {
            "name": f"allocation by {self.scheme.value}, units {first} to {last}",
            "rows": self.units,
            "compared_with": "a bare transaction that locks one row and adds one",
            "statements_a_case": round(self.statements, 1),
            "milliseconds": {
                "case_of_a_submission": self.whole.as_json(),
                "allocation_alone": self.allocated.as_json(),
                "bare_transaction": self.bare.as_json(),
            },
            "ratios": {
                "case_to_bare": round(self.whole.to(self.bare), 2),
                "allocation_to_bare": round(alone, 2),
            },
            "missed": f"{alone:.1f} bare transactions, aim {TIMES_BARE:g}" if alone > TIMES_BARE else "",
        }


def designs(world: World) -> dict[Scheme, tuple[Design, str]]:
    """A design of each scheme, and what its strata are."""
    boroughs = tuple(sorted({ward.borough.code for ward in world.wards}))
    factors = (Factor("borough", boroughs, weight=2), Factor("repeat_victim", ("no", "yes")))
    sizes = (4, 6, 8)
    return {
        Scheme.SIMPLE: (Design(Scheme.SIMPLE, TARGET), ""),
        Scheme.COMPLETE: (Design(Scheme.COMPLETE, TARGET), ""),
        Scheme.BLOCKS: (Design(Scheme.BLOCKS, TARGET, block_sizes=sizes), ""),
        Scheme.STRATIFIED_BLOCKS: (
            Design(Scheme.STRATIFIED_BLOCKS, TARGET, block_sizes=sizes, strata=boroughs),
            "borough",
        ),
        Scheme.MINIMISATION: (Design(Scheme.MINIMISATION, TARGET, factors=factors), ""),
    }


def measure_allocations(databases: Databases, units: int, later: int) -> list[dict[str, Any]]:
    """So many units of a trial of each scheme and, where it matters, so many again after ``later``.

    Each scheme has a database of its own, and they take turns: what slows the machine down meets all alike.
    """
    now = timezone.now().replace(microsecond=0)
    desks = []
    for scheme in Scheme:
        database = databases.make(scheme.value)
        desks.append(Desk(database, make_world(now), scheme))
    measured = _rounds(desks, units)
    growing = [desk for desk in desks if desk.scheme in GROWING]
    for desk in growing:
        desk.fill(later)
    return [each.as_json() for each in (*measured, *_rounds(growing, units))]


def _trial(world: World, scheme: Scheme) -> Trial:
    """A trial that recruits in every ward since yesterday."""
    at = world.now - timedelta(days=1)
    design, stratified_by = designs(world)[scheme]
    with acting("bench", by=world.people["trial_lead"]):
        trial = begin_trial_of(
            design,
            stratified_by=stratified_by,
            bcu=world.bcu,
            name=scheme.value,
            boroughs={ward.borough.name for ward in world.wards},
            lead=world.people["trial_lead"],
            leader=world.people["leader"],
            at=at,
        )
    day = timezone.localdate(at)
    WardMode.objects.bulk_create(
        WardMode(ward=ward, mode=Mode.TRIAL, trial=trial, starts_on=day) for ward in world.wards
    )
    return trial


def _rounds(desks: Sequence["Desk"], units: int) -> list[Measured]:
    """At each desk a submission between bare transactions, then at the next, round after round."""
    found = []
    for desk in desks:
        # Untimed, and every statement counted.
        statements = desk.statements() / A_SUBMISSION
        found.append(Measured(desk.scheme, desk.allocated, statements))
    gc.collect()
    for start in range(0, units, A_SUBMISSION):
        for desk, measured in zip(desks, found, strict=True):
            _round(desk, measured, min(A_SUBMISSION, units - start))
    return found


def _round(desk: "Desk", measured: Measured, count: int) -> None:
    desk.database.use()
    drafts, whole, bare = desk.draft(count), Times(), Times()
    bare.time(partial(desk.bare, BARE))
    with _timed_allocations() as allocated:
        whole.time(partial(desk.submit, drafts))
    bare.time(partial(desk.bare, BARE))
    measured.units += count
    measured.whole.seconds.append(sum(whole.seconds) / count)
    measured.allocated.seconds.append(sum(allocated.seconds) / count)
    measured.bare.seconds.append(sum(bare.seconds) / (2 * BARE))


@contextmanager
def _timed_allocations() -> Iterator[Times]:
    """How long each allocation within a submission takes."""
    times = Times()

    def timed(**given: Any) -> Allocation:
        made: list[Allocation] = []
        times.time(lambda: made.append(allocate(**given)))
        return made[0]

    with patch("referrals.review.actions.submit.allocate", timed):
        yield times


class Desk:
    """Where the cases of a trial are drafted and submitted, and a table beside its allocations."""

    def __init__(self, database: Database, world: World, scheme: Scheme) -> None:
        self.database, self.world, self.scheme = database, world, scheme
        self.trial, self.by = _trial(world, scheme), world.people["hcop"]
        self.drafted = self.added = 0
        with connections["owner"].cursor() as cursor:
            run(cursor, "CREATE TABLE bare (LIKE referrals_allocation INCLUDING ALL)")
            run(cursor, "GRANT SELECT, INSERT ON bare TO {role}", role=sql.Identifier(runtime_role()))

    @property
    def allocated(self) -> int:
        """How many units the trial has."""
        return self.trial.allocations.count()

    def draft(self, count: int) -> dict[int, int]:
        """New cases marked suitable, and the versions of their drafts; no two are of one unit."""
        cases = Case.objects.bulk_create(self._case(self.drafted + n) for n in range(count))
        Decision.objects.bulk_create(
            Decision(case=case, suitable=True, drafted_by=self.by, drafted_at=self.world.now)
            for case in cases
        )
        self.drafted += count
        return {case.pk: 1 for case in cases}

    def _case(self, number: int) -> Case:
        now, ward = self.world.now, self.world.wards[number % len(self.world.wards)]
        return Case(
            bcu=self.world.bcu,
            ward=ward,
            crime_reference=f"49/{number:07}/26",
            reported_at=now - timedelta(seconds=number % 3600),
            offence="Harassment",
            strands=[Strand.RACE],
            is_crime=True,
            victim_type=VictimType.INDIVIDUAL,
            repeat_victim=number % 3 == 0,
            incident_hash=f"{2 * number:064x}",
            victim_hash=f"{2 * number + 1:064x}",
            imported_at=now,
            changed_at=now,
        )

    def submit(self, drafts: dict[int, int]) -> None:
        """As the check page's button does."""
        with acting("bench", by=self.by):
            submit(bcu=self.world.bcu, seen=drafts, key=uuid.uuid4(), by=self.by, at=self.world.now)

    def fill(self, units: int) -> None:
        """Until the trial has so many units."""
        self.database.use()
        while (missing := units - self.allocated) > 0:
            self.submit(self.draft(min(A_SUBMISSION, missing)))

    def statements(self) -> int:
        """How many statements a submission executes, once it is made."""
        self.database.use()
        drafts = self.draft(A_SUBMISSION)
        with queries_seen() as seen:
            self.submit(drafts)
        return len(seen)

    def bare(self, count: int) -> None:
        """So many transactions, each of which locks the trial and adds a row like an allocation."""
        for _ in range(count):
            self.added += 1
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT id FROM referrals_trial WHERE id = %s FOR UPDATE", [self.trial.pk])
                cursor.execute(_ADD, {"trial": self.trial.pk, "number": self.added, "now": self.world.now})


# The same columns, checks and indexes as an allocation, and neither foreign keys nor triggers.
_ADD = """
    INSERT INTO bare (
        id, trial_id, number, unit, stratum, levels, position, case_id, follows_id, arm, submission_id,
        allocated_at, salt, case_digest, moment_digest, previous_hash, row_hash
    ) VALUES (
        %(number)s, %(trial)s, %(number)s, lpad(%(number)s::text, 32, '0'), '', '{}', %(number)s, %(number)s,
        NULL, 'src', 1, %(now)s, repeat('0', 32), repeat('0', 64), repeat('0', 64),
        lpad(%(number)s::text, 64, '0'), repeat('0', 64)
    )
"""
