"""Run charts that start anew, wards beside each other, briefed and not, goals and saved views."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from referrals.compliance import actions
from referrals.compliance.charts import weekly_chart
from referrals.compliance.readers.contact import Chosen, Week, compliance_of
from referrals.compliance.readers.figures import referrals_counted
from referrals.compliance.readers.patterns import (
    Side,
    begins_anew,
    briefed_of,
    changes_in_sight,
    funnel_of,
    goals_of,
    views_of,
)
from referrals.compliance.readers.periods import default_period
from referrals.contact.actions.attempts import log_attempt
from referrals.models import Method, NotedChange, Referral, Result, SavedView, TeamGoal
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.refused import Refused
from tests import factories
from tests.conftest import World

ClientOf = Callable[[User], Client]
MakeReferral = Callable[..., Referral]
pytestmark = pytest.mark.usefixtures("clock")


def _words(client: Client, name: str, **asked: str) -> str:
    response = client.get(reverse(name), asked)
    assert response.status_code == 200
    return " ".join(strip_tags(response.content.decode().split("<main")[1]).split())


def test_changes_are_those_of_the_accounts_places(
    supervisor: User,
    inspector: User,
    hcop: User,
    other_officer: User,
    officer: User,
    now: datetime,
    world: World,
) -> None:
    own = factories.BriefingAttendanceFactory.create(user=officer, was_there=True)
    factories.BriefingAttendanceFactory.create(user=other_officer, was_there=True)
    factories.BriefingAttendanceFactory.create(user=officer, was_there=False)
    for place, by in ((world.teams[1], inspector), (world.south_west, hcop), (world.teams[0], supervisor)):
        actions.note_change(happened_on=date(2026, 11, 2), text=f"At {place}.", place=place, by=by, at=now)
    found = changes_in_sight(supervisor, now.date())
    assert [each.key for each in found if each.key.startswith("briefing")] == [f"briefing-{own.briefing_id}"]
    assert {each.words for each in found if each.key.startswith("noted")} == {
        f"At {world.south_west}.",
        f"At {world.teams[0]}.",
    }


def test_a_change_is_noted_of_ones_own_places_and_not_ahead(
    supervisor: User, officer: User, now: datetime, world: World
) -> None:
    asked = {"happened_on": now.date(), "text": "A second sergeant joined.", "at": now}
    for place in (world.teams[1], world.south_west):
        with pytest.raises(NotAllowed):
            actions.note_change(place=place, by=supervisor, **asked)  # type: ignore[arg-type]
    with pytest.raises(NotAllowed):
        actions.note_change(place=world.teams[0], by=officer, **asked)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="once it has happened"):
        actions.note_change(
            place=world.teams[0],
            by=supervisor,
            **asked | {"happened_on": now.date() + timedelta(days=1)},  # type: ignore[arg-type]
        )
    assert not NotedChange.objects.exists()


def test_the_run_chart_starts_anew_from_the_first_whole_week_after_a_change(
    client_of: ClientOf, due: MakeReferral, hcop: User, now: datetime, world: World
) -> None:
    for week in range(1, 10):
        due(-24 * 7 * week, contacted=-1 if week < 4 else 1)
    browser = client_of(hcop)
    response = browser.post(
        reverse("note_change"),
        {"happened_on": "2026-10-28", "text": "New shift pattern.", "place": f"bcu-{world.south_west.pk}"},
    )
    page = browser.get(response["Location"]).content.decode()
    words = " ".join(strip_tags(page).split())
    assert "too few weeks to tell a change from chance since 28 October 2026" in words
    assert "2 November 2026 (median anew)" in words
    assert "noted-" in page
    plain = _words(browser, "compliance_patterns")
    assert "(median anew)" not in plain
    assert "28 October 2026: New shift pattern." in plain


def test_begins_anew_counts_only_weeks_wholly_after_the_change(
    supervisor: User, now: datetime, world: World
) -> None:
    weeks = [Week(date(2026, 10, 26) + timedelta(weeks=number), 1, 2) for number in range(4)]

    def begins(day: date) -> int:
        actions.note_change(happened_on=day, text="x", place=world.teams[0], by=supervisor, at=now)
        change = next(each for each in changes_in_sight(supervisor, now.date()) if each.on == day)
        return begins_anew(weeks, change)

    assert begins(date(2026, 11, 2)) == 1
    assert begins(date(2026, 11, 3)) == 2
    assert begins(date(2026, 11, 20)) == 4
    assert begins_anew(weeks, None) == 0
    assert weekly_chart(weeks, 2) != weekly_chart(weeks)


def test_the_funnel_opens_with_the_wards_beyond_chance(
    client_of: ClientOf, due: MakeReferral, hcop: User, now: datetime, world: World
) -> None:
    abbey, colliers_wood, graveney, *_ = world.wards
    for number in range(20):
        due(-200, contacted=-1 if number < 17 else 1, ward=abbey)
    for _ in range(8):
        due(-200, contacted=1, ward=colliers_wood)
    due(-200, contacted=1, ward=graveney)
    found = funnel_of(compliance_of(hcop, period=default_period(now), at=now))
    assert found.finding == "Contact in time is lower than chance explains: Colliers Wood"
    assert (found.few, [each.beyond for each in found.wards]) == (1, [0, -1, 0])
    browser = client_of(hcop)
    words = _words(browser, "compliance_patterns")
    assert found.finding in words
    assert "Graveney 0 of 1 (0%)" in words
    assert "1 ward has fewer than 5 referrals due, too few to tell." in words
    assert "Contact was made for 29 of 29 (100%)" in words
    assert "78 of 122 (64%) police trials delivered at least 60%" in words
    picture = browser.get(reverse("compliance_funnel")).content.decode()
    assert "Colliers Wood" in picture
    assert "Graveney" not in picture


def test_nothing_due_draws_an_empty_funnel(client_of: ClientOf, leader: User) -> None:
    assert client_of(leader).get(reverse("compliance_funnel")).status_code == 200
    assert client_of(leader).get(reverse("compliance_run_chart")).status_code == 200
    assert "Referrals" in _words(client_of(leader), "compliance_patterns")


def test_briefed_is_whoever_was_there_before_the_referral_was_made(
    due: MakeReferral, client_of: ClientOf, hcop: User, officer: User, colleague: User, now: datetime
) -> None:
    held_on = now.date() - timedelta(days=20)
    briefing = factories.BriefingFactory.create(held_on=held_on)
    factories.BriefingAttendanceFactory.create(briefing=briefing, user=officer, was_there=True)
    factories.BriefingAttendanceFactory.create(briefing=briefing, user=colleague, was_there=False)
    of_officer, of_colleague = ({"taken_by": each, "taken_at": now} for each in (officer, colleague))
    for _ in range(5):
        due(-24, contacted=-1, **of_officer)
        due(-24, contacted=1, **of_colleague)
    # Made on the day of the briefing, 72 hours before it was due, and the day after.
    due(-24 * 17, contacted=-1, **of_officer)
    due(-24 * 16, contacted=-1, **of_officer)
    due(-24)
    due(24, **of_officer)
    found = briefed_of(referrals_counted(hcop, default_period(now), now, Chosen()), now)
    assert (found.briefed, found.others, found.untaken) == (Side(6, 6), Side(1, 6), Side(0, 1))
    assert found.difference is not None
    points, low, high = found.difference
    assert points == pytest.approx(100 * 5 / 6)
    assert low < points < high
    words = _words(client_of(hcop), "compliance_patterns")
    assert "Had been briefed before it was made 6 of 6 (100%) Had not 1 of 6 (17%)" in words
    assert "Difference: 83 points" in words
    assert "This is no experiment" in words


def test_too_few_are_not_compared(due: MakeReferral, client_of: ClientOf, hcop: User) -> None:
    due(-24)
    assert "Too few on one side to compare" in _words(client_of(hcop), "compliance_patterns")


def test_a_goal_stands_on_the_page_of_the_teams_supervisor(
    client_of: ClientOf, due: MakeReferral, supervisor: User, leader: User, now: datetime, world: World
) -> None:
    due(-100, contacted=-1)
    due(-100, contacted=1)
    team = world.teams[0]
    browser = client_of(supervisor)
    for percent in ("70", "85"):
        browser.post(reverse("set_goal"), {"team": team.pk, "percent": percent, "by_day": "2026-12-31"})
    words = _words(browser, "compliance")
    assert f"Goal of {team}: 85% contacted in time by 31 December 2026. Now 1 of 2 (50%)." in words
    assert "70%" not in words
    assert "Goal of" not in _words(client_of(leader), "compliance")
    assert goals_of(supervisor, date(2027, 1, 1)) == []


def test_a_goal_is_of_an_own_team_and_to_come(supervisor: User, now: datetime, world: World) -> None:
    with pytest.raises(NotAllowed):
        actions.set_goal(
            team_id=world.teams[1].pk, percent=80, by_day=date(2026, 12, 31), by=supervisor, at=now
        )
    with pytest.raises(Refused, match="still to come"):
        actions.set_goal(team_id=world.teams[0].pk, percent=80, by_day=now.date(), by=supervisor, at=now)
    assert not TeamGoal.objects.exists()


def test_a_view_is_kept_by_its_name_for_its_account_alone(
    client_of: ClientOf, hcop: User, leader: User
) -> None:
    browser = client_of(hcop)
    for asked in ("period=last-month&overdue-taken=nobody&next=//x", "period=this-month"):
        response = browser.post(reverse("save_view"), {"name": "Mine", "shown": asked})
    assert response["Location"] == f"{reverse('compliance')}?period=this-month"
    assert [(each.name, each.asked) for each in views_of(hcop)] == [("Mine", "period=this-month")]
    page = browser.get(reverse("compliance")).content.decode()
    assert '?period=this-month">Mine</a>' in page
    other = client_of(leader)
    assert ">Mine</a>" not in other.get(reverse("compliance")).content.decode()
    view = SavedView.objects.get()
    other.post(reverse("drop_view"), {"view": view.pk})
    assert SavedView.objects.exists()
    browser.post(reverse("drop_view"), {"view": view.pk})
    browser.post(reverse("drop_view"), {"view": "x"})
    assert not SavedView.objects.exists()


def test_views_have_a_name_and_are_not_endless(
    client_of: ClientOf, hcop: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = client_of(hcop)
    response = browser.post(reverse("save_view"), {"name": "", "shown": ""}, follow=True)
    assert "Give it a name." in response.content.decode()
    monkeypatch.setattr(actions, "MOST_VIEWS", 1)
    for name in ("One", "Two", "One"):
        response = browser.post(reverse("save_view"), {"name": name, "shown": ""}, follow=True)
        assert ("You have 1 views" in response.content.decode()) == (name == "Two")
    assert [view.name for view in views_of(hcop)] == ["One"]


def test_the_queries_of_the_patterns_do_not_grow_with_rows(
    client_of: ClientOf, due: MakeReferral, hcop: User, world: World, officer: User, now: datetime
) -> None:
    browser = client_of(hcop)

    def queries(count: int) -> int:
        for number in range(count):
            due(-24 * 7 * (1 + number % 8), ward=world.wards[number % 6], taken_by=officer, taken_at=now)
            factories.BriefingAttendanceFactory.create(user=officer, was_there=True)
        with CaptureQueriesContext(connection) as captured:
            browser.get(reverse("compliance_patterns"))
        return len(captured)

    assert queries(2) == queries(14)


def test_each_page_runs_a_fixed_number_of_queries(
    client_of: ClientOf, due: MakeReferral, hcop: User, leader: User
) -> None:
    due(-30)
    due(-200, contacted=-1)
    found = {}
    for user in (hcop, leader):
        browser = client_of(user)
        for name in ("compliance", "compliance_figures", "compliance_patterns"):
            with CaptureQueriesContext(connection) as captured:
                browser.get(reverse(name))
            found[user.username, name] = len(captured)
    assert found == {
        ("hcop", "compliance"): 28,
        ("hcop", "compliance_figures"): 21,
        ("hcop", "compliance_patterns"): 24,
        ("leader", "compliance"): 20,
        ("leader", "compliance_figures"): 17,
        ("leader", "compliance_patterns"): 20,
    }


def test_the_page_is_true_as_soon_as_an_attempt_is_saved(
    client_of: ClientOf, due: MakeReferral, hcop: User, officer: User, now: datetime
) -> None:
    referral = due(-30, taken_by=officer, taken_at=now)
    browser = client_of(hcop)
    assert "1 referral is overdue" in _words(browser, "compliance")
    log_attempt(
        key=uuid4(),
        referral_id=referral.pk,
        method=Method.TELEPHONE,
        result=Result.CONTACT_MADE,
        made_at=now,
        by=officer,
        at=now,
    )
    assert "Nothing is overdue." in _words(browser, "compliance")
    assert "Late 1 1 of 1 (100%)" in _words(browser, "compliance")
