"""Whoever is shown a record is on record: every address that answers with a page, visited once.

``consultations.csv`` says of each what the audit row is about, or why there is none. A new page fails here
until it has its line; one that shows a case or a referral fails until its audit row names it, whatever the
line says.
"""

import csv
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client
from django.urls import reverse

from referrals.intake.held.holding import hold_extract
from referrals.models import Arm, Case, Referral
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests import factories
from tests.conftest import World
from tests.extracts import extract, row
from tests.factories import NOW
from tests.meta.test_access import ANONYMOUS, LINES, OWN, ROLES, Records

TABLE = Path(__file__).with_name("consultations.csv")
CONSULTATIONS = {
    Action.LIST_SHOWN,
    Action.CASE_OPENED,
    Action.REFERRAL_OPENED,
    Action.DOWNLOADED,
    Action.SEARCHED,
    Action.FLAGS_COMPARED,
}
REFERENCE = re.compile(r"\b\d{2}/\d{6,7}/\d{2}\b|\bSRC-\d{4}-\d{6}\b")
# Their audit row says by which filters the log was read: naming all that it names would double it each time.
NAMES_FILTERS = {"audit"}


class Page(NamedTuple):
    """An address and a method."""

    address: str
    method: str


class Visit(NamedTuple):
    """What an answer shows, and what the audit log says of it."""

    shown: set[str]
    subjects: set[str]
    references: set[str]


def _table() -> dict[Page, dict[str, str]]:
    with TABLE.open(newline="") as file:
        lines = list(csv.DictReader(file))
    table = {Page(line["address"], line["method"]): line for line in lines}
    assert len(table) == len(lines), "a line stands twice"
    return table


class Scene:
    """A world in which every list has something to show."""

    def __init__(self, world: World, people: dict[str, User]) -> None:
        self.records, self.hcop, self.bcu = Records(world), people["hcop"], world.south_west
        ward = world.wards[0]
        factories.DecisionFactory.create(case=factories.CaseFactory.create(ward=ward))
        overdue = NOW - timedelta(days=5)
        factories.ReferralFactory.create(
            case__ward=ward,
            made_at=overdue,
            due_at=overdue + timedelta(days=3),
            taken_by=people["officer"],
            taken_at=overdue,
        )
        flagged = {"flag_confirmed_at": NOW, "flag_confirmed_by": self.hcop}
        factories.ReferralFactory.create(case__ward=ward, ruled_out_since=NOW, **flagged)
        factories.FollowUpFactory.create(attempt__referral__case__ward=ward)
        self.trial = factories.TrialFactory.create(bcu=self.bcu)
        allocated = NOW - timedelta(days=40)
        factories.AllocationFactory.create(
            trial=self.trial, case__ward=ward, arm=Arm.CONTROL, allocated_at=allocated
        )
        factories.AccessReviewFactory.create()
        self.submission = factories.SubmissionFactory.create(bcu=self.bcu)
        decided = factories.CaseFactory.create(ward=ward, decided_at=NOW)
        factories.DecisionFactory.create(case=decided, submission=self.submission)

    def arguments(self, page: Page, whose: str) -> dict[str, Any]:
        """Of a record that has something to show."""
        make: dict[str, Callable[[], dict[str, Any]]] = {
            "controls": lambda: {"trial_id": self.trial.pk},
            "submitted": lambda: {"submission_id": self.submission.pk},
            "import_preview": self._held,
            "import_rejected": self._held,
        }
        return make.get(page.address, lambda: self.records.arguments(page.address, whose))()

    def _held(self) -> dict[str, Any]:
        content = extract(row(1), row(2, reported_at="never"))
        held = hold_extract(key=uuid.uuid4(), content=content, bcu=self.bcu, by=self.hcop, at=NOW)
        return {"import_id": held.pk}


def _visit(scene: Scene, page: Page, whose: str, user: User | None) -> Visit | None:
    """One visit, undone afterwards; nothing where no page is answered."""
    with transaction.atomic():
        address = reverse(page.address, kwargs=scene.arguments(page, whose))
        client = Client()
        if user is not None:
            client.force_login(user)
        before = AuditEntry.objects.count()
        body = scene.records.body(page.address, whose)
        response = client.get(address) if page.method == "GET" else client.post(address, body)
        written = list(AuditEntry.objects.order_by("pk")[before:])
        shown = _shown(response) if response.status_code == 200 else None
        transaction.set_rollback(True)
    if shown is None:
        return None
    assert all(entry.actor == user for entry in written)
    consulted = [entry for entry in written if entry.action in CONSULTATIONS]
    return Visit(
        shown=shown,
        subjects={entry.subject for entry in consulted},
        references={reference for entry in written for reference in entry.references},
    )


def _shown(response: Any) -> set[str]:
    """The crime references and referral numbers in the answer, of records that are kept here."""
    assert isinstance(response, HttpResponse | StreamingHttpResponse)
    found = set(REFERENCE.findall(response.getvalue().decode()))
    cases = Case.objects.filter(crime_reference__in=found).values_list("crime_reference", flat=True)
    referrals = Referral.objects.filter(number__in=found).values_list("number", flat=True)
    return {*cases, *referrals}


def _problem(visit: Visit, line: dict[str, str]) -> str:
    """What is wrong with what a visit left on record; empty where nothing is."""
    subject = line["subject"]
    if subject not in NAMES_FILTERS and (missing := visit.shown - visit.references):
        return f"shows {sorted(missing)}, and no audit row names it"
    if bool(subject) == bool(line["reason"]):
        return "the table gives either what the audit row is about or why there is none"
    if visit.subjects != ({subject} if subject else set()):
        return f"audit rows are about {sorted(visit.subjects)}, the table says {subject or 'nothing'}"
    if subject in {"case", "referral"} and not visit.shown:
        return "shows no case and no referral here: give the test one to show"
    if subject == "trial" and not any(each.startswith("trial ") for each in visit.references):
        return "no audit row says which trial"
    return ""


@pytest.mark.usefixtures("clock")
def test_whoever_is_shown_a_record_is_on_record(world: World, people: dict[str, User]) -> None:
    table, scene = _table(), Scene(world, people)
    problems, answered = {}, set()
    for line in (line for line in LINES if line["record"] in {"", OWN}):
        role = next((role for role in ROLES if line[role] == "ok"), None)
        if role is None:
            continue
        page = Page(line["address"], line["method"])
        visit = _visit(scene, page, line["record"], None if role == ANONYMOUS else people[role])
        if visit is None:
            continue
        answered.add(page)
        said = _problem(visit, table[page]) if page in table else "has no line in the table"
        if said:
            problems[page] = said
    assert problems == {}
    assert set(table) - answered == set(), "lines of the table that no page answers"
