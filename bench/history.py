"""Fills a database: five years of decided cases that grow with the size, and a present that does not."""

import time
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connections

from bench.cases import DAY, HOUR, RECENT, Cases
from bench.filling import Sender
from bench.people import World
from outcomes.rates.counts import mend_outcomes
from referrals.compliance.counts import mend_contacts, mend_states
from referrals.models import NumberSeries

FIVE_YEARS = timedelta(days=5 * 365)
WAITING, MARKED = 60, 30
OPEN, OPEN_A_REVIEW = 320, 16
JUST_ENDED = 470
BLOCK = 20_000
PRESENT = WAITING + OPEN + JUST_ENDED
SEED = 49


@dataclass(frozen=True)
class Filled:
    """How many rows were made and how long it took."""

    rows: dict[str, int]
    seconds: float


def fill(world: World, rows: int) -> Filled:
    """Makes ``rows`` cases: the present of ``PRESENT`` cases, and the rest as history.

    Then compares the counts that triggers kept meanwhile with a count of everything.
    """
    began = time.perf_counter()
    made = Cases(world, SEED)
    with closing(Sender()) as sender:
        _history(made, rows - PRESENT, sender)
        # Drawn from a seed of its own, so that the present is the same whatever came before it.
        made.random.seed(SEED + 1)
        _just_ended(made)
        _open(made)
        _waiting(made)
        sender.send(made.tables)
        sender.wait()
    for table in made.tables:
        table.finish()
    NumberSeries.objects.bulk_create(
        NumberSeries(year=year, last=last) for year, last in made.numbers.items()
    )
    with connections["owner"].cursor() as cursor:
        # What autovacuum does within the hour.
        cursor.execute("VACUUM ANALYZE")
    if wrong := mend_contacts() + mend_outcomes() + mend_states():
        raise RuntimeError(f"{wrong} counts and states that the database keeps are not what they should be")
    return Filled({table.name: table.last for table in made.tables}, time.perf_counter() - began)


def _history(made: Cases, number: int, sender: Sender) -> None:
    """Cases in the order of time, submitted on the morning after the report."""
    world = made.world
    first, last = world.now - FIVE_YEARS, world.now - RECENT - DAY
    step = (last - first) / number
    morning, review = first, made.review(first)
    for nth in range(number):
        reported_at = first + nth * step
        while reported_at > morning:
            morning += DAY
            review = made.review(morning)
        made.decided(reported_at, review)
        if nth % BLOCK == BLOCK - 1:
            sender.send(made.tables)


def _just_ended(made: Cases) -> None:
    """Referrals of the last days that have ended."""
    last = made.world.now - 170 * HOUR
    for nth in range(JUST_ENDED):
        at = last - HOUR * (JUST_ENDED - nth) / 30
        if nth % 30 == 0:
            review = made.review(at + 12 * HOUR)
        made.decided(at, review)


def _open(made: Cases) -> None:
    """A handful for each team, submitted every four hours; one in ten is overdue."""
    for nth in range(OPEN):
        if nth % OPEN_A_REVIEW == 0:
            review = made.review(_ago(made, 82 - 4 * (nth // OPEN_A_REVIEW)))
        made.decided(review.at - (nth % OPEN_A_REVIEW + 1) * HOUR, review, ended=False)


def _waiting(made: Cases) -> None:
    """Last night's reports, half of them marked already."""
    for nth in range(WAITING):
        case = made.case(_ago(made, (WAITING - nth) * 0.3 + 1)).case
        if nth < MARKED:
            made.draft(case, suitable=nth % 5 != 0, at=_ago(made, 0.5))


def _ago(made: Cases, hours: float) -> datetime:
    return made.world.now - hours * HOUR
