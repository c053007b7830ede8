"""A safety note without a restriction is asked about before the day is submitted."""

from html import unescape

import pytest
from django.urls import reverse

from referrals.models import Decision, Referral, Restriction, Submission
from tests.factories import DecisionFactory, PersonalTextFactory

pytestmark = pytest.mark.usefixtures("clock")

NOTE = "Do not attend the address"


@pytest.fixture
def browser(client_of, hcop):
    return client_of(hcop)


@pytest.fixture
def check(browser):
    def check():
        return " ".join(unescape(browser.get(reverse("check_decisions")).content.decode()).split())

    return check


@pytest.fixture
def submit(browser, world):
    """Submits the drafts from the check page with these ticks; returns the page that follows."""

    def submit(*notes_read):
        sent = {
            "bcu": world.south_west.pk,
            "key": "11111111-1111-4111-8111-111111111111",
            "decision": [
                f"{each.case_id}:{each.version}" for each in Decision.objects.filter(submission=None)
            ],
            "notes_read": notes_read,
        }
        return unescape(browser.post(reverse("submit_decisions"), sent, follow=True).content.decode())

    return submit


@pytest.mark.parametrize("kind", ["safety_note", "review_safety"])
@pytest.mark.parametrize(
    "mark", [{}, {"suitable": False, "reason": "high_risk", "contact_by": "neighbourhood_team"}]
)
def test_a_note_without_a_restriction_is_asked_about(make_case, check, submit, world, kind, mark):
    case = make_case(ward=world.wards[5])
    PersonalTextFactory.create(case=case, kind=kind, body=NOTE)
    DecisionFactory.create(case=case, **mark)
    page = check()
    assert "Do these notes restrict how contact is made?" in page
    assert f'name="notes_read" value="{case.pk}"' in page
    assert reverse("set_safety", args=[case.pk]) in page
    refused = submit()
    assert f"{case.crime_reference}: a safety note without a restriction" in refused
    assert not Submission.objects.exists()
    submit(case.pk)
    assert Referral.objects.get().case == case


def test_from_the_check_page_the_restrictions_lead_back_to_it(make_case, browser, check, world):
    case = make_case(ward=world.wards[5])
    PersonalTextFactory.create(case=case, kind="safety_note", body=NOTE)
    PersonalTextFactory.create(case=case, kind="contact_wishes", body="By telephone")
    DecisionFactory.create(case=case)
    page = check()
    assert "Wish: By telephone" in page
    address = f"{reverse('set_safety', args=[case.pk])}?from=check"
    assert address in page
    sent = {"restrictions": ["no_home_visit"], "note": "", "seen": ""}
    response = browser.post(address, sent)
    assert response["Location"] == reverse("check_decisions")
    assert "Do these notes restrict" not in check()
    assert (
        browser.post(address.split("?")[0], sent)["Location"]
        == f"{reverse('overnight_review')}#case-{case.pk}"
    )


def test_the_note_of_a_case_that_is_not_suitable_stands_beside_who_contacts_the_victim(make_case, check):
    case = make_case()
    PersonalTextFactory.create(case=case, kind="safety_note", body=NOTE)
    mark = {"suitable": False, "reason": "duplicate", "contact_by": "neighbourhood_team"}
    DecisionFactory.create(case=case, **mark)
    assert NOTE in check()


def test_a_case_with_a_restriction_is_not_asked_about(make_case, check, submit, world):
    case = make_case(ward=world.wards[5], restrictions=[Restriction.NO_HOME_VISIT])
    PersonalTextFactory.create(case=case, kind="safety_note", body=NOTE)
    DecisionFactory.create(case=case)
    assert "Do these notes restrict" not in check()
    submit()
    assert Referral.objects.exists()


def test_a_case_that_no_team_gets_is_not_asked_about(make_case, check, submit):
    case = make_case()
    PersonalTextFactory.create(case=case, kind="safety_note", body=NOTE)
    DecisionFactory.create(case=case, suitable=False, reason="duplicate", contact_by="investigator")
    assert "Do these notes restrict" not in check()
    submit()
    assert Submission.objects.exists()
