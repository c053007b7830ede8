"""Addresses within the pages of compliance: each keeps what is asked of the others."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from referrals.compliance.forms import NARROWS, PERIODS
from referrals.compliance.readers.contact import WardContact, Week
from referrals.compliance.readers.figures import asks_week
from src_app.accounts.models import User
from src_app.accounts.roles import Permission


def opens_of(user: User, asked: Mapping[str, str], listing: str = "compliance_referrals") -> str:
    """The address of the list of what the page counts; empty where the account sees no list.

    ``listing``: the name of the list, of referrals or of attempts.
    """
    if not user.can(Permission.CHASE_REFERRALS):
        return ""
    kept = {name: value for name, value in asked.items() if name in NARROWS and value}
    return f"{reverse(listing)}?{urlencode({'list-order': 'latest', **kept})}"


def narrowed_to(opens: str, asks: Mapping[str, str]) -> str:
    """The list narrowed further; empty where there is none."""
    return f"{opens}&{urlencode(asks)}" if opens else ""


def opening_wards(opens: str, wards: Iterable[WardContact]) -> list[WardContact]:
    """Each with the list of its referrals."""
    return [replace(row, opens=narrowed_to(opens, {"list-ward": row.ward.code})) for row in wards]


def opening_weeks(opens: str, weeks: Iterable[Week]) -> list[Week]:
    """Each with the list of its referrals."""
    return [replace(week, opens=narrowed_to(opens, asks_week(week.monday))) for week in weeks]


def periods_offered(asked: QueryDict, shown: str, *more: str) -> list[dict[str, Any]]:
    """The periods that have a word, each with its address, which keeps what else is asked."""
    names = ("borough", "team", "officer", "order", *more)
    kept = {name: value for name, value in asked.items() if name in names}
    return [
        {
            "words": words,
            "query": urlencode({"period": word, **kept}),
            "is_shown": word == shown,
        }
        for word, words in PERIODS.items()
    ]


def asked_with(asked: QueryDict, **more: str) -> str:
    """What the page asks, and that as well."""
    kept = {name: value for name, value in asked.items() if name in (*NARROWS, "by")}
    return urlencode(kept | more)
