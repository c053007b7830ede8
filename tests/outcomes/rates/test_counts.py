"""The counts that the database keeps are those that counting gives, whatever is changed and in what order."""

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from outcomes.models import OutcomeCount, RecordedOutcome
from outcomes.rates.actions import recount
from outcomes.rates.readers import Outcomes, outcomes_by, outcomes_so_far
from outcomes.recording.actions import import_outcomes
from referrals.contact.actions.attempts import log_attempt, withdraw_attempt
from referrals.contact.actions.closing import close_without_contact
from referrals.models import (
    Case,
    CaseState,
    CloseReason,
    ContactBy,
    ContactCount,
    Decision,
    Method,
    Reason,
    Referral,
    Result,
    WeekContactCount,
)
from referrals.review.actions.drafts import draft_not_suitable, draft_suitable
from referrals.review.actions.submit import submit
from src_app.accounts.models import User
from tests.conftest import World
from tests.database import owner_rights
from tests.factories import DecisionFactory, OutcomeCodeFactory, RecordedOutcomeFactory

MakeCase = Callable[..., Case]
MakeReferral = Callable[..., Referral]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
pytestmark = pytest.mark.usefixtures("clock")


def _kept_contacts(
    kind: "type[ContactCount | WeekContactCount]" = ContactCount,
) -> dict[tuple[Any, ...], int]:
    kept: Counter[tuple[Any, ...]] = Counter()
    for row in kind.objects.all():
        for how in ("in_time", "late", "closed_without_contact"):
            kept[row.ward_id, row.due_on, how] += getattr(row, how)
    return {key: number for key, number in kept.items() if number}


def _contacts(*, by_week: bool = False) -> dict[tuple[Any, ...], int]:
    """Counted one by one, without the database's help."""
    counted: Counter[tuple[Any, ...]] = Counter()
    for referral in Referral.objects.exclude(closed_at=None):
        how = "closed_without_contact"
        if referral.contacted_at:
            how = "in_time" if referral.contacted_at <= referral.due_at else "late"
        due_on = timezone.localdate(referral.due_at)
        counted[referral.ward_id, due_on - due_on.weekday() * DAY if by_week else due_on, how] += 1
    return dict(counted)


def _kept_outcomes() -> dict[tuple[int, int | None], int]:
    kept: Counter[tuple[int, int | None]] = Counter()
    for row in OutcomeCount.objects.all():
        kept[row.bcu_id, row.code_id] += row.cases
    return {key: number for key, number in kept.items() if number}


def _outcomes() -> dict[tuple[int, int | None], int]:
    counted: Counter[tuple[int, int | None]] = Counter()
    for case in Case.objects.filter(decided_at__isnull=False, decision__suitable=True):
        latest = RecordedOutcome.objects.filter(case=case).order_by("recorded_at", "pk").last()
        counted[case.bcu_id, latest.code_id if latest else None] += 1
    return dict(counted)


def _assert_true() -> None:
    assert _kept_contacts() == _contacts()
    assert _kept_contacts(WeekContactCount) == _contacts(by_week=True)
    assert _kept_outcomes() == _outcomes()


def _attempt(referral: Referral, result: Result, by: User, at: datetime) -> Any:
    return log_attempt(
        referral_id=referral.pk,
        key=uuid.uuid4(),
        method=Method.TELEPHONE,
        result=result,
        made_at=at,
        by=by,
        at=at,
    )


def test_every_end_of_a_referral_and_its_withdrawal_is_counted(
    make_referral: MakeReferral, officer: User, now: datetime
) -> None:
    one, two, three = (make_referral(due_at=now + hours * HOUR) for hours in (5, 20, 72))
    _assert_true()
    for referral, at in ((one, now + 6 * HOUR), (two, now + 6 * HOUR)):
        made = _attempt(referral, Result.CONTACT_MADE, officer, at)
        _assert_true()
    assert sum(_kept_contacts().values()) == 2
    withdraw_attempt(attempt_id=made.pk, key=uuid.uuid4(), by=officer, at=now + 7 * HOUR)
    _assert_true()
    assert sum(_kept_contacts().values()) == 1
    _attempt(three, Result.DECLINED, officer, now + HOUR)
    close_without_contact(referral_id=three.pk, reason=CloseReason.DECLINED, by=officer, at=now + HOUR)
    _assert_true()
    # Closed without contact, it can still turn out well.
    _attempt(three, Result.CONTACT_MADE, officer, now + 2 * HOUR)
    _assert_true()
    assert {how for *_, how in _kept_contacts()} == {"late", "in_time"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE referrals_referral SET due_at = due_at + interval '1 day'",
        "UPDATE referrals_referral SET due_at = closed_at + interval '1 second', made_at = '2020-01-01'",
        "UPDATE referrals_referral SET ward_id = (SELECT max(id) FROM referrals_ward)",
        "DELETE FROM referrals_referral",
        "UPDATE referrals_case SET bcu_id = (SELECT max(id) FROM referrals_bcu)",
        "UPDATE referrals_decision SET suitable = true, reason = '', contact_by = ''",
        "DELETE FROM referrals_decision",
    ],
)
def test_what_no_action_does_is_counted_too(
    make_referral: MakeReferral, world: World, statement: str, now: datetime
) -> None:
    for ward in world.wards[:2]:
        referral = make_referral(ward=ward, completed=True, contacted_at=now + 90 * HOUR)
        DecisionFactory.create(case=referral.case)
        RecordedOutcomeFactory.create(case=referral.case)
        unsuitable = {"suitable": False, "reason": Reason.CLOSED, "contact_by": ContactBy.INVESTIGATOR}
        DecisionFactory.create(case=make_referral(closed=True).case, **unsuitable)
    with owner_rights(), connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount
    _assert_true()


