"""The page on which the HCOP records what did not go as a trial allocated it."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape, strip_tags

from referrals.models import Allocation, Arm, Case, Deviation, DeviationKind, NotDelivered, TrialStatus
from referrals.trial.readers.deviations import standing_deviations
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from tests.conftest import World
from tests.database import tampering
from tests.factories import (
    NOW,
    AllocationFactory,
    DeviationFactory,
    ReferralFactory,
    TrialFactory,
    advance,
)

ClientOf = Callable[[User], Client]
MakeCase = Callable[..., Case]
Allocate = Callable[..., Allocation]
pytestmark = pytest.mark.usefixtures("clock")

ACCIDENT = "The neighbourhood team contacted the victim by accident"
SAFETY = "The victim was contacted because safety called for it"
NOT_DELIVERED = "SRC was not delivered"
OF_BOTH = ("The case was not suitable for the trial", "The case was put in the wrong ward")


@pytest.fixture
def browser(client_of: ClientOf, hcop: User) -> Client:
    return client_of(hcop)


@pytest.fixture
def allocate(world: World, make_case: MakeCase, now: datetime) -> Allocate:
    """Allocates a case of the first ward in the trial "Pilot", two days ago."""
    trial = TrialFactory.create(bcu=world.south_west, name="Pilot")

    def allocate(arm: Arm, **given: Any) -> Allocation:
        since = now - timedelta(days=2)
        case = make_case(decided_at=since)
        return AllocationFactory.create(case=case, trial=trial, arm=arm, allocated_at=since, **given)

    return allocate


@pytest.fixture
def control(allocate: Allocate) -> Allocation:
    return allocate(Arm.CONTROL)


@pytest.fixture
def src(allocate: Allocate) -> Allocation:
    return allocate(Arm.SRC)


def _address(allocation: Allocation, back_to: str = "") -> str:
    address = reverse("record_deviation", args=[allocation.case_id])
    return f"{address}?back_to={back_to}" if back_to else address


def _withdrawal(deviation: Deviation) -> str:
    return reverse("withdraw_deviation", args=[deviation.allocation.case_id, deviation.pk])


def _page(response: Any) -> str:
    assert isinstance(response, HttpResponse)
    assert response.status_code == 200
    return response.content.decode().split("<main")[1].split("</main>")[0]


def _post(browser: Client, allocation: Allocation, **given: Any) -> Any:
    return browser.post(_address(allocation), {"happened_on": "2026-11-23", **given}, follow=True)


@pytest.mark.parametrize(
    ("arm", "offered", "not_offered"),
    [
        (Arm.CONTROL, (ACCIDENT, SAFETY, *OF_BOTH), (NOT_DELIVERED,)),
        (Arm.SRC, (NOT_DELIVERED, *OF_BOTH), (ACCIDENT, SAFETY)),
    ],
)
def test_only_what_can_have_happened_to_the_case_is_offered(
    browser: Client, allocate: Allocate, arm: Arm, offered: tuple[str, ...], not_offered: tuple[str, ...]
) -> None:
    page = _page(browser.get(_address(allocate(arm))))
    assert [words in page for words in offered] == [True] * len(offered)
    assert [words in page for words in not_offered] == [False] * len(not_offered)


@pytest.mark.parametrize(("arm", "service"), [(Arm.CONTROL, "Usual service"), (Arm.SRC, "SRC")])
def test_it_says_what_the_case_is_to_get_in_the_words_of_practice(
    browser: Client, allocate: Allocate, arm: Arm, service: str
) -> None:
    allocation = allocate(arm)
    page = _page(browser.get(_address(allocation)))
    assert f"<strong>{service}</strong> in Pilot since 21 November 2026." in page
    assert allocation.case.crime_reference in page
    words = strip_tags(page).lower()
    for word in (" arm", "stratum", "allocat", "control"):
        assert word not in words


def test_the_day_is_today_unless_changed(browser: Client, control: Allocation) -> None:
    page = _page(browser.get(_address(control)))
    assert 'value="2026-11-23"' in page
    assert ('min="2026-11-21"' in page, 'max="2026-11-23"' in page) == (True, True)


def test_a_contact_for_safety_is_recorded_with_who_ordered_it(
    browser: Client, control: Allocation, hcop: User, now: datetime
) -> None:
    response = _post(browser, control, kind="for_safety", ordered_by=" Insp 4021 ", happened_on="2026-11-22")
    assert response.redirect_chain == [(reverse("case", args=[control.case_id]), 302)]
    assert f"Recorded for {control.case.crime_reference}: “{SAFETY}”." in response.content.decode()
    kept = Deviation.objects.get()
    assert (kept.allocation, kept.kind, kept.ordered_by) == (control, DeviationKind.FOR_SAFETY, "Insp 4021")
    assert (str(kept.happened_on), kept.recorded_by, kept.recorded_at) == ("2026-11-22", hcop, now)


def test_src_that_was_not_delivered_is_recorded_with_the_reason(browser: Client, src: Allocation) -> None:
    _post(browser, src, kind="not_delivered", why="no_officer")
    kept = Deviation.objects.get()
    assert (kept.kind, kept.why) == (DeviationKind.NOT_DELIVERED, NotDelivered.NO_OFFICER)


def test_what_another_kind_asks_is_passed_over(browser: Client, allocate: Allocate) -> None:
    """Typed, and then something else was chosen: the page hides it by then."""
    _post(browser, allocate(Arm.CONTROL), kind="by_accident", ordered_by="the sergeant")
    _post(browser, allocate(Arm.SRC), kind="wrong_ward", why="declined")
    kept = {each.kind: (each.why, each.ordered_by) for each in Deviation.objects.all()}
    assert kept == {DeviationKind.BY_ACCIDENT: ("", ""), DeviationKind.WRONG_WARD: ("", "")}


@pytest.mark.parametrize(
    ("arm", "given", "says"),
    [
        (Arm.CONTROL, {}, "Choose what happened."),
        (Arm.CONTROL, {"kind": "not_delivered", "why": "declined"}, "Choose what happened."),
        (Arm.SRC, {"kind": "by_accident"}, "Choose what happened."),
        (Arm.SRC, {"kind": "not_delivered"}, "Choose why SRC was not delivered."),
        (Arm.SRC, {"kind": "not_delivered", "why": "rain"}, "Choose why SRC was not delivered."),
        (Arm.CONTROL, {"kind": "for_safety"}, "Give the rank and number of who ordered the contact."),
        (Arm.CONTROL, {"kind": "for_safety", "ordered_by": "the sergeant"}, "Give rank and number, such as"),
        (
            Arm.CONTROL,
            {"kind": "for_safety", "ordered_by": "PS 5 020 7946 0018"},
            "telephone numbers, e-mail",
        ),
        (Arm.CONTROL, {"kind": "for_safety", "ordered_by": "PS 51 " * 11}, "in at most 60 characters."),
        (Arm.CONTROL, {"kind": "by_accident", "happened_on": ""}, "Give the day."),
        (Arm.CONTROL, {"kind": "by_accident", "happened_on": "Monday"}, "Give the day as day, month"),
        (Arm.CONTROL, {"kind": "by_accident", "happened_on": "2026-11-20"}, "Give a day from 21 November"),
        (Arm.CONTROL, {"kind": "by_accident", "happened_on": "2026-11-24"}, "Give a day from 21 November"),
    ],
)
def test_what_is_wrong_is_said_once_in_each_place_and_nothing_typed_is_lost(
    browser: Client, allocate: Allocate, arm: Arm, given: dict[str, str], says: str
) -> None:
    response = _post(browser, allocate(arm), **given)
    page = _page(response)
    assert page.count(says) == 2, "in the summary, and at its field"
    assert sum(len(errors) for errors in response.context["form"].errors.values()) == 1
    assert "Error: Record a deviation" in response.content.decode()
    for name, value in given.items():
        if name in {"ordered_by", "happened_on"}:
            assert f'value="{escape(value.strip() if name == "ordered_by" else value)}' in page
    kind = given.get("kind")
    if kind and says != "Choose what happened.":
        chosen = page.split(f'value="{kind}"')[1].split(">")[0]
        assert "checked" in chosen
    assert not Deviation.objects.exists()


def test_a_refusal_of_the_action_stands_above_the_form_and_keeps_what_was_chosen(
    browser: Client, src: Allocation
) -> None:
    referral = ReferralFactory.create(case=src.case, allocation=src, completed=True)
    page = _page(_post(browser, src, kind="not_delivered", why="overlooked"))
    assert f"Contact was made on {referral.number}: SRC was delivered." in page
    assert "checked" in page.split('value="overlooked"')[1].split(">")[0]
    assert not Deviation.objects.exists()


def test_sent_twice_it_is_recorded_once_and_no_error(browser: Client, control: Allocation) -> None:
    for _ in range(2):
        assert "Recorded for" in _post(browser, control, kind="by_accident").content.decode()
    assert Deviation.objects.count() == 1


def test_what_is_recorded_stands_on_the_page_and_is_withdrawn_and_recorded_anew(
    browser: Client, control: Allocation, hcop: User
) -> None:
    _post(browser, control, kind="for_safety", ordered_by="Insp 4021")
    page = _page(browser.get(_address(control)))
    assert f"<strong>{SAFETY}</strong>, 23 November 2026. Ordered by Insp 4021." in page
    assert f"Recorded 23 November 2026, 7:30am by {hcop}." in page
    refused = _post(browser, control, kind="for_safety", ordered_by="Insp 4022")
    assert "withdraw what is wrong, then record it anew" in _page(refused)
    address = _withdrawal(Deviation.objects.get())
    assert address in page
    response = browser.post(address, follow=True)
    assert response.redirect_chain == [(_address(control), 302)]
    assert f"Withdrawn: “{SAFETY}”." in _page(response)
    assert "Recorded already" not in _page(response)
    _post(browser, control, kind="for_safety", ordered_by="Insp 4022")
    assert standing_deviations([control]).get().ordered_by == "Insp 4022"


def test_once_outcomes_are_locked_it_says_when_what_is_recorded_will_count(
    browser: Client, control: Allocation, trial_lead: User
) -> None:
    advance(control.trial, TrialStatus.LOCKED, by=trial_lead)
    assert "once the trial lead corrects the data set" in browser.get(_address(control)).content.decode()
    _post(browser, control, kind="wrong_ward")
    assert Deviation.objects.get().kind == DeviationKind.WRONG_WARD


def test_from_the_cases_to_look_up_it_leads_back_there(browser: Client, control: Allocation) -> None:
    address, controls = _address(control, "controls"), reverse("controls", args=[control.trial_id])
    assert f'href="{controls}"' in _page(browser.get(address))
    refused = browser.post(address, {"kind": "by_accident", "happened_on": ""})
    assert f'href="{controls}"' in _page(refused)
    saved = browser.post(address, {"kind": "by_accident", "happened_on": "2026-11-23"})
    assert saved["Location"] == controls


def test_no_other_address_is_led_back_to(browser: Client, control: Allocation) -> None:
    address = _address(control, "https://example.org")
    page = browser.get(address).text
    assert f'href="{reverse("case", args=[control.case_id])}"' in page
    assert not re.findall(r'(?:href|action|value)="https://example.org', page)
    saved = browser.post(address, {"kind": "by_accident", "happened_on": "2026-11-23"})
    assert saved["Location"] == reverse("case", args=[control.case_id])


def test_opening_it_is_recorded(browser: Client, control: Allocation, hcop: User) -> None:
    browser.get(_address(control))
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.action, entry.purpose) == (hcop, Action.CASE_OPENED, Purpose.EVALUATION)
    assert (entry.references, entry.origin) == ([control.case.crime_reference], "page record_deviation")


def test_a_case_of_no_trial_has_no_such_page(browser: Client, make_case: MakeCase, now: datetime) -> None:
    address = reverse("record_deviation", args=[make_case(decided_at=now).pk])
    assert browser.get(address).status_code == 404


def test_a_deviation_is_withdrawn_by_its_own_case_and_bcu_alone(
    browser: Client, client_of: ClientOf, allocate: Allocate, north_hcop: User, control: Allocation
) -> None:
    deviation = DeviationFactory.create(allocation=control)
    of_another = reverse("withdraw_deviation", args=[allocate(Arm.CONTROL).case_id, deviation.pk])
    assert browser.post(of_another).status_code == 404
    assert client_of(north_hcop).post(_withdrawal(deviation)).status_code == 404
    assert client_of(north_hcop).get(_address(control)).status_code == 404
    assert Deviation.objects.count() == 1


def test_the_number_of_queries_does_not_grow_with_what_is_recorded(
    browser: Client, control: Allocation
) -> None:
    def add(count: int) -> int:
        DeviationFactory.create_batch(count, allocation=control)
        with CaptureQueriesContext(connection) as queries:
            _page(browser.get(_address(control)))
        return len(queries)

    assert add(3) == add(27)


def test_neither_seed_nor_protocol_is_read(browser: Client, control: Allocation) -> None:
    for address in (_address(control), reverse("case", args=[control.case_id])):
        with CaptureQueriesContext(connection) as queries:
            page = _page(browser.get(address))
        assert control.case.crime_reference in page
        assert not [query for query in queries if "seed_encrypted" in query["sql"]]


def test_a_contact_after_follow_up_is_recorded_and_said_not_to_count(
    browser: Client, control: Allocation
) -> None:
    response = _post(browser, control, kind="by_accident")
    assert "does not count" not in response.content.decode()
    with tampering():
        Allocation.objects.filter(pk=control.pk).update(allocated_at=NOW - timedelta(days=40))
    withdrawn = Deviation.objects.get()
    browser.post(_withdrawal(withdrawn))
    assert "does not count" not in _post(browser, control, kind="flagged").content.decode()
    response = _post(browser, control, kind="by_accident")
    assert "until 13 November 2026: a contact after that does not count" in response.content.decode()


def test_of_what_was_looked_up_the_day_has_to_be_said(browser: Client, control: Allocation) -> None:
    form = browser.get(f"{_address(control)}?back_to=controls").context["form"]
    assert form["happened_on"].value() is None
    assert browser.get(_address(control)).context["form"]["happened_on"].value() == NOW.date()
