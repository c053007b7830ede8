"""The pages that put something right, and the way to them from the page of the case."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse

from referrals.models import Case, FoundNotSuitable, OrderReason, Referral, ReopenedDecision
from referrals.review.actions.refer_now import ask_to_ring_again
from src_app.audit.models import Action, AuditEntry
from tests.factories import DecisionFactory, FoundNotSuitableFactory, SubmissionFactory

pytestmark = pytest.mark.usefixtures("clock")
PAGES = ("reopen_decision", "find_not_suitable", "correct_finding", "move_referral")


@pytest.fixture
def browser(client_of, hcop):
    return client_of(hcop)


@pytest.fixture
def not_suitable(make_case, now):
    case = make_case(decided_at=now - timedelta(hours=1))
    mark = {"suitable": False, "reason": "duplicate", "contact_by": "investigator"}
    DecisionFactory.create(case=case, submission=SubmissionFactory.create(bcu=case.bcu), **mark)
    return case


@pytest.fixture
def referred(make_referral):
    referral = make_referral()
    DecisionFactory.create(case=referral.case, submission=SubmissionFactory.create(bcu=referral.case.bcu))
    return Case.objects.get(pk=referral.case_id)


def _page(browser, name, case):
    return unescape(browser.get(reverse(name, args=[case.pk])).content.decode())


def test_a_case_leads_to_what_can_be_put_right_of_it(browser, not_suitable, referred):
    offered = {
        case: [name for name in PAGES if reverse(name, args=[case.pk]) in _page(browser, "case", case)]
        for case in (not_suitable, referred)
    }
    assert offered == {not_suitable: ["reopen_decision"], referred: ["find_not_suitable", "move_referral"]}


def test_a_page_for_what_cannot_be_done_says_why_and_has_no_form(browser, not_suitable, referred):
    assert "It was referred (SRC-" in _page(browser, "reopen_decision", referred)
    for name, words in (("find_not_suitable", "reopen it"), ("move_referral", "no referral")):
        html = _page(browser, name, not_suitable)
        assert words in html
        assert "What happens then" not in html


def test_a_decision_is_reopened_with_a_reason(browser, not_suitable):
    address = reverse("reopen_decision", args=[not_suitable.pk])
    assert "Found not suitable: Duplicate of another report." in _page(
        browser, "reopen_decision", not_suitable
    )
    assert "Choose why the decision is made anew." in browser.post(address).content.decode()
    told = browser.post(address, {"because": "wrong_mark"}, follow=True).content.decode()
    assert "waits in the overnight review again" in told
    assert ReopenedDecision.objects.get().case == not_suitable
    review = _page_of("overnight_review", browser)
    assert not_suitable.crime_reference in review
    assert "Reopened: was not suitable" in review


def _page_of(name, browser):
    return unescape(browser.get(reverse(name)).content.decode())


def test_a_referred_case_is_found_not_suitable(browser, referred):
    address = reverse("find_not_suitable", args=[referred.pk])
    assert "is closed without contact" in _page(browser, "find_not_suitable", referred)
    assert (
        "Choose who will contact the victim." in browser.post(address, {"reason": "closed"}).content.decode()
    )
    sent = {"reason": "closed", "contact_by": "investigator"}
    assert "On record as not suitable" in browser.post(address, sent, follow=True).content.decode()
    assert FoundNotSuitable.objects.get().case == referred
    assert f'href="{address}"' not in _page(browser, "case", referred)
    listed = _page_of("follow_up_list", browser)
    assert "The investigating officer only" in listed
    assert "Referred since" not in listed


def test_a_duplicate_is_chosen_among_the_linked_reports_that_the_account_may_see(
    browser, referred, make_case, make_referral, world, now
):
    Case.objects.filter(pk=referred.pk).update(incident_hash="a" * 64)
    same = {"incident_hash": "a" * 64}
    waiting = make_case(**same)
    contacted = make_referral(case=make_case(**same), completed=True).case
    hidden = make_case(ward=world.north_ward, **same)
    address = reverse("find_not_suitable", args=[referred.pk])
    html = " ".join(_page(browser, "find_not_suitable", referred).split())
    assert re.search(rf"{waiting.crime_reference}, reported [^<]*\. Waits for a decision", html)
    assert re.search(rf"{contacted.crime_reference}, reported [^<]*\. SRC: contact made on ", html)
    assert hidden.crime_reference not in html
    shown = AuditEntry.objects.filter(action=Action.CASE_OPENED).latest("pk").references
    assert {waiting.crime_reference, contacted.crime_reference} <= set(shown)
    sent = {"reason": "duplicate", "contact_by": "investigator"}
    assert "Say of which report it is a duplicate." in browser.post(address, sent).text
    browser.post(address, {**sent, "duplicate_of": contacted.crime_reference})
    assert FoundNotSuitable.objects.get().duplicate_of == contacted.crime_reference
    told = f"Duplicate of another report: {contacted.crime_reference}"
    assert told in _page_of("follow_up_list", browser)


def test_another_report_is_named_by_its_reference_whether_it_is_kept_here_or_not(browser, referred):
    address = reverse("find_not_suitable", args=[referred.pk])
    assert 'name="duplicate_of"' not in _page(browser, "find_not_suitable", referred)
    sent = {"reason": "duplicate", "contact_by": "investigator"}
    assert "Say of which report it is a duplicate." in browser.post(address, sent).text
    wrong = browser.post(address, {**sent, "other_report": "the one of Monday"}).text
    assert "Type the crime reference as it stands on the crime record." in wrong
    itself = browser.post(address, {**sent, "other_report": referred.crime_reference}).text
    assert "That is this report itself" in itself
    browser.post(address, {**sent, "other_report": "01/7654321/26"})
    assert FoundNotSuitable.objects.get().duplicate_of == "01/7654321/26"


def test_a_referral_is_moved_to_a_ward_of_the_bcu(browser, referred, world):
    address = reverse("move_referral", args=[referred.pk])
    html = _page(browser, "move_referral", referred)
    assert "Colliers Wood: Colliers Wood team" in html
    assert world.north_ward.name not in html
    seen = Referral.objects.get().ward_id
    refused = browser.post(address, {"seen": seen, "ward": world.wards[1].pk, "why": ""}).content.decode()
    assert "Say why it goes there." in refused
    sent = {"seen": seen, "ward": world.wards[1].pk, "why": "Wrong postcode"}
    assert "The referral is moved." in browser.post(address, sent, follow=True).content.decode()
    assert Referral.objects.get().team == world.teams[1]
    late = " ".join(browser.post(address, sent).content.decode().split())
    assert "by now. Nothing was moved" in late
    assert f'name="seen" value="{world.wards[1].pk}"' in late


def test_why_a_case_is_not_suitable_is_put_right_from_its_page(browser, referred):
    address = reverse("correct_finding", args=[referred.pk])
    assert address not in _page(browser, "case", referred)
    assert "there is nothing to put right" in _page(browser, "correct_finding", referred)
    sent = {"reason": "duplicate", "contact_by": "investigator", "other_report": "01/7654321/26"}
    browser.post(reverse("find_not_suitable", args=[referred.pk]), sent)
    assert f'href="{address}"' in _page(browser, "case", referred)
    form = _page(browser, "correct_finding", referred)
    assert 'value="01/7654321/26"' in form
    assert re.findall(r'value="(\w+)" selected', form) == ["duplicate", "investigator"]
    seen = re.search(r'name="seen" value="(\d+)"', form)
    assert seen
    sent = {**sent, "seen": seen[1], "other_report": "01/7654322/26"}
    said = browser.post(address, sent, follow=True).text
    assert "Put right. What was said before stays on record." in said
    assert FoundNotSuitable.objects.latest("pk").duplicate_of == "01/7654322/26"
    # Somebody else was first: the page knows that now, and saves what was typed when it is sent again.
    sent["other_report"] = "01/7654323/26"
    said = browser.post(address, sent).text
    assert "put this right meanwhile" in said
    seen = re.search(r'name="seen" value="(\d+)"', said)
    assert seen
    assert "Put right." in browser.post(address, {**sent, "seen": seen[1]}, follow=True).text


def test_it_is_said_whose_task_it_is(browser, client_of, other_hcop, referred):
    sent = {"reason": "duplicate", "contact_by": "investigator", "other_report": "01/7654321/26"}
    deputy = client_of(other_hcop)
    said = deputy.post(reverse("find_not_suitable", args=[referred.pk]), sent, follow=True).text
    assert "It waits in your follow-ups:" in said
    sent |= {"other_report": "01/7654322/26", "seen": str(FoundNotSuitable.objects.get().pk)}
    said = browser.post(reverse("correct_finding", args=[referred.pk]), sent, follow=True).text
    assert f"It waits in the follow-ups, with {other_hcop}:" in said


def test_the_page_says_that_a_team_which_is_to_ring_again_is_told_not_to(browser, make_referral, hcop, now):
    referral = make_referral(completed=True)
    DecisionFactory.create(case=referral.case, submission=SubmissionFactory.create(bcu=referral.case.bcu))
    words = ("nobody is asked to contact them again", "told by e-mail not to ring")
    assert [each in _page(browser, "find_not_suitable", referral.case) for each in words] == [True, False]
    ask_to_ring_again(case_id=referral.case_id, reason=OrderReason.HIGH_RISK, by=hcop, at=now)
    assert [each in _page(browser, "find_not_suitable", referral.case) for each in words] == [False, True]
    FoundNotSuitableFactory.create(referral=referral)
    assert reverse("ring_again", args=[referral.case_id]) not in _page(browser, "case", referral.case)
    assert "recorded on" in _page(browser, "ring_again", referral.case)
