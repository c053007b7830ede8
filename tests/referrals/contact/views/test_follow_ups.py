"""The list of follow-ups, and acknowledging one."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from referrals.models import FollowUpKind
from src_app.audit.models import Action, AuditEntry
from tests.downloads import csv_rows, workbook_rows
from tests.factories import ContactAttemptFactory, DecisionFactory, FollowUpFactory

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def make_follow_up(make_referral):
    """Makes a follow-up of a referral to the first ward's team."""

    def make(referral=None, **fields):
        referral = referral or make_referral()
        return FollowUpFactory.create(attempt=ContactAttemptFactory.create(referral=referral), **fields)

    return make


def test_the_longest_waiting_comes_first_and_what_is_done_is_apart(
    client_of, make_follow_up, supervisor, hcop, now
):
    newer = make_follow_up(raised_at=now - timedelta(minutes=5), kind=FollowUpKind.THREAT)
    older = make_follow_up(raised_at=now - timedelta(hours=3))
    yesterday = {"acknowledged_by": hcop, "acknowledged_at": now - timedelta(days=1)}
    done = make_follow_up(**yesterday, done_by=hcop, done_at=now)
    response = client_of(supervisor).get(reverse("follow_up_list"))
    assert response.context["list"].paged.rows == [older, newer]
    assert response.context["done"] == [done]
    text = response.content.decode()
    assert "2 follow-ups wait" in text
    assert "waiting 3 hours" in text
    entry = AuditEntry.objects.get(action=Action.LIST_SHOWN)
    assert entry.references == [each.referral.number for each in (older, newer, done)]


def test_a_kind_narrows_the_list_and_not_the_number_that_wait(client_of, make_follow_up, supervisor):
    make_follow_up(kind=FollowUpKind.STATEMENT)
    threat = make_follow_up(kind=FollowUpKind.THREAT)
    response = client_of(supervisor).get(reverse("follow_up_list"), {"kind": "threat"})
    assert response.context["list"].paged.rows == [threat]
    assert "2 follow-ups wait" in response.content.decode()
    assert "Follow-ups (2<span" in response.content.decode()


def test_after_acknowledging_the_list_is_at_the_same_filters(client_of, make_follow_up, supervisor):
    threat = make_follow_up(kind=FollowUpKind.THREAT)
    browser, query = client_of(supervisor), "kind=threat&order=latest"
    html = browser.get(f"{reverse('follow_up_list')}?{query}").content.decode()
    assert html.count(f'name="asked" value="{escape(query)}"') == 1
    response = browser.post(reverse("acknowledge_follow_up", args=[threat.pk]), {"asked": query})
    assert response["Location"] == f"{reverse('follow_up_list')}?{query}"


def test_what_only_the_hcop_sees_is_no_choice_of_a_supervisor(client_of, supervisor, hcop):
    for user, offered in ((supervisor, False), (hcop, True)):
        form = client_of(user).get(reverse("follow_up_list")).context["list"].form
        assert ("transferred" in dict(form.fields["kind"].choices)) == offered


def test_the_latest_come_first_where_that_is_asked_for(client_of, make_follow_up, supervisor, now):
    older, newer = make_follow_up(raised_at=now - timedelta(hours=3)), make_follow_up(raised_at=now)
    listed = client_of(supervisor).get(reverse("follow_up_list"), {"order": "latest"}).context["list"]
    assert listed.paged.rows == [newer, older]


@pytest.mark.parametrize("rows", [csv_rows, workbook_rows])
def test_a_file_holds_those_of_the_own_team(
    client_of, make_referral, make_follow_up, supervisor, world, now, rows
):
    make_follow_up(make_referral(ward=world.wards[1]))
    follow_up = make_follow_up(kind=FollowUpKind.THREAT, raised_at=now)
    [row] = rows(client_of(supervisor), reverse("follow_up_list"))
    assert list(row) == ["Follow-up", "Referral or case", "Ward", "Raised", "Raised by", "With"]
    assert (row["Follow-up"], row["Referral or case"]) == ("Reports a threat", follow_up.referral.number)
    assert (row["Ward"], row["Raised by"]) == ("Abbey", str(follow_up.raised_by))
    assert str(row["Raised"])[:10] == "2026-11-23"
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.references, entry.rows) == (
        Action.DOWNLOADED,
        [follow_up.referral.number],
        1,
    )


def test_an_empty_list_says_what_comes_here(client_of, supervisor):
    text = client_of(supervisor).get(reverse("follow_up_list")).content.decode()
    assert "Nothing waits for you" in text


