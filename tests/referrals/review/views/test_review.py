"""The overnight review's pages."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from referrals.models import (
    Arm,
    Case,
    ContactBy,
    Decision,
    ImportSource,
    ImportStatus,
    Mode,
    Question,
    Reason,
    Referral,
    Restriction,
    Submission,
)
from referrals.review.actions import drafts
from referrals.review.views import review
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World
from tests.factories import (
    NOW,
    AllocationFactory,
    CaseImportFactory,
    CrimeRecordEventFactory,
    DecisionFactory,
    PersonalTextFactory,
    ReferralFactory,
    SubmissionFactory,
    TrialFactory,
    WardModeFactory,
)

MakeCase = Callable[..., Case]
ClientOf = Callable[[User], Client]
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def browser(client_of: ClientOf, hcop: User) -> Client:
    """The HCOP's."""
    return client_of(hcop)


def page(browser: Client, name: str, *arguments: object) -> str:
    response = browser.get(reverse(name, args=arguments))
    assert response.status_code == 200
    return response.content.decode()


def test_the_list_shows_the_longest_waiting_first_with_all_that_bears_on_it(
    browser: Client, make_case: MakeCase
) -> None:
    newer = make_case(reported_at=NOW - timedelta(hours=2))
    older = make_case(
        reported_at=NOW - timedelta(hours=22), ward=None, victim_under_18=True, incident_hash="a" * 64
    )
    make_case(reported_at=NOW - timedelta(hours=1), incident_hash="a" * 64, crime_reference="01/7654321/26")
    PersonalTextFactory.create(case=older, body="Dog at address")
    html = page(browser, "overnight_review")
    assert html.index(older.crime_reference) < html.index(newer.crime_reference)
    for words in (
        "3 reports",
        "The oldest has waited 22 hours",
        "Dog at address",
        "Unknown postcode: choose a team",
        "Under 18",
        "Linked to 01/7654321/26",
    ):
        assert words in html


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        ({}, True),
        ({"offence": "common  ASSAULT"}, True),
        ({"occurred_at": NOW - timedelta(hours=17)}, True),
        ({"occurred_at": NOW - timedelta(hours=18)}, False),
        ({"occurred_at": None}, True),
        ({"occurred_at": None, "reported_at": NOW - timedelta(hours=6)}, False),
        ({"offence": "Harassment"}, False),
        ({"ward": 1}, False),
        ({"ward": None}, False),
        ({"victim_hash": "a" * 64}, False),
    ],
)
def test_two_reports_that_may_be_of_one_offence_are_shown_together(
    browser: Client, make_case: MakeCase, world: World, other: dict[str, Any], alike: bool
) -> None:
    """Linked ones are said to be linked, which is more."""
    same = {
        "offence": "Common assault",
        "occurred_at": NOW - timedelta(hours=14),
        "reported_at": NOW - timedelta(hours=2),
        "ward": world.wards[0],
    }
    if isinstance(other.get("ward"), int):
        other = {"ward": world.wards[other["ward"]]}
    one = make_case(**same, victim_hash="a" * 64)
    two = make_case(**{**same, "victim_hash": "b" * 64, **other})
    html = page(browser, "overnight_review")
    for reference in (one.crime_reference, two.crime_reference):
        assert (f"Same offence as {reference}?" in html) == alike
    shown = page(browser, "case", one.pk)
    assert ("Perhaps the same offence" in shown) == alike
    opened = AuditEntry.objects.get(action=Action.CASE_OPENED).references
    assert (two.crime_reference in opened) == (alike or "victim_hash" in other)


def test_reports_that_belong_together_stand_together_after_the_first_of_them(
    browser: Client, make_case: MakeCase, world: World
) -> None:
    def reported(hours: int, **fields: Any) -> Case:
        return make_case(reported_at=NOW - timedelta(hours=hours), **{"ward": None, **fields})

    first = reported(20, incident_hash="a" * 64)
    stranger = reported(18)
    again = {"offence": "Common assault", "occurred_at": NOW - timedelta(hours=30), "ward": world.wards[0]}
    linked = reported(10, incident_hash="a" * 64, **again)
    alike = reported(4, **again)
    html = page(browser, "overnight_review")
    order = [first, linked, alike, stranger]
    places = [html.index(f'id="case-{case.pk}"') for case in order]
    assert places == sorted(places)
    assert f'href="{reverse("case", args=[linked.pk])}"' in html


