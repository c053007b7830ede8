"""Policies, bank holidays proclaimed late, and the due times that they give and move."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError

from referrals.contact.actions.closing import close_without_contact
from referrals.contact.actions.refer import refer, refer_again
from referrals.deadlines import actions, readers
from referrals.deadlines.actions import add_holiday, recount_due_times, set_policy
from referrals.deadlines.readers import holidays_from
from referrals.models import (
    BankHoliday,
    Case,
    CloseReason,
    DeadlinePolicy,
    DueMove,
    MoveReason,
    Referral,
    Ward,
)
from referrals.rules.bank_holidays import listed_holidays
from referrals.rules.deadlines import LONDON
from referrals.tasks import recount_due_times as task
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.refused import Refused
from tests.conftest import World
from tests.factories import (
    NOW,
    BankHolidayFactory,
    ContactAttemptFactory,
    DeadlinePolicyFactory,
    ReferralFactory,
)

pytestmark = pytest.mark.usefixtures("clock")
MakeCase = Callable[..., Case]
ASKED = {
    "contact_working_days": 3,
    "refer_now_hours": 8,
    "attempts_no_reply": 3,
    "attempts_wrong_details": 2,
}
WEDNESDAY = date(2026, 11, 25)


@pytest.fixture
def make(make_case: MakeCase, hcop: User) -> Callable[..., Referral]:
    """Refers a new case of the ward, as a submission does."""

    def make(ward: Ward, *, refer_now: bool = False, at: datetime = NOW) -> Referral:
        case = make_case(ward=ward, decided_at=at)
        made: dict[str, Any] = {"allocation": None, "refer_now": refer_now, "by": hcop, "at": at}
        return refer(case=case, team=ward.team, ward=ward, **made)

    return make


def london(day: int, hour: int = 17, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=LONDON)


def test_what_is_referred_is_due_by_the_policy_of_its_wards_bcu(
    make: Callable[..., Referral], world: World
) -> None:
    DeadlinePolicyFactory.create(bcu=world.south_west, contact_working_days=3, refer_now_hours=8)
    ward = world.wards[0]
    assert make(ward).due_at == london(26)
    assert make(ward, refer_now=True).due_at == NOW + timedelta(hours=8)
    # The other BCU has none: the settings hold.
    other = make(world.north_ward)
    assert other.due_at == NOW + timedelta(hours=72)
    assert other.working_days is None


def test_a_policy_applies_from_its_day_and_the_latest_that_has_begun_counts(
    make: Callable[..., Referral], world: World
) -> None:
    for starts_on, hours in ((date(2026, 11, 1), 48), (date(2026, 11, 23), 36), (date(2026, 11, 24), 10)):
        DeadlinePolicyFactory.create(bcu=world.south_west, starts_on=starts_on, contact_hours=hours)
    ward = world.wards[0]
    assert make(ward).due_at == NOW + timedelta(hours=36)
    # Half an hour after midnight in London, which is the next day there.
    night = london(24, 0)
    assert make(ward, at=night).due_at == night + timedelta(hours=10)
    before = london(31, 12, month=10)
    assert make(ward, at=before).due_at == before + timedelta(hours=72)


def test_what_is_opened_again_is_due_by_the_policy_of_that_moment(
    make: Callable[..., Referral], world: World, hcop: User
) -> None:
    referral = make(world.wards[0])
    Referral.objects.filter(pk=referral.pk).update(
        status="closed", close_reason=CloseReason.NO_REPLY, closed_at=NOW, closed_by=hcop
    )
    referral.refresh_from_db()
    DeadlinePolicyFactory.create(
        bcu=world.south_west, refer_now_working_days=1, day_ends=time(12), remind_taker=[]
    )
    refer_again(referral=referral, team=referral.team, ward=referral.ward, by=hcop, at=NOW)
    referral.refresh_from_db()
    assert referral.due_at == london(24, 12)
    assert (referral.counted_from, referral.working_days, referral.day_ends) == (NOW, 1, time(12))


def test_a_changed_deadline_leaves_every_due_time_that_was_given(
    make: Callable[..., Referral], world: World, system: User
) -> None:
    referral = make(world.wards[0])
    before = referral.due_at
    set_policy(
        bcu_id=world.south_west.pk,
        starts_on=NOW.date(),
        asked={**ASKED, "contact_working_days": None, "contact_hours": 1},
        by=system,
        at=NOW,
    )
    referral.refresh_from_db()
    assert referral.due_at == before
    assert make(world.wards[0]).due_at == NOW + timedelta(hours=1)


def test_a_policy_for_the_same_day_takes_the_place_of_the_first_and_history_keeps_both(
    world: World, system: User
) -> None:
    for days in (3, 4):
        set_policy(
            bcu_id=world.south_west.pk,
            starts_on=NOW.date(),
            asked={**ASKED, "contact_working_days": days},
            by=system,
            at=NOW,
        )
    policy = DeadlinePolicy.objects.get()
    assert policy.contact_working_days == 4
    history = apps.get_model("referrals", "DeadlinePolicyEvent").objects.order_by("pgh_id")
    assert list(history.values_list("contact_working_days", flat=True)) == [3, 4]


def test_no_policy_applies_from_a_day_that_has_passed_and_nobody_else_sets_one(
    world: World, system: User, hcop: User
) -> None:
    terms: dict[str, Any] = {"bcu_id": world.south_west.pk, "asked": ASKED, "at": NOW}
    with pytest.raises(Refused, match="today or a later day"):
        set_policy(**terms, starts_on=NOW.date() - timedelta(days=1), by=system)
    with pytest.raises(NotAllowed):
        set_policy(**terms, starts_on=NOW.date(), by=hcop)
    assert not DeadlinePolicy.objects.exists()


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"contact_hours": None, "contact_working_days": None}, "policy_contact_window"),
        ({"contact_hours": 72, "contact_working_days": 3}, "policy_contact_window"),
        ({"contact_hours": 721}, "policy_contact_window"),
        ({"refer_now_hours": None, "refer_now_working_days": 31}, "policy_refer_now_window"),
        ({"attempts_no_reply": 0}, "policy_attempts_are_some"),
        ({"remind_hcop": [5]}, "policy_remind_hcop_at_known_hours"),
        ({"quiet_from": time(22)}, "policy_quiet_hours_from_until"),
        ({"quiet_from": time(22), "quiet_until": time(22)}, "policy_quiet_hours_from_until"),
        ({"decision_hours": 0}, "policy_decision_hours_are_some"),
    ],
)
def test_the_database_refuses_a_policy_that_cannot_hold(
    world: World, fields: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        DeadlinePolicyFactory.create(bcu=world.south_west, **fields)


def test_the_policy_says_how_many_attempts_go_before_a_referral_is_closed(
    make: Callable[..., Referral], world: World, officer: User
) -> None:
    DeadlinePolicyFactory.create(
        bcu=world.south_west, attempts_no_reply=3, attempts_wrong_details=2, contact_hours=24
    )
    referral = make(world.wards[0])
    for tried in (1, 2, 3):
        for reason, least in ((CloseReason.WRONG_DETAILS, 2), (CloseReason.NO_REPLY, 3)):
            if tried <= least:
                with pytest.raises(Refused, match=f"at least {least} times"):
                    close_without_contact(referral_id=referral.pk, reason=reason, by=officer, at=NOW)
        ContactAttemptFactory.create(
            referral=referral, made_by=officer, made_at=NOW, logged_at=NOW, result="wrong_details"
        )
    closed = close_without_contact(referral_id=referral.pk, reason=CloseReason.NO_REPLY, by=officer, at=NOW)
    assert closed.close_reason == CloseReason.NO_REPLY


def test_a_late_holiday_moves_what_is_open_and_due_later_for_it_and_says_why(
    make: Callable[..., Referral], world: World, system: User, hcop: User
) -> None:
    DeadlinePolicyFactory.create(bcu=world.south_west, contact_working_days=3, refer_now_working_days=1)
    over_it, before_it = make(world.wards[0]), make(world.wards[1], refer_now=True)
    by_hours, ended = make(world.north_ward), make(world.wards[2])
    Referral.objects.filter(pk=ended.pk).update(
        status="closed", close_reason=CloseReason.NO_REPLY, closed_at=NOW, closed_by=hcop
    )
    dues = dict(Referral.objects.values_list("pk", "due_at"))
    moved = add_holiday(day=WEDNESDAY, name="A day of thanks", by=system, at=NOW)
    assert moved == [over_it]
    assert dict(Referral.objects.values_list("pk", "due_at")) == {**dues, over_it.pk: london(27)}
    move = DueMove.objects.get()
    assert (move.referral, move.reason, move.holiday) == (
        over_it,
        MoveReason.HOLIDAY,
        BankHoliday.objects.get(),
    )
    assert (move.from_due_at, move.to_due_at) == (london(26), london(27))
    # What is referred from then on knows of it.
    assert make(world.wards[3]).due_at == london(27)
    assert {by_hours.due_at, before_it.due_at} == {NOW + timedelta(hours=72), london(24)}


def test_a_holiday_that_a_release_of_the_list_brings_moves_what_was_counted_without_it(
    make: Callable[..., Referral], world: World, system: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    DeadlinePolicyFactory.create(bcu=world.south_west, contact_working_days=3)
    over_it, by_hours = make(world.wards[0]), make(world.north_ward)
    assert recount_due_times(by=system, at=NOW) == []
    longer = {**listed_holidays(), WEDNESDAY: "A day of thanks"}
    for module in (actions, readers):
        monkeypatch.setattr(module, "listed_holidays", lambda: longer)
    assert recount_due_times(by=system, at=NOW) == [over_it]
    move = DueMove.objects.get()
    assert (move.from_due_at, move.to_due_at) == (london(26), london(27))
    assert move.holiday == BankHoliday.objects.get(day=WEDNESDAY, name="A day of thanks")
    assert recount_due_times(by=system, at=NOW) == []
    by_hours.refresh_from_db()
    assert by_hours.due_at == NOW + timedelta(hours=72)
    # It stands once on the page, as one of the list.
    assert [each.added for each in holidays_from(WEDNESDAY) if each.day == WEDNESDAY] == [None]


def test_of_two_new_holidays_each_that_moves_something_is_its_cause(
    make: Callable[..., Referral], world: World, system: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    DeadlinePolicyFactory.create(bcu=world.south_west, contact_working_days=3)
    make(world.wards[0])
    longer = {**listed_holidays(), WEDNESDAY: "A day of thanks", date(2026, 11, 26): "Another"}
    for module in (actions, readers):
        monkeypatch.setattr(module, "listed_holidays", lambda: longer)
    recount_due_times(by=system, at=NOW)
    assert DueMove.objects.get().to_due_at == london(30)
    assert BankHoliday.objects.count() == AuditEntry.objects.filter(action=Action.HOLIDAY_ADDED).count() == 1


def test_what_was_referred_while_a_holiday_was_added_is_moved_within_the_hour(
    make: Callable[..., Referral], world: World, system: User
) -> None:
    DeadlinePolicyFactory.create(bcu=world.south_west, contact_working_days=3)
    meanwhile = make(world.wards[0])
    BankHolidayFactory.create(day=WEDNESDAY)
    task()
    meanwhile.refresh_from_db()
    assert (meanwhile.due_at, BankHoliday.objects.count()) == (london(27), 1)


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (date(2026, 12, 25), "on the list already"),
        (date(2026, 11, 28), "is a Saturday"),
        (date(2026, 10, 1), "last 30 days"),
        (date(2031, 1, 2), "last 30 days"),
    ],
)
def test_a_day_that_is_no_late_holiday_is_refused(day: date, why: str, system: User) -> None:
    with pytest.raises(Refused, match=why):
        add_holiday(day=day, name="A day of thanks", by=system, at=NOW)


def test_a_holiday_is_added_once_and_by_nobody_else(system: User, hcop: User) -> None:
    add_holiday(day=WEDNESDAY, name="A day of thanks", by=system, at=NOW)
    with pytest.raises(Refused, match="added already"):
        add_holiday(day=WEDNESDAY, name="Again", by=system, at=NOW)
    with pytest.raises(NotAllowed):
        add_holiday(day=date(2026, 11, 26), name="Another", by=hcop, at=NOW)


def test_a_late_holiday_within_a_stop_moves_nothing(world: World, system: User) -> None:
    stopped = ReferralFactory.create(
        case__ward=world.wards[0],
        counted_from=NOW,
        working_days=1,
        day_ends=time(17),
        due_at=london(27),
        stopped_until=london(27, 9),
    )
    stopped.stops.create(
        reason="victim_asked", starts_at=london(24, 9), ends_at=london(27, 9), stopped_by=system
    )
    assert add_holiday(day=WEDNESDAY, name="A day of thanks", by=system, at=NOW) == []
