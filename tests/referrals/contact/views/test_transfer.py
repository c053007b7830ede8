"""The page on which a referral goes to another team, and where the sending side reads of it."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from referrals.models import Referral
from src_app.accounts.models import User
from src_app.audit.models import AuditEntry
from tests.conftest import World

ClientOf = Callable[[User], Client]
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def referral(make_referral: Callable[..., Referral]) -> Referral:
    return make_referral(case__offence="Threats to kill")


def words(browser: Client, address: str) -> str:
    return " ".join(strip_tags(browser.get(address, follow=True).content.decode()).split())


def given(world: World, referral: Referral) -> dict[str, object]:
    return {"seen": referral.ward_id, "ward": world.north_ward.pk, "reason": "lives_elsewhere"}


def test_a_sergeant_transfers_it_and_reads_where_it_went(
    world: World, referral: Referral, supervisor: User, client_of: ClientOf
) -> None:
    browser, address = client_of(supervisor), reverse("transfer_referral", args=[referral.number])
    assert address in browser.get(reverse("referral", args=[referral.number])).content.decode()
    assert "The case itself stays with South West." in words(browser, address)
    assert "North, Barnet: Hendon (Hendon team)" in words(browser, address)
    response = browser.post(address, given(world, referral), follow=True)
    page = " ".join(strip_tags(response.content.decode()).split())
    assert f"{referral.number} is with Hendon team now." in page
    assert f"{referral.number} went to Hendon team on 23 November 2026" in page
    for of_the_victim in ("Threats to kill", "The victim lives there now", referral.case.crime_reference):
        assert of_the_victim not in page
    assert referral.number in AuditEntry.objects.latest("pk").references
    assert browser.get(address).status_code == 404
    assert f"{referral.number} went to Hendon team" in words(browser, reverse("compliance"))


def test_the_hcop_of_the_case_keeps_it_and_that_of_the_team_opens_the_referral_alone(
    world: World, referral: Referral, hcop: User, north_hcop: User, client_of: ClientOf
) -> None:
    own, north = client_of(hcop), client_of(north_hcop)
    page, case = reverse("referral", args=[referral.number]), reverse("case", args=[referral.case_id])
    assert north.get(page).status_code == 404
    address = reverse("transfer_referral", args=[referral.number])
    assert address in own.get(case).content.decode()
    assert own.post(address, given(world, referral))["Location"] == page
    for browser, opens_case in ((own, 200), (north, 404)):
        assert browser.get(page).status_code == 200
        assert browser.get(case).status_code == opens_case
    search = {"reference": referral.case.crime_reference}
    assert own.post(reverse("search"), search)["Location"] == case
    assert north.post(reverse("search"), search)["Location"] == page
    found = north.post(reverse("search"), {"reference": referral.number[-6:]}).content.decode()
    assert page in found
    assert case not in found


def test_nothing_is_transferred_without_a_reason(
    world: World, referral: Referral, supervisor: User, client_of: ClientOf
) -> None:
    address = reverse("transfer_referral", args=[referral.number])
    response = client_of(supervisor).post(address, {**given(world, referral), "reason": "reorganised"})
    assert "There is a problem" in response.content.decode()
    referral.refresh_from_db()
    assert referral.team == world.teams[0]