def test_showing_the_list_is_on_record_with_the_references_shown(
    browser: Client, make_case: MakeCase, hcop: User
) -> None:
    cases = [make_case(), make_case()]
    page(browser, "overnight_review")
    entry = AuditEntry.objects.get(action=Action.LIST_SHOWN)
    assert sorted(entry.references) == sorted(case.crime_reference for case in cases)
    assert (entry.actor, entry.origin) == (hcop, "page overnight_review")


def test_an_empty_list_says_what_to_do(browser: Client) -> None:
    html = page(browser, "overnight_review")
    assert "Nothing waits for review" in html
    assert reverse("import_cases") in html


def test_it_says_when_the_last_extract_of_the_bcu_arrived(browser: Client, world: World) -> None:
    def arrived(**fields: Any) -> None:
        saved = {"status": ImportStatus.SAVED, "settled_at": NOW, "report_encrypted": None, "parts": None}
        CaseImportFactory.create(**{**saved, "bcu": world.south_west, **fields})

    assert "Last extract" not in page(browser, "overnight_review")
    arrived(uploaded_at=NOW - timedelta(minutes=85), source=ImportSource.FOLDER, new=24)
    arrived(uploaded_at=NOW - timedelta(hours=24), new=3)
    arrived(uploaded_at=NOW, new=5, bcu=world.north)
    arrived(uploaded_at=NOW, status=ImportStatus.REFUSED)
    words = " ".join(re.sub(r"<[^>]*>", "", page(browser, "overnight_review")).split())
    assert "Last extract: 23 November 2026, 6:05am, found in the watched folder: 24 new." in words


@pytest.mark.parametrize("name", ["overnight_review", "check_decisions"], ids=["list page", "check page"])
def test_the_number_of_queries_does_not_grow_with_rows(
    browser: Client, make_case: MakeCase, world: World, name: str
) -> None:
    def add(count: int) -> int:
        for n in range(count):
            case = make_case(ward=world.wards[n % 6], victim_hash="b" * 64)
            PersonalTextFactory.create(case=case)
            DecisionFactory.create(case=case)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page(browser, name)
        return len(queries)

    assert add(3) == add(27)


def test_one_press_marks_a_case_and_comes_back_to_its_row(browser: Client, make_case: MakeCase) -> None:
    case = make_case()
    response = browser.post(reverse("mark_suitable", args=[case.pk]), {"version": ""})
    assert response.headers["Location"] == f"{reverse('overnight_review')}#case-{case.pk}"
    assert Decision.objects.get().suitable
    assert 'aria-pressed="true"' in page(browser, "overnight_review")


def test_a_script_gets_the_row_and_the_counts_alone(browser: Client, make_case: MakeCase) -> None:
    case = make_case()
    response = browser.post(
        reverse("mark_suitable", args=[case.pk]), {"version": ""}, headers={"HX-Request": "true"}
    )
    html = response.content.decode()
    assert f'id="case-{case.pk}"' in html
    assert 'data-review-row="marked"' in html
    assert "Check 1 decision and submit" in html
    told = " ".join(re.sub(r"<[^>]*>", "", html[html.index('id="review-told"') :]).split())
    assert f"{case.crime_reference}: suitable. 0 not yet marked." in told
    assert "<html" not in html
    assert response.headers["HX-Retarget"] == f"#case-{case.pk}"


def test_somebody_elses_mark_is_shown_and_mine_is_not_saved(
    browser: Client, client_of: ClientOf, other_hcop: User, make_case: MakeCase
) -> None:
    case = make_case()
    client_of(other_hcop).post(reverse("mark_suitable", args=[case.pk]), {"version": ""})
    response = browser.post(
        reverse("mark_not_suitable", args=[case.pk]),
        {"version": "", "reason": Reason.UNSAFE, "contact_by": ContactBy.SAFEGUARDING},
        follow=True,
    )
    html = response.content.decode()
    assert f"Deputy HCOP South West marked {case.crime_reference} suitable" in html
    assert "Your mark was not saved" in html
    assert Decision.objects.get().suitable


