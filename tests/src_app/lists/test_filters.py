"""Filters by day."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from referrals.models import Case
from src_app.accounts.models import User

ClientOf = Callable[[User], Client]


@pytest.mark.parametrize("name", ["first", "last"])
@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "2100-01-01", "9999-12-31"])
def test_a_day_at_the_ends_of_time_is_said_to_be_none_and_stays_as_typed(
    client_of: ClientOf, hcop: User, name: str, day: str
) -> None:
    response = client_of(hcop).get(reverse("case_list"), {name: day})
    page = response.content.decode()
    assert response.status_code == 200
    assert "Give a date from 2000 to 2099." in page
    assert f'value="{day}"' in page


def test_a_day_takes_in_its_first_and_its_last_moment(
    client_of: ClientOf, hcop: User, make_case: Callable[..., Case]
) -> None:
    case = make_case()
    day = f"{case.reported_at:%Y-%m-%d}"
    page = client_of(hcop).get(reverse("case_list"), {"first": day, "last": day}).content.decode()
    assert case.crime_reference in page
