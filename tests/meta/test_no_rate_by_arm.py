"""Before a trial's outcomes are locked nothing that anybody is shown joins arm and outcome.

A trial is made in which every number by arm is one that nothing else here is: then every address is read as
every role, with every choice of its filters, every command that reads what is recorded is run, and every
count that is kept is looked at. None of them may hold one of those numbers. Where some are planted, or may
be seen, the same search finds them.

The one who opened a look sees what it counted, on the look's own page, and it is on record.
"""

import html
import io
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, astuple, replace
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command, get_commands
from django.core.management.base import CommandError
from django.http import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.test import Client
from django.urls import URLPattern, reverse

from outcomes.evaluation.actions import lock_outcomes, open_look
from outcomes.evaluation.by_arm import ByArm, Counts
from outcomes.models import OutcomeCode, OutcomeCount, RateSnapshot, RecordedOutcome
from outcomes.rates.readers import Outcomes
from referrals.cases import views
from referrals.cases.tables import CaseTable
from referrals.models import (
    Allocation,
    ApprovalKind,
    Arm,
    Case,
    CaseState,
    ControlCheck,
    Decision,
    Referral,
    TrialStatus,
)
from referrals.rules.trial.analysis import OpenCases, Plan
from src_app.accounts.models import User
from src_app.accounts.roles import Role
from tests import factories
from tests.conftest import World
from tests.factories import NOW
from tests.meta.test_access import PATTERNS

pytestmark = pytest.mark.usefixtures("clock")

START = NOW - timedelta(days=30)
# Codes of each arm; none: open. 14 and 16 are attrition.
CODES: dict[Arm, dict[int | None, int]] = {
    Arm.SRC: {16: 103, 1: 41, 18: 7, None: 60},
    Arm.CONTROL: {16: 160, 14: 13, 1: 13, 18: 11, None: 2},
}
COUNTS = {
    Arm.SRC: Counts(units=211, closed=151, attrition=103, charge=41, positive=41),
    Arm.CONTROL: Counts(units=199, closed=197, attrition=173, charge=13, positive=13),
}
TOGETHER = Counts(*(sum(pair) for pair in zip(*map(astuple, COUNTS.values()), strict=True)))

# Commands that tell of what is recorded, and what each is given; and those that do not.
READ: dict[str, list[str]] = {
    "compute_rates": ["--json"],
    "export_cases": ["FILE", "--bcu=SW"],
    "recount": ["--json"],
    "reconcile_flags": ["LIST", "--bcu=SW", "--json"],
    "trial_check": ["Pilot", "--json"],
    "trial_export": ["Pilot"],
    "trial_head": ["Pilot"],
}
READ_NOTHING = {
    "add_bank_holiday",
    "add_person",
    "change_person",
    "import_cases",
    "import_outcomes",
    "load_postcodes",
    "load_reference_data",
    "trial_guessing",
    "trial_power",
    "trial_verify",
}


def _written(part: int, whole: int) -> set[str]:
    """A share in the forms that somebody might write it in."""
    share = part / whole
    return {f"{100 * share:.0f}%", f"{100 * share:.1f}%", f"{share:.2f}", f"{share:.3f}"}


def _telling(counts: Counts) -> set[str]:
    """What tells of the outcomes of those counted: the counts that stand alone, and every share.

    Smaller counts are days of a month, too, and are told by their shares.
    """
    parts = (counts.closed, counts.attrition, counts.charge, counts.positive)
    shares = chain.from_iterable(_written(part, counts.units) for part in parts)
    of_closed = chain.from_iterable(_written(part, counts.closed) for part in parts[1:])
    return {str(part) for part in parts if part > 99} | set(shares) | set(of_closed)


def _compared() -> set[str]:
    """Difference and ratio of the arms' attrition."""
    found = set()
    for rule in OpenCases:
        primary = ByArm(COUNTS[Arm.SRC], COUNTS[Arm.CONTROL], Plan(open_cases=rule)).primary
        assert primary.points is not None
        assert primary.risk_ratio is not None
        found |= {f"{abs(primary.points):.1f}", f"{primary.risk_ratio:.2f}", f"{primary.risk_ratio:.3f}"}
    return found


