"""A case's state says again what its decision and referral say, whoever wrote what in which order."""

import uuid
from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import IntegrityError, connection

from referrals.models import Case, CaseState, ContactBy, Decision, Mode, Reason, Referral
from referrals.review.actions.drafts import draft_not_suitable, draft_suitable
from referrals.review.actions.submit import submit
from src_app.accounts.models import User
from tests.conftest import World
from tests.database import owner_rights
from tests.factories import DecisionFactory, WardModeFactory

MakeCase = Callable[..., Case]
pytestmark = pytest.mark.usefixtures("clock")


def _state(case: Case) -> str:
    return str(Case.objects.values_list("state", flat=True).get(pk=case.pk))


def test_a_submission_gives_each_case_its_state(
    make_case: MakeCase, world: World, hcop: User, now: datetime
) -> None:
    WardModeFactory.create(ward=world.wards[1], mode=Mode.NOT_STARTED)
    expected = {
        make_case(ward=world.wards[0]): CaseState.REFERRED,
        make_case(ward=world.wards[1]): CaseState.USUAL_SERVICE,
    }
    why = {
        Reason.CLOSED: (ContactBy.INVESTIGATOR, CaseState.NOT_SUITABLE),
        Reason.HIGH_RISK: (ContactBy.NEIGHBOURHOOD_TEAM, CaseState.REFERRED),
    }
    for case in expected:
        draft_suitable(case_id=case.pk, version=None, by=hcop, at=now)
    for reason, (contact_by, state) in why.items():
        case = make_case()
        expected[case] = state
        draft_not_suitable(
            case_id=case.pk, version=None, reason=reason, contact_by=contact_by, by=hcop, at=now
        )
    assert {_state(case) for case in expected} == {CaseState.WAITING}
    seen = dict(Decision.objects.values_list("case_id", "version"))
    submit(bcu=world.south_west, seen=seen, key=uuid.uuid4(), by=hcop, at=now)
    assert {case: _state(case) for case in expected} == expected


def test_it_follows_decision_and_referral_in_any_order(
    make_case: MakeCase, make_referral: Callable[..., Referral], now: datetime
) -> None:
    case = make_case()
    DecisionFactory.create(case=case)
    assert _state(case) == CaseState.WAITING
    Case.objects.filter(pk=case.pk).update(decided_at=now)
    assert _state(case) == CaseState.USUAL_SERVICE
    Decision.objects.update(suitable=False, reason=Reason.CLOSED, contact_by=ContactBy.INVESTIGATOR)
    assert _state(case) == CaseState.NOT_SUITABLE
    make_referral(case=case)
    assert _state(case) == CaseState.REFERRED
    with owner_rights(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM referrals_referral")
    assert _state(case) == CaseState.NOT_SUITABLE


def test_no_change_of_a_case_can_write_another_state(make_case: MakeCase, now: datetime) -> None:
    case = make_case(decided_at=now)
    DecisionFactory.create(case=case)
    Case.objects.filter(pk=case.pk).update(state=CaseState.WAITING)
    assert _state(case) == CaseState.USUAL_SERVICE
    # What was read before the decision is saved after it.
    case.offence = "Stalking"
    case.save()
    assert _state(case) == CaseState.USUAL_SERVICE


@pytest.mark.parametrize(("decided", "state"), [(True, CaseState.WAITING), (False, CaseState.NOT_SUITABLE)])
def test_a_new_case_cannot_contradict_itself(
    make_case: MakeCase, now: datetime, decided: bool, state: CaseState
) -> None:
    with pytest.raises(IntegrityError, match="case_waits_until_it_is_decided"):
        make_case(decided_at=now if decided else None, state=state)


def test_a_state_that_changes_is_no_event_of_its_own(
    make_case: MakeCase, make_referral: Callable[..., Referral], now: datetime
) -> None:
    """History has the decision and the referral; the state only repeats them."""
    case = make_case(decided_at=now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM referrals_caseevent")
        before = cursor.fetchone()
        make_referral(case=case)
        cursor.execute("SELECT count(*) FROM referrals_caseevent")
        assert cursor.fetchone() == before
    assert _state(case) == CaseState.REFERRED
