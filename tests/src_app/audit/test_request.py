"""All that one request did."""

import uuid
from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from referrals.models import Team, Ward
from src_app.accounts.models import User
from src_app.audit.models import Action, Purpose
from src_app.audit.record import acting, record
from tests.factories import AuditEntryFactory, TeamFactory


@pytest.fixture
def browser(client_of: Callable[[User], Client], auditor: User) -> Client:
    return client_of(auditor)


def _change(team: Team, **fields: str) -> uuid.UUID:
    with acting("page example", by=None) as origin:
        for name, value in fields.items():
            setattr(team, name, value)
        team.save(update_fields=list(fields))
        record(Action.REFERENCE_DATA_LOADED, by=None, purpose=Purpose.ADMINISTRATION, subject="team")
    return origin.request_id


def test_it_names_the_fields_that_changed_and_no_value(browser: Client) -> None:
    team = TeamFactory.create(name="Old name", mailbox="old@example.police.uk")
    request_id = _change(team, name="New name")
    response = browser.get(reverse("audit_request", args=[request_id]))
    [change] = response.context["changes"]
    assert (change.model, change.row, change.label, change.fields) == (
        "team",
        str(team.pk),
        "update",
        ["name"],
    )
    page = response.content.decode()
    assert "<td>Changed</td>" in page
    assert "Old name" not in page
    assert "New name" not in page


def test_a_change_of_another_request_is_not_among_them(browser: Client) -> None:
    team = TeamFactory.create()
    first = _change(team, name="First")
    _change(team, mailbox="second@example.police.uk")
    [change] = browser.get(reverse("audit_request", args=[first])).context["changes"]
    assert change.fields == ["name"]


def test_two_changes_of_one_record_in_one_request_are_told_apart(browser: Client) -> None:
    team = TeamFactory.create()
    with acting("page example", by=None) as origin:
        Team.objects.filter(pk=team.pk).update(name="Another")
        Team.objects.filter(pk=team.pk).update(mailbox="another@example.police.uk")
        record(Action.REFERENCE_DATA_LOADED, by=None, purpose=Purpose.ADMINISTRATION, subject="team")
    changes = browser.get(reverse("audit_request", args=[origin.request_id])).context["changes"]
    assert [change.fields for change in changes] == [["name"], ["mailbox"]]


def test_a_new_record_names_all_its_fields(browser: Client) -> None:
    with acting("page example", by=None) as origin:
        team = TeamFactory.create()
        record(Action.REFERENCE_DATA_LOADED, by=None, purpose=Purpose.ADMINISTRATION, subject="team")
    [change] = browser.get(reverse("audit_request", args=[origin.request_id])).context["changes"]
    assert (change.row, change.label) == (str(team.pk), "insert")
    assert change.fields == ["id", *(field.attname for field in Team._meta.concrete_fields[1:])]


def test_a_request_that_changed_nothing_says_so(browser: Client) -> None:
    entry = AuditEntryFactory.create()
    page = browser.get(reverse("audit_request", args=[entry.request_id])).content.decode()
    assert "It changed no record." in page


def test_a_request_that_never_was_is_not_found(browser: Client) -> None:
    assert browser.get(reverse("audit_request", args=[uuid.uuid4()])).status_code == 404


def test_as_many_queries_for_thirty_changes_as_for_three(browser: Client, now: datetime) -> None:
    counts = []
    for number in (3, 30):
        teams = TeamFactory.create_batch(number)
        with acting("page example", by=None) as origin:
            for team in teams:
                Team.objects.filter(pk=team.pk).update(name=f"New {team.pk}")
            record(Action.REFERENCE_DATA_LOADED, by=None, purpose=Purpose.ADMINISTRATION, subject="team")
        with CaptureQueriesContext(connection) as queries:
            response = browser.get(reverse("audit_request", args=[origin.request_id]))
        assert len(response.context["changes"]) == number
        counts.append(len(queries))
    assert Ward.objects.count() == 0
    assert counts[0] == counts[1]
