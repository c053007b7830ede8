"""The pages on which the administrator sets deadlines and adds bank holidays."""

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from referrals.deadlines.forms import PolicyForm
from referrals.deadlines.readers import by_settings
from referrals.models import BankHoliday, DeadlinePolicy, Referral
from referrals.rules.deadlines import LONDON
from src_app.accounts.models import User
from tests.conftest import World
from tests.factories import NOW, DeadlinePolicyFactory, ReferralFactory

pytestmark = pytest.mark.usefixtures("clock")
LIST, SET, HOLIDAY = (reverse(name) for name in ("deadline_list", "set_deadlines", "add_holiday"))


@pytest.fixture
def browser(client_of: Callable[[User], Client], administrator: User) -> Client:
    return client_of(administrator)


def words(response: Any) -> str:
    return " ".join(response.content.decode().split())


def filled(world: World, **changed: Any) -> dict[str, Any]:
    """The form as the page shows it, and what was changed in it."""
    begins = PolicyForm.begins_with(by_settings(), world.south_west, NOW.date())
    return {**begins, **changed}


def test_each_bcu_shows_what_holds_there(browser: Client, world: World) -> None:
    DeadlinePolicyFactory.create(bcu=world.south_west, contact_working_days=3, decision_hours=24)
    DeadlinePolicyFactory.create(
        bcu=world.south_west, starts_on=date(2027, 1, 4), quiet_from=time(22), quiet_until=time(7)
    )
    shown = words(browser.get(LIST))
    assert "Since 23 November 2026" in shown
    assert "3 working days (by 5:00pm) after the referral" in shown
    assert "The inspector is told after 24 hours" in shown
    assert "From 4 January 2027" in shown
    assert "10:00pm to 7:00am" in shown
    assert "Nothing was set here" in shown  # of North
    assert "72 hours after the referral" in shown
    assert "Friday 25 December 2026: Christmas Day" in shown


def test_a_policy_is_saved_only_after_the_page_has_said_what_follows(browser: Client, world: World) -> None:
    ReferralFactory.create(case__ward=world.wards[0])
    form = filled(world, contact=2, contact_unit="working_days", starts_on="2026-12-01", remind_hcop=[48])
    check = browser.post(SET, form)
    assert "2 working days (by 5:00pm) after the referral" in words(check)
    assert "The hate crime officers: 48 hours after" in words(check).replace("the hate", "The hate")
    assert "1 open referral stay" in words(check).replace("stays", "stay")
    assert not DeadlinePolicy.objects.exists()
    assert 'value="2"' in words(browser.post(SET, {**form, "change": "yes"}))
    assert browser.post(SET, {**form, "confirmed": "yes"}).headers["Location"] == LIST
    policy = DeadlinePolicy.objects.get()
    assert (policy.bcu, policy.starts_on.isoformat()) == (world.south_west, "2026-12-01")
    assert (policy.contact_working_days, policy.contact_hours, policy.refer_now_hours) == (2, None, 24)
    assert (policy.remind_hcop, policy.remind_mailbox, policy.remind_supervisor) == ([48], [-24, 0], [])
    assert policy.quiet_from is None


def test_the_form_begins_with_what_holds(browser: Client, world: World) -> None:
    DeadlinePolicyFactory.create(
        bcu=world.north, contact_working_days=7, quiet_from=time(22), quiet_until=time(6)
    )
    shown = words(browser.get(SET, {"bcu": world.north.pk}))
    assert 'name="contact" value="7"' in shown
    assert 'value="22:00"' in shown
    assert browser.get(SET, {"bcu": "nonsense"}).status_code == 200


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"contact": 31, "contact_unit": "working_days"}, "Give 30 or less."),
        ({"quiet_from": "22:00"}, "Give both times"),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, "Give another time"),
        ({"starts_on": "2026-11-22"}, "today or a later day"),
        ({"attempts_no_reply": 0}, "Give 1 or more."),
    ],
)
def test_what_cannot_hold_is_said_and_nothing_is_saved(
    browser: Client, world: World, changed: dict[str, Any], error: str
) -> None:
    shown = browser.post(SET, filled(world, confirmed="yes", **changed))
    assert "There is a problem" in words(shown)
    assert error in words(shown)
    assert not DeadlinePolicy.objects.exists()


def test_a_holiday_is_added_only_after_the_page_has_said_what_it_moves(browser: Client, world: World) -> None:
    ReferralFactory.create(
        case__ward=world.wards[0],
        counted_from=NOW,
        working_days=3,
        day_ends=time(17),
        due_at=datetime(2026, 11, 26, 17, tzinfo=LONDON),
    )
    form = {"day": "2026-11-25", "name": "A day of thanks"}
    assert "1 open referral is due later" in words(browser.post(HOLIDAY, form))
    assert not BankHoliday.objects.exists()
    assert browser.post(HOLIDAY, {**form, "confirmed": "yes"}).headers["Location"] == LIST
    assert Referral.objects.get().due_at == datetime(2026, 11, 27, 17, tzinfo=LONDON)
    shown = words(browser.get(LIST))
    assert "1 referral is due later" in shown
    assert "Wednesday 25 November 2026: A day of thanks" in shown
    assert "added by Administrator on 23 November 2026" in shown


def test_a_holiday_that_cannot_be_added_is_said(browser: Client) -> None:
    shown = words(browser.post(HOLIDAY, {"day": "2026-12-25", "name": "Christmas"}))
    assert "is on the list already" in shown
    assert "Say what the bank holiday is called" in words(browser.post(HOLIDAY, {"day": "2026-12-24"}))
