"""The compliance page and its chart."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlencode
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape, strip_tags

from referrals.compliance.views import compliance as page_of_compliance
from referrals.models import Case, Referral
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from tests.conftest import World
from tests.factories import (
    ContactAttemptFactory,
)

ClientOf = Callable[[User], Client]
MakeCase = Callable[..., Case]
MakeReferral = Callable[..., Referral]
Text = Callable[..., str]
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def text(client_of: ClientOf) -> Text:
    """The page's words as that account reads them."""

    def text(user: User, **asked: str) -> str:
        response = client_of(user).get(reverse("compliance"), asked)
        assert response.status_code == 200
        return " ".join(strip_tags(response.content.decode().split("<main")[1]).split())

    return text


def test_the_first_sentence_answers_who_has_not_been_contacted_and_where(
    text: Text, due: MakeReferral, hcop: User, world: World
) -> None:
    abbey, colliers_wood, *_ = world.wards
    due(-30, ward=abbey)
    due(-30, ward=abbey)
    due(-30, ward=colliers_wood)
    due(-99, contacted=-1, ward=colliers_wood)
    due(-99, contacted=1, ward=colliers_wood)
    due(9, ward=colliers_wood)
    page = text(hcop)
    assert "3 referrals are overdue, 2 of them in Abbey." in page
    assert "1 of 5 (20%) referrals due since 31 August 2026 were contacted in time." in page
    for figure in (
        "In time 1 1 of 5 (20%)",
        "Late 1 1 of 5 (20%)",
        "Still overdue 3 3 of 5 (60%)",
        "Not yet due 1",
    ):
        assert figure in page
    assert "dealt with before a due time" not in page


def test_what_ended_before_its_due_time_is_said(text: Text, due: MakeReferral, hcop: User) -> None:
    due(30, contacted=-31)
    page = text(hcop)
    assert "Nothing is overdue." in page
    assert "1 of 1 (100%) referrals due since" in page
    assert "1 of these was dealt with before a due time that is still to come" in page


def test_the_overdue_are_listed_with_a_button_that_sends_a_reminder(
    client_of: ClientOf, due: MakeReferral, hcop: User, colleague: User
) -> None:
    one = due(-50, taken_by=colleague, taken_at=datetime.fromisoformat("2026-11-20T09:00+00:00"))
    ContactAttemptFactory.create(referral=one)
    two = due(-100)
    due(5)
    browser = client_of(hcop)
    html = browser.get(reverse("compliance")).content.decode()
    assert re.findall(r">(SRC-[\d-]+)</a>", html) == [two.number, one.number]
    words = " ".join(strip_tags(html).split())
    assert re.search(f"{two.number} 4 days since \\w+ [\\w :,]+ Abbey Nobody 0 Send a reminder", words)
    assert re.search(f"{one.number} 2 days since \\w+ [\\w :,]+ Abbey {colleague} 1 Send a reminder", words)
    keys = re.findall(r'name="key" value="([^"]+)"', html)
    assert len(set(keys)) == 2
    for _ in range(2):
        response = browser.post(
            reverse("chase_referral", args=[two.number]), {"key": keys[0], "back_to": "compliance"}
        )
        assert response.headers["Location"] == reverse("compliance") + "#overdue"
    assert two.notifications.count() == 1
    html = browser.get(reverse("compliance")).content.decode()
    assert (html.count("Asked for, not sent yet"), html.count("Last sent")) == (1, 0)
    two.notifications.update(sent_at=two.due_at)
    html = browser.get(reverse("compliance")).content.decode()
    assert (html.count("Asked for, not sent yet"), html.count("Last sent")) == (0, 1)


def test_after_a_reminder_the_list_is_at_the_same_filters_and_page(
    client_of: ClientOf, due: MakeReferral, hcop: User
) -> None:
    referral = due(-50)
    browser = client_of(hcop)
    query = "overdue-taken=nobody&first=2026-11-01"
    html = browser.get(f"{reverse('compliance')}?{query}").content.decode()
    assert html.count(f'name="asked" value="{escape(query)}"') == 1
    sent = {"key": str(uuid4()), "back_to": "compliance", "asked": query}
    response = browser.post(reverse("chase_referral", args=[referral.number]), sent)
    assert response["Location"] == f"{reverse('compliance')}?{query}#overdue"
    # A form without a key sends nothing, and leads back as well.
    response = browser.post(reverse("chase_referral", args=[referral.number]), sent | {"key": ""})
    assert response["Location"] == f"{reverse('compliance')}?{query}#overdue"


