"""Flags compared with a list from the crime management system, on the page."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from referrals.crime_record.actions.flags import reconcile_flags
from referrals.crime_record.readers import GivenList, flags_to_confirm, flags_to_remove
from referrals.models import Arm, Bcu, Case, CloseReason, DeviationKind, Referral, ReferralStatus
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.refused import Refused
from tests.conftest import World
from tests.factories import (
    NOW,
    AllocationFactory,
    BcuMembershipFactory,
    DecisionFactory,
    DeviationFactory,
    SubmissionFactory,
)

ClientOf = Callable[[User], Client]
Make = Callable[..., Any]
FILTERED = Path(__file__).parents[2] / "real_files" / "hidden" / "b-rows-hidden-by-a-filter.xlsx"
BEFORE = NOW - timedelta(days=2)
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def browser(client_of: ClientOf, hcop: User) -> Client:
    return client_of(hcop)


@pytest.fixture
def flagged(make_referral: Make, hcop: User) -> Make:
    """Makes a referral whose flag was confirmed two days ago."""

    def make(**fields: Any) -> Referral:
        confirmed = {"flag_confirmed_at": BEFORE, "flag_confirmed_by": hcop, "made_at": BEFORE}
        referral: Referral = make_referral(**{**confirmed, **fields})
        return referral

    return make


def _upload(browser: Client, *references: str, content: bytes = b"", **given: str) -> Any:
    content = content or "\n".join(["Crime reference", *references]).encode()
    file = SimpleUploadedFile("flags.csv", content)
    return browser.post(reverse("compare_flags"), {"file": file, "taken_on": "2026-11-23", **given})


def _sections(page: Any) -> dict[str, list[str]]:
    """The references of each list on the page."""
    return {
        label: [case.reference for case in cases] for label, _, cases in page.context["sections"] if cases
    }


def _text(page: Any) -> str:
    return " ".join(strip_tags(page.content.decode()).split())


def _sent_on(page: Any, act: str) -> dict[str, str]:
    """What the page's own form sends."""
    fields = re.findall(r'<input type="hidden"\s+name="(\w+)"\s+value="([^"]*)">', page.content.decode())
    return {**dict(fields), "act": act}


def test_each_case_is_listed_by_how_its_flag_stands(
    browser: Client, flagged: Make, make_referral: Make, make_case: Make, world: World
) -> None:
    matching, missing, unconfirmed = flagged(), flagged(completed=True), make_referral()
    ruled_out = flagged(ruled_out_since=NOW)
    unsuitable = flagged(
        ruled_out_since=NOW,
        status=ReferralStatus.CLOSED,
        close_reason=CloseReason.NOT_SUITABLE,
        closed_at=NOW,
        closed_by=matching.made_by,
    )
    off = flagged(ruled_out_since=NOW)
    control = AllocationFactory.create(arm=Arm.CONTROL, case__ward=world.wards[0]).case
    usual, waiting = make_case(decided_at=NOW), make_case()
    DecisionFactory.create(case=usual, submission=SubmissionFactory.create(bcu=usual.bcu))
    elsewhere = make_referral(ward=world.north_ward)
    listed: list[Case] = [
        *(each.case for each in (matching, unconfirmed, ruled_out, unsuitable, elsewhere)),
        *(control, usual, waiting),
    ]
    page = _upload(browser, *(case.crime_reference for case in listed), "99/9999999/26")
    sections = {label: set(references) for label, references in _sections(page).items()}
    assert sections == {
        "Not flagged there but should be": {missing.case.crime_reference},
        "Flagged there and not confirmed here": {unconfirmed.case.crime_reference},
        "To remove": {ruled_out.case.crime_reference, unsuitable.case.crime_reference},
        "Off there and not said so here": {off.case.crime_reference},
        "Flagged there but should not be": {case.crime_reference for case in (control, usual, waiting)},
        "Matching": {matching.case.crime_reference},
    }
    text = _text(page)
    assert "9 references carried flag 49 on the crime management system on 23 November 2026." in text
    assert "Flagged there but should not be: 3 cases" in text
    assert "Unknown here: 2 references of no case of South West" in text
    assert elsewhere.case.crime_reference not in text
    assert "99/9999999/26" not in text


def test_references_are_compared_however_they_are_written(browser: Client, flagged: Make) -> None:
    one, two = flagged(case__crime_reference="01/7300001/26"), flagged(case__crime_reference="01/7300002/26")
    page = _upload(browser, "01-7300001-26", "01 7300002 26", "01/7300002/26")
    assert _sections(page) == {"Matching": [one.case.crime_reference, two.case.crime_reference]}
    assert page.context["given"].references == 2


