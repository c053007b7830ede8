"""What a trial's page offers next: every status, for every set of permissions."""

from itertools import chain, combinations

import pytest

from referrals.models import Bcu, Mode, Pause, Trial, TrialStatus
from referrals.rules.trial.allocation import Design, Scheme
from referrals.rules.trial.protocol import protocol_of
from referrals.trial.readers.next_step import next_step
from referrals.trial.readers.page import TrialPage
from src_app.accounts.models import User
from src_app.accounts.roles import PERMISSIONS, Permission
from tests.factories import NOW, conduct

MANAGE, SEAL, EXPORT = Permission.MANAGE_TRIALS, Permission.SEAL_TRIALS, Permission.EXPORT_TRIALS
GRANTED = [
    frozenset(granted)
    for granted in chain.from_iterable(combinations((MANAGE, SEAL, EXPORT), n) for n in range(4))
]
LEAD = User(pk=1, display_name="Trial lead")
ROLE = "reader of a trial"

# Each state of a trial: the steps of whoever manages, those of whoever seals, and a piece of what is said.
STATES: dict[str, tuple[list[str], list[str], str]] = {
    "draft, something lacking": (["design_trial", "delete_trial"], [], "still needs"),
    "draft, complete": (["propose_trial", "design_trial", "delete_trial"], [], "Propose it"),
    "draft, proposed": (["design_trial", "delete_trial"], ["seal_trial"], "Trial lead proposed it"),
    "draft, proposed by the reader": (["design_trial", "delete_trial"], [], "You proposed it"),
    "sealed": (["open_trial"], [], "Recruitment may be opened"),
    "recruiting": (["pause_trial", "close_trial"], [], "3 of 250 (1%) victims are allocated"),
    "recruiting, paused": (["resume_trial", "close_trial"], [], "by Trial lead: No staff. Meanwhile"),
    "closed": ([], [], "Outcomes can be locked"),
    "locked": (["reveal_trial"], [], "Reveal the seed"),
    "revealed": ([], [], "its seed is published"),
}


def reader(granted: frozenset[Permission], monkeypatch: pytest.MonkeyPatch) -> User:
    monkeypatch.setitem(PERMISSIONS, ROLE, granted)
    return User(pk=2, role=ROLE, display_name="Reader")


def page_in(state: str, by: User, *, meanwhile: Mode = Mode.SRC_FOR_ALL) -> TrialPage:
    status = TrialStatus(state.partition(",")[0])
    is_draft = status == TrialStatus.DRAFT
    trial = Trial(
        pk=1,
        status=status,
        protocol=protocol_of(
            name="Pilot", bcu="SW", design=Design(Scheme.SIMPLE, target=250), conduct=conduct(["E1"])
        ),
        bcu=Bcu(code="SW"),
        commitment="" if is_draft else "c" * 64,
        revealed_seed="5" * 64 if status == TrialStatus.REVEALED else "",
    )
    if not is_draft or "proposed" in state:
        trial.proposed_at = NOW
        trial.proposed_by = by if state.endswith("by the reader") else LEAD
    pause = Pause(trial=trial, reason="No staff.", meanwhile=meanwhile, paused_at=NOW, paused_by=LEAD)
    return TrialPage(
        trial=trial,
        lines=[],
        steps=[],
        approvals=[],
        registrars=[],
        pause=pause if state.endswith("paused") else None,
        lacking=["a registrar outside the force"] if state.endswith("lacking") else [],
        units=3,
        proposed_by_reader=trial.proposed_by == by,
    )


def test_every_status_is_tried() -> None:
    assert {state.partition(",")[0] for state in STATES} == set(TrialStatus.values)


@pytest.mark.parametrize("granted", GRANTED, ids=lambda granted: "+".join(sorted(granted)) or "reads only")
@pytest.mark.parametrize("state", STATES)
def test_each_reader_is_offered_the_steps_they_may_take_and_no_other(
    state: str, granted: frozenset[Permission], monkeypatch: pytest.MonkeyPatch
) -> None:
    user = reader(granted, monkeypatch)
    managed, sealed, said = STATES[state]
    step = next_step(page_in(state, user), user)
    assert [link.url_name for link in step.links] == [
        *(managed if MANAGE in granted else []),
        *(sealed if SEAL in granted else []),
    ]
    assert said in step.words
    assert bool(step.bundle) == (EXPORT in granted and not state.startswith("draft"))


def test_a_draft_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    user = reader(frozenset(), monkeypatch)
    assert next_step(page_in("draft, something lacking", user), user).lacking == (
        "a registrar outside the force",
    )


@pytest.mark.parametrize(
    ("meanwhile", "service"), [(Mode.SRC_FOR_ALL, "SRC"), (Mode.NOT_STARTED, "usual service")]
)
def test_a_pause_says_what_suitable_cases_get_meanwhile(
    meanwhile: Mode, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = reader(frozenset(), monkeypatch)
    step = next_step(page_in("recruiting, paused", user, meanwhile=meanwhile), user)
    assert step.notice == "Recruitment is paused"
    assert step.words.endswith(f"Meanwhile suitable cases get {service}.")


@pytest.mark.parametrize(("state", "seed"), [("revealed", True), ("locked", False)])
def test_the_bundle_says_whether_the_seed_is_in_it(
    state: str, seed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = reader(frozenset({EXPORT}), monkeypatch)
    assert ("with the seed" in next_step(page_in(state, user), user).bundle) == seed