def test_not_suitable_asks_why_and_who_and_keeps_what_was_chosen(
    browser: Client, make_case: MakeCase
) -> None:
    case = make_case()
    address = reverse("mark_not_suitable", args=[case.pk])
    html = browser.post(address, {"version": "", "reason": Reason.OUTSIDE_BCU}).content.decode()
    assert "Choose who will contact the victim" in html
    assert f'<option value="{Reason.OUTSIDE_BCU}" selected' in html
    browser.post(address, {"version": "", "reason": Reason.OUTSIDE_BCU, "contact_by": ContactBy.HOME_BCU})
    decision = Decision.objects.get()
    assert (decision.reason, decision.contact_by) == (Reason.OUTSIDE_BCU, ContactBy.HOME_BCU)


def test_an_incident_offers_no_suitable_button(browser: Client, make_case: MakeCase) -> None:
    make_case(is_crime=False)
    html = page(browser, "overnight_review")
    assert "Incident, not a crime" in html
    assert "data-suitable" not in html


def test_an_incident_has_its_answer_chosen_and_the_two_usual_reasons_come_first(
    browser: Client, make_case: MakeCase
) -> None:
    def chosen(case: Case) -> tuple[list[str], list[str]]:
        form = page(browser, "mark_not_suitable", case.pk)
        return re.findall(r'value="(\w+)" selected', form), re.findall(r'<option value="(\w+)"', form)[:3]

    first = [Reason.NO_CRIME, Reason.NO_INDIVIDUAL, Reason.OUTSIDE_BCU]
    assert chosen(make_case()) == ([], first)
    incident = make_case(is_crime=False)
    assert chosen(incident) == ([Reason.NO_CRIME, ContactBy.INVESTIGATOR], first)
    DecisionFactory.create(
        case=incident, suitable=False, reason=Reason.DUPLICATE, contact_by=ContactBy.HOME_BCU
    )
    assert chosen(incident) == ([Reason.DUPLICATE, ContactBy.HOME_BCU], first)


def test_of_a_duplicate_it_is_asked_of_which_report(browser: Client, make_case: MakeCase) -> None:
    case, other = make_case(incident_hash="a" * 64), make_case(incident_hash="a" * 64)
    address = reverse("mark_not_suitable", args=[case.pk])
    asked = browser.get(address).text
    assert f"{other.crime_reference}, reported " in asked
    assert " checked" not in asked
    sent = {"version": "", "reason": "duplicate", "contact_by": "investigator"}
    assert "Say of which report it is a duplicate." in browser.post(address, sent).text
    browser.post(address, {**sent, "duplicate_of": other.crime_reference})
    assert Decision.objects.get().duplicate_of == other.crime_reference
    assert f"Duplicate of another report: {other.crime_reference}." in page(browser, "overnight_review")
    again = browser.get(address).text
    assert re.search(rf'value="{other.crime_reference}"[^>]* checked', again)
    # Another one takes its place, and for another reason none is kept.
    version = Decision.objects.get().version
    browser.post(
        address, {**sent, "version": version, "duplicate_of": "another", "other_report": "01/7654321/26"}
    )
    assert Decision.objects.get().duplicate_of == "01/7654321/26"
    assert 'value="01/7654321/26"' in browser.get(address).text
    version = Decision.objects.get().version
    closed = {**sent, "version": version, "reason": "closed", "other_report": "01/7654321/26"}
    browser.post(address, closed)
    assert Decision.objects.get().why == Reason.CLOSED.label


def test_a_duplicate_is_left_to_the_other_report_where_nobody_is_chosen(
    browser: Client, make_case: MakeCase
) -> None:
    case, other = make_case(), make_case()
    address = reverse("mark_not_suitable", args=[case.pk])
    sent = {"version": "", "contact_by": "", "other_report": other.crime_reference}
    browser.post(address, {**sent, "reason": "duplicate"})
    decision = Decision.objects.get()
    assert decision.contact_by == ContactBy.OTHER_REPORT
    assert "Contact: Whoever contacts them for the other report." in page(browser, "overnight_review")
    sent = {**sent, "version": str(decision.version), "reason": "closed"}
    assert "Choose who will contact the victim." in browser.post(address, sent).text
    refused = browser.post(address, {**sent, "contact_by": "other_report"}).text
    assert "Only a duplicate is left to another report" in refused