def test_a_leader_and_a_trial_lead_see_counts_by_ward_and_no_referral(
    text: Text, due: MakeReferral, leader: User, trial_lead: User
) -> None:
    referral = due(-30)
    for user in (leader, trial_lead):
        page = text(user)
        assert "1 referral is overdue" in page
        assert referral.number not in page
        assert referral.case.crime_reference not in page
        assert "Send a reminder" not in page
        assert "Abbey Merton 0 of 1 (0%)" in page
        assert AuditEntry.objects.get(action=Action.LIST_SHOWN, actor=user).references == []


def test_a_supervisor_sees_the_own_team(
    text: Text, due: MakeReferral, supervisor: User, world: World
) -> None:
    mine, other = due(-30), due(-30, ward=world.wards[1])
    page = text(supervisor)
    assert mine.number in page
    assert other.number not in page
    assert "Colliers Wood" not in page
    # Of one team: there is neither a borough nor a team to choose.
    assert "All boroughs" not in page
    assert "All teams" not in page


def test_with_nothing_due_the_page_says_so(text: Text, hcop: User) -> None:
    page = text(hcop)
    assert "No referral was due" in page
    assert "By ward" not in page


def test_a_borough_narrows_counts_list_and_weeks(
    text: Text, due: MakeReferral, hcop: User, world: World
) -> None:
    merton, wandsworth = due(-30), due(-30, ward=world.wards[3])
    due(-24 * 9, contacted=-1, ward=world.wards[3])
    page = text(hcop, borough=world.wards[0].borough.code)
    assert "1 referral is overdue" in page
    assert merton.number in page
    assert wandsworth.number not in page
    assert "Balham Wandsworth" not in page
    assert "16 November 2026 0 of 1" in page
    assert "9 November 2026" not in page


def test_a_past_period_names_both_its_ends(text: Text, due: MakeReferral, hcop: User) -> None:
    due(-24 * 9, contacted=-1)
    page = text(hcop, first="2026-11-14", last="2026-11-14")
    assert "1 of 1 (100%) referrals due from 14 November 2026 to 14 November 2026 were" in page
    # Turned round, it is the same period.
    assert "due 1 November 2026 to 14 November 2026" in text(hcop, first="2026-11-14", last="2026-11-01")


@pytest.mark.parametrize(
    "asked",
    [
        {"first": "soon"},
        {"last": "9999-12-31"},
        {"first": "0001-01-01"},
        {"borough": "E09999999"},
        {"order": "arm"},
    ],
)
def test_what_makes_no_sense_is_said_and_the_usual_period_shown(
    text: Text, client_of: ClientOf, due: MakeReferral, hcop: User, asked: dict[str, str]
) -> None:
    due(-30)
    page = text(hcop, **asked)
    assert "There is a problem" in page
    assert "due 31 August 2026 to 23 November 2026" in page
    assert client_of(hcop).get(reverse("compliance_chart"), asked).status_code == 200
    response = client_of(hcop).get(reverse("compliance"), asked | {"wards-format": "csv"})
    assert response["Location"] == f"{reverse('compliance')}?{urlencode(asked)}"
    assert not AuditEntry.objects.filter(action=Action.DOWNLOADED).exists()


def test_no_file_of_the_overdue_is_made_for_a_borough_that_is_none(
    client_of: ClientOf, due: MakeReferral, hcop: User
) -> None:
    due(-30)
    asked = {"borough": "E09999999", "overdue-taken": "nobody"}
    response = client_of(hcop).get(reverse("compliance"), asked | {"overdue-format": "csv"})
    assert response["Location"] == f"{reverse('compliance')}?{urlencode(asked)}"


@pytest.mark.parametrize("name", ["taken", "order"])
def test_the_overdue_stand_on_the_page_also_where_their_filter_makes_no_sense(
    client_of: ClientOf, text: Text, due: MakeReferral, hcop: User, name: str
) -> None:
    due(-30)
    html = client_of(hcop).get(reverse("compliance"), {f"overdue-{name}": "x"}).content.decode()
    assert f'id="id_overdue-{name}"' in html
    assert f'href="#id_overdue-{name}' in html


