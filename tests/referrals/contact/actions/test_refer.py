"""Numbers and flags."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from referrals.contact.actions.refer import next_number
from referrals.crime_record.actions.flags import confirm_flags
from referrals.models import Referral
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World
from tests.factories import NOW

MakeReferral = Callable[..., Referral]


def test_numbers_count_up_within_a_year_of_london(db: None) -> None:
    last_minute = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    assert [next_number(NOW), next_number(last_minute)] == ["SRC-2026-000001", "SRC-2026-000002"]
    assert next_number(datetime(2027, 1, 1, 0, 0, tzinfo=UTC)) == "SRC-2027-000001"
    midnight_in_london = datetime(2027, 6, 30, 23, 30, tzinfo=UTC)
    assert next_number(midnight_in_london) == "SRC-2027-000002"


def test_ticked_flags_are_confirmed_with_who_and_when(make_referral: MakeReferral, hcop: User) -> None:
    one, two, other = make_referral(), make_referral(), make_referral()
    assert confirm_flags(referral_ids=[one.pk, two.pk], by=hcop, at=NOW) == 2
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.flag_confirmed_at, one.flag_confirmed_by) == (NOW, hcop)
    assert other.flag_confirmed_at is None
    entry = AuditEntry.objects.get(action=Action.FLAGS_CONFIRMED)
    assert sorted(entry.references) == sorted([one.number, two.number])


def test_confirming_twice_keeps_the_first(make_referral: MakeReferral, hcop: User, other_hcop: User) -> None:
    referral = make_referral()
    confirm_flags(referral_ids=[referral.pk], by=hcop, at=NOW)
    assert confirm_flags(referral_ids=[referral.pk], by=other_hcop, at=NOW) == 0
    referral.refresh_from_db()
    assert referral.flag_confirmed_by == hcop


def test_flags_of_another_bcu_stay_as_they_are(
    make_referral: MakeReferral, world: World, north_hcop: User, officer: User
) -> None:
    referral = make_referral()
    assert confirm_flags(referral_ids=[referral.pk], by=north_hcop, at=NOW) == 0
    with pytest.raises(NotAllowed):
        confirm_flags(referral_ids=[referral.pk], by=officer, at=NOW)
