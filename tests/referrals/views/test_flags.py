"""The flag list."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from referrals.models import Referral
from src_app.accounts.models import User

ClientOf = Callable[[User], Client]
MakeReferral = Callable[..., Referral]
pytestmark = pytest.mark.usefixtures("clock")


def test_cases_to_flag_are_listed_to_copy_and_confirmed_together(
    client_of: ClientOf, hcop: User, make_referral: MakeReferral
) -> None:
    browser = client_of(hcop)
    one, two = make_referral(), make_referral()
    html = browser.get(reverse("flag_list")).content.decode()
    assert "2 cases" in html
    assert f"{one.case.crime_reference}\n{two.case.crime_reference}" in html
    response = browser.post(reverse("confirm_flags"), {"referral": [one.pk]}, follow=True)
    html = response.content.decode()
    assert "Confirmed for 1 case" in html
    assert one.case.crime_reference not in html
    assert two.case.crime_reference in html


def test_ticking_nothing_says_so(client_of: ClientOf, hcop: User, make_referral: MakeReferral) -> None:
    make_referral()
    response = client_of(hcop).post(reverse("confirm_flags"), {"referral": ["x"]}, follow=True)
    assert "Nothing is ticked" in response.content.decode()


def test_an_empty_list_says_when_there_will_be_more(client_of: ClientOf, hcop: User) -> None:
    assert "Every flag is confirmed" in client_of(hcop).get(reverse("flag_list")).content.decode()


def test_the_number_of_queries_does_not_grow_with_rows(
    client_of: ClientOf, hcop: User, make_referral: MakeReferral
) -> None:
    browser = client_of(hcop)

    def add(count: int) -> int:
        for _ in range(count):
            make_referral()
        with CaptureQueriesContext(connection) as queries:
            browser.get(reverse("flag_list"))
        return len(queries)

    assert add(3) == add(27)