def test_an_entry_names_the_borough_that_narrowed_the_overdue(
    client_of: ClientOf, due: MakeReferral, hcop: User, world: World
) -> None:
    due(-30)
    asked = {"borough": world.wards[0].borough.code, "overdue-order": "latest"}
    browser = client_of(hcop)
    browser.get(reverse("compliance"), asked)
    assert AuditEntry.objects.get(action=Action.LIST_SHOWN).fields == ["borough", "order"]
    browser.get(reverse("compliance"), asked | {"overdue-format": "csv"})
    assert AuditEntry.objects.get(action=Action.DOWNLOADED).fields == ["borough", "order"]


def test_a_borough_without_overdue_is_said_to_those_who_chase_alone(
    text: Text, due: MakeReferral, hcop: User, leader: User, world: World
) -> None:
    due(-30)
    asked = {"borough": world.wards[3].borough.code}
    assert "Overdue now" in text(hcop, **asked).split("Order of wards")[0]
    assert "Nothing fits" not in text(leader, **asked)


def test_a_bookmark_keeps_the_word_of_its_period_and_moves_on(
    client_of: ClientOf, text: Text, due: MakeReferral, hcop: User, world: World
) -> None:
    due(-24 * 9, contacted=-1)
    assert "due 26 October 2026 to 23 November 2026" in text(hcop, period="last-4-weeks")
    assert "due 1 October 2026 to 31 October 2026" in text(hcop, period="last-month")
    team = str(world.wards[0].team_id)
    html = client_of(hcop).get(reverse("compliance"), {"period": "this-month", "team": team}).content.decode()
    shown = re.search(r'href="([^"]+)"\s+aria-current="page">This month<', html)
    assert shown
    assert shown[1] == f"?period=this-month&amp;team={team}"
    assert '<input type="hidden" name="period" value="this-month" id="id_period">' in html
    # No days in the form: else they would outlive the word.
    assert not re.search(r'name="(first|last)" value', html)
    with time_machine.travel(datetime.fromisoformat("2026-12-02T09:00+00:00"), tick=False):
        assert "due 1 December 2026 to 2 December 2026" in text(hcop, period="this-month")


def test_days_that_are_given_count_and_no_word_beside_them(
    client_of: ClientOf, text: Text, due: MakeReferral, hcop: User
) -> None:
    due(-24 * 9, contacted=-1)
    asked = {"period": "this-month", "first": "2026-10-03", "last": "2026-11-20"}
    assert "due 3 October 2026 to 20 November 2026" in text(hcop, **asked)
    html = client_of(hcop).get(reverse("compliance"), asked).content.decode()
    assert not re.search(r'aria-current="page">(This|Last)', html)
    assert '<input type="hidden" name="period" value="" id="id_period">' in html or (
        '<input type="hidden" name="period" id="id_period">' in html
    )


def test_team_and_officer_narrow_the_page_and_are_named_on_it(
    text: Text,
    due: MakeReferral,
    hcop: User,
    officer: User,
    leader: User,
    supervisor: User,
    now: datetime,
    world: World,
) -> None:
    taken = due(-50, taken_by=officer, taken_at=now)
    other, elsewhere = due(-40), due(-30, ward=world.wards[1])
    page = text(supervisor, officer=str(officer.pk))
    assert "1 referral is overdue" in page
    assert f"taken by {officer} · due" in page
    assert taken.number in page
    assert other.number not in page
    page = text(hcop, team=str(world.wards[1].team_id))
    assert elsewhere.number in page
    assert taken.number not in page
    assert f"{world.wards[1].team} · due" in page
    # Counts by officer are for the officer's supervisor.
    for user in (hcop, leader):
        assert "Anybody or nobody</option>" not in text(user)
        assert "3 referrals are overdue" in text(user, officer=str(officer.pk))


