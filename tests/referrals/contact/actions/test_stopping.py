"""The clock of a referral: stopped for a reason, going on by itself or by hand."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from referrals.contact.actions.follow_ups import chase
from referrals.contact.actions.refer import refer_again
from referrals.contact.actions.stopping import let_clock_go_on, stop_clock
from referrals.models import ClockStop, CloseReason, DueMove, MoveReason, Referral, StopReason
from referrals.rules.deadlines import LONDON
from src_app.accounts.models import User
from src_app.refused import Refused
from tests.factories import NOW, ClockStopFactory

pytestmark = pytest.mark.usefixtures("clock")
MakeReferral = Callable[..., Referral]
DAY = timedelta(days=1)
ASKED = StopReason.VICTIM_ASKED


@pytest.fixture
def referral(make_referral: MakeReferral) -> Referral:
    """Due in 72 hours, less one."""
    return make_referral()


def london(day: int, hour: int = 17) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=LONDON)


def test_a_stop_moves_the_due_time_on_by_its_length_and_says_why(referral: Referral, officer: User) -> None:
    before = referral.due_at
    stop = stop_clock(referral_id=referral.pk, reason=ASKED, until=NOW + 2 * DAY, by=officer, at=NOW)
    referral.refresh_from_db()
    assert referral.due_at == before + 2 * DAY
    assert referral.is_stopped(NOW)
    assert not referral.is_stopped(NOW + 2 * DAY)
    move = DueMove.objects.get()
    assert (move.reason, move.stop, move.moved_by) == (MoveReason.STOPPED, stop, officer)
    assert (move.from_due_at, move.to_due_at) == (before, before + 2 * DAY)


def test_the_clock_goes_on_by_hand_and_the_due_time_comes_back_by_what_was_left(
    referral: Referral, officer: User, supervisor: User
) -> None:
    before = referral.due_at
    stop_clock(referral_id=referral.pk, reason=ASKED, until=NOW + 2 * DAY, by=officer, at=NOW)
    for _ in range(2):
        let_clock_go_on(referral_id=referral.pk, by=supervisor, at=NOW + DAY / 2)
    referral.refresh_from_db()
    assert referral.due_at == before + DAY / 2
    assert not referral.is_stopped(NOW + DAY / 2)
    stop = ClockStop.objects.get()
    assert (stop.ends_at, stop.ended_by) == (NOW + DAY / 2, supervisor)
    reasons = list(DueMove.objects.order_by("pk").values_list("reason", flat=True))
    assert reasons == [MoveReason.STOPPED, MoveReason.WENT_ON]
    # The clock can be stopped again at once.
    stop_clock(referral_id=referral.pk, reason=ASKED, until=NOW + DAY, by=officer, at=NOW + DAY / 2)


def test_a_clock_that_goes_on_may_be_due_later_by_what_became_known_since(
    make_referral: MakeReferral, officer: User
) -> None:
    by_days = {"counted_from": NOW, "working_days": 3, "day_ends": time(17)}
    referral = make_referral(**by_days, due_at=london(25), stopped_until=london(24))
    ClockStopFactory.create(referral=referral, starts_at=NOW, ends_at=london(24))
    let_clock_go_on(referral_id=referral.pk, by=officer, at=NOW + DAY / 12)
    assert DueMove.objects.get().to_due_at == london(26)


def test_a_stop_makes_nothing_due_earlier_than_it_was(make_referral: MakeReferral, officer: User) -> None:
    by_days = {"counted_from": NOW, "working_days": 1, "day_ends": time(17)}
    referral = make_referral(**by_days, due_at=london(27))
    stop_clock(referral_id=referral.pk, reason=ASKED, until=london(25, 9), by=officer, at=NOW)
    referral.refresh_from_db()
    assert (referral.due_at, DueMove.objects.count()) == (london(27), 0)


def test_by_working_days_the_days_that_it_stands_are_not_counted(
    make_referral: MakeReferral, officer: User
) -> None:
    by_days = make_referral(counted_from=NOW, working_days=2, day_ends=time(17), due_at=london(25))
    stop_clock(referral_id=by_days.pk, reason=ASKED, until=london(26, 9), by=officer, at=NOW)
    by_days.refresh_from_db()
    # From Monday to Thursday morning: Thursday and Friday are the two days.
    assert by_days.due_at == london(27)
    let_clock_go_on(referral_id=by_days.pk, by=officer, at=london(24, 9))
    by_days.refresh_from_db()
    assert by_days.due_at == london(25)


def test_no_reminder_is_asked_for_while_the_clock_is_stopped(
    referral: Referral, supervisor: User, client_of: Callable[[User], Client]
) -> None:
    page, remind = reverse("referral", args=[referral.number]), "Send a reminder"
    assert remind in words(client_of(supervisor), page)
    stop_clock(referral_id=referral.pk, reason=ASKED, until=NOW + DAY, by=supervisor, at=NOW)
    assert remind not in words(client_of(supervisor), page)
    with pytest.raises(Refused, match="let it go on first"):
        chase(referral_id=referral.pk, key=uuid4(), by=supervisor, at=NOW)


def test_the_same_form_sent_twice_stops_it_once(referral: Referral, officer: User) -> None:
    for _ in range(2):
        stop_clock(referral_id=referral.pk, reason=ASKED, until=NOW + DAY, by=officer, at=NOW)
    assert ClockStop.objects.count() == DueMove.objects.count() == 1


def test_what_cannot_be_stopped_is_refused(
    make_referral: MakeReferral, referral: Referral, officer: User, other_officer: User
) -> None:
    def stop(which: Referral, until: datetime = NOW + DAY, by: User = officer) -> None:
        stop_clock(referral_id=which.pk, reason=ASKED, until=until, by=by, at=NOW)

    with pytest.raises(Refused, match="overdue"):
        stop(make_referral(made_at=NOW - 5 * DAY, due_at=NOW - DAY))
    with pytest.raises(Refused, match="nothing more to do"):
        stop(make_referral(closed=True))
    with pytest.raises(Refused, match="officer in the case"):
        stop(make_referral(case__officer_in_case=officer.display_name))
    with pytest.raises(Refused, match="28 days"):
        stop(referral, until=NOW + 29 * DAY)
    with pytest.raises(Referral.DoesNotExist):
        stop(referral, by=other_officer)
    stop(referral)
    with pytest.raises(Refused, match="stopped already"):
        stop(referral, until=NOW + 2 * DAY)
    assert ClockStop.objects.count() == 1


def test_the_database_refuses_stops_that_overlap_or_are_too_long(referral: Referral) -> None:
    ClockStopFactory.create(referral=referral, ends_at=NOW + 20 * DAY)
    for starts_at, ends_at, name in (
        (NOW + DAY, NOW + 21 * DAY, "stop_once_at_a_time|stopped_at_most_28_days"),
        (NOW + 19 * DAY, NOW + 21 * DAY, "stop_once_at_a_time"),
        (NOW + 20 * DAY, NOW + 29 * DAY, "stopped_at_most_28_days"),
        (NOW + 30 * DAY, NOW + 29 * DAY, "stop_ends_not_before_it_starts|range lower bound"),
    ):
        with pytest.raises((IntegrityError, Exception), match=name), transaction.atomic():
            ClockStopFactory.create(referral=referral, starts_at=starts_at, ends_at=ends_at)
    ClockStopFactory.create(referral=referral, starts_at=NOW + 20 * DAY, ends_at=NOW + 28 * DAY)
    with pytest.raises(IntegrityError, match="due_when_the_clock_goes_on"), transaction.atomic():
        Referral.objects.filter(pk=referral.pk).update(stopped_until=referral.due_at + DAY)


def test_what_is_opened_again_has_a_clock_that_runs(referral: Referral, officer: User, hcop: User) -> None:
    stop_clock(referral_id=referral.pk, reason=ASKED, until=NOW + 5 * DAY, by=officer, at=NOW)
    Referral.objects.filter(pk=referral.pk).update(
        status="closed", close_reason=CloseReason.DECLINED, closed_at=NOW + DAY, closed_by=officer
    )
    referral.refresh_from_db()
    refer_again(referral=referral, team=referral.team, ward=referral.ward, by=hcop, at=NOW + DAY)
    referral.refresh_from_db()
    assert referral.due_at == NOW + 2 * DAY
    assert not referral.is_stopped(NOW + DAY)
    assert ClockStop.objects.get().ends_at == NOW + DAY


@pytest.fixture
def browser(client_of: Callable[[User], Client], officer: User) -> Client:
    return client_of(officer)


def words(browser: Client, address: str) -> str:
    return " ".join(browser.get(address).content.decode().split())


def test_an_officer_stops_the_clock_and_the_pages_say_so(
    browser: Client, referral: Referral, clock: time_machine.Traveller
) -> None:
    page, number = reverse("referral", args=[referral.number]), [referral.number]
    stop, go_on = reverse("stop_clock", args=number), reverse("let_clock_go_on", args=number)
    assert stop in words(browser, page)
    assert "Contact is due by Thursday 26 November, 6:30am now" in words(browser, stop)
    sent = browser.post(stop, {"reason": "safeguarding", "until": "2026-11-25T09:00"})
    assert sent.headers["Location"] == page
    shown = words(browser, page)
    assert "Clock stopped until Wednesday 25 November, 9:00am; then due Saturday 28 November, 8:00am" in shown
    assert "safeguarding comes first" in shown
    assert stop not in shown
    listed = words(browser, reverse("my_referrals"))
    assert "Clock stopped until Wednesday 25 November, 9:00am" in listed
    assert "The clock of 1 is stopped." in listed
    assert "by PC 1001" in shown
    clock.shift(timedelta(minutes=10))
    assert "The clock goes on. Contact is due by Thursday 26 November, 6:40am." in " ".join(
        browser.post(go_on, follow=True).content.decode().split()
    )
    assert stop in words(browser, page)


def test_a_stop_without_reason_or_end_is_asked_for_again(browser: Client, referral: Referral) -> None:
    stop = reverse("stop_clock", args=[referral.number])
    shown = browser.post(stop, {"until": "2026-11-20T09:00"}).content.decode()
    assert "Choose why contact has to wait." in shown
    assert (
        "still to come"
        in browser.post(stop, {"reason": "safeguarding", "until": "2026-11-20T09:00"}).content.decode()
    )
    assert not ClockStop.objects.exists()
