"""The figures in detail, and that every number opens the list of what it counts."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from referrals.compliance.actions import set_goal
from referrals.compliance.readers.contact import Chosen, compliance_of
from referrals.compliance.readers.figures import (
    OFFICER,
    Group,
    groups,
    referrals_counted,
    steps_of,
    tried,
)
from referrals.compliance.readers.periods import default_period
from referrals.models import Method, Referral, Result
from src_app.accounts.models import User
from tests.conftest import World
from tests.factories import BriefingAttendanceFactory, BriefingFactory, ContactAttemptFactory
from tests.referrals.compliance.conftest import HOUR

ClientOf = Callable[[User], Client]
MakeReferral = Callable[..., Referral]
pytestmark = pytest.mark.usefixtures("clock")
EVERYTHING = Chosen()


def _groups(by: str, user: User, now: datetime) -> list[Group]:
    period = default_period(now)
    counted = compliance_of(user, period=period, at=now)
    return groups(by, user, counted, period=period, at=now, chosen=EVERYTHING)


@pytest.fixture
def many(due: MakeReferral, world: World, officer: User, supervisor: User, now: datetime) -> list[Referral]:
    """Of two wards, each standing once or more."""
    taken = {"taken_by": officer, "taken_at": now}
    return [
        due(-200, contacted=-5, **taken),
        due(-200, contacted=3, **taken),
        due(-100, contacted=-1, ward=world.wards[1]),
        due(-90, closed=-1, **taken),
        due(-30, taken_by=supervisor, taken_at=now),
        due(-30, ward=world.wards[1]),
        due(30),
        due(40, stopped_until=now + HOUR),
        due(60),
    ]


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("by", ["team", "borough", "ward", "week"])
def test_the_groups_add_up_to_the_whole(by: str, hcop: User, now: datetime) -> None:
    total = compliance_of(hcop, period=default_period(now), at=now).total
    found = _groups(by, hcop, now)
    assert sum((row.contact for row in found[1:]), found[0].contact) == total
    assert sum(row.steps.contact.number for row in found) == 3


@pytest.mark.usefixtures("many")
def test_officers_figures_are_for_their_supervisors_alone(
    client_of: ClientOf, hcop: User, leader: User, supervisor: User, officer: User, now: datetime
) -> None:
    rows = {row.name: row.contact for row in _groups(OFFICER, supervisor, now)}
    assert set(rows) == {str(officer), str(supervisor)}
    contact = rows[str(officer)]
    assert (contact.in_time, contact.late, contact.closed_without_contact) == (1, 1, 1)
    for user in (hcop, leader):
        assert _groups(OFFICER, user, now) == []
        page = client_of(user).get(reverse("compliance_figures"), {"by": "officer"}).content.decode()
        assert str(officer) not in page
        assert "Officer</a>" not in page
    page = client_of(supervisor).get(reverse("compliance_figures"), {"by": "officer"}).content.decode()
    assert str(officer) in page


def test_a_supervisor_reads_no_officer_of_another_team(
    client_of: ClientOf,
    due: MakeReferral,
    supervisor: User,
    other_officer: User,
    now: datetime,
    world: World,
) -> None:
    due(-30, ward=world.wards[1], taken_by=other_officer, taken_at=now)
    page = client_of(supervisor).get(
        reverse("compliance_figures"), {"by": "officer", "officer": str(other_officer.pk)}
    )
    assert "By officer" in page.content.decode() or "Officer" in page.content.decode()
    assert str(other_officer) not in page.content.decode()


def test_how_long_steps_took_is_the_median_and_nine_in_ten(
    due: MakeReferral, hcop: User, now: datetime
) -> None:
    for hours in range(1, 12):
        # Made 72 hours before it is due.
        due(
            -100, contacted=-72 + hours, case__reported_at=now - 180 * HOUR, case__decided_at=now - 172 * HOUR
        )
    due(-100)
    steps = steps_of(referrals_counted(hcop, default_period(now), now, EVERYTHING))
    assert (steps.contact.number, steps.contact.median, steps.contact.nine_in_ten) == (
        11,
        6 * HOUR,
        10 * HOUR,
    )
    assert steps.decision.number == 12
    assert steps_of(Referral.objects.none()).contact.median is None


def test_attempts_are_counted_by_method_and_by_contact(due: MakeReferral, hcop: User, now: datetime) -> None:
    first, third, open_ = due(-100, contacted=-1), due(-100, contacted=-1), due(-30)

    def attempt(
        referral: Referral, method: Method, result: Result = Result.NO_ANSWER, **more: object
    ) -> None:
        made_at = referral.made_at + HOUR
        ContactAttemptFactory.create(
            referral=referral, method=method, result=result, made_at=made_at, logged_at=made_at, **more
        )

    attempt(first, Method.HOME_VISIT, Result.CONTACT_MADE)
    attempt(third, Method.TELEPHONE)
    attempt(third, Method.TELEPHONE)
    attempt(third, Method.HOME_VISIT, Result.CONTACT_MADE)
    attempt(open_, Method.TELEPHONE)
    wrong = ContactAttemptFactory.create(referral=open_)
    attempt(open_, Method.TELEPHONE, withdraws=wrong)
    found = tried(referrals_counted(hcop, default_period(now), now, EVERYTHING))
    assert [(each.name, each.number, each.reached) for each in found.methods] == [
        ("Telephone", 3, 0),
        ("Home visit", 2, 2),
    ]
    assert (found.attempts, found.reached, found.contacts) == (5, 2, 2)
    assert (found.first, found.second, found.later, found.needed, found.each) == (1, 0, 1, 4, 2.0)


@pytest.fixture
def tried_and_briefed(many: list[Referral], due: MakeReferral, supervisor: User, now: datetime) -> None:
    """The contacts of ``many`` made at the first, second and third attempt, and more attempts in vain.

    One of those who have referrals was briefed, and the supervisor's team has a goal.
    """
    for tries, referral in enumerate(many[:3], start=1):
        for nth in range(1, tries + 1):
            made = nth == tries
            ContactAttemptFactory.create(
                referral=referral,
                method=Method.HOME_VISIT if made and tries > 1 else Method.TELEPHONE,
                result=Result.CONTACT_MADE if made else Result.NO_ANSWER,
            )
    ContactAttemptFactory.create(referral=many[4], method=Method.VIDEO, result=Result.NO_ANSWER)
    due(40, closed=-41)
    briefing = BriefingFactory.create(held_on=now.date() - timedelta(days=30))
    BriefingAttendanceFactory.create(briefing=briefing, user=many[0].taken_by, was_there=True)
    set_goal(
        team_id=many[0].team_id,
        percent=80,
        by_day=now.date() + timedelta(days=30),
        by=supervisor,
        at=now,
    )


@pytest.mark.usefixtures("tried_and_briefed")
@pytest.mark.parametrize(
    ("address", "by", "least"),
    [
        ("compliance", "", 12),
        *(("compliance_figures", by, 20) for by in ("team", "borough", "ward", "week", "officer")),
        ("compliance_patterns", "", 4),
    ],
)
def test_every_number_opens_the_list_it_counts(
    client_of: ClientOf, supervisor: User, inspector: User, address: str, by: str, least: int
) -> None:
    for user in (supervisor, inspector):
        browser = client_of(user)
        html = browser.get(reverse(address), {"by": by, "period": "last-4-weeks"}).content.decode()
        links = re.findall(r'<a href="([^"]*/compliance/(?:ref|att)[^"]*)">([^<]*)</a>', html)
        assert len(links) >= least
        for link, words in links:
            # A figure's link is its label, and its number stands beside it.
            number = (
                re.search(r"n = (\d+)", words)
                or re.search(r"(\d+)", words)
                or re.search(rf"{re.escape(words)}\s*</a>.*?__value\">(\d+)", html, re.DOTALL)
            )
            assert number
            listed = browser.get(unescape(link)).context["list"].paged.rows
            assert len(listed) == int(number[1]), (link, words)
        if address == "compliance_figures":
            asked = set(re.findall(r"list-(?:step|method|result|contacted)=\w+", html.split('id="hours"')[1]))
            assert asked >= {
                *("list-step=decision", "list-step=contact", "list-step=first", "list-step=second"),
                *("list-contacted=yes", "list-method=video", "list-result=contact_made"),
            }
        for cell in re.findall(r"<td[^>]*>(.*?)</td>", html, re.DOTALL):
            unlinked = re.sub(r"<a .*?</a>", "", cell, flags=re.DOTALL)
            assert not re.search(r"[1-9]\d* of |n = [1-9]", unlinked), cell


def test_a_leader_reads_numbers_and_opens_no_list(
    client_of: ClientOf, many: list[Referral], leader: User
) -> None:
    for address in ("compliance", "compliance_figures", "compliance_patterns"):
        html = client_of(leader).get(reverse(address)).content.decode()
        assert "compliance/referrals" not in html
        assert "compliance/attempts" not in html
        assert not re.search(r'href="[^"]*list-', html)
        assert many[0].number not in html
    for address in ("compliance_referrals", "compliance_attempts"):
        assert client_of(leader).get(reverse(address)).status_code == 403


def test_a_list_holds_no_referral_of_another_team(
    client_of: ClientOf, many: list[Referral], supervisor: User
) -> None:
    browser = client_of(supervisor)
    rows = browser.get(reverse("compliance_referrals")).context["list"].paged.rows
    assert {row.pk for row in rows} == {each.pk for each in many if each.team_id == many[0].team_id}
    own, _ = (ContactAttemptFactory.create(referral=referral) for referral in (many[0], many[2]))
    assert browser.get(reverse("compliance_attempts")).context["list"].paged.rows == [own]


def test_the_queries_of_the_figures_do_not_grow_with_rows(
    client_of: ClientOf, due: MakeReferral, supervisor: User, officer: User, now: datetime
) -> None:
    browser = client_of(supervisor)

    def queries(count: int, address: str, by: str) -> int:
        for number in range(count):
            due(-30, taken_by=officer, taken_at=now)
            made = due(-24 * 7 * (1 + number % 8), contacted=-1, taken_by=officer, taken_at=now)
            ContactAttemptFactory.create(referral=made)
        with CaptureQueriesContext(connection) as captured:
            browser.get(reverse(address), {"by": by})
        return len(captured)

    for address, by in (
        ("compliance_figures", "week"),
        ("compliance_figures", "officer"),
        ("compliance_referrals", ""),
        ("compliance_attempts", ""),
    ):
        assert queries(2, address, by) == queries(12, address, by)


def test_the_groups_download_with_their_hours(client_of: ClientOf, due: MakeReferral, leader: User) -> None:
    due(-100, contacted=-60)
    response = client_of(leader).get(reverse("compliance_figures"), {"by": "ward", "groups-format": "csv"})
    content = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert content.splitlines()[1].startswith("Abbey,1,1,0,0,0,0,0,")
    assert content.splitlines()[1].endswith(",12.0,12.0")


def test_officers_read_their_own_contacts_in_time_and_nobody_elses(
    client_of: ClientOf, many: list[Referral], officer: User, colleague: User, due: MakeReferral
) -> None:
    due(-24 * 120, contacted=-1, taken_by=officer, taken_at=many[0].due_at - timedelta(days=200))
    words = " ".join(strip_tags(client_of(officer).get(reverse("my_referrals")).content.decode()).split())
    assert "Your contacts in time 1 of 3 (33%) of the referrals that you have or had" in words
    assert "Your contacts" not in client_of(colleague).get(reverse("my_referrals")).content.decode()
