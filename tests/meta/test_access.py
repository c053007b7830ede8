"""Every address × method × role, and own against others' records, answers as ``access.csv`` says.

The table is reviewed by people. A new address fails here until it has its lines, and so does a line without
an address. ``record`` says whose record the address names: of the account's own team (for HCOPs: their BCU),
of another team of the BCU, of another BCU, or none.
"""

import csv
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from referrals.models import ApprovalKind, Method, Referral, Result, TrialStatus
from src_app.accounts.models import User
from src_app.audit.models import Action
from tests import factories
from tests.conftest import World

TABLE = Path(__file__).with_name("access.csv")
ANONYMOUS = "anonymous"
ROLES = (
    ANONYMOUS,
    "hcop",
    "officer",
    "supervisor",
    "leader",
    "trial_lead",
    "auditor",
    "administrator",
)
METHODS = ("GET", "POST")
OWN, OTHER_TEAM, OTHER_BCU = "own", "other team", "other BCU"
# Addresses whose argument is no record of the domain.
NO_RECORD = {"audit_request", "mfa_remove_webauthn"}
# These name their record in the body.
RECORD_IN_BODY = {
    "submit_decisions",
    "compare_flags",
    "confirm_flags",
    "confirm_flags_removed",
    "undo_flags",
}


def _patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern)
        else:
            yield pattern


PATTERNS = list(_patterns(get_resolver()))


def _records_of(pattern: URLPattern) -> tuple[str, ...]:
    name = pattern.name or ""
    takes_argument = bool(pattern.pattern.converters) or bool(pattern.pattern.regex.groupindex)
    if name in RECORD_IN_BODY or (takes_argument and name not in NO_RECORD):
        return OWN, OTHER_TEAM, OTHER_BCU
    return ("",)


EXPECTED_LINES = {
    (pattern.name or "", method, whose)
    for pattern in PATTERNS
    for method in METHODS
    for whose in _records_of(pattern)
}


def _lines() -> list[dict[str, str]]:
    with TABLE.open(newline="") as file:
        return list(csv.DictReader(file))


LINES = _lines()


def _key(line: dict[str, str]) -> tuple[str, str, str]:
    return line["address"], line["method"], line["record"]


def test_every_address_has_a_name_of_its_own() -> None:
    names = [pattern.name for pattern in PATTERNS]
    assert all(names)
    assert len(names) == len(set(names))


def test_the_table_has_a_line_for_every_address_and_no_other() -> None:
    lines = [_key(line) for line in LINES]
    assert sorted(set(lines)) == sorted(lines), "a line stands twice"
    assert EXPECTED_LINES - set(lines) == set(), "addresses without a line"
    assert set(lines) - EXPECTED_LINES == set(), "lines without an address"


def answer_class(response: HttpResponseBase) -> str:
    """The word of the table for an answer."""
    status = response.status_code
    if status == 302 and response.headers["Location"].startswith(reverse("account_login")):
        return "sign-in"
    words = {403: "forbidden", 404: "not-found", 405: "no-method"}
    # 400 is a form sent back: whoever gets that far was let in.
    return words.get(status, "ok" if status < 400 or status == 400 else str(status))