def test_of_a_duplicate_it_is_said_where_the_other_report_gets_no_contact(
    browser: Client, make_case: MakeCase, world: World, submit_all: Callable[..., Submission]
) -> None:
    WardModeFactory.create(ward=world.wards[3], mode=Mode.NOT_STARTED)
    other = make_case(ward=world.wards[3], incident_hash="b" * 64)
    submit_all(other)
    case = make_case(incident_hash="b" * 64)
    address = reverse("mark_not_suitable", args=[case.pk])
    assert "Usual service: no team contacts the victim" in browser.get(address).text
    sent = {"version": "", "reason": "duplicate", "duplicate_of": other.crime_reference}
    refused = browser.post(address, sent).text
    assert f"Nobody contacts the victim for {other.crime_reference}" in refused
    browser.post(address, {**sent, "contact_by": "investigator"})
    assert Decision.objects.get(case=case).contact_by == ContactBy.INVESTIGATOR


def test_a_team_is_chosen_in_the_list_only_where_no_ward_says_which(
    browser: Client, make_case: MakeCase, world: World
) -> None:
    usual, without = make_case(), make_case(ward=None)
    elsewhere = make_case(ward=world.north_ward, bcu=world.south_west)
    html = page(browser, "overnight_review")
    offered = [case for case in (usual, without, elsewhere) if reverse("choose_team", args=[case.pk]) in html]
    assert offered == [without, elsewhere]
    DecisionFactory.create(case=usual)
    check = page(browser, "check_decisions")
    assert reverse("choose_team", args=[usual.pk]) in check
    assert "Choose another team" in check


@pytest.mark.parametrize("name", ["mark_not_suitable", "mark_refer_now"])
def test_a_question_in_a_row_says_what_is_wrong_and_shares_no_id_with_another_row(
    browser: Client, make_case: MakeCase, name: str
) -> None:
    ids: list[str] = []
    for case in (make_case(), make_case()):
        address = reverse(name, args=[case.pk])
        asked = browser.get(address, headers={"HX-Request": "true"}).text
        assert 'role="alert"' not in asked
        assert '<button type="reset"' in asked
        ids += re.findall(r'\bid="([^"]+)"', asked)
        wrong = browser.post(address, {"version": ""}, headers={"HX-Request": "true"}).text
        assert re.search(r'role="alert">\s*There is a problem. Choose why', wrong)
    assert len(ids) > 4
    assert len(set(ids)) == len(ids)


def test_a_mark_can_be_cleared(browser: Client, make_case: MakeCase) -> None:
    decision = DecisionFactory.create(case=make_case())
    address = reverse("clear_decision", args=[decision.case_id])
    response = browser.post(address, {"version": decision.version}, follow=True)
    assert reverse("mark_suitable", args=[decision.case_id]) in response.content.decode()
    assert not Decision.objects.exists()


def test_restrictions_and_a_note_are_set_and_seen_in_the_list(browser: Client, make_case: MakeCase) -> None:
    case = make_case()
    browser.post(
        reverse("set_safety", args=[case.pk]),
        {"restrictions": ["no_home_visit", "two_officers"], "note": "Ask the sergeant first"},
    )
    html = page(browser, "overnight_review")
    for words in ("No home visit", "Two officers", "Ask the sergeant first"):
        assert words in html
    form = page(browser, "set_safety", case.pk)
    assert len(re.findall(r"<input[^>]*\bchecked\b", form)) == 2


def test_restrictions_set_meanwhile_are_said_and_what_was_typed_stands(
    browser: Client, make_case: MakeCase, other_hcop: User, now: datetime
) -> None:
    case = make_case()
    seen = re.findall(r'name="seen"[^>]*', page(browser, "set_safety", case.pk))
    assert seen
    drafts.set_safety(
        case_id=case.pk, restrictions=[Restriction.NO_HOME_VISIT], note="", seen=None, by=other_hcop, at=now
    )
    sent = {"restrictions": ["two_officers"], "note": "Two dogs", "seen": ""}
    response = browser.post(reverse("set_safety", args=[case.pk]), sent)
    assert "Deputy HCOP South West set restrictions or the note" in response.text
    assert "Two dogs" in response.text
    [again] = re.findall(r'name="seen" value="([^"]*)"', response.text)
    browser.post(reverse("set_safety", args=[case.pk]), {**sent, "seen": again})
    case.refresh_from_db()
    assert case.restrictions == [Restriction.TWO_OFFICERS]


def test_a_note_that_is_too_long_is_kept_on_the_page(browser: Client, make_case: MakeCase) -> None:
    case = make_case()
    response = browser.post(reverse("set_safety", args=[case.pk]), {"note": "x" * 501})
    assert "x" * 501 in response.content.decode()
    assert not case.texts.exists()


