"""The list of controls to look up on the crime record, and the way to it."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from referrals.models import Allocation, Arm, Case, ControlCheck, Trial, TrialStatus
from referrals.trial.readers.controls import waiting_checks
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from tests.conftest import World
from tests.factories import (
    AllocationFactory,
    CaseFactory,
    ControlCheckFactory,
    DeviationFactory,
    ReferralFactory,
    TrialFactory,
    advance,
)

MakeCase = Callable[..., Case]
Allocate = Callable[..., Allocation]
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def browser(client_of: Callable[[User], Client], hcop: User) -> Client:
    return client_of(hcop)


@pytest.fixture
def trial(world: World, now: datetime) -> Trial:
    """It follows each case for 30 days."""
    return TrialFactory.create(bcu=world.south_west, name="Pilot", began_at=now - timedelta(days=100))


@pytest.fixture
def allocate(trial: Trial, make_case: MakeCase, now: datetime) -> Allocate:
    """Allocates a case to the control arm 40 days ago, or as it is said."""

    def allocate(**given: Any) -> Allocation:
        since = now - timedelta(days=40)
        fields = {"trial": trial, "arm": Arm.CONTROL, "allocated_at": since, **given}
        if "case" not in fields:
            fields["case"] = make_case(decided_at=since)
        return AllocationFactory.create(**fields)

    return allocate


def _list(trial: Trial) -> str:
    return reverse("controls", args=[trial.pk])


def _words(response: Any) -> str:
    assert response.status_code == 200
    page = response.content.decode().split("<main")[1].split("</main>")[0]
    return " ".join(strip_tags(page).split())


def test_those_whose_follow_up_is_over_are_listed_the_first_allocated_first(
    browser: Client, trial: Trial, allocate: Allocate, now: datetime
) -> None:
    checked, first, second = allocate(), allocate(), allocate()
    young = allocate(allocated_at=now - timedelta(days=29))
    src = allocate(arm=Arm.SRC)
    linked = allocate(follows=first, position=None)
    ControlCheckFactory.create(allocation=checked)
    response = browser.get(_list(trial))
    assert [row.control for row in response.context["rows"]] == [first, second]
    words = _words(response)
    assert f"{first.case.crime_reference} 14 October 2026 None" in words
    assert f"{first.case.crime_reference} {second.case.crime_reference} Copy" in words
    for other in (young, src, linked, checked):
        assert other.case.crime_reference not in words


def test_it_says_how_many_of_how_many_are_looked_up_and_nothing_of_younger_ones(
    browser: Client, trial: Trial, allocate: Allocate, now: datetime
) -> None:
    """How many controls a recruiting trial has would tell what is left in a block."""
    for number in range(4):
        allocation = allocate()
        if number < 1:
            ControlCheckFactory.create(allocation=allocation)
    for _ in range(3):
        allocate(allocated_at=now - timedelta(days=29))
    words = _words(browser.get(_list(trial)))
    assert "1 of 4 (25%) cases with usual service that entered the trial at least 30 days ago" in words
    assert "7" not in words.split("have been looked up")[0].replace("(25%)", "")


def test_the_words_are_those_of_practice(browser: Client, trial: Trial, allocate: Allocate) -> None:
    allocate()
    words = _words(browser.get(_list(trial))).lower()
    assert "cases with usual service" in words
    for word in (" arm", "control", "stratum", "allocat"):
        assert word not in words


def test_a_contact_on_record_is_shown_of_the_case_and_of_a_linked_report(
    browser: Client, trial: Trial, allocate: Allocate
) -> None:
    """Within its follow-up, which ended on 13 November; what came after it is no contact of the trial."""
    contacted, of_link, withdrawn, after = (allocate() for _ in range(4))
    followed = {"happened_on": date(2026, 11, 13)}
    DeviationFactory.create(allocation=contacted, **followed)
    DeviationFactory.create(allocation=contacted, kind="wrong_ward", **followed)
    linked = allocate(follows=of_link, position=None)
    DeviationFactory.create(allocation=linked, kind="for_safety", ordered_by="Insp 4021", **followed)
    mistake = DeviationFactory.create(allocation=withdrawn, **followed)
    DeviationFactory.create(allocation=withdrawn, withdraws=mistake, **followed)
    DeviationFactory.create(allocation=after, happened_on=date(2026, 11, 14))
    rows = browser.get(_list(trial)).context["rows"]
    assert {row.control: row.contacts for row in rows} == {
        contacted: ["The neighbourhood team contacted the victim by accident on 13 November 2026."],
        of_link: [
            "The victim was contacted because safety called for it on 13 November 2026, by a linked report."
        ],
        withdrawn: [],
        after: [],
    }


def test_src_that_the_victim_had_by_another_report_outside_the_trial_is_a_contact(
    browser: Client, trial: Trial, allocate: Allocate, make_case: MakeCase, now: datetime
) -> None:
    control = allocate()
    Case.objects.filter(pk=control.case_id).update(victim_hash="c" * 64)
    ReferralFactory.create(
        case=make_case(victim_hash="c" * 64, decided_at=now),
        made_at=now - timedelta(days=20),
        completed=True,
    )
    [row] = browser.get(_list(trial)).context["rows"]
    assert row.contacts == ["The neighbourhood team contacted the victim over a referral outside the trial."]
    browser.post(_list(trial), {"control": [control.pk]})
    assert ControlCheck.objects.get().contacted


def test_a_contact_that_is_found_can_be_recorded_first(
    browser: Client, trial: Trial, allocate: Allocate
) -> None:
    address = reverse("record_deviation", args=[allocate().case_id])
    assert f'href="{address}?back_to=controls"' in browser.get(_list(trial)).content.decode()


def test_those_ticked_are_looked_up_and_leave_the_list(
    browser: Client, trial: Trial, allocate: Allocate, hcop: User, now: datetime
) -> None:
    one, two, three = (allocate() for _ in range(3))
    DeviationFactory.create(allocation=two, happened_on=date(2026, 11, 13))
    response = browser.post(_list(trial), {"control": [one.pk, two.pk]}, follow=True)
    words = _words(response)
    assert "Recorded as looked up: 2 cases." in words
    assert "2 of 3 (67%)" in words
    assert [row.control for row in response.context["rows"]] == [three]
    checks = {check.allocation: check for check in ControlCheck.objects.all()}
    assert (checks[one].contacted, checks[two].contacted) == (False, True)
    assert {(check.checked_by, check.checked_at) for check in checks.values()} == {(hcop, now)}
    again = browser.post(_list(trial), {"control": [one.pk, two.pk]}, follow=True)
    assert "Recorded as looked up: 0 cases." in _words(again)


def test_ticking_nothing_says_so(browser: Client, trial: Trial, allocate: Allocate) -> None:
    allocate()
    response = browser.post(_list(trial), {"control": ["x"]}, follow=True)
    assert "Nothing is ticked: tick the cases that you looked up." in _words(response)
    assert not ControlCheck.objects.exists()


def test_what_may_not_be_looked_up_here_is_passed_over(
    browser: Client, trial: Trial, allocate: Allocate, world: World, now: datetime
) -> None:
    since = now - timedelta(days=40)
    north = AllocationFactory.create(
        case=CaseFactory.create(ward=world.north_ward), arm=Arm.CONTROL, allocated_at=since
    )
    others = [allocate(arm=Arm.SRC), allocate(allocated_at=now - timedelta(days=29)), north]
    response = browser.post(_list(trial), {"control": [other.pk for other in others]}, follow=True)
    assert "Recorded as looked up: 0 cases." in _words(response)
    assert not ControlCheck.objects.exists()


def test_when_all_are_looked_up_it_says_so(browser: Client, trial: Trial, allocate: Allocate) -> None:
    ControlCheckFactory.create(allocation=allocate())
    words = _words(browser.get(_list(trial)))
    assert "1 of 1 (100%)" in words
    assert "Nothing to look up now" in words


def test_once_outcomes_are_locked_nothing_is_looked_up(
    browser: Client, trial: Trial, allocate: Allocate, trial_lead: User
) -> None:
    control = allocate()
    advance(trial, TrialStatus.LOCKED, by=trial_lead)
    words = _words(browser.get(_list(trial)))
    assert "The outcomes are locked" in words
    assert control.case.crime_reference not in words
    assert AuditEntry.objects.get(action=Action.LIST_SHOWN).references == []
    refused = browser.post(_list(trial), {"control": [control.pk]}, follow=True)
    assert "The outcomes of Pilot are locked: no more cases are looked up" in _words(refused)
    assert ControlCheck.objects.count() == 1, "it was checked before the lock"


@pytest.mark.parametrize("status", [TrialStatus.DRAFT, TrialStatus.SEALED])
def test_a_trial_that_has_not_begun_has_no_such_page(
    browser: Client, world: World, status: TrialStatus
) -> None:
    trial = TrialFactory.create(bcu=world.south_west, status=status)
    assert browser.get(_list(trial)).status_code == 404


def test_the_list_is_a_consultation_of_what_it_shows(
    browser: Client, trial: Trial, allocate: Allocate, hcop: User
) -> None:
    shown = [allocate().case.crime_reference for _ in range(2)]
    browser.get(_list(trial))
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.action, entry.purpose) == (hcop, Action.LIST_SHOWN, Purpose.EVALUATION)
    assert (entry.subject, entry.references) == ("case", shown)


def test_pages_follow_each_other(browser: Client, trial: Trial, allocate: Allocate) -> None:
    numbers = [allocate().number for _ in range(60)]
    first = browser.get(_list(trial)).context["paged"]
    second = browser.get(first.next_url).context["paged"]
    assert len(first.rows) == 50
    assert [control.number for control in first.rows + second.rows] == numbers
    assert not second.next_url


def _queries(browser: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(address).status_code == 200
    return len(queries)


def test_as_many_queries_for_thirty_rows_as_for_three(
    browser: Client, trial: Trial, allocate: Allocate
) -> None:
    counts = []
    for more in (3, 27):
        for _ in range(more):
            DeviationFactory.create(allocation=allocate())
        counts.append(_queries(browser, _list(trial)))
    assert counts[0] == counts[1]


def test_the_seed_is_not_read(browser: Client, trial: Trial, allocate: Allocate) -> None:
    control = allocate()
    with CaptureQueriesContext(connection) as queries:
        browser.get(_list(trial))
        browser.post(_list(trial), {"control": [control.pk]})
        browser.get(reverse("overnight_review"))
    assert ControlCheck.objects.exists()
    assert not [query for query in queries if "seed_encrypted" in query["sql"]]


def test_the_overnight_review_names_how_many_wait_in_each_trial(
    browser: Client, trial: Trial, allocate: Allocate, make_case: MakeCase, world: World, now: datetime
) -> None:
    for _ in range(2):
        allocate()
    ControlCheckFactory.create(allocation=allocate())
    later = TrialFactory.create(bcu=world.south_west, name="Second", began_at=now - timedelta(days=50))
    allocate(trial=later)
    done = TrialFactory.create(bcu=world.south_west, name="Third")
    ControlCheckFactory.create(allocation=allocate(trial=done))
    response = browser.get(reverse("overnight_review"))
    words = _words(response)
    two = "2 cases with usual service in Pilot are to be looked up on the crime record."
    one = "1 case with usual service in Second is to be looked up on the crime record."
    assert -1 < words.find(two) < words.find(one)
    assert "Third" not in words
    assert f'href="{_list(trial)}"' in response.content.decode()


def test_counting_what_waits_reads_no_case(
    trial: Trial, allocate: Allocate, hcop: User, now: datetime
) -> None:
    allocate()
    with CaptureQueriesContext(connection) as queries:
        [checks] = waiting_checks(hcop, now)
    assert (checks.trial, checks.waiting) == (trial, 1)
    [count] = [query["sql"] for query in queries if "referrals_allocation" in query["sql"]]
    # Which index is read of a few rows is chance; that no case is, holds of any number.
    assert '"referrals_case"' not in count


@pytest.mark.parametrize("reason", ["none waits", "locked", "another BCU's"])
def test_the_overnight_review_says_nothing_where_nothing_is_to_be_looked_up(
    browser: Client,
    trial: Trial,
    allocate: Allocate,
    trial_lead: User,
    world: World,
    now: datetime,
    reason: str,
) -> None:
    if reason == "none waits":
        allocate(allocated_at=now - timedelta(days=29))
    elif reason == "locked":
        allocate()
        advance(trial, TrialStatus.LOCKED, by=trial_lead)
    else:
        AllocationFactory.create(
            case=CaseFactory.create(ward=world.north_ward),
            arm=Arm.CONTROL,
            allocated_at=now - timedelta(days=40),
        )
    words = _words(browser.get(reverse("overnight_review")))
    assert "Overnight review" in words
    assert "looked up on the crime record" not in words


def test_the_overnight_review_asks_two_things_of_all_trials_together_and_one_of_none(
    browser: Client, allocate: Allocate, world: World, trial_lead: User, trial: Trial
) -> None:
    allocate()
    of_one = _queries(browser, reverse("overnight_review"))
    for _ in range(3):
        allocate(trial=TrialFactory.create(bcu=world.south_west))
    assert _queries(browser, reverse("overnight_review")) == of_one
    for each in Trial.objects.defer("seed_encrypted"):
        advance(each, TrialStatus.LOCKED, by=trial_lead)
    assert _queries(browser, reverse("overnight_review")) == of_one - 1