def test_a_list_taken_before_tells_nothing_of_later_referrals(browser: Client, make_referral: Make) -> None:
    make_referral()
    assert "Not flagged there but should be: none" in _text(
        _upload(browser, "01/1/26", taken_on="2026-11-22")
    )
    assert "Not flagged there but should be: 1 case" in _text(
        _upload(browser, "01/1/26", taken_on="23/11/2026")
    )


def test_the_flags_that_the_list_shows_are_confirmed_together(
    browser: Client, flagged: Make, make_referral: Make, hcop: User
) -> None:
    one, two, off = make_referral(), make_referral(), flagged(ruled_out_since=NOW)
    not_listed = make_referral()
    page = _upload(browser, one.case.crime_reference, two.case.crime_reference)
    assert "Confirm the flag of 2 cases" in _text(page)
    page = browser.post(reverse("compare_flags"), _sent_on(page, "confirm"))
    assert "Confirmed for 2 cases." in _text(page)
    assert list(flags_to_confirm(hcop)) == [not_listed]
    assert _sections(page)["Matching"] == [one.case.crime_reference, two.case.crime_reference]
    assert "Confirm the flag" not in _text(page)
    assert list(flags_to_remove(hcop)) == [off]
    page = browser.post(reverse("compare_flags"), _sent_on(page, "remove"))
    assert "Said to be off 1 case." in _text(page)
    assert not flags_to_remove(hcop).exists()
    off.refresh_from_db()
    assert (off.flag_removed_at, off.flag_removed_by) == (NOW, hcop)
    assert "You said that the flag is off 1 case." in _text(browser.get(reverse("flag_list")))


def test_a_flag_still_in_the_list_is_not_said_to_be_off(browser: Client, flagged: Make, hcop: User) -> None:
    wrong = flagged(ruled_out_since=NOW)
    page = _upload(browser, wrong.case.crime_reference)
    browser.post(reverse("compare_flags"), _sent_on(page, "remove"))
    assert list(flags_to_remove(hcop)) == [wrong]


def test_the_flag_of_a_control_is_settled_by_its_deviation(browser: Client, world: World) -> None:
    control = AllocationFactory.create(arm=Arm.CONTROL, case__ward=world.wards[0])
    deviation = DeviationFactory.create(allocation=control, kind=DeviationKind.BY_ACCIDENT)
    reference, address = control.case.crime_reference, reverse("record_deviation", args=[control.case_id])
    assert address in _upload(browser, reference).text
    deviation = DeviationFactory.create(allocation=control, kind=DeviationKind.FLAGGED)
    page = _upload(browser, reference)
    assert "Recorded" in page.text
    assert address not in page.text
    DeviationFactory.create(allocation=control, kind=DeviationKind.FLAGGED, withdraws=deviation)
    assert address in _upload(browser, reference).text


def test_a_case_outside_any_trial_has_no_deviation(browser: Client, make_case: Make) -> None:
    case = make_case()
    page = _upload(browser, case.crime_reference)
    assert _sections(page) == {"Flagged there but should not be": [case.crime_reference]}
    assert "deviation/" not in page.text


def test_the_look_and_what_is_confirmed_are_a_row_each(
    browser: Client, flagged: Make, make_referral: Make, hcop: User
) -> None:
    one, missing = make_referral(), flagged()
    page = _upload(browser, one.case.crime_reference, "99/1/26")
    look = AuditEntry.objects.get(action=Action.FLAGS_COMPARED)
    assert (look.actor, look.rows, look.fields) == (hcop, 2, ["references", "taken_on"])
    named = {each for referral in (one, missing) for each in (referral.number, referral.case.crime_reference)}
    assert set(look.references) == named
    browser.post(reverse("compare_flags"), _sent_on(page, "confirm"))
    assert AuditEntry.objects.get(action=Action.FLAGS_CONFIRMED).references == [one.number]


