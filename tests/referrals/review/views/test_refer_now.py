"""The page that refers a decided case now, and the way to it from the page of the case."""

from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse

from referrals.contact.actions.transfer import transfer
from referrals.models import Arm, Case, Deviation, FollowUp, HandOverReason, Referral, ReferralOrder
from tests.factories import (
    AllocationFactory,
    DecisionFactory,
    PersonalTextFactory,
    SubmissionFactory,
    TrialFactory,
)

pytestmark = pytest.mark.usefixtures("clock")
KEY = "11111111-1111-4111-8111-111111111111"
SENT = {"key": KEY, "reason": "asked_for_contact", "team": "", "why": ""}


@pytest.fixture
def case(make_case, now):
    """With usual service, as its ward had not started."""
    case = make_case(decided_at=now - timedelta(hours=1))
    DecisionFactory.create(case=case, submission=SubmissionFactory.create(bcu=case.bcu))
    return case


@pytest.fixture
def control(case):
    trial = TrialFactory.create(bcu=case.bcu, name="Pilot")
    return AllocationFactory.create(case=case, trial=trial, arm=Arm.CONTROL)


@pytest.fixture
def browser(client_of, hcop):
    return client_of(hcop)


def _page(browser, case, name="refer_now"):
    return unescape(browser.get(reverse(name, args=[case.pk])).content.decode())


def test_it_says_what_follows_before_it_is_done(browser, case):
    PersonalTextFactory.create(case=case, kind="contact_wishes", body="Ring me on Tuesday")
    assert reverse("refer_now", args=[case.pk]) in _page(browser, case, "case")
    html = _page(browser, case)
    assert "Wishes: Ring me on Tuesday" in html
    assert "The victim gets usual service." in html
    assert "Abbey team, the ward's own" in html
    assert "Contact is due by 24 November 2026, 7:30am" in html
    assert "Flag 49 is to be set" in html
    assert "deviation" not in html


def test_once_done_the_case_says_who_has_it(browser, case):
    response = browser.post(reverse("refer_now", args=[case.pk]), SENT, follow=True)
    referral = Referral.objects.get()
    html = unescape(response.content.decode())
    assert f"{referral.number}: Abbey team is told by e-mail" in html
    assert f"{referral.number} is open already: Abbey team has it" in html
    assert reverse("refer_now", args=[case.pk]) not in html
    assert "Refer now" in html
    browser.post(reverse("refer_now", args=[case.pk]), SENT)
    assert ReferralOrder.objects.count() == 1


def test_of_a_control_it_says_that_this_is_a_deviation_and_that_the_case_stays(browser, control):
    html = _page(browser, control.case)
    assert "This is a deviation from Pilot." in html
    assert "counted there for ever" in html
    browser.post(reverse("refer_now", args=[control.case_id]), SENT)
    assert Deviation.objects.get().allocation == control
    told = _page(browser, control.case, "case")
    assert "Deviation from the trial" in told
    assert "The victim was referred because they asked for contact" in told
    recorded = _page(browser, control.case, "record_deviation")
    assert "The victim was referred because they asked for contact" in recorded
    assert "withdraw" not in recorded
    assert "referred_by_wish" not in recorded


def test_of_a_case_not_suitable_it_says_why_that_was_found(browser, make_case, now):
    case = make_case(decided_at=now)
    submission = SubmissionFactory.create(bcu=case.bcu)
    DecisionFactory.create(
        case=case, submission=submission, suitable=False, reason="unsafe", contact_by="safeguarding"
    )
    assert "Found not suitable: Contact would be unsafe. Contact: Safeguarding." in _page(browser, case)


def test_of_a_duplicate_it_says_who_has_the_other_report(browser, make_case, make_referral, now):
    other = make_referral()
    case = make_case(decided_at=now - timedelta(hours=1))
    left = {"contact_by": "other_report", "duplicate_of": other.case.crime_reference}
    submission = SubmissionFactory.create(bcu=case.bcu)
    DecisionFactory.create(case=case, suitable=False, reason="duplicate", submission=submission, **left)
    said = f"{other.case.crime_reference} ({other.number}, {other.team}): SRC: due"
    assert said in _page(browser, case)


def test_of_a_closed_referral_it_says_that_it_is_opened_again(browser, make_referral):
    referral = make_referral(closed=True)
    html = _page(browser, referral.case)
    assert f"{referral.number} was closed without contact: no reply after repeated attempts." in html
    assert f"{referral.number} is opened again" in html
    browser.post(reverse("refer_now", args=[referral.case_id]), SENT)
    referral.refresh_from_db()
    assert referral.status == "open"


@pytest.mark.parametrize("state", ["open", "completed", "cancelled"])
def test_where_it_cannot_be_one_sentence_says_why(browser, make_referral, case, state):
    made = {"open": {}, "completed": {"completed": True}}
    refused = make_referral(**made[state]).case if state in made else case
    if state == "cancelled":
        Case.objects.filter(pk=case.pk).update(crime_status="cancelled")
    words = {
        "open": "is open already",
        "completed": "spoke with the victim",
        "cancelled": "Crime cancelled: ",
    }
    for page in ("case", "refer_now"):
        assert words[state] in _page(browser, refused, page)
    assert '<button type="submit" class="govuk-button">Refer now' not in _page(browser, refused)
    response = browser.post(reverse("refer_now", args=[refused.pk]), SENT)
    assert words[state] in unescape(response.content.decode())
    assert not ReferralOrder.objects.exists()