def test_an_attempt_withdrawn_since_is_told(client_of, make_follow_up, hcop):
    follow_up = make_follow_up()
    client = client_of(hcop)
    assert "was withdrawn since" not in client.get(reverse("follow_up_list")).content.decode()
    ContactAttemptFactory.create(referral=follow_up.referral, withdraws=follow_up.attempt)
    assert "was withdrawn since" in client.get(reverse("follow_up_list")).content.decode()


def test_other_teams_follow_ups_are_not_on_it(client_of, make_referral, make_follow_up, supervisor, world):
    own, others = make_follow_up(), make_follow_up(make_referral(ward=world.wards[1]))
    text = client_of(supervisor).get(reverse("follow_up_list")).content.decode()
    assert own.referral.number in text
    assert others.referral.number not in text


def test_acknowledging_makes_it_ones_own(client_of, make_follow_up, supervisor, hcop):
    follow_up = make_follow_up()
    page = reverse("acknowledge_follow_up", args=[follow_up.pk])
    response = client_of(supervisor).post(page, follow=True)
    assert "It is yours to deal with now" in response.content.decode()
    late = client_of(hcop).post(page, follow=True)
    assert "PS 51 acknowledged this" in late.content.decode()
    follow_up.refresh_from_db()
    assert follow_up.acknowledged_by == supervisor


def test_what_somebody_took_on_stays_on_the_list_until_it_is_done(
    client_of, make_follow_up, supervisor, hcop
):
    follow_up, unowned = make_follow_up(), make_follow_up()
    browser, colleague = client_of(supervisor), client_of(hcop)
    browser.post(reverse("acknowledge_follow_up", args=[follow_up.pk]))
    text = browser.get(reverse("follow_up_list")).content.decode()
    assert "1 follow-up waits" in text
    assert "1 follow-up is yours to finish." in text
    assert "Follow-ups (2<span" in text
    told = colleague.get(reverse("follow_up_list")).content.decode()
    assert "PS 51" in told
    assert "Follow-ups (1<span" in told  # a colleague's is not theirs to do
    assert (
        "PS 51"
        in browser.post(
            reverse("finish_follow_up", args=[follow_up.pk]), {"result": "arranged"}, follow=True
        ).content.decode()
    )
    listed = browser.get(reverse("follow_up_list"))
    assert listed.context["list"].paged.rows == [unowned]
    assert listed.context["done"] == [follow_up]


def test_done_by_mistake_is_undone_from_the_list_by_whoever_said_so(
    client_of, make_follow_up, supervisor, hcop, now, clock
):
    follow_up = make_follow_up(acknowledged_by=hcop, acknowledged_at=now)
    page, browser = reverse("undo_follow_up", args=[follow_up.pk]), client_of(supervisor)
    told = browser.post(
        reverse("finish_follow_up", args=[follow_up.pk]), {"result": "arranged"}, follow=True
    ).text
    assert "A mistake? Undo it below." in told
    assert page in told
    assert page not in client_of(hcop).get(reverse("follow_up_list")).text
    assert "It stays done" in client_of(hcop).post(page, follow=True).text
    clock.shift(timedelta(minutes=59))
    browser = client_of(supervisor)
    response = browser.post(page, {"asked": "kind=statement"}, follow=True)
    assert response.redirect_chain[0][0] == f"{reverse('follow_up_list')}?kind=statement"
    assert "Undone: it is with HCOP South West again." in response.text
    browser.post(reverse("finish_follow_up", args=[follow_up.pk]), {"result": "arranged"})
    clock.shift(timedelta(hours=1))
    later = client_of(supervisor)
    assert page not in later.get(reverse("follow_up_list")).text
    assert "It stays done" in later.post(page, follow=True).text


@pytest.mark.parametrize(("owner", "found"), [("me", "own"), ("nobody", "unowned"), ("", "all")])
def test_the_list_is_narrowed_to_who_has_it(client_of, make_follow_up, supervisor, hcop, now, owner, found):
    by = {user: {"acknowledged_by": user, "acknowledged_at": now} for user in (supervisor, hcop)}
    made = {
        "own": make_follow_up(**by[supervisor]),
        "other": make_follow_up(**by[hcop]),
        "unowned": make_follow_up(),
    }
    listed = client_of(supervisor).get(reverse("follow_up_list"), {"owner": owner}).context["list"]
    assert set(listed.paged.rows) == (set(made.values()) if found == "all" else {made[found]})


