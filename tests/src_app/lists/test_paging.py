"""The address of a page of a list: the lists' own lead on, and any other is no page."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import Http404
from django.test import Client, RequestFactory
from django.urls import reverse

from referrals.models import Case
from src_app.accounts.models import User
from src_app.lists.paging import page_of, walked
from tests.meta.hostile import TOKENS

WHEN = "2026-11-23 07:30:00+00:00"


def page(query: Any, name: str) -> Any:
    return page_of(RequestFactory().get("/", {"page": name}), query, 2)


@pytest.mark.parametrize(
    "token",
    [
        [False, False, False],
        [0, WHEN, 1],
        ["", WHEN, 1],
        [False, WHEN, True],
        [False, WHEN, 1.5],
        [False, WHEN, float("inf")],
        [False, WHEN, float("nan")],
        [False, WHEN, None],
        [False, WHEN, []],
        [False, WHEN, {}],
        [False, WHEN, 2**63],
        [False, WHEN, -(2**63) - 1],
        [False, WHEN],
        [False, WHEN, 1, 1],
        [False, 1, 1],
        [False, "", 1],
        [False, "\0", 1],
        [False, "2026-11-23", 1],
        [False, "2026-11-23 07:30:00", 1],
        {"page": 1},
    ],
)
def test_a_page_that_no_list_has_given_is_not_found(db: None, token: object) -> None:
    with pytest.raises(Http404):
        page(Case.objects.order_by("reported_at", "pk"), json.dumps(token))


@pytest.mark.parametrize(
    "token", ["[" * 3_000, f"[false, {'9' * 5_000}]", "[false, 1e999999999]", "[false", "page"]
)
def test_one_that_costs_more_to_read_than_it_says_is_not_found_either(db: None, token: str) -> None:
    with pytest.raises(Http404):
        page(Case.objects.order_by("pk"), token)


def test_every_page_leads_to_the_next_and_back(make_case: Callable[..., Case]) -> None:
    cases = [make_case() for _ in range(5)]
    query = Case.objects.order_by("-reported_at", "-pk")
    first = page(query, "")
    second = page(query, json.loads(json.dumps(_token(first.next_url))))
    third = page(query, _token(second.next_url))
    assert [row.pk for each in (first, second, third) for row in each.rows] == [
        case.pk for case in sorted(cases, key=lambda case: case.pk, reverse=True)
    ]
    assert page(query, _token(third.previous_url)).rows == second.rows
    assert [len(rows) for rows in walked(query, 2)] == [2, 2, 1]


def _token(address: str) -> str:
    return str(Client().get(address).wsgi_request.GET["page"])


def test_a_list_shows_a_page_or_says_that_there_is_none(
    client_of: Callable[[User], Client], hcop: User
) -> None:
    browser = client_of(hcop)
    answers = {token: browser.get(f"{reverse('case_list')}?page={token}").status_code for token in TOKENS}
    # Some are pages: of a time that is long past or far off, and to the library 1 and {} are the first.
    assert set(answers.values()) == {200, 404}