def test_a_note_with_a_telephone_number_is_kept_on_the_page_and_nowhere_else(
    browser: Client, make_case: MakeCase
) -> None:
    case = make_case()
    response = browser.post(reverse("set_safety", args=[case.pk]), {"note": "Ring 07700 900123 first"})
    html = response.content.decode()
    assert "telephone numbers, e-mail addresses and postcodes stay" in html
    assert "Ring 07700 900123 first" in html
    assert not case.texts.exists()


def test_a_team_is_chosen_for_a_case_without_a_ward(
    browser: Client, make_case: MakeCase, world: World
) -> None:
    case = make_case(ward=None)
    html = page(browser, "choose_team", case.pk)
    assert "Hendon team" not in html
    browser.post(
        reverse("choose_team", args=[case.pk]),
        {"version": "", "team": world.teams[2].pk, "why": "Refuge"},
    )
    assert Decision.objects.get().team == world.teams[2]
    assert f"Team chosen: {world.teams[2].name}" in page(browser, "overnight_review")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"ward": None}, "It has no ward of this BCU"),
        ({"ward": "another BCU's"}, "It has no ward of this BCU"),
        ({"crime_status": "cancelled"}, "The crime was cancelled"),
    ],
)
def test_one_that_cannot_go_out_is_held_back_and_the_others_are_submitted(
    browser: Client, make_case: MakeCase, world: World, fields: dict[str, Any], why: str
) -> None:
    if fields.get("ward"):
        case = make_case()
        Case.objects.filter(pk=case.pk).update(ward=world.north_ward)
    else:
        case = make_case(**fields)
    held_back = DecisionFactory.create(case=case).case
    alone = " ".join(page(browser, "check_decisions").split())
    assert f"{held_back.crime_reference} is held back." in alone
    assert "data-submit>" not in alone
    going = DecisionFactory.create(case=make_case(ward=world.wards[5])).case
    html = " ".join(page(browser, "check_decisions").split())
    assert f"{held_back.crime_reference} is held back." in html
    assert why in html
    assert "Submit 1 suitable, 0 not suitable" in html
    assert "Submitted: 1 decision" in submit(browser, world, re.findall(r'"(\d+:\d+)"', html))
    assert list(Case.objects.filter(decided_at__isnull=False)) == [going]


@pytest.mark.usefixtures("minimised")
def test_a_question_that_the_trial_balances_by_holds_its_case_back_and_not_the_day(
    browser: Client, make_case: MakeCase, world: World
) -> None:
    asked = {"ward": world.wards[0], "questions": [Question.REPEAT_VICTIM]}
    held_back = DecisionFactory.create(case=make_case(**asked)).case
    DecisionFactory.create(case=make_case(**{**asked, "ward": None}), team=world.teams[0])
    DecisionFactory.create(
        case=make_case(**asked), suitable=False, reason=Reason.DUPLICATE, contact_by=ContactBy.SAFEGUARDING
    )
    DecisionFactory.create(case=make_case(ward=world.wards[0], questions=[Question.STRANDS]))
    html = " ".join(page(browser, "check_decisions").split())
    assert f"{held_back.crime_reference} is held back." in html
    assert html.count("is held back") == 2
    answer = reverse("answer_questions", args=[held_back.pk])
    assert (
        f'The trial of its ward balances by the answer: <a href="{answer}">Is this a repeat victim?</a>'
        in html
    )
    assert "Submitted: 2 decisions" in submit(browser, world, re.findall(r'"(\d+:\d+)"', html))
    assert held_back.decided_at is None


def test_checking_nothing_leads_back_to_the_list(browser: Client) -> None:
    response = browser.get(reverse("check_decisions"), follow=True)
    assert "Nothing is marked yet" in response.content.decode()


def submit(browser: Client, world: World, decisions: list[str], key: str = "") -> str:
    response = browser.post(
        reverse("submit_decisions"),
        {
            "bcu": world.south_west.pk,
            "key": key or "6f9619ff-8b86-4011-b42d-00c04fc964ff",
            "decision": decisions,
        },
        follow=True,
    )
    return response.content.decode()


