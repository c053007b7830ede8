"""A night's rates."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from outcomes.models import RateSnapshot
from outcomes.rates import actions
from outcomes.rates.actions import compute_rates
from outcomes.tasks import compute_rates as task
from referrals.models import Case, Referral
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World
from tests.factories import (
    AllocationFactory,
    DecisionFactory,
    OutcomeCodeFactory,
    RecordedOutcomeFactory,
    SubmissionFactory,
)

MakeCase = Callable[..., Case]
MakeReferral = Callable[..., Referral]
CONTACT = ("in_time", "late", "overdue", "not_yet_due", "closed_without_contact")
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def decided(make_case: MakeCase, now: datetime) -> MakeCase:
    def decided(code: int | None, **fields: object) -> Case:
        case = make_case(decided_at=now, **fields)
        DecisionFactory.create(case=case, submission=SubmissionFactory.create(bcu=case.bcu))
        if code:
            RecordedOutcomeFactory.create(case=case, code=OutcomeCodeFactory.create(code=code))
        return case

    return decided


def _rows(*names: str) -> dict[str, tuple[int, ...]]:
    """What is written, by ward (``SW``: the whole of South West), but for places with nothing."""
    rows = {}
    for row in RateSnapshot.objects.select_related("bcu", "ward"):
        counts = tuple(getattr(row, name) for name in names)
        if any(counts):
            rows[row.ward.name if row.ward else row.bcu.code] = counts
    return rows


def test_every_ward_and_bcu_gets_the_days_counts(
    decided: MakeCase, make_referral: MakeReferral, world: World, system: User, now: datetime
) -> None:
    abbey, colliers_wood, *_ = world.wards
    make_referral(ward=abbey, completed=True)
    make_referral(ward=abbey, made_at=now - timedelta(hours=100))
    make_referral(ward=colliers_wood, made_at=now - timedelta(hours=100), closed=True)
    make_referral(ward=colliers_wood)
    decided(16, ward=abbey)
    decided(1, ward=abbey)
    decided(18, ward=colliers_wood)
    decided(None, ward=colliers_wood)
    decided(14, ward=None)
    decided(16, ward=world.north_ward)
    # Seven wards and two BCUs, those with nothing among them.
    assert compute_rates(by=system, at=now) == RateSnapshot.objects.count() == 9
    assert _rows(*CONTACT) == {
        "Abbey": (1, 0, 1, 0, 0),
        "Colliers Wood": (0, 0, 0, 1, 1),
        "SW": (1, 0, 1, 1, 1),
    }
    assert _rows("cases", "closed", "attrition", "charge", "positive") == {
        "Abbey": (2, 2, 1, 1, 1),
        "Colliers Wood": (2, 1, 0, 0, 0),
        "SW": (5, 4, 2, 1, 1),
        "Hendon": (1, 1, 1, 0, 0),
        "N": (1, 1, 1, 0, 0),
    }


def test_the_same_day_again_replaces_its_counts_and_another_day_adds_its_own(
    make_referral: MakeReferral, system: User, now: datetime
) -> None:
    referral = make_referral(made_at=now - timedelta(hours=71))
    compute_rates(by=system, at=now)
    assert _rows(*CONTACT)["SW"] == (0, 0, 0, 1, 0)
    ids = set(RateSnapshot.objects.values_list("pk", flat=True))
    later = now + timedelta(hours=2)
    compute_rates(by=system, at=later)
    assert _rows(*CONTACT)["SW"] == (0, 0, 1, 0, 0)
    assert set(RateSnapshot.objects.values_list("pk", flat=True)) == ids
    assert set(RateSnapshot.objects.values_list("computed_at", flat=True)) == {later}
    compute_rates(by=system, at=now + timedelta(days=1))
    assert RateSnapshot.objects.filter(day=date(2026, 11, 23)).count() == len(ids)
    assert RateSnapshot.objects.count() == 2 * len(ids)
    assert referral.closed_at is None


def test_the_day_is_londons(system: User, world: World, now: datetime) -> None:
    compute_rates(by=system, at=now.replace(month=7, day=1, hour=0, minute=10))
    assert set(RateSnapshot.objects.values_list("day", flat=True)) == {date(2026, 7, 1)}


def test_few_queries_that_do_not_grow_with_rows_and_none_reads_an_allocation(
    decided: MakeCase, make_referral: MakeReferral, system: User, now: datetime
) -> None:
    def queries(count: int) -> list[str]:
        for _ in range(count):
            AllocationFactory.create(case=decided(16))
            make_referral()
        with CaptureQueriesContext(connection) as captured:
            compute_rates(by=system, at=now)
        return [query["sql"] for query in captured]

    first, second = queries(3), queries(27)
    assert len(first) == len(second) <= 19
    assert "referrals_allocation" not in " ".join(first + second)


def test_only_the_system_computes_rates(hcop: User, trial_lead: User, now: datetime) -> None:
    for user in (hcop, trial_lead):
        with pytest.raises(NotAllowed):
            compute_rates(by=user, at=now)


def test_without_its_audit_row_nothing_is_written(
    system: User, world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(actions, "record", fail)
    with pytest.raises(RuntimeError):
        compute_rates(by=system, at=now)
    assert not RateSnapshot.objects.exists()


def test_the_task_does_it_as_this_system(world: World) -> None:
    task()
    assert RateSnapshot.objects.count() == 9
    entry = AuditEntry.objects.get(action=Action.RATES_COMPUTED)
    assert (entry.actor, entry.origin) == (User.objects.system(), "task compute_rates")