SECRET = _telling(COUNTS[Arm.SRC]) | _telling(COUNTS[Arm.CONTROL]) | _compared()
# A whole number that stands alone: no part of a time, date, reference or other number.
NUMBER = re.compile(r"(?<![\w./:])(?<!\w-)\d+(?:\.\d+)?%?(?![\w/:]|-\d|\.\d)")
# Numbers of rows, which are as they happen to be, and of names that the factories count.
ROW_NUMBER = re.compile(
    r"\b(?:trial|look|data set) \d+\b|\"number\": \d+"
    r"|\b(?:Unit|Borough|Team|Ward|Trial|Online session) \d+\b"
)


# A share of anything but the units, or the closed cases, of one arm tells nothing of an arm's outcomes; nor
# does how many controls were checked and not contacted: all but the one that a deviation is recorded of; nor
# how many references one look at a list showed.
OF_OTHERS = re.compile(
    r"\b[\d,]+ of (?!(?:211|199|151|197)\b)[\d,]+ \(\d+%\)|\b198 of 199 \(99%\)|\band \d+ others\b"
)


def found_in(text: str) -> set[str]:
    """The secret numbers of a text."""
    return SECRET & set(NUMBER.findall(OF_OTHERS.sub("", ROW_NUMBER.sub("", text))))


def _read(response: HttpResponseBase) -> str:
    """What somebody can read of it: the words, and those that are spoken of pictures and buttons."""
    if isinstance(response, StreamingHttpResponse | FileResponse):
        return b"".join(response).decode()
    assert isinstance(response, HttpResponse)
    text = response.content.decode()
    if "csv" in response.headers["Content-Type"]:
        return text
    spoken = re.findall(r'\b(?:alt|title|aria-label|data-label)="([^"]*)"', text)
    # A sign in an attribute that ends its tag too early leaves more to search, never less.
    return html.unescape(" ".join([re.sub("</[^>]*>", "", re.sub("<(?!/)[^>]*>", " ", text)), *spoken]))