def test_submitting_shows_what_became_of_each(browser: Client, make_case: MakeCase, world: World) -> None:
    suitable = DecisionFactory.create(case=make_case(ward=world.wards[5]))
    not_suitable = DecisionFactory.create(
        case=make_case(), suitable=False, reason=Reason.DUPLICATE, contact_by=ContactBy.INVESTIGATOR
    )
    html = submit(browser, world, [f"{d.case_id}:{d.version}" for d in (suitable, not_suitable)])
    referral = Referral.objects.get()
    for words in (
        "Submitted: 2 decisions",
        f"{suitable.case.crime_reference}: {referral.number} to {referral.team.name}",
        "26 November 2026, 7:30am",
        "Waiting to be sent",
        "Duplicate of another report",
        *(f'href="{reverse("case", args=[each.case_id])}"' for each in (suitable, not_suitable)),
    ):
        assert words in html
    assert "Nothing waits for review" in page(browser, "overnight_review")


def test_a_case_to_be_referred_now_is_checked_as_one_that_goes_out(
    browser: Client, make_case: MakeCase, world: World
) -> None:
    """What the team will read stands beside it, and the sums are the same before and after."""
    urgent = DecisionFactory.create(
        case=make_case(ward=world.wards[5], restrictions=["two_officers"]),
        suitable=False,
        reason=Reason.HIGH_RISK,
        contact_by=ContactBy.NEIGHBOURHOOD_TEAM,
    )
    PersonalTextFactory.create(case=urgent.case, body="Dog at address")
    html = " ".join(page(browser, "check_decisions").split())
    refer_now = html[html.index("Refer now, outside any trial") :]
    for words in (urgent.case.crime_reference, "High risk", world.wards[5].name, "Dog at address"):
        assert words in refer_now
    assert "Submit 0 suitable, 1 to refer now, 0 not suitable" in html
    done = " ".join(submit(browser, world, [f"{urgent.case_id}:{urgent.version}"]).split())
    assert "1 referral for SRC, 0 with usual service, 0 not suitable" in done
    assert "High risk" in done


def test_usual_service_says_whether_the_trial_decided_or_the_ward_has_not_started(
    browser: Client, client_of: ClientOf, make_case: MakeCase, world: World, now: datetime
) -> None:
    submission = SubmissionFactory.create(bcu=world.south_west, submitted_at=now)
    trial = TrialFactory.create(bcu=world.south_west, name="Pilot")
    cases = [make_case(decided_at=now) for _ in range(3)]
    control, src, not_started = cases
    for case in cases:
        DecisionFactory.create(case=case, submission=submission)
    AllocationFactory.create(case=control, trial=trial, arm=Arm.CONTROL, allocated_at=now)
    referred = AllocationFactory.create(case=src, trial=trial, arm=Arm.SRC, allocated_at=now)
    ReferralFactory.create(case=src, allocation=referred, made_at=now)
    html = browser.get(reverse("submitted", args=[submission.pk])).text
    words = " ".join(strip_tags(html[html.index("Usual service</h2>") :]).split())
    assert f"Decided by the trial of the ward: {control.crime_reference}, by Pilot" in words
    why = "The ward has not started with SRC, or its trial is paused:"
    assert f"{why} {not_started.crime_reference}, Abbey" in words
    assert src.crime_reference not in words.partition("In words, to copy")[0]


def test_what_was_submitted_can_be_looked_at_again(
    browser: Client, make_case: MakeCase, world: World
) -> None:
    decision = DecisionFactory.create(case=make_case(ward=world.wards[5]))
    submit(browser, world, [f"{decision.case_id}:{decision.version}"])
    link = reverse("submitted", args=[Submission.objects.get().pk])
    assert f'href="{link}"' in page(browser, "overnight_review")


@pytest.mark.parametrize(
    ("decisions", "key"), [(["1:x"], ""), (["1"], ""), ([], "no key"), (["1:1"], "no key")]
)
def test_a_broken_form_submits_nothing(
    browser: Client, make_case: MakeCase, world: World, decisions: list[str], key: str
) -> None:
    DecisionFactory.create(case=make_case())
    assert "Nothing was submitted" in submit(browser, world, decisions, key)
    assert not Submission.objects.exists()


def test_a_draft_changed_meanwhile_leads_back_to_the_check_page(
    browser: Client, make_case: MakeCase, world: World
) -> None:
    decision = DecisionFactory.create(case=make_case())
    html = submit(browser, world, [f"{decision.case_id}:{decision.version + 1}"])
    assert "One of these reports or decisions was changed" in html
    assert "Check and submit" in html