class Records:
    """The records that addresses name, one of each kind for each scope."""

    def __init__(self, world: World) -> None:
        self.world = world

    def arguments(self, name: str, whose: str) -> dict[str, Any]:
        """The address's arguments."""
        if name == "audit_request":
            return {"request_id": factories.AuditEntryFactory.create(action=Action.SEARCHED).request_id}
        if name == "mfa_remove_webauthn":
            return {"pk": 1}
        make = self._makers(name).get(name)
        return make(whose) if make and whose and name not in RECORD_IN_BODY else {}

    def body(self, name: str, whose: str) -> dict[str, Any]:
        """What a POST to it sends; where the record is named there, that of the scope."""
        if name == "submit_decisions":
            decision = factories.DecisionFactory.create(
                case=factories.CaseFactory.create(ward=self._ward(whose))
            )
            bcu = decision.case.bcu_id
            key = "11111111-1111-4111-8111-111111111111"
            return {"bcu": bcu, "key": key, "decision": f"{decision.case_id}:{decision.version}"}
        if name == "search":
            # The end of several.
            for number in range(2):
                factories.CaseFactory.create(
                    ward=self.world.wards[0], crime_reference=f"01/73{number}4711/26"
                )
            return {"reference": "4711/26"}
        if name == "compare_flags":
            return self._compared(whose)
        if name in {"confirm_flags", "confirm_flags_removed", "undo_flags"}:
            return {"referral": factories.ReferralFactory.create(case__ward=self._ward(whose)).pk}
        return {}

    def _compared(self, whose: str) -> dict[str, Any]:
        """A list, as the page sends it on, with a referral of the scope in it."""
        case = factories.ReferralFactory.create(case__ward=self._ward(whose)).case_id
        return {"taken_on": f"{timezone.localdate()}", "references": 1, "found": case, "act": "confirm"}

    def _ward(self, whose: str) -> Any:
        return {
            OWN: self.world.wards[0],
            OTHER_TEAM: self.world.wards[1],
            OTHER_BCU: self.world.north_ward,
        }[whose]

    def _makers(self, name: str) -> dict[str, Callable[[str], dict[str, Any]]]:
        waiting = (
            "mark_suitable",
            "mark_not_suitable",
            "mark_refer_now",
            "clear_decision",
            "set_safety",
            "answer_questions",
            "choose_team",
            "refer_now",
            "ring_again",
            "reopen_decision",
            "find_not_suitable",
            "correct_finding",
            "move_referral",
            "case",
        )
        of_referral = (
            "referral",
            "take_referral",
            "return_referral",
            "read_changes",
            "log_contact",
            "close_referral",
            "stop_clock",
            "decide_safety",
            "reopen_referral",
            "let_clock_go_on",
            "chase_referral",
            "transfer_referral",
        )
        imports = (
            "import_preview",
            "import_progress",
            "import_columns",
            "import_strands",
            "import_rejected",
            "import_save",
            "import_discard",
        )
        of_trial = [p.name or "" for p in PATTERNS if set(p.pattern.converters) == {"trial_id"}]
        of_person = [p.name or "" for p in PATTERNS if set(p.pattern.converters) == {"user_id"}]
        of_team = [p.name or "" for p in PATTERNS if set(p.pattern.converters) == {"team_id"}]
        of_draft = ("design_trial", "name_registrars", "remove_registrar", "approve_trial")
        return {
            **dict.fromkeys(waiting, self._case),
            **dict.fromkeys(of_trial, self._trial),
            **dict.fromkeys(of_draft, lambda whose: self._draft(name, whose)),
            **dict.fromkeys(of_referral, self._referral),
            **dict.fromkeys(imports, self._import),
            **dict.fromkeys(of_person, self._person),
            **dict.fromkeys(of_team, lambda whose: {"team_id": self._ward(whose).team_id}),
            "attempt_saved": self._attempt,
            "compliance_ward": lambda whose: {"code": self._ward(whose).code},
            "settle_attempt": self._attempt,
            "withdraw_attempt": self._attempt,
            "record_deviation": self._allocation,
            "withdraw_deviation": self._deviation,
            "acknowledge_follow_up": self._follow_up,
            "finish_follow_up": self._follow_up,
            "change_ward": lambda whose: {"ward_id": self._ward(whose).pk},
            "drop_move": self._move,
            "end_leave": self._leave,
            "briefing": self._briefing,
            "undo_follow_up": self._follow_up,
            "submitted": self._submission,
            "correct_data_set": self._locked_trial,
            "trial_data_set": self._data_set,
            "trial_look": self._look,
        }

    def _case(self, whose: str) -> dict[str, Any]:
        return {"case_id": factories.CaseFactory.create(ward=self._ward(whose)).pk}

    def _allocation(self, whose: str) -> dict[str, Any]:
        return {"case_id": factories.AllocationFactory.create(case__ward=self._ward(whose)).case_id}

    def _deviation(self, whose: str) -> dict[str, Any]:
        deviation = factories.DeviationFactory.create(allocation__case__ward=self._ward(whose))
        return {"case_id": deviation.allocation.case_id, "deviation_id": deviation.pk}

    def _referral(self, whose: str) -> dict[str, Any]:
        return {"number": factories.ReferralFactory.create(case__ward=self._ward(whose)).number}

    def _import(self, whose: str) -> dict[str, Any]:
        return {"import_id": factories.CaseImportFactory.create(bcu=self._ward(whose).borough.bcu).pk}

    def _attempt(self, whose: str) -> dict[str, Any]:
        attempt = factories.ContactAttemptFactory.create(
            referral__case__ward=self._ward(whose), method=Method.TELEPHONE, result=Result.NO_ANSWER
        )
        return {"number": attempt.referral.number, "attempt_id": attempt.pk}

    def _follow_up(self, whose: str) -> dict[str, Any]:
        follow_up = factories.FollowUpFactory.create(attempt__referral__case__ward=self._ward(whose))
        return {"follow_up_id": follow_up.pk}

    def _leave(self, whose: str) -> dict[str, Any]:
        colleague = factories.TeamMembershipFactory.create(team=self._ward(whose).team).user
        return {"leave_id": factories.LeaveFactory.create(user=colleague).pk}

    def _briefing(self, whose: str) -> dict[str, Any]:
        member = factories.TeamMembershipFactory.create(team=self._ward(whose).team).user
        return {"briefing_id": factories.BriefingAttendanceFactory.create(user=member).briefing_id}

    def _move(self, whose: str) -> dict[str, Any]:
        return {"move_id": factories.PlaceMoveFactory.create(from_team=self._ward(whose).team).pk}

    def _person(self, whose: str) -> dict[str, Any]:
        member = factories.TeamMembershipFactory.create(team=self._ward(whose).team)
        return {"user_id": member.user_id}

    def _trial(self, whose: str) -> dict[str, Any]:
        return {"trial_id": factories.TrialFactory.create(bcu=self._ward(whose).borough.bcu).pk}

    def _draft(self, name: str, whose: str) -> dict[str, Any]:
        bcu = self._ward(whose).borough.bcu
        draft = factories.TrialFactory.create(bcu=bcu, status=TrialStatus.DRAFT)
        more: dict[str, dict[str, Any]] = {
            "approve_trial": {"kind": ApprovalKind.ETHICS.value},
            "remove_registrar": {"registrar_id": draft.registrars.get().pk},
        }
        return {"trial_id": draft.pk, **more.get(name, {})}

    def _locked_trial(self, whose: str) -> dict[str, Any]:
        data_set = factories.DataSetFactory.create(trial__bcu=self._ward(whose).borough.bcu)
        return {"trial_id": data_set.trial_id}

    def _data_set(self, whose: str) -> dict[str, Any]:
        return {**self._locked_trial(whose), "number": 1}

    def _look(self, whose: str) -> dict[str, Any]:
        """Opened by the trial lead: the scope alone keeps a look of another BCU's trial from them."""
        nothing = {"units": 0, "closed": 0, "attrition": 0, "charge": 0, "positive": 0}
        look = factories.LookFactory.create(
            trial__bcu=self._ward(whose).borough.bcu,
            content={"src": nothing, "control": nothing},
            opened_by=User.objects.get(username="trial_lead"),
        )
        return {"trial_id": look.trial_id, "look_id": look.pk}

    def _submission(self, whose: str) -> dict[str, Any]:
        return {"submission_id": factories.SubmissionFactory.create(bcu=self._ward(whose).borough.bcu).pk}