def test_after_a_contact_the_team_is_asked_to_ring_again(browser, make_referral):
    referral = make_referral(completed=True)
    case = referral.case
    address = reverse("ring_again", args=[case.pk])
    for page in ("case", "refer_now"):
        assert f'href="{address}"' in _page(browser, case, page)
    assert "Choose why the victim is to be rung again." in browser.post(address, {}).text
    said = browser.post(address, {"reason": "high_risk"}, follow=True).text
    assert f"{referral.number}: Abbey team is asked to ring the victim." in said
    assert FollowUp.objects.get().kind == "ring_again_risk"


def test_where_no_team_has_spoken_with_the_victim_none_is_asked_to_ring_again(browser, case):
    address = reverse("ring_again", args=[case.pk])
    assert "refer now instead" in browser.get(address).text
    assert "refer now instead" in browser.post(address, {"reason": "high_risk"}).text
    assert address not in _page(browser, case, "case")


def test_of_an_incident_it_says_so_and_refers_all_the_same(browser, case):
    Case.objects.filter(pk=case.pk).update(is_crime=False)
    assert "The crime record says: Incident, not a crime." in _page(browser, case)
    browser.post(reverse("refer_now", args=[case.pk]), SENT)
    assert Referral.objects.get().case == case


def test_the_team_that_was_chosen_before_is_chosen_already(browser, make_case, world, now):
    case = make_case(decided_at=now - timedelta(hours=1))
    submission = SubmissionFactory.create(bcu=case.bcu)
    DecisionFactory.create(case=case, submission=submission, team=world.teams[2])
    PersonalTextFactory.create(case=case, kind="team_reason", body="Refuge")
    html = " ".join(_page(browser, case).split())
    assert f'<option value="{world.teams[2].pk}" selected>' in html
    assert 'value="Refuge"' in html


@pytest.fixture
def transferred(make_referral, world, supervisor, hcop, now):
    """A referral that was transferred to a team of another BCU, and closed there without contact."""
    referral = make_referral()
    why = {"reason": HandOverReason.LIVES_ELSEWHERE, "by": supervisor, "at": now}
    transfer(referral_id=referral.pk, seen=referral.ward_id, ward=world.north_ward, **why)
    closed = {"status": "closed", "close_reason": "declined", "closed_at": now, "closed_by": hcop}
    Referral.objects.filter(pk=referral.pk).update(**closed)
    return referral


def test_a_team_of_another_bcu_that_it_was_transferred_to_gets_it_again(browser, transferred, world):
    address = reverse("refer_now", args=[transferred.case_id])
    html = " ".join(_page(browser, transferred.case).split())
    assert f'<option value="{world.north_team.pk}" selected>' in html
    assert 'value="The victim lives there now"' in html
    assert "Choose a team." in unescape(browser.post(address, SENT).text)
    sent = {**SENT, "team": world.north_team.pk, "why": "The victim lives there now"}
    browser.post(address, sent)
    transferred.refresh_from_db()
    assert (transferred.status, transferred.team) == ("open", world.north_team)
    assert transferred.ward == world.north_ward


def test_the_wards_own_team_gets_it_where_that_is_chosen(browser, transferred, world):
    sent = {**SENT, "team": world.teams[0].pk}
    browser.post(reverse("refer_now", args=[transferred.case_id]), sent)
    transferred.refresh_from_db()
    assert (transferred.status, transferred.team) == ("open", world.teams[0])
    assert ReferralOrder.objects.get().team is None


def test_a_restriction_is_red_there_too(browser, case):
    Case.objects.filter(pk=case.pk).update(restrictions=["no_home_visit"])
    html = _page(browser, case)
    assert "No home visit." in html
    assert "app-restrictions--none" not in html


def test_a_case_that_waits_is_decided_in_the_overnight_review(browser, make_case):
    case = make_case()
    assert reverse("refer_now", args=[case.pk]) not in _page(browser, case, "case")
    assert "waits in the overnight review" in _page(browser, case)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"reason": ""}, "Choose why the victim is to be contacted."),
        ({"team": "own"}, "Say why this team."),
        ({"key": ""}, "Open this page again."),
        ({"team": "own", "why": "Ring 07700 900123"}, "telephone"),
    ],
)
def test_what_is_missing_is_said(browser, case, world, sent, words):
    sent = {**sent, "team": world.teams[1].pk} if "team" in sent else sent
    html = unescape(browser.post(reverse("refer_now", args=[case.pk]), {**SENT, **sent}).content.decode())
    assert words in html
    assert not Referral.objects.exists()


def test_without_a_ward_a_team_is_to_be_chosen(browser, make_case, world, now):
    case = make_case(ward=None, decided_at=now)
    DecisionFactory.create(case=case, submission=SubmissionFactory.create(bcu=case.bcu))
    address = reverse("refer_now", args=[case.pk])
    assert "Choose a team." in browser.post(address, SENT).content.decode()
    browser.post(address, {**SENT, "team": world.teams[1].pk, "why": "Refuge"})
    assert Referral.objects.get().team == world.teams[1]
    assert "Refuge" in _page(browser, case, "case")
