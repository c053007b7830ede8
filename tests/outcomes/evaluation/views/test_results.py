"""The results page before and after the lock, the lock's own page, and the files."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.http import HttpResponse, HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from outcomes.evaluation.actions import lock_outcomes
from outcomes.evaluation.readers.data_set import COLUMNS
from outcomes.models import DataSet
from referrals.models import Arm, Case, Trial, TrialStatus
from referrals.rules.trial.analysis import (
    Estimate,
    OpenCases,
    Plan,
    PlannedLook,
)
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World
from tests.factories import NOW, DataSetFactory, OutcomeCodeFactory, RecordedOutcomeFactory, TrialFactory
from tests.outcomes.evaluation.trials import (
    allocate,
    check,
    close,
    look_of,
    planned_trial,
)

DAY = timedelta(days=1)
# Follow-up of what was allocated then is over now.
START = NOW - 30 * DAY
TODAY = NOW.date()
ClientOf = Callable[[User], Client]
MakeCase = Callable[..., Case]
pytestmark = pytest.mark.usefixtures("clock")


def _words(response: HttpResponseBase) -> str:
    """The page's words."""
    assert isinstance(response, HttpResponse)
    assert response.status_code == 200
    return " ".join(strip_tags(response.content.decode().split("<main")[1]).replace("&#x27;", "'").split())


def _page(client: Client, trial: Trial) -> str:
    return _words(client.get(reverse("trial_results", args=[trial.pk])))


@pytest.fixture
def lead(client_of: ClientOf, trial_lead: User) -> Client:
    return client_of(trial_lead)


@pytest.fixture
def recruiting(world: World, make_case: MakeCase) -> Trial:
    """Three units of SRC, one withdrawn; two of control, both withdrawn; a planned look is due, one not."""
    looks = (PlannedLook(TODAY, "leader"), PlannedLook(TODAY + 7 * DAY, "leader"))
    trial = planned_trial(world.south_west, Plan(looks=looks))
    allocate(trial, make_case, Arm.SRC, [16, 18, None], at=START)
    check(allocate(trial, make_case, Arm.CONTROL, [14, 16], at=START))
    return trial


@pytest.fixture
def closed(recruiting: Trial, trial_lead: User) -> Trial:
    close(recruiting, trial_lead)
    return recruiting


@pytest.fixture
def locked(closed: Trial, trial_lead: User) -> Trial:
    lock_outcomes(trial_id=closed.pk, by=trial_lead, at=NOW)
    return closed


def test_before_the_lock_outcomes_are_totals_over_both_arms(lead: Client, recruiting: Trial) -> None:
    page = _page(lead, recruiting)
    assert "4 of 5 (80%) units have an outcome" in page
    assert "Victim withdrew support (attrition) 3 of 5 (60%) 3 of 4 (75%)" in page
    assert "Usual service" not in page
    assert "Risk ratio" not in page


def test_while_it_recruits_it_does_not_tell_how_many_are_controls(lead: Client, recruiting: Trial) -> None:
    page = _page(lead, recruiting)
    assert "Recruitment Not closed yet" in page
    assert "Over for 5 of 5 (100%) units." in page
    assert "Controls checked Shown once recruitment is closed" in page
    assert "Lock outcomes" not in page


def test_it_says_until_when_follow_up_lasts(
    lead: Client, recruiting: Trial, make_case: MakeCase, trial_lead: User
) -> None:
    allocate(recruiting, make_case, Arm.SRC, [None])
    so_far = "Over for 5 of 6 (83%) units. The last so far ends on 23 December 2026, 7:30am."
    assert so_far in _page(lead, recruiting)
    close(recruiting, trial_lead)
    page = _page(lead, recruiting)
    assert so_far.replace(" so far", "") in page
    assert "Lock outcomes" not in page


def test_once_nothing_is_missing_there_is_a_button(lead: Client, closed: Trial) -> None:
    page = _page(lead, closed)
    assert "2 of 2 (100%) looked up" in page
    assert "Lock outcomes" in page