def test_a_ward_has_its_own_page_with_its_weeks_its_months_and_what_is_overdue(
    client_of: ClientOf, due: MakeReferral, hcop: User, world: World
) -> None:
    ward = world.wards[0]
    late, elsewhere = due(-30), due(-30, ward=world.wards[1])
    due(-24 * 9, contacted=-1)
    due(-24 * 40, contacted=1)
    browser = client_of(hcop)
    address = reverse("compliance_ward", args=[ward.code])
    assert f'<a href="{address}">Abbey</a>' in browser.get(reverse("compliance")).content.decode()
    html = browser.get(address).content.decode()
    words = " ".join(strip_tags(html.split("<main")[1]).split())
    assert "1 referral is overdue. 1 of 3 (33%) referrals due since 31 August 2026 were" in words
    assert late.number in words
    assert elsewhere.number not in words
    assert "16 November 2026 0 of 1 (0%) 0 0 1 0 9 November 2026 1 of 1 (100%) 0 0 0 0" in words
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.references) == (Action.LIST_SHOWN, [late.number])
    words = " ".join(strip_tags(browser.get(address, {"by": "month"}).content.decode()).split())
    assert "November 2026 1 of 2 (50%) 0 0 1 0 October 2026 0 of 1 (0%) 1 0 0 0" in words


def test_a_ward_out_of_sight_has_no_page(
    client_of: ClientOf, supervisor: User, leader: User, officer: User, world: World
) -> None:
    own, other = (reverse("compliance_ward", args=[world.wards[number].code]) for number in (0, 1))
    assert client_of(supervisor).get(own).status_code == 200
    assert client_of(supervisor).get(other).status_code == 404
    assert client_of(leader).get(other).status_code == 200
    assert client_of(leader).get(reverse("compliance_ward", args=[world.north_ward.code])).status_code == 404
    assert client_of(officer).get(own).status_code == 403


def test_a_leader_reads_a_ward_without_its_referrals(
    client_of: ClientOf, due: MakeReferral, leader: User, world: World
) -> None:
    late = due(-30)
    html = client_of(leader).get(reverse("compliance_ward", args=[world.wards[0].code])).content.decode()
    assert "1 referral is overdue" in html
    assert late.number not in html


def test_a_reminder_from_a_ward_leads_back_to_the_ward(
    client_of: ClientOf, due: MakeReferral, hcop: User, world: World
) -> None:
    late = due(-30)
    browser = client_of(hcop)
    address = reverse("compliance_ward", args=[world.wards[0].code])
    html = browser.get(address, {"by": "month"}).content.decode()
    sent = dict(re.findall(r'name="(key|back_to|asked)"\s+value="([^"]*)"', html))
    response = browser.post(reverse("chase_referral", args=[late.number]), sent)
    assert response["Location"] == f"{address}?by=month#overdue"
    assert late.notifications.count() == 1


def test_the_weeks_of_a_ward_download(client_of: ClientOf, due: MakeReferral, leader: User) -> None:
    due(-24 * 9, contacted=-1)
    address = reverse("compliance_ward", args=[Referral.objects.get().ward.code])
    response = client_of(leader).get(address, {"wards-format": "csv"})
    content = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert content.splitlines() == [
        (
            "Due in the week from,Due,Contacted in time,Late,Closed without contact,Overdue,Not yet due,"
            "Clock stopped"
        ),
        "2026-11-09,1,1,0,0,0,0,0",
    ]


def test_the_queries_of_a_ward_do_not_grow_with_rows(
    client_of: ClientOf, due: MakeReferral, hcop: User, world: World
) -> None:
    browser = client_of(hcop)
    address = reverse("compliance_ward", args=[world.wards[0].code])

    def queries(count: int) -> int:
        for number in range(count):
            due(-30)
            due(-24 * 7 * (1 + number % 8), contacted=-1)
        with CaptureQueriesContext(connection) as captured:
            browser.get(address)
        return len(captured)

    assert queries(2) == queries(18)


def test_wards_come_in_the_order_asked_for(
    client_of: ClientOf, due: MakeReferral, hcop: User, world: World
) -> None:
    due(-30, contacted=-1, ward=world.wards[0])
    due(-30, ward=world.wards[1])
    html = client_of(hcop).get(reverse("compliance"), {"order": "share"}).content.decode()
    by_ward = html.split('id="wards"')[1]
    assert by_ward.index("Colliers Wood") < by_ward.index("Abbey")


def test_an_order_of_wards_is_offered_only_where_the_wards_stand_in_it(
    client_of: ClientOf, due: MakeReferral, hcop: User
) -> None:
    due(-30)
    browser = client_of(hcop)
    offering = [
        name
        for name in ("compliance", "compliance_figures", "compliance_patterns")
        if "Order of wards" in browser.get(reverse(name)).content.decode()
    ]
    assert offering == ["compliance"]