def test_another_bcus_cases_and_submissions_do_not_exist(
    client_of: ClientOf, north_hcop: User, make_case: MakeCase, browser: Client, world: World
) -> None:
    case = make_case(ward=world.wards[5])
    decision = DecisionFactory.create(case=case)
    submit(browser, world, [f"{case.pk}:{decision.version}"])
    stranger = client_of(north_hcop)
    waiting = make_case()
    assert waiting.crime_reference not in page(stranger, "overnight_review")
    for name in ("mark_not_suitable", "set_safety", "choose_team"):
        assert stranger.get(reverse(name, args=[waiting.pk])).status_code == 404
    assert stranger.post(reverse("mark_suitable", args=[waiting.pk])).status_code == 404
    assert stranger.get(reverse("submitted", args=[Submission.objects.get().pk])).status_code == 404


def test_a_page_address_that_is_none_is_not_found(browser: Client) -> None:
    for address in ("nonsense", "[false]", '[false, "x", "y"]', '{"a": 1}'):
        assert browser.get(reverse("overnight_review"), {"page": address}).status_code == 404


def test_a_long_list_goes_on_over_the_page(
    browser: Client, make_case: MakeCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("referrals.review.views.review.PER_PAGE", 2)
    cases = [make_case(reported_at=NOW - timedelta(hours=9 - n)) for n in range(5)]
    seen: list[str] = []
    address = reverse("overnight_review")
    while address:
        response = browser.get(address)
        seen += [row.case.crime_reference for row in response.context["rows"]]
        address = response.context["paged"].next_url
    assert seen == [case.crime_reference for case in cases]


@pytest.mark.parametrize(
    ("fields", "warning"),
    [
        ({"crime_status": "cancelled"}, "Crime cancelled"),
        ({"crime_status": "transferred"}, "Transferred to another force or BCU"),
        ({"hate_flag": False}, "Hate flag taken off"),
    ],
)
def test_a_case_the_crime_record_rules_out_is_warned_of_and_cannot_be_suitable(
    browser: Client, make_case: MakeCase, fields: dict[str, Any], warning: str
) -> None:
    case = make_case(**fields)
    html = page(browser, "overnight_review")
    assert warning in html
    assert reverse("mark_not_suitable", args=[case.pk]) in html
    assert "data-suitable>" not in html
    browser.post(reverse("mark_suitable", args=[case.pk]))
    assert not Decision.objects.exists()


def test_a_key_on_more_reports_than_one_person_has_is_shown_at_the_decision(
    browser: Client, make_case: MakeCase
) -> None:
    for _ in range(5):
        make_case(victim_hash="a" * 64)
    assert "one person?" not in page(browser, "overnight_review")
    make_case(victim_hash="a" * 64)
    assert page(browser, "overnight_review").count("Victim’s key on many reports: one person?") == 6
    Case.objects.filter(pk=Case.objects.earliest("pk").pk).update(reported_at=NOW - timedelta(days=29))
    assert "one person?" not in page(browser, "overnight_review")


def test_a_question_is_shown_in_the_row_and_answered_on_a_page_of_its_own(
    browser: Client, make_case: MakeCase
) -> None:
    case = make_case(questions=["repeat_victim", "another_victim"])
    address = reverse("answer_questions", args=[case.pk])
    assert page(browser, "overnight_review").count(f'href="{address}"') == 2
    shown = browser.get(address).content.decode()
    assert 'name="repeat_victim"' in shown
    assert 'name="strands"' not in shown
    refused = browser.post(address, {"another_victim": "on"})
    assert "Say whether this is a repeat victim." in refused.content.decode()
    assert re.search(r'name="another_victim"[^>]* checked', refused.content.decode())
    browser.post(address, {"repeat_victim": "yes", "another_victim": "on"})
    case.refresh_from_db()
    assert (case.repeat_victim, case.questions) == (True, [])
    assert f'href="{address}"' not in page(browser, "overnight_review")


def test_an_answer_that_somebody_else_was_first_with_shows_the_form_again(
    browser: Client, make_case: MakeCase, client_of: ClientOf, other_hcop: User
) -> None:
    case = make_case(questions=["repeat_victim", "strands"], strands=[])
    address = reverse("answer_questions", args=[case.pk])
    both = {"repeat_victim": "no", "strands": ["disability"]}
    client_of(other_hcop).post(address, {"repeat_victim": "yes", "strands": ["disability"]})
    Case.objects.update(questions=["strands"])
    shown = browser.post(address, both).content.decode()
    assert "\u201cIs this a repeat victim?\u201d was answered meanwhile, and not as you did." in shown
    assert 'name="repeat_victim"' not in shown
    assert re.findall(r'value="(\w*)"[^>]* checked', shown) == ["disability"]
    browser.post(address, {"strands": ["disability"]})
    case.refresh_from_db()
    assert (case.repeat_victim, case.strands, case.questions) == (True, ["disability"], [])


def test_the_strands_that_were_understood_are_chosen_already(browser: Client, make_case: MakeCase) -> None:
    case = make_case(questions=["strands"], strands=["disability"])
    shown = browser.get(reverse("answer_questions", args=[case.pk])).content.decode()
    assert re.findall(r'value="(\w*)"[^>]* checked', shown) == ["disability"]


def test_no_strand_is_an_answer_and_not_beside_one(browser: Client, make_case: MakeCase) -> None:
    case = make_case(questions=["strands"], strands=[])
    address = reverse("answer_questions", args=[case.pk])
    both = browser.post(address, {"strands": ["", "race"]}).content.decode()
    assert "Choose strands, or “None of these”, and not both." in both
    browser.post(address, {"strands": [""]})
    case.refresh_from_db()
    assert (case.strands, case.questions) == ([], [])


def test_a_case_cancelled_after_it_was_marked_suitable_is_not_submitted(
    browser: Client, make_case: MakeCase, world: World
) -> None:
    decision = DecisionFactory.create(case=make_case())
    Case.objects.update(crime_status="cancelled")
    html = submit(browser, world, [f"{decision.case_id}:{decision.version}"])
    assert f"{decision.case.crime_reference}: " in html
    assert "Nothing was submitted." in html
    assert not Submission.objects.exists()


def test_restrictions_are_changed_after_the_decision_while_the_referral_is_open(
    browser: Client, make_referral: Callable[..., Referral]
) -> None:
    case = make_referral().case
    address = reverse("set_safety", args=[case.pk])
    html = page(browser, "set_safety", case.pk)
    assert "The team is told at once" in html
    assert reverse("case", args=[case.pk]) in html
    response = browser.post(address, {"restrictions": ["no_voicemail"], "note": ""})
    assert response.headers["Location"] == reverse("case", args=[case.pk])
    case.refresh_from_db()
    assert case.restrictions == ["no_voicemail"]


def test_a_page_that_somebody_else_has_emptied_shows_the_first_and_not_that_all_is_done(
    browser: Client, make_case: MakeCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review, "PER_PAGE", 2)
    cases = [make_case(reported_at=NOW - timedelta(hours=9 - nth)) for nth in range(3)]
    first = browser.get(reverse("overnight_review")).content.decode()
    (following,) = set(re.findall(r'href="([^"]*page=[^"]*)"', first))
    Case.objects.filter(pk=cases[2].pk).update(decided_at=NOW)
    html = browser.get(following.replace("&amp;", "&")).content.decode()
    assert cases[0].crime_reference in html
    assert "2 reports" in html


def test_who_was_not_suitable_and_is_put_right_since_is_listed_for_a_week(
    browser: Client, make_case: MakeCase, world: World, now: datetime
) -> None:
    def make_reinstated(*, days: int, suitable: bool = False, kind: str = "reinstated") -> Case:
        case = make_case(decided_at=now - timedelta(days=9))
        unsuitable = {"suitable": False, "reason": Reason.OTHER, "contact_by": ContactBy.HOME_BCU}
        DecisionFactory.create(case=case, **({} if suitable else unsuitable))
        CrimeRecordEventFactory.create(case=case, kind=kind, noticed_at=now - timedelta(days=days))
        return case

    listed = make_reinstated(days=1)
    again_out = make_reinstated(days=2)
    CrimeRecordEventFactory.create(case=again_out, kind="cancelled", noticed_at=now)
    others = [make_reinstated(days=8), make_reinstated(days=1, suitable=True), again_out]
    html = page(browser, "overnight_review")
    assert "Put right on the crime record" in html
    assert listed.crime_reference in html
    assert not any(case.crime_reference in html for case in others)
    assert AuditEntry.objects.get(action=Action.LIST_SHOWN).references == [listed.crime_reference]
