"""Numbers that records are known by, in addresses and in forms."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from referrals.models import Referral
from src_app.accounts.models import User
from tests.conftest import World
from tests.factories import AllocationFactory, TrialFactory

ClientOf = Callable[[User], Client]
LARGE = [
    pytest.param("9" * 5_000, id="5,000 digits"),
    pytest.param("9" * 30, id="30 digits"),
    pytest.param(str(2**63), id="2 to the power of 63"),
]
IMPOSSIBLE = ["9" * 5_000, "9" * 30, str(2**63), "²", "-1", "", "1.5", "one"]


@pytest.mark.parametrize("number", LARGE)
@pytest.mark.parametrize(
    "address",
    [
        "/cases/{}/",
        "/cases/{}/deviation/",
        "/overnight-review/{}/suitable/",
        "/overnight-review/{}/not-suitable/",
        "/overnight-review/submitted/{}/",
        "/follow-ups/{}/acknowledge/",
    ],
)
def test_an_address_with_a_number_that_no_record_has_is_none(
    client_of: ClientOf, hcop: User, address: str, number: str
) -> None:
    browser = client_of(hcop)
    assert browser.post(address.format(number)).status_code == 404
    assert browser.get(address.format(number)).status_code == 404


@pytest.mark.parametrize("name", ["confirm_flags", "confirm_flags_removed", "undo_flags"])
def test_ticks_of_what_no_record_has_are_passed_over(
    client_of: ClientOf, hcop: User, make_referral: Callable[..., Referral], name: str
) -> None:
    referral = make_referral()
    sent = {"referral": [*IMPOSSIBLE, str(referral.pk)]}
    assert client_of(hcop).post(reverse(name), sent).status_code == 302
    referral.refresh_from_db()
    assert (referral.flag_confirmed_at is not None) == (name == "confirm_flags")


def test_so_are_notices_and_controls(
    client_of: ClientOf, hcop: User, officer: User, world: World, make_referral: Callable[..., Referral]
) -> None:
    referral = make_referral()
    read = reverse("read_changes", args=[referral.number])
    assert client_of(officer).post(read, {"notice": IMPOSSIBLE}).status_code == 302
    trial = TrialFactory.create(bcu=world.south_west)
    AllocationFactory.create(trial=trial, case__ward=world.wards[0])
    looked_up = reverse("controls", args=[trial.pk])
    response = client_of(hcop).post(looked_up, {"control": IMPOSSIBLE}, follow=True)
    assert "Nothing is ticked" in response.content.decode()


@pytest.mark.parametrize("number", [*LARGE, *IMPOSSIBLE[3:]])
def test_a_day_is_not_submitted_with_them(client_of: ClientOf, hcop: User, world: World, number: str) -> None:
    browser, key = client_of(hcop), "11111111-1111-4111-8111-111111111111"
    sent = {"bcu": number, "key": key, "decision": "1:1"}
    assert browser.post(reverse("submit_decisions"), sent).status_code == 404
    for decision in (f"{number}:1", f"1:{number}"):
        sent = {"bcu": str(world.south_west.pk), "key": key, "decision": decision}
        response = browser.post(reverse("submit_decisions"), sent)
        assert response.headers["Location"] == reverse("check_decisions")