class Scene:
    """A trial of South West with numbers that nothing else here is, and one record of each kind beside it."""

    def __init__(self, world: World, status: TrialStatus) -> None:
        self.world = world
        self.trial = factories.TrialFactory.create(bcu=world.south_west, name="Pilot", began_at=START)
        self.submission = factories.SubmissionFactory.create(bcu=world.south_west, submitted_at=START)
        drawn = [
            (arm, code)
            for arm, codes in CODES.items()
            for code, number in codes.items()
            for _ in range(number)
        ]
        # The arms take turns, as those of a trial: 101 and 410 have no divisor in common.
        drawn = [drawn[101 * turn % len(drawn)] for turn in range(len(drawn))]
        self.cases = self._cases(len(drawn))
        self._decide()
        self.allocations = self._allocate([arm for arm, _ in drawn])
        self._close([code for _, code in drawn])
        self._refer()
        if status == TrialStatus.CLOSED:
            self._check()
            factories.advance(self.trial, TrialStatus.CLOSED, by=self.trial.proposed_by or _nobody(), at=NOW)
        self.opener = factories.UserFactory.create(
            username="opener", role=Role.TRIAL_LEAD, display_name="Lead before"
        )
        factories.BcuMembershipFactory.create(user=self.opener, bcu=world.south_west)
        self.look = open_look(
            trial_id=self.trial.pk, planned_on=None, reason="The committee asks.", by=self.opener, at=NOW
        )

    def _cases(self, number: int) -> list[Case]:
        ward = self.world.wards[0]
        built = factories.CaseFactory.build_batch(
            number, ward=ward, reported_at=START - timedelta(hours=5), decided_at=START
        )
        return Case.objects.bulk_create(built)

    def _decide(self) -> None:
        by = self.submission.submitted_by
        Decision.objects.bulk_create(
            Decision(
                case=case,
                suitable=True,
                drafted_by=by,
                drafted_at=START,
                submission=self.submission,
                assessed_for=self.trial,
            )
            for case in self.cases
        )

    def _allocate(self, arms: list[Arm]) -> list[Allocation]:
        built = [
            factories.AllocationFactory.build(
                trial=self.trial,
                case=case,
                arm=arm,
                submission=self.submission,
                number=number,
                position=number,
                allocated_at=START,
                previous_hash=f"{number - 1:064x}" if number > 1 else "",
                row_hash=f"{number:064x}",
            )
            for number, (case, arm) in enumerate(zip(self.cases, arms, strict=True), start=1)
        ]
        return Allocation.objects.bulk_create(built)

    def _close(self, codes: list[int | None]) -> None:
        for code in {code for code in codes if code is not None}:
            factories.OutcomeCodeFactory.create(code=code)
        by = self.submission.submitted_by
        RecordedOutcome.objects.bulk_create(
            RecordedOutcome(case=case, code_id=code, recorded_at=START, imported_at=START, imported_by=by)
            for case, code in zip(self.cases, codes, strict=True)
            if code is not None
        )

    def _refer(self) -> None:
        by = self.submission.submitted_by
        src = [allocation for allocation in self.allocations if allocation.arm == Arm.SRC]
        Referral.objects.bulk_create(
            factories.ReferralFactory.build(
                case=allocation.case,
                allocation=allocation,
                ward=allocation.case.ward,
                completed=True,
                made_at=START,
                made_by=by,
                closed_by=by,
            )
            for allocation in src
        )

    def _check(self) -> None:
        by = self.submission.submitted_by
        ControlCheck.objects.bulk_create(
            ControlCheck(allocation=allocation, contacted=False, checked_at=NOW, checked_by=by)
            for allocation in self.allocations
            if allocation.arm == Arm.CONTROL
        )

    def _control(self) -> Allocation:
        return next(each for each in self.allocations if each.arm == Arm.CONTROL)

    def arguments(self, pattern: URLPattern) -> Iterator[dict[str, Any]]:
        """What to call an address with: for a case, one of each arm."""
        referral = Referral.objects.order_by("pk").first()
        assert referral is not None
        made: dict[str, Callable[[], list[Any]]] = {
            "code": lambda: [self.world.wards[0].code],
            "trial_id": lambda: [self.trial.pk],
            "look_id": lambda: [self.look.pk],
            "kind": lambda: ApprovalKind.values,
            "registrar_id": lambda: list(self.trial.registrars.values_list("pk", flat=True)),
            "deviation_id": lambda: [factories.DeviationFactory.create(allocation=self._control()).pk],
            "case_id": lambda: [
                next(each.case_id for each in self.allocations if each.arm == arm) for arm in Arm
            ],
            "number": lambda: [1 if "trial_id" in pattern.pattern.converters else referral.number],
            "submission_id": lambda: [self.submission.pk],
            "import_id": lambda: [factories.CaseImportFactory.create(bcu=self.world.south_west).pk],
            "attempt_id": lambda: [factories.ContactAttemptFactory.create(referral=referral).pk],
            "follow_up_id": lambda: [factories.FollowUpFactory.create(attempt__referral=referral).pk],
            "briefing_id": lambda: [factories.BriefingFactory.create().pk],
            "leave_id": lambda: [factories.LeaveFactory.create().pk],
            "team_id": lambda: [referral.team_id],
            "ward_id": lambda: [referral.ward_id],
            "move_id": lambda: [factories.PlaceMoveFactory.create(to_team=referral.team).pk],
            "user_id": lambda: [User.objects.get(username="opener").pk],
            "pk": lambda: [1],  # of a passkey: there is none
            "request_id": lambda: [factories.AuditEntryFactory.create().request_id],
        }
        sets = [made[name]() for name in pattern.pattern.converters]
        for number in range(max(map(len, sets), default=1)):
            yield {
                name: values[min(number, len(values) - 1)]
                for name, values in zip(pattern.pattern.converters, sets, strict=True)
            }