def test_a_leader_is_told_that_the_trial_lead_can_lock(
    client_of: ClientOf, leader: User, closed: Trial
) -> None:
    page = _page(client_of(leader), closed)
    assert "the trial lead can lock outcomes" in page
    assert "Open a look that was not planned" not in page


@pytest.mark.parametrize("status", [TrialStatus.DRAFT, TrialStatus.SEALED])
def test_before_it_recruits_there_is_nothing(lead: Client, world: World, status: TrialStatus) -> None:
    trial = TrialFactory.create(bcu=world.south_west, status=status)
    assert "Nothing is allocated yet" in _page(lead, trial)


def test_a_trial_without_a_unit_has_no_totals(lead: Client, world: World) -> None:
    page = _page(lead, TrialFactory.create(bcu=world.south_west))
    assert "No unit is allocated yet" in page
    assert "attrition" not in page


def test_looks_are_told_and_what_they_showed_is_not(
    lead: Client, recruiting: Trial, leader: User, trial_lead: User
) -> None:
    of_arms = {"units": 8111, "closed": 8111, "attrition": 7333, "charge": 0, "positive": 0}
    content = {"src": of_arms, "control": of_arms}
    look_of(recruiting, leader, planned_on=TODAY, reason="", content=content)
    look_of(recruiting, trial_lead, reason="Ethics asks", content=content)
    page = _page(lead, recruiting)
    assert "Supt 5 Planned in the protocol for 23 November 2026" in page
    assert "Trial lead Not planned: Ethics asks" in page
    assert "7333" not in page
    assert "8111" not in page
    assert page.count("Open what you saw") == 1


def test_the_planned_reader_alone_has_the_button_of_a_look_that_is_due(
    client_of: ClientOf, lead: Client, leader: User, recruiting: Trial
) -> None:
    page = _page(client_of(leader), recruiting)
    assert "Open the look planned for 23 November 2026" in page
    assert "Open the look planned for 30 November 2026" not in page
    assert "From 30 November 2026 on, for Supt 5: not yet" in page
    assert "Open the look planned" not in _page(lead, recruiting)


def test_after_the_lock_each_arm_is_shown_over_its_denominator(lead: Client, locked: Trial) -> None:
    page = _page(lead, locked)
    assert "1 of 3 (33%) 2 of 2 (100%) -66.7 0.33" in page
    assert "Investigation closed 2 of 3 (67%) 2 of 2 (100%)" in page
    assert "None: no case in usual service" in page
    assert "Analysed as allocated" in page
    assert "a case that was open at the end of its follow-up counts as without the outcome" in page
    assert "The protocol’s estimate is the risk ratio" in page
    assert DataSet.objects.get().digest in page
    assert "5 units: 3 SRC, 2 usual service" in page


def test_a_plan_that_leaves_open_cases_out_is_said_and_done(lead: Client, world: World) -> None:
    plan = Plan(open_cases=OpenCases.LEFT_OUT, estimate=Estimate.RISK_DIFFERENCE)
    trial = planned_trial(world.south_west, plan, status=TrialStatus.LOCKED)
    rows = [{"arm": arm, "outcome": code} for arm, code in (("src", 16), ("src", 1), ("src", None))]
    DataSetFactory.create(trial=trial, content=rows)
    page = _page(lead, trial)
    assert "1 of 2 (50%) 0 of 0 No units to compare" in page
    assert "Shares are of closed cases" in page
    assert "The protocol’s estimate is the risk difference" in page


def test_what_is_shown_is_what_was_locked_and_not_what_came_after(lead: Client, locked: Trial) -> None:
    case = locked.allocations.filter(arm=Arm.SRC).latest("pk").case
    code = OutcomeCodeFactory.create(code=16)
    RecordedOutcomeFactory.create(case=case, code=code, recorded_at=NOW - DAY, imported_at=NOW)
    assert "1 of 3 (33%) 2 of 2 (100%)" in _page(lead, locked)