def test_what_is_out_of_scope_is_not_found(
    client_of, make_referral, make_follow_up, supervisor, north_hcop, world
):
    others = make_follow_up(make_referral(ward=world.wards[1]))
    for user in (supervisor, north_hcop):
        for name in ("acknowledge_follow_up", "finish_follow_up", "undo_follow_up"):
            assert client_of(user).post(reverse(name, args=[others.pk])).status_code == 404


@pytest.mark.parametrize("who", ["officer", "leader", "auditor"])
def test_it_is_for_those_who_acknowledge(request, client_of, make_follow_up, who):
    client = client_of(request.getfixturevalue(who))
    assert client.get(reverse("follow_up_list")).status_code == 403
    page = reverse("acknowledge_follow_up", args=[make_follow_up().pk])
    assert client.post(page).status_code == (404 if who == "officer" else 403)


def test_the_number_of_queries_does_not_grow_with_the_rows(client_of, make_follow_up, make_task, hcop, now):
    client = client_of(hcop)

    def fill(number):
        for _ in range(number):
            make_follow_up()
            make_task(FollowUpKind.RULED_OUT)
            make_follow_up(acknowledged_by=hcop, acknowledged_at=now)

    fill(3)
    client.get(reverse("follow_up_list"))
    with CaptureQueriesContext(connection) as few:
        client.get(reverse("follow_up_list"))
    fill(17)
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("follow_up_list"))
    assert len(few) == len(many)


def test_every_page_of_who_deals_with_them_says_how_many_wait(client_of, make_referral, supervisor, officer):
    FollowUpFactory.create(attempt__referral=make_referral())
    page = client_of(supervisor).get(reverse("compliance")).content.decode()
    assert "Follow-ups (1<span" in page
    assert "Follow-ups (" not in client_of(officer).get(reverse("my_referrals")).content.decode()


@pytest.fixture
def make_task(make_referral, hcop, now):
    """Makes a task that the crime record caused."""

    def make(kind=FollowUpKind.TRANSFERRED, **of_referral):
        referral = make_referral(**{"ruled_out_since": now, **of_referral})
        return FollowUpFactory.create(
            attempt=None, referral=referral, kind=kind, raised_at=now, raised_by=hcop
        )

    return make


@pytest.mark.parametrize(
    "kind", [FollowUpKind.TRANSFERRED, FollowUpKind.RULED_OUT, FollowUpKind.WARD_UNCLEAR]
)
def test_what_a_team_cannot_decide_is_the_hcops_alone(client_of, make_task, hcop, supervisor, kind):
    task = make_task(kind)
    assert task.referral.number in client_of(hcop).get(reverse("follow_up_list")).content.decode()
    assert task.referral.number not in client_of(supervisor).get(reverse("follow_up_list")).content.decode()
    page = reverse("acknowledge_follow_up", args=[task.pk])
    assert client_of(supervisor).post(page).status_code == 404
    assert "It is yours to deal with now" in client_of(hcop).post(page, follow=True).content.decode()


def test_a_taker_on_the_investigation_is_the_supervisors_too(client_of, make_task, supervisor):
    task = make_task(FollowUpKind.OFFICER_IN_CASE)
    text = client_of(supervisor).get(reverse("follow_up_list")).content.decode()
    assert task.referral.number in text
    assert "a colleague must take it" in text


def test_what_the_crime_record_raised_is_no_persons_saying(client_of, make_task, make_follow_up, hcop):
    make_follow_up()
    imported = make_task(FollowUpKind.RULED_OUT)
    text = " ".join(client_of(hcop).get(reverse("follow_up_list")).content.decode().split())
    assert f"Crime record, imported by {imported.raised_by}" in text
    assert text.count("Crime record, imported by") == 1


def test_a_record_put_right_since_is_told(client_of, make_task, hcop):
    task = make_task()
    client = client_of(hcop)
    assert "put right since" not in client.get(reverse("follow_up_list")).content.decode()
    type(task.referral).objects.update(ruled_out_since=None)
    assert "put right since" in client.get(reverse("follow_up_list")).content.decode()


@pytest.mark.parametrize(
    ("reason", "says"),
    [("high_risk", "High risk"), ("asked_for_contact", "The victim asked for contact")],
)
def test_who_was_referred_outside_the_trial_is_named_as_such(client_of, make_task, hcop, reason, says):
    task = make_task(FollowUpKind.RULED_OUT)
    DecisionFactory.create(
        case=task.referral.case, suitable=False, reason=reason, contact_by="neighbourhood_team"
    )
    assert says in client_of(hcop).get(reverse("follow_up_list")).content.decode()