def _ask(client: Client, address: str, method: str, body: dict[str, Any]) -> str:
    """What the address answers; whatever it did is undone, so that the next role meets the same world."""
    # The rollback restores the session; its cookie, which signing out deletes, is restored here.
    cookies = deepcopy(client.cookies)
    with transaction.atomic():
        response = client.get(address) if method == "GET" else client.post(address, body)
        transaction.set_rollback(True)
    client.cookies = cookies
    return answer_class(response)


def _signed_in(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def _answers(line: dict[str, str], records: Records, clients: dict[str, Client]) -> dict[str, str]:
    """What each role gets; the line's records are gone afterwards."""
    name, method, whose = _key(line)
    with transaction.atomic():
        address = reverse(name, kwargs=records.arguments(name, whose))
        body = records.body(name, whose) if method == "POST" else {}
        answers = {role: _ask(client, address, method, body) for role, client in clients.items()}
        transaction.set_rollback(True)
    return answers


@pytest.mark.parametrize("address", dict.fromkeys(line["address"] for line in LINES))
def test_each_answer_is_as_the_table_says(address: str, world: World, people: dict[str, User]) -> None:
    records = Records(world)
    clients = {role: _signed_in(people.get(role)) for role in ROLES}
    lines = [line for line in LINES if line["address"] == address]
    wrong = {}
    for line in lines:
        try:
            answers = _answers(line, records, clients)
        except Exception as error:
            error.add_note(f"at {_key(line)}")
            raise
        unlike = {role: f"{got}, not {line[role]}" for role, got in answers.items() if got != line[role]}
        if unlike:
            wrong[_key(line)] = unlike
    assert wrong == {}, "answers that the table does not give"


def test_flags_of_another_bcu_cannot_be_confirmed(world: World, people: dict[str, User]) -> None:
    """The address takes many references at once and passes over those it may not touch."""
    own, other = (
        factories.ReferralFactory.create(case__ward=ward) for ward in (world.wards[0], world.north_ward)
    )
    client = Client()
    client.force_login(people["hcop"])
    client.post(reverse("confirm_flags"), {"referral": [own.pk, other.pk]})
    for referral in (own, other):
        referral.refresh_from_db()
    assert own.flag_confirmed_at is not None
    assert other.flag_confirmed_at is None
    Referral.objects.update(
        ruled_out_since=factories.NOW, flag_confirmed_at=factories.NOW, flag_confirmed_by=people["hcop"]
    )
    client.post(reverse("confirm_flags_removed"), {"referral": [own.pk, other.pk]})
    for referral in (own, other):
        referral.refresh_from_db()
    assert own.flag_removed_at is not None
    assert other.flag_removed_at is None


def test_a_list_confirms_no_flag_of_another_bcu(world: World, people: dict[str, User]) -> None:
    own, other = (
        factories.ReferralFactory.create(case__ward=ward) for ward in (world.wards[0], world.north_ward)
    )
    client = Client()
    client.force_login(people["hcop"])
    given = {"taken_on": f"{timezone.localdate()}", "references": 2, "act": "confirm"}
    page = client.post(reverse("compare_flags"), {**given, "found": f"{own.case_id},{other.case_id}"})
    assert own.number in page.text
    assert other.number not in page.text
    assert list(Referral.objects.filter(flag_confirmed_at=None)) == [other]


def test_flags_of_another_bcu_cannot_be_unconfirmed(world: World, people: dict[str, User]) -> None:
    confirmed = {"flag_confirmed_at": timezone.now(), "flag_confirmed_by": people["hcop"]}
    own, other = (
        factories.ReferralFactory.create(case__ward=ward, **confirmed)
        for ward in (world.wards[0], world.north_ward)
    )
    client = Client()
    client.force_login(people["hcop"])
    client.post(reverse("undo_flags"), {"of": "confirmed", "referral": [own.pk, other.pk]})
    assert list(Referral.objects.filter(flag_confirmed_at=None)) == [own]