def test_the_page_is_a_consultation_of_the_referrals_it_showed(
    client_of: ClientOf, due: MakeReferral, supervisor: User
) -> None:
    referral = due(-30)
    due(30)
    client_of(supervisor).get(reverse("compliance"))
    entry = AuditEntry.objects.get(action=Action.LIST_SHOWN)
    assert (entry.actor, entry.purpose, entry.origin) == (
        supervisor,
        Purpose.SUPERVISION,
        "page compliance",
    )
    assert entry.references == [referral.number]


def test_the_longest_overdue_are_shown_twenty_at_a_time(
    client_of: ClientOf, due: MakeReferral, hcop: User
) -> None:
    late = [due(-30 - hours) for hours in range(21)]
    browser = client_of(hcop)
    first = browser.get(reverse("compliance"), {"wards-page": "0"})
    html = first.content.decode()
    assert html.count("Send a reminder") == 20
    assert "21 referrals are overdue" in html
    second = browser.get(first.context["overdue"].paged.next_url)
    assert second.context["overdue"].paged.rows == late[:1]
    assert "wards-page=0" in first.context["overdue"].paged.next_url


def test_the_overdue_narrow_to_those_that_nobody_has_taken_and_turn_round(
    client_of: ClientOf, due: MakeReferral, hcop: User, colleague: User, now: datetime
) -> None:
    taken = due(-50, taken_by=colleague, taken_at=now)
    longest, latest = due(-90), due(-30)
    browser = client_of(hcop)

    def rows(**asked: str) -> list[Referral]:
        found: list[Referral] = browser.get(reverse("compliance"), asked).context["overdue"].paged.rows
        return found

    assert rows() == [longest, taken, latest]
    assert rows(**{"overdue-taken": "nobody"}) == [longest, latest]
    assert rows(**{"overdue-taken": "somebody"}) == [taken]
    assert rows(**{"overdue-order": "latest"}) == [latest, taken, longest]


def test_wards_follow_each_other_page_by_page(
    client_of: ClientOf, due: MakeReferral, hcop: User, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_of_compliance, "BY_WARD", replace(page_of_compliance.BY_WARD, per_page=4))
    for ward in world.wards:
        due(-30, ward=ward)
    browser = client_of(hcop)
    first = browser.get(reverse("compliance")).context["wards"].paged
    second = browser.get(first.next_url).context["wards"].paged
    names = [row.ward.name for row in first.rows + second.rows]
    assert names == sorted(ward.name for ward in world.wards)
    assert (len(first.rows), first.previous_url, second.next_url) == (4, "", "")
    assert browser.get(second.previous_url).context["wards"].paged.rows == first.rows


def test_the_number_of_queries_does_not_grow_with_rows(
    client_of: ClientOf, due: MakeReferral, hcop: User, world: World
) -> None:
    browser = client_of(hcop)

    def queries(count: int) -> int:
        for number in range(count):
            ward = world.wards[number % 6]
            due(-30, ward=ward)
            due(-24 * 7 * (1 + number % 8), contacted=-1, ward=ward)
        with CaptureQueriesContext(connection) as captured:
            browser.get(reverse("compliance"))
        return len(captured)

    assert queries(3) == queries(27)


def test_the_chart_is_a_picture_of_the_same_weeks(
    client_of: ClientOf, due: MakeReferral, leader: User, officer: User
) -> None:
    due(-24 * 9, contacted=-1)
    response = client_of(leader).get(reverse("compliance_chart"))
    assert response["Content-Type"] == "image/svg+xml; charset=utf-8"
    assert "9 Nov" in response.content.decode()
    assert client_of(officer).get(reverse("compliance_chart")).status_code == 403


def test_the_chart_reads_its_weeks_and_neither_wards_nor_what_is_overdue(
    client_of: ClientOf, due: MakeReferral, leader: User
) -> None:
    due(-24 * 9, contacted=-1)
    due(-30)
    browser = client_of(leader)
    browser.get(reverse("compliance_chart"))
    with CaptureQueriesContext(connection) as queries:
        browser.get(reverse("compliance_chart"))
    asked = [query["sql"] for query in queries if "referrals_" in query["sql"]]
    # Where the account belongs, the wards there, and what ended and what is open, by week.
    assert len(asked) == 3, asked
