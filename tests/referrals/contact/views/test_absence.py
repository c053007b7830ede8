"""The pages on which referrals are given to a colleague and leave is set."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from referrals.models import ContactAttempt, Leave, Referral
from tests.factories import LeaveFactory, TeamMembershipFactory, UserFactory

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def give(client_of):
    """Opens the page for an account; with ``data`` it sends the form."""

    def opened(user, number="", data=None):
        client, address = client_of(user), reverse("give_referrals") + (f"?number={number}" if number else "")
        response = client.get(address) if data is None else client.post(address, data, follow=True)
        return " ".join(response.content.decode().split())

    return opened


def test_a_supervisor_ticks_several_and_gives_them_to_an_officer(
    give, make_referral, supervisor, officer, now
):
    first, second = make_referral(), make_referral(taken_by=supervisor, taken_at=now)
    page = give(supervisor)
    assert "PC 1001, Abbey team: has 0 open referrals" in page
    assert "PS 51, Abbey team: has 1 open referral<" in page
    done = give(supervisor, data={"referrals": [first.pk, second.pk], "to": officer.pk})
    assert (
        "PC 1001 has 2 more referrals now. Their account has no e-mail address: tell them yourself." in done
    )
    assert set(Referral.objects.values_list("taken_by", "given_by")) == {(officer.pk, supervisor.pk)}
    assert "With PC 1001, given by PS 51" in give(supervisor)


def test_an_officer_gives_their_own_to_a_colleague_in_two_taps(
    give, client_of, make_referral, officer, colleague, now
):
    referral = make_referral(taken_by=officer, taken_at=now)
    others = make_referral(taken_by=colleague, taken_at=now)
    address = reverse("referral", args=[referral.number])
    link = reverse("give_referrals") + f"?number={referral.number}"
    assert link in client_of(officer).get(address).content.decode()
    page = give(officer, referral.number)
    assert "checked" in page
    assert "PC 1001, Abbey team: has" not in page
    assert others.number not in give(officer)
    give(officer, referral.number, {"referrals": [referral.pk], "to": colleague.pk})
    referral.refresh_from_db()
    assert referral.taken_by == colleague


def test_what_is_refused_is_said_and_keeps_the_ticks(give, make_referral, supervisor, officer):
    referral = make_referral(case__officer_in_case=officer.display_name)
    page = give(supervisor, data={"referrals": [referral.pk], "to": officer.pk})
    assert f"PC 1001 is the officer in the case of {referral.number}: choose a colleague." in page
    assert "checked" in page
    assert f'<option value="{officer.pk}" selected>' in page


def test_nothing_ticked_and_nobody_chosen_is_said(give, make_referral, supervisor):
    make_referral()
    page = give(supervisor, data={})
    assert "Tick at least one referral." in page
    assert "Choose who is to have it." in page


@pytest.mark.parametrize("number", ["//elsewhere.example", "SRC-2026-999999"])
def test_a_number_that_is_not_theirs_to_give_is_answered_calmly(give, make_referral, supervisor, number):
    make_referral()
    assert "Nothing to give" in give(supervisor, number)


def test_whoever_is_on_leave_is_not_offered(give, make_referral, supervisor, officer):
    make_referral()
    LeaveFactory.create(user=officer)
    assert "PC 1001" not in give(supervisor)
    LeaveFactory.create(user=supervisor)
    assert "Nobody of the team is at work today." in give(supervisor)


def test_the_number_of_queries_grows_with_neither_referrals_nor_people(
    client_of, make_referral, world, supervisor
):
    client = client_of(supervisor)

    def add(count):
        for _ in range(count):
            user = UserFactory.create()
            TeamMembershipFactory.create(user=user, team=world.teams[0])
            make_referral(taken_by=user, taken_at=make_referral().made_at)
        counted = []
        for name in ("give_referrals", "leave_list"):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(reverse(name)).status_code == 200
            counted.append(len(queries))
        return counted

    assert add(2) == add(9)


def test_an_officer_sets_and_ends_their_own_leave(client_of, officer, now):
    client, address = client_of(officer), reverse("leave_list")
    days = {"user": officer.pk, "starts_on": "2026-11-24", "back_on": "2026-11-30"}
    page = client.post(address, days, follow=True).content.decode()
    assert "Leave of PC 1001 is set." in page
    assert "from 24 November 2026, back on 30 November 2026" in page
    assert "<select" not in page
    client.post(reverse("end_leave", args=[Leave.objects.get().pk]))
    assert "Now and to come" not in client.get(address).content.decode()


def test_a_supervisor_sets_the_leave_of_their_team_and_of_nobody_else(
    client_of, supervisor, officer, other_officer
):
    client, address = client_of(supervisor), reverse("leave_list")
    days = {"starts_on": "2026-11-23", "back_on": "2026-11-24"}
    page = client.post(address, {**days, "user": officer.pk}, follow=True).content.decode()
    assert "is away, back on 24 November 2026" in " ".join(page.split())
    assert "set by PS 51" in page
    page = client.post(address, {**days, "user": other_officer.pk}).content.decode()
    assert "Choose yourself, or somebody whose work you see to." in page
    assert Leave.objects.count() == 1
    theirs = LeaveFactory.create(user=other_officer)
    assert client.post(reverse("end_leave", args=[theirs.pk])).status_code == 404


def test_days_that_cannot_be_are_said_and_kept(client_of, officer):
    days = {"user": officer.pk, "starts_on": "2026-11-30", "back_on": "2026-11-24"}
    page = client_of(officer).post(reverse("leave_list"), days).content.decode()
    assert "must come after the first day of leave" in page
    assert 'value="2026-11-30"' in page
    empty = client_of(officer).post(reverse("leave_list"), {"user": officer.pk}).content.decode()
    assert "Give the first day of leave." in empty


def test_a_colleagues_contact_is_logged_from_the_same_form(client_of, make_referral, officer, colleague, now):
    referral = make_referral(made_at=now - timedelta(days=1))
    client, address = client_of(officer), reverse("log_contact", args=[referral.number])
    form = client.get(address).context["form"]
    assert colleague in form.fields["made_by"].queryset
    assert officer not in form.fields["made_by"].queryset
    given = {
        "key": form["key"].value(),
        "method": "telephone",
        "result": "no_answer",
        "made_by": colleague.pk,
        "made_at": "2026-11-22T15:00",
    }
    client.post(address, given)
    attempt = ContactAttempt.objects.get()
    assert (attempt.made_by, attempt.entered_by) == (colleague, officer)
    page = client.get(reverse("referral", args=[referral.number])).content.decode()
    assert "PCSO 7002, logged by PC 1001" in page