def test_outcomes_are_counted_from_submission_on_and_the_latest_counts(
    make_case: MakeCase, hcop: User, world: World, now: datetime
) -> None:
    for code in (1, 14, 16):
        OutcomeCodeFactory.create(code=code)
    suitable, closed_early, not_suitable = (make_case(reported_at=now - DAY) for _ in range(3))
    RecordedOutcomeFactory.create(case=closed_early, code_id=1)
    for case in (suitable, closed_early):
        draft_suitable(case_id=case.pk, version=None, by=hcop, at=now)
    draft_not_suitable(
        case_id=not_suitable.pk,
        version=None,
        reason=Reason.CLOSED,
        contact_by=ContactBy.INVESTIGATOR,
        by=hcop,
        at=now,
    )
    assert _kept_outcomes() == {}
    seen = dict(Decision.objects.values_list("case_id", "version"))
    submit(bcu=world.south_west, seen=seen, key=uuid.uuid4(), by=hcop, at=now)
    assert _kept_outcomes() == {(world.south_west.pk, None): 1, (world.south_west.pk, 1): 1}
    for rows in (
        # Two of one case in one file, the later one first; then an older one, which changes nothing.
        f"{suitable.crime_reference},14,23/11/2026 06:00\n{suitable.crime_reference},16,22/11/2026 20:00\n",
        f"{suitable.crime_reference},16,22/11/2026 21:00\n",
        f"{not_suitable.crime_reference},16,22/11/2026 21:00\n",
    ):
        import_outcomes(content=f"crime_reference,outcome_code,recorded_at\n{rows}".encode(), by=hcop, at=now)
        _assert_true()
        assert _kept_outcomes() == {(world.south_west.pk, 14): 1, (world.south_west.pk, 1): 1}
    assert outcomes_so_far(hcop) == Outcomes(cases=2, closed=2, attrition=1, charge=1, positive=1)
    assert outcomes_so_far(hcop) == outcomes_by(Case.objects.all())[()]


def test_counts_stay_true_over_many_changes_in_any_order(
    make_case: MakeCase, make_referral: MakeReferral, world: World, now: datetime
) -> None:
    random = Random(7)
    for code in (1, 14, 16):
        OutcomeCodeFactory.create(code=code)

    def decide() -> None:
        DecisionFactory.create(case=make_case(ward=random.choice(world.wards)))
        some = (
            Case.objects.filter(decided_at__isnull=True).order_by("pk").values("pk")[: random.randint(1, 3)]
        )
        Case.objects.filter(pk__in=list(some.values_list("pk", flat=True))).update(decided_at=now)

    def refer() -> None:
        ended: dict[str, bool] = random.choice([{}, {"completed": True}, {"closed": True}])
        make_referral(ward=random.choice(world.wards), **ended)

    def reopen() -> None:
        Referral.objects.filter(pk__in=_some(Referral)).update(
            status="open", contacted_at=None, closed_at=None, closed_by=None, close_reason=""
        )

    def close() -> None:
        for case in Case.objects.filter(pk__in=_some(Case)):
            recorded_at = now - random.randint(1, 10**7) * HOUR / 3_600
            RecordedOutcomeFactory.create(
                case=case, code_id=random.choice((1, 14, 16)), recorded_at=recorded_at
            )

    def _some(model: Any) -> list[int]:
        keys = list(model.objects.order_by("pk").values_list("pk", flat=True))
        return random.sample(keys, min(len(keys), random.randint(1, 4)))

    seen: set[object] = set()
    for _ in range(40):
        random.choice((decide, refer, refer, reopen, close))()
        _assert_true()
        seen |= {*_kept_contacts(), *_kept_outcomes()}
    assert len(seen) > 8


def test_folding_leaves_one_row_of_a_day_and_the_same_sums(
    make_referral: MakeReferral, system: User, world: World
) -> None:
    for _ in range(3):
        referral = make_referral(completed=True)
        DecisionFactory.create(case=referral.case)
    kept = (ContactCount, WeekContactCount, OutcomeCount)
    assert [each.objects.count() for each in kept] == [3, 3, 3]
    assert recount(by=system) == 0
    assert [each.objects.count() for each in kept] == [1, 1, 1]
    _assert_true()


def test_counts_and_states_that_came_to_differ_are_found_and_mended(
    make_referral: MakeReferral, make_case: MakeCase, system: User, now: datetime
) -> None:
    """No way to it is known but tampering, and a new case that is written as decided already."""
    referral = make_referral(completed=True)
    DecisionFactory.create(case=referral.case)
    ContactCount.objects.update(late=5)
    WeekContactCount.objects.update(in_time=0)
    OutcomeCount.objects.all().delete()
    wrong = make_case(decided_at=now, state=CaseState.REFERRED)
    assert recount(by=system) == 4
    _assert_true()
    wrong.refresh_from_db()
    assert wrong.state == CaseState.NOT_SUITABLE
    assert recount(by=system) == 0