def test_results_say_how_many_looks_p_values_are_not_adjusted_for(
    lead: Client, closed: Trial, trial_lead: User, leader: User
) -> None:
    look_of(closed, leader, planned_on=TODAY, reason="")
    lock_outcomes(trial_id=closed.pk, by=trial_lead, at=NOW)
    page = _page(lead, closed)
    assert "Risk ratio" in page
    assert "unadjusted" not in page


def test_a_look_that_was_not_planned_stays_with_the_results(
    lead: Client, closed: Trial, trial_lead: User
) -> None:
    look_of(closed, trial_lead, reason="Ethics asks")
    assert "unadjusted for 1 look by group" in _words(
        lead.get(reverse("lock_trial_outcomes", args=[closed.pk]))
    )
    lock_outcomes(trial_id=closed.pk, by=trial_lead, at=NOW)
    page = _page(lead, closed)
    assert "P-values are unadjusted for 1 look by group before the lock." in page
    assert "Not planned: Ethics asks" in page


@pytest.fixture
def unfinished(recruiting: Trial, make_case: MakeCase, trial_lead: User) -> Trial:
    """A closed trial with a unit that has just been allocated."""
    allocate(recruiting, make_case, Arm.SRC, [None])
    close(recruiting, trial_lead)
    return recruiting


def test_the_lock_page_says_what_is_missing_and_has_no_button(lead: Client, unfinished: Trial) -> None:
    response = lead.get(reverse("lock_trial_outcomes", args=[unfinished.pk]))
    assert "Outcomes cannot be locked yet The follow-up of 1 of 6 units is not over" in _words(response)
    assert '<button type="submit"' not in response.content.decode().split("<main")[1].split("</main>")[0]


def test_the_lock_page_says_what_will_happen_and_posting_does_it(lead: Client, closed: Trial) -> None:
    address = reverse("lock_trial_outcomes", args=[closed.pk])
    page = _words(lead.get(address))
    assert "the data set of 5 units is kept as it is now" in page
    assert "its SHA-256 goes to University library" in page
    assert not DataSet.objects.exists()
    response = lead.post(address)
    assert response.headers["Location"] == reverse("trial_results", args=[closed.pk])
    assert f"SHA-256 of the data set: {DataSet.objects.get().digest}" in _page(lead, closed)
    assert lead.get(address).headers["Location"] == reverse("trial_results", args=[closed.pk])


def test_posting_too_early_locks_nothing_and_says_why(lead: Client, unfinished: Trial) -> None:
    response = lead.post(reverse("lock_trial_outcomes", args=[unfinished.pk]), follow=True)
    assert "The outcomes cannot be locked yet." in _words(response)
    assert not DataSet.objects.exists()


def test_the_json_file_has_exactly_the_digest_that_is_shown(lead: Client, locked: Trial) -> None:
    address = reverse("trial_data_set", args=[locked.pk, 1])
    response = lead.get(address, {"as": "json"})
    assert hashlib.sha256(response.content).hexdigest() == DataSet.objects.get().digest
    assert hashlib.sha256(response.content).hexdigest() in _page(lead, locked)
    assert response.headers["Content-Type"] == "application/json"
    assert f'filename="trial-{locked.pk}-data-set-1.json"' in response.headers["Content-Disposition"]
    assert len(json.loads(response.content)) == 5


def test_the_table_has_a_row_for_each_unit(lead: Client, locked: Trial) -> None:
    response = lead.get(reverse("trial_data_set", args=[locked.pk, 1]), {"as": "csv"})
    headings, *rows = csv.reader(io.StringIO(response.content.decode()))
    # The first of them is a name that statistics software knows: no byte order mark stands before it.
    assert headings == list(COLUMNS)
    found = [dict(zip(headings, row, strict=True)) for row in rows]
    content = DataSet.objects.get().content
    assert [row["unit"] for row in found] == [row["unit"] for row in content]
    assert sorted((row["arm"], row["outcome"]) for row in found) == sorted(
        (row["arm"], str(row["outcome"] or "")) for row in content
    )