def _nobody() -> User:
    raise AssertionError("somebody proposed it")


@pytest.fixture(params=[TrialStatus.RECRUITING, TrialStatus.CLOSED])
def scene(request: pytest.FixtureRequest, world: World) -> Scene:
    return Scene(world, request.param)


@pytest.fixture
def closed(world: World) -> Scene:
    return Scene(world, TrialStatus.CLOSED)


def _choices(text: str) -> Iterator[dict[str, str]]:
    """Each choice of each list that a page filters or orders by."""
    for form in re.findall(r'<form[^>]*method="get".*?</form>', text, re.DOTALL):
        for name, options in re.findall(r'<select[^>]*name="([^"]+)"(.*?)</select>', form, re.DOTALL):
            for value in re.findall(r'<option[^>]*value="([^"]+)"', options):
                yield {name: html.unescape(value)}


def _answers(client: Client, address: str) -> Iterator[HttpResponseBase]:
    """The page, then the same with each choice that it offers."""
    response = client.get(address)
    if response.status_code != 200:
        return
    yield response
    if isinstance(response, HttpResponse) and response.headers["Content-Type"].startswith("text/html"):
        for asked in _choices(response.content.decode()):
            yield client.get(address, asked)


def walked(scene: Scene, user: User) -> tuple[int, dict[str, set[str]]]:
    """How many pages the account was shown, and those that tell a secret."""
    client = Client()
    client.force_login(user)
    shown, telling = 0, {}
    for pattern in PATTERNS:
        for arguments in scene.arguments(pattern):
            address = reverse(pattern.name or "", kwargs=arguments)
            for response in _answers(client, address):
                shown += 1
                if found := found_in(_read(response)):
                    telling[address] = found
    return shown, telling


def test_the_numbers_by_arm_are_none_of_both_arms_together() -> None:
    """Otherwise a page that shows totals would seem to tell."""
    for arm, codes in CODES.items():
        assert sum(codes.values()) == COUNTS[arm].units
    assert SECRET & _telling(TOGETHER) == set()
    assert {"103", "173", "49%", "87%", "68%", "88%", "-38.1".lstrip("-"), "0.56"} <= SECRET


def test_no_page_tells_anybody(scene: Scene, people: dict[str, User]) -> None:
    for user in people.values():
        shown, telling = walked(scene, user)
        assert telling == {}, user.role
        assert shown > 5, "it did walk"


def test_a_name_that_the_factories_count_tells_nothing() -> None:
    assert found_in("Team 103, Ward 151, trial 173") == set()
    assert found_in("103 of Team 151") == {"103"}


def test_the_walk_finds_what_is_planted(closed: Scene, leader: User, monkeypatch: pytest.MonkeyPatch) -> None:
    of_src = COUNTS[Arm.SRC]
    given = asdict(of_src)
    planted = Outcomes(cases=given.pop("units"), **given)
    monkeypatch.setattr("outcomes.rates.views.outcomes_so_far", lambda _: planted)
    _, telling = walked(closed, leader)
    assert set(telling) == {reverse("outcomes")}
    assert {"103", "49%", "151"} <= telling[reverse("outcomes")]