def test_the_result_is_a_file(browser: Client, flagged: Make, world: World) -> None:
    missing = flagged()
    control = AllocationFactory.create(arm=Arm.CONTROL, case__ward=world.wards[0], case__decided_at=NOW)
    DecisionFactory.create(case=control.case, submission=control.submission)
    page = _upload(browser, control.case.crime_reference)
    answer = browser.post(reverse("compare_flags"), _sent_on(page, "download"))
    assert answer["Content-Disposition"] == 'attachment; filename="flags-compared-2026-11-23.csv"'
    assert answer.content.decode().removeprefix("\ufeff").splitlines() == [
        "Flag,Crime reference,Referral,State,Deviation",
        f"Not flagged there but should be,{missing.case.crime_reference},{missing.number},SRC,",
        f"Flagged there but should not be,{control.case.crime_reference},,Usual service,To record",
    ]
    entry = AuditEntry.objects.get(action=Action.DOWNLOADED)
    assert (entry.rows, control.case.crime_reference in entry.references) == (2, True)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"content": b"Ward\nAbbey\n"}, "No column holds crime references"),
        ({"content": b"\x89PNG\r\n\x1a\n\x81\x01" * 9}, "The file is not plain text"),
        ({"content": b"Crime ref\n"}, "No crime reference stands under the heading."),
        ({"file": ""}, "Choose a file."),
        ({"taken_on": ""}, "Give the day on which the list was taken."),
        ({"taken_on": "2026-11-24"}, "today or earlier"),
        ({"taken_on": "Monday"}, "Give the day as day, month and year"),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_sentence(
    browser: Client, given: dict[str, Any], says: str
) -> None:
    page = _upload(browser, "01/1/26", **given)
    assert says in _text(page)
    assert not AuditEntry.objects.filter(action=Action.FLAGS_COMPARED).exists()


def test_of_a_file_that_is_too_large_nothing_but_its_limit_is_said(browser: Client, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1024 * 1024
    file = SimpleUploadedFile("flags.csv", b"x" * (1024 * 1024 + 1))
    page = browser.post(reverse("compare_flags"), {"taken_on": "2026-11-23", "file": file})
    assert list(page.context["form"].errors.values()) == [
        ["The file is larger than 1 MB: save the column of references alone."]
    ]


def test_rows_that_the_spreadsheet_hides_are_compared_and_told_of(browser: Client) -> None:
    page = _upload(browser, content=FILTERED.read_bytes())
    assert "The spreadsheet hides 3 rows, and they were compared too." in _text(page)


def test_an_empty_file_and_a_page_sent_on_wrongly_lead_back_to_the_choice(browser: Client) -> None:
    file = SimpleUploadedFile("flags.csv", b"")
    page = browser.post(reverse("compare_flags"), {"file": file, "taken_on": "2026-11-23"})
    assert "The file is empty" in page.text
    page = browser.post(reverse("compare_flags"), {"act": "confirm"}, follow=True)
    assert "Choose the list again: nothing was saved." in page.text


def test_of_several_bcus_the_one_that_the_list_is_of_is_chosen(
    client_of: ClientOf, other_hcop: User, world: World, make_referral: Make
) -> None:
    BcuMembershipFactory.create(user=other_hcop, bcu=world.north)
    here, there = make_referral(), make_referral(ward=world.north_ward)
    browser, north = client_of(other_hcop), str(world.north.pk)
    assert "Choose the BCU the list is of." in _text(_upload(browser, "01/1/26"))
    page = _upload(browser, here.case.crime_reference, there.case.crime_reference, bcu=north)
    assert _sections(page) == {"Flagged there and not confirmed here": [there.case.crime_reference]}
    browser.post(reverse("compare_flags"), _sent_on(page, "confirm"))
    assert list(flags_to_confirm(other_hcop)) == [here]


def test_another_bcu_or_a_day_to_come_is_refused(hcop: User, world: World) -> None:
    given = GivenList(NOW.date(), 1, ())
    with pytest.raises(Bcu.DoesNotExist):
        reconcile_flags(bcu=world.north, given=given, by=hcop, at=NOW)
    with pytest.raises(Refused, match="today or earlier"):
        reconcile_flags(bcu=world.south_west, given=given, by=hcop, at=NOW - timedelta(days=1))


def test_the_number_of_queries_does_not_grow_with_references(
    browser: Client, flagged: Make, world: World
) -> None:
    references: list[str] = []

    def add(count: int) -> int:
        for _ in range(count):
            control = AllocationFactory.create(arm=Arm.CONTROL, case__ward=world.wards[0])
            references.extend([flagged().case.crime_reference, control.case.crime_reference])
            flagged()
        with CaptureQueriesContext(connection) as queries:
            page = _upload(browser, *references)
        assert len(_sections(page)["Not flagged there but should be"]) == len(references) // 2
        return len(queries)

    assert add(2) == add(20)


def test_more_cases_are_confirmed_at_once_than_a_form_has_fields(
    browser: Client, make_referral: Make, settings: Any, hcop: User
) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 10
    made = [make_referral() for _ in range(12)]
    page = _upload(browser, *(each.case.crime_reference for each in made))
    browser.post(reverse("compare_flags"), _sent_on(page, "confirm"))
    assert not flags_to_confirm(hcop).exists()
    html = browser.get(reverse("flag_list")).text
    undo = re.findall(r'name="referral" value="([\d,]+)"', html)
    browser.post(reverse("undo_flags"), {"of": "confirmed", "referral": undo})
    assert flags_to_confirm(hcop).count() == 12