def test_each_download_is_recorded_and_names_the_data_set(
    lead: Client, locked: Trial, trial_lead: User
) -> None:
    lead.get(reverse("trial_data_set", args=[locked.pk, 1]), {"as": "csv"})
    entry = AuditEntry.objects.filter(action=Action.DOWNLOADED).latest("pk")
    assert (entry.actor, entry.references) == (trial_lead, [f"trial {locked.pk}"])
    assert entry.fields == ["csv", "data set 1"]


def test_there_is_no_other_data_set(lead: Client, locked: Trial, closed: Trial) -> None:
    assert lead.get(reverse("trial_data_set", args=[locked.pk, 2])).status_code == 404


def test_a_leader_reads_results_and_gets_no_file(client_of: ClientOf, leader: User, locked: Trial) -> None:
    page = _page(client_of(leader), locked)
    assert "1 of 3 (33%)" in page
    assert "CSV" not in page
    assert "Correct the data set" not in page


def test_a_correction_is_shown_first_and_the_first_stays(lead: Client, locked: Trial) -> None:
    case = locked.allocations.filter(arm=Arm.SRC).latest("pk").case
    code = OutcomeCodeFactory.create(code=16)
    RecordedOutcomeFactory.create(case=case, code=code, recorded_at=NOW - DAY, imported_at=NOW)
    address = reverse("correct_data_set", args=[locked.pk])
    page = _words(lead.post(address, {"reason": "An outcome came late"}, follow=True))
    assert "Data set 2 is made. SHA-256, on its way to the registrars: " in page
    assert page.index("Corrected: data set 2") < page.index("As locked: data set 1")
    assert "Why An outcome came late" in page
    assert "2 of 3 (67%) 2 of 2 (100%) -33.3 0.67" in page
    assert "1 of 3 (33%) 2 of 2 (100%) -66.7 0.33" in page


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("", "Say why the data set is corrected."),
        ("Ring 07700 900123", "telephone numbers, e-mail addresses and postcodes stay"),
        ("An outcome came late", "Nothing has changed since data set 1"),
    ],
)
def test_a_correction_that_is_refused_keeps_what_was_typed(
    lead: Client, locked: Trial, reason: str, words: str
) -> None:
    response = lead.post(reverse("correct_data_set", args=[locked.pk]), {"reason": reason})
    assert "There is a problem" in _words(response)
    assert words in _words(response)
    assert f">\n{reason}</textarea>" in response.content.decode()
    assert DataSet.objects.count() == 1


def test_nothing_can_be_corrected_before_the_lock(lead: Client, closed: Trial) -> None:
    response = lead.post(reverse("correct_data_set", args=[closed.pk]), {"reason": "Why"})
    assert response.status_code == 404


def test_each_reading_is_recorded(lead: Client, recruiting: Trial, trial_lead: User) -> None:
    lead.get(reverse("trial_results", args=[recruiting.pk]))
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.action) == (trial_lead, Action.LIST_SHOWN)
    assert (entry.references, entry.fields) == ([f"trial {recruiting.pk}"], ["results"])


def test_as_many_queries_for_thirty_units_and_looks_as_for_three(
    lead: Client, world: World, make_case: MakeCase, trial_lead: User
) -> None:
    counts = []
    for units in (3, 30):
        trial = TrialFactory.create(bcu=world.south_west)
        allocate(trial, make_case, Arm.SRC, [16] * units, at=START)
        for number in range(units):
            look_of(trial, trial_lead, reason=f"Reason {number}")
        close(trial, trial_lead)
        with CaptureQueriesContext(connection) as before:
            lead.get(reverse("trial_results", args=[trial.pk]))
            lock_outcomes(trial_id=trial.pk, by=trial_lead, at=NOW)
        with CaptureQueriesContext(connection) as after:
            lead.get(reverse("trial_results", args=[trial.pk]))
        counts.append((len(before), len(after)))
    assert counts[0] == counts[1]