def test_it_finds_what_only_one_choice_of_a_filter_shows(
    closed: Scene, hcop: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a list by state that counted its rows by outcome would."""

    def planted(rows: list[Case], caption: str) -> CaseTable:
        usual = all(case.state == CaseState.USUAL_SERVICE for case in rows)
        return CaseTable(rows, caption="173 of 199 (87%) withdrew" if rows and usual else caption)

    monkeypatch.setattr(views, "CASES", replace(views.CASES, table=planted))  # type: ignore[arg-type]
    client = Client()
    client.force_login(hcop)
    first, *others = [found_in(_read(page)) for page in _answers(client, reverse("case_list"))]
    assert not first
    assert {"173", "87%"} in others


def test_whoever_opened_a_look_sees_it_and_the_walk_does(scene: Scene) -> None:
    _, telling = walked(scene, scene.opener)
    assert set(telling) == {reverse("trial_look", args=[scene.trial.pk, scene.look.pk])}
    assert all({"103", "173", "49%", "87%"} <= found for found in telling.values())


def test_once_outcomes_are_locked_the_walk_finds_them(closed: Scene, trial_lead: User) -> None:
    lock_outcomes(trial_id=closed.trial.pk, by=trial_lead, at=NOW)
    _, telling = walked(closed, trial_lead)
    assert reverse("trial_results", args=[closed.trial.pk]) in telling


def test_every_command_is_known_here() -> None:
    """A new one is run below, or tells nothing of what is recorded."""
    own = {
        name
        for name, app in get_commands().items()
        if str(app).split(".")[0] in {"src_app", "referrals", "outcomes"}
    }
    assert own == set(READ) | READ_NOTHING


def test_no_command_tells(scene: Scene, tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text("\n".join(["URN", *Case.objects.values_list("crime_reference", flat=True)]))
    for command, given in READ.items():
        out = io.StringIO()
        file = tmp_path / command
        arguments = [{"FILE": str(file), "LIST": str(listed)}.get(each, each) for each in given]
        # Made allocations are no true chain: the check ends with 1.
        with suppress(SystemExit, CommandError):
            call_command(command, *arguments, stdout=out, stderr=out)
        told = out.getvalue() + (file.read_text(encoding="utf-8-sig") if file.exists() else "")
        assert told, command
        assert found_in(told) == set(), command


def test_the_search_of_a_command_s_words_finds_what_is_planted() -> None:
    for planted in (
        '{"attrition": 103, "cases": 211}',
        "src,103,211",
        "49% of SRC",
        "RR 0.56 (-38.1 points)",
    ):
        assert found_in(planted), planted
    for other in ("01/7100103/26", "SRC-2026-900103", "10:03", "2026-11-23", "trial 103", '"number": 173'):
        assert not found_in(other), other


def test_no_count_that_is_kept_is_of_one_arm(scene: Scene) -> None:
    call_command("compute_rates", stdout=io.StringIO())
    assert RateSnapshot.objects.exists()
    counts = ("cases", "closed", "attrition", "charge", "positive")
    kept = {str(each) for row in RateSnapshot.objects.values_list(*counts) for each in row}
    kept |= {str(cases) for cases in OutcomeCount.objects.values_list("cases", flat=True)}
    assert str(TOGETHER.attrition) in kept, "they count what was made"
    assert kept & SECRET == set()


def test_a_list_that_tells_which_cases_have_src_tells_no_outcome(closed: Scene, hcop: User) -> None:
    """One case at a time its page tells both; nothing lists or counts them together."""
    titles = set(OutcomeCode.objects.values_list("short_title", flat=True))
    client = Client()
    client.force_login(hcop)
    telling = {
        name
        for name in ("case_list", "flag_list", "submitted", "follow_up_list")
        for pattern in PATTERNS
        if pattern.name == name
        for arguments in closed.arguments(pattern)
        for response in _answers(client, reverse(name, kwargs=arguments))
        if any(title in _read(response) for title in titles)
    }
    assert telling == set()
    one = client.get(reverse("case", args=[closed.allocations[0].case_id]))
    assert any(title in _read(one) for title in titles), "the search does find them"


def test_no_choice_on_the_outcomes_page_changes_whose_outcomes_are_counted(closed: Scene, hcop: User) -> None:
    """A choice that did would let two totals be taken from one another."""
    client = Client()
    client.force_login(hcop)
    counted = {page.context["outcomes"] for page in _answers(client, reverse("outcomes"))}  # type: ignore[attr-defined]
    together = asdict(TOGETHER)
    assert counted == {Outcomes(cases=together.pop("units"), **together)}
