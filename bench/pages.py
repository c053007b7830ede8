"""The pages that are measured, each with SQL written by hand for the same rows."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from bench import statements
from bench.people import World
from referrals.compliance.readers.periods import default_period
from referrals.models import Borough, Case, CaseState, Referral, ReferralStatus, Ward
from src_app.audit.models import Action, AuditEntry
from src_app.lists.filters import start_of

Parameters = dict[str, Any]
TWO_YEARS = timedelta(days=730)


@dataclass(frozen=True)
class Page:
    """A page as somebody asks for it. ``shown`` gives the keys of the rows that its context holds.

    The first of ``sql`` gives those keys in its first column, in the same order; a page of many parts has
    further statements.
    """

    name: str
    who: str
    url: str
    sql: Sequence[str]
    parameters: Parameters
    shown: Callable[[dict[str, Any]], list[int]]


def pages_of(world: World) -> list[Page]:
    """Every page that can be measured, as it is asked for in this database."""
    usual = _parameters(world)
    return [
        Page(
            "overnight_review",
            "hcop",
            reverse("overnight_review"),
            statements.OVERNIGHT_REVIEW,
            usual,
            lambda context: [row.case.pk for row in context["rows"]],
        ),
        *_case_lists(usual),
        Page(
            "my_referrals",
            "officer",
            reverse("my_referrals"),
            statements.MY_REFERRALS,
            usual | {"user": world.people["officer"].pk},
            lambda context: [card.referral.pk for card in context["parts"][0].cards],
        ),
        _case_page(usual),
        *(
            Page(
                f"compliance_{who}",
                who,
                reverse("compliance"),
                statements.COMPLIANCE[who],
                usual | {"user": world.people[who].pk},
                lambda context: [referral.pk for referral in context["overdue"].paged.rows],
            )
            for who in ("hcop", "supervisor")
        ),
        Page(
            "flag_list",
            "hcop",
            reverse("flag_list"),
            statements.FLAGS,
            usual,
            lambda context: [referral.pk for referral in context["to_confirm"].paged.rows],
        ),
        Page(
            "follow_up_list",
            "supervisor",
            reverse("follow_up_list"),
            statements.FOLLOW_UPS,
            usual | {"user": world.people["supervisor"].pk},
            _paged,
        ),
        *_audit_lists(world),
    ]


def _paged(context: dict[str, Any]) -> list[int]:
    return [row.pk for row in context["list"].paged.rows]


def _parameters(world: World) -> Parameters:
    period = default_period(timezone.now())
    return {
        "bcu": world.bcu.pk,
        "now": world.now,
        "today": timezone.localdate(),
        "first": period.begins,
        "last": period.ends,
        "week": timezone.now() - timedelta(days=7),
    }


def _case_lists(usual: Parameters) -> list[Page]:
    """The list of cases, by each filter and by those together that narrow most, and deep pages of it."""
    ward = Ward.objects.get(name="Tooting Bec").pk
    borough = Borough.objects.get(name="Wandsworth").pk
    first = timezone.localdate() - TWO_YEARS
    days = {"first": first.isoformat(), "last": (first + timedelta(days=13)).isoformat()}
    wanted: list[tuple[str, Parameters, list[str]]] = [
        ("", {}, []),
        ("_ward", {"ward": ward}, ["ward"]),
        ("_borough", {"borough": borough}, ["borough"]),
        ("_dates", days, ["dates"]),
        *((f"_{state}", {"state": state.value}, [state.value]) for state in CaseState),
        ("_ward_usual_service", {"ward": ward, "state": "usual_service"}, ["ward", "usual_service"]),
        (
            "_borough_usual_service",
            {"borough": borough, "state": "usual_service"},
            ["borough", "usual_service"],
        ),
        (
            "_ward_not_suitable_dates",
            {"ward": ward, "state": "not_suitable", **days},
            ["ward", "not_suitable", "dates"],
        ),
    ]
    begins = start_of(first)
    bounds = {"ward": ward, "borough": borough, "from": begins, "until": begins + timedelta(days=14)}
    lists = [
        _case_list(f"case_list{name}", asked, statements.case_list(*conditions), usual | bounds)
        for name, asked, conditions in wanted
    ]
    for name, share in (("middle", 0.5), ("end", 0.01)):
        # Keys rise with the time of the report.
        after = Case.objects.get(pk=int(Case.objects.latest("pk").pk * share))
        key = json.dumps([False, str(after.reported_at), after.pk])
        at = {"after_at": after.reported_at, "after": after.pk}
        lists.append(_case_list(f"case_list_{name}", {"page": key}, statements.case_list("deep"), usual | at))
    return lists


def _case_list(name: str, asked: Parameters, sql: str, parameters: Parameters) -> Page:
    url = reverse("case_list") + (f"?{urlencode(asked)}" if asked else "")
    return Page(name, "hcop", url, [sql], parameters, _paged)


def _case_page(usual: Parameters) -> Page:
    """A case of last week whose victim was contacted at the second try."""
    referral = (
        Referral.objects.filter(status=ReferralStatus.COMPLETED, attempts__result="no_answer")
        .order_by("-pk")
        .first()
    )
    assert referral is not None
    return Page(
        "case",
        "hcop",
        reverse("case", args=[referral.case_id]),
        statements.CASE,
        usual | {"case": referral.case_id},
        lambda context: [context["case"].pk],
    )


def _audit_lists(world: World) -> list[Page]:
    """The log, the latest first: all of it, one account's, one rare act's, and from its middle."""
    hcop, rare = world.people["hcop"].pk, Action.REFERENCE_DATA_LOADED.value
    after = AuditEntry.objects.get(pk=AuditEntry.objects.latest("pk").pk // 2)
    key = json.dumps([False, str(after.at), after.pk])
    wanted: list[tuple[str, Parameters, str, Parameters]] = [
        ("audit_list", {}, "", {}),
        ("audit_list_account", {"account": hcop}, "account", {"account": hcop}),
        ("audit_list_rare_act", {"action": rare}, "action", {"action": rare}),
        ("audit_list_middle", {"page": key}, "deep", {"after_at": after.at, "after": after.pk}),
    ]
    return [
        Page(
            name,
            "auditor",
            reverse("audit_list") + (f"?{urlencode(asked)}" if asked else ""),
            [statements.audit_list(condition)],
            parameters,
            _paged,
        )
        for name, asked, condition, parameters in wanted
    ]
