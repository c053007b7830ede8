"""Refer now as the third choice of the overnight review, and the question that one wrong key meets."""

from html import unescape

import pytest
from django.urls import reverse

from referrals.models import Allocation, Arm, Decision, Reason, Referral, Submission
from tests.factories import DecisionFactory, PersonalTextFactory, TrialFactory

pytestmark = pytest.mark.usefixtures("clock")
ASKS = {"kind": "contact_wishes", "body": "Asks for contact in person"}
RISK = {"kind": "safety_note", "body": "High risk"}


@pytest.fixture
def browser(client_of, hcop):
    return client_of(hcop)


def _read(browser, name="overnight_review", *arguments):
    return unescape(browser.get(reverse(name, args=arguments)).content.decode())


@pytest.fixture
def submit(browser, world):
    """Submits the drafts from the check page, with these ticks; returns the page that follows."""

    def submit(*looked_at):
        drafts = [f"{each.case_id}:{each.version}" for each in Decision.objects.filter(submission=None)]
        sent = {
            "bcu": world.south_west.pk,
            "key": "11111111-1111-4111-8111-111111111111",
            "decision": drafts,
            "looked_at": looked_at,
        }
        return unescape(browser.post(reverse("submit_decisions"), sent, follow=True).content.decode())

    return submit


@pytest.mark.parametrize("reason", [Reason.HIGH_RISK, Reason.ASKED_FOR_CONTACT])
def test_a_case_is_marked_to_be_referred_now_with_one_choice(browser, make_case, reason):
    case = make_case()
    page = _read(browser)
    assert "data-refer-now" in page
    assert ">r</kbd> refer now" in page
    address = reverse("mark_refer_now", args=[case.pk])
    form = _read(browser, "mark_refer_now", case.pk)
    assert "Why refer now" in form
    assert "Contact is due 24 hours after you submit the day." in form
    assert "Choose why the case is referred now." in browser.post(address, {"version": ""}).content.decode()
    told = browser.post(address, {"version": "", "reason": reason}, follow=True).content.decode()
    decision = Decision.objects.get()
    assert (decision.suitable, decision.reason, decision.contact_by) == (False, reason, "neighbourhood_team")
    assert "0 suitable · 1 to refer now · 0 not suitable · 0 not yet marked" in told
    assert "Refer now<span" in told
    assert ", chosen</span>" in told


def test_it_is_no_reason_inside_not_suitable_any_more(browser, make_case):
    case = make_case()
    form = _read(browser, "mark_not_suitable", case.pk)
    assert 'value="duplicate"' in form
    assert 'value="high_risk"' not in form
    assert 'value="asked_for_contact"' not in form
    sent = {"version": "", "reason": "high_risk", "contact_by": "investigator"}
    browser.post(reverse("mark_not_suitable", args=[case.pk]), sent)
    assert not Decision.objects.exists()


def test_htmx_gets_the_question_alone_and_somebody_elses_mark_is_told(browser, make_case, other_hcop):
    case = make_case()
    address = reverse("mark_refer_now", args=[case.pk])
    assert "<html" not in browser.get(address, headers={"HX-Request": "true"}).content.decode()
    DecisionFactory.create(
        case=case,
        suitable=False,
        reason=Reason.HIGH_RISK,
        contact_by="neighbourhood_team",
        drafted_by=other_hcop,
    )
    sent = {"version": "", "reason": "asked_for_contact"}
    told = browser.post(address, sent, headers={"HX-Request": "true"}).content.decode()
    assert "Deputy HCOP South West marked" in told
    assert "to be referred now" in told
    assert Decision.objects.get().reason == Reason.HIGH_RISK


@pytest.mark.parametrize(("text", "tag"), [(ASKS, "Asks for contact?"), (RISK, "High risk?")])
def test_words_that_call_for_it_are_a_tag_in_the_row(browser, make_case, text, tag):
    PersonalTextFactory.create(case=make_case(), kind="contact_wishes", body="In person, after 6pm")
    assert tag not in _read(browser)
    PersonalTextFactory.create(case=make_case(), **text)
    assert tag in _read(browser)


@pytest.mark.parametrize("text", [ASKS, RISK])
@pytest.mark.parametrize(
    "mark", [{}, {"suitable": False, "reason": "duplicate", "contact_by": "investigator"}]
)
def test_such_a_case_never_goes_to_chance_by_one_wrong_key(browser, make_case, submit, world, text, mark):
    TrialFactory.create(bcu=world.south_west)
    case = make_case(restrictions=["two_officers"])
    PersonalTextFactory.create(case=case, **text)
    DecisionFactory.create(case=case, **mark)
    check = _read(browser, "check_decisions")
    assert "Refer these now?" in check
    assert text["body"] in check
    assert f'name="looked_at" value="{case.pk}"' in " ".join(check.split())
    assert reverse("mark_refer_now", args=[case.pk]) in check
    refused = submit()
    assert f"{case.crime_reference}: " in refused
    assert "Nothing was submitted" in refused
    assert not Submission.objects.exists()
    assert not Allocation.objects.exists()
    submit(case.pk)
    assert Submission.objects.exists()


def test_what_is_marked_to_be_referred_now_is_asked_no_more(browser, make_case, submit, world):
    TrialFactory.create(bcu=world.south_west)
    case = make_case()
    PersonalTextFactory.create(case=case, **ASKS)
    browser.post(reverse("mark_refer_now", args=[case.pk]), {"version": "", "reason": "asked_for_contact"})
    assert "Refer these now?" not in _read(browser, "check_decisions")
    submit()
    assert Referral.objects.get().case == case
    assert not Allocation.objects.filter(arm__in=Arm.values).exists()
