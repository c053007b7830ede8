"""No page that a senior leader may open asks for the words of statistics or of cryptography.

Every address that answers a leader is opened, for a trial at every step of its life and of every scheme, and
its words are searched, those that are spoken of pictures among them.
"""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from referrals.models import Arm, DeviationKind, Trial, TrialStatus
from referrals.rules.trial.allocation import Design, Factor, Scheme
from referrals.rules.trial.protocol import YES_OR_NO, protocol_of
from src_app.accounts.models import User
from tests import factories
from tests.conftest import World
from tests.factories import NOW
from tests.meta.test_access import LINES, OWN, PATTERNS, Records
from tests.outcomes.evaluation.trials import look_of

pytestmark = pytest.mark.usefixtures("clock")

UNWELCOME = re.compile(r"\b(arms?|strat(um|a|ified)|hash(es)?|sha(-?\d+)?)\b", re.IGNORECASE)
BLOCKS = Design(Scheme.STRATIFIED_BLOCKS, target=40, block_sizes=(2, 4), strata=YES_OR_NO)
MINIMISED = Design(Scheme.MINIMISATION, target=40, factors=(Factor("repeat_victim", YES_OR_NO),))
ARGUMENTS = {pattern.name or "": set(pattern.pattern.converters) for pattern in PATTERNS}
OPENED = [line["address"] for line in LINES if line["method"] == "GET" and line["leader"] == "ok"]


def words_of(page: str) -> str:
    """What somebody reads of it, and what is spoken."""
    text = re.sub(r"(?s)<(script|style)\b.*?</\1>", "", page)
    spoken = re.findall(r'\b(?:alt|title|aria-label|data-label|placeholder)="([^"]*)"', text)
    return html.unescape(" ".join([re.sub("<[^>]*>", " ", text), *spoken]))


def unwelcome_in(page: str) -> set[str]:
    """The words that should not be there, with what stands around them."""
    words = " ".join(words_of(page).split())
    return {words[max(found.start() - 40, 0) : found.end() + 20] for found in UNWELCOME.finditer(words)}


def _trial(world: World, status: TrialStatus, design: Design) -> Trial:
    """A trial with units of both arms, a deviation, a look, and a locked data set once there can be one."""
    codes = [ward.code for ward in world.wards]
    protocol = protocol_of(
        name="Pilot",
        bcu=world.south_west.code,
        design=design,
        stratified_by="repeat_victim" if design.strata else "",
        conduct=factories.conduct(codes),
    )
    draft = {"bcu": world.south_west, "protocol": protocol}
    if status in (TrialStatus.DRAFT, TrialStatus.SEALED):
        return factories.TrialFactory.create(**draft, status=status)
    trial = factories.TrialFactory.create(**draft)
    for arm in (Arm.SRC, Arm.CONTROL, Arm.CONTROL):
        fields = {"stratum": "yes"} if design.strata else {"stratum": "", "levels": {"repeat_victim": "no"}}
        unit = factories.AllocationFactory.create(
            trial=trial, case__ward=world.wards[0], arm=arm, allocated_at=NOW - timedelta(days=20), **fields
        )
    factories.AllocationFactory.create(
        trial=trial,
        case__ward=world.wards[0],
        follows=unit,
        position=None,
        arm=unit.arm,
        stratum=unit.stratum,
    )
    factories.DeviationFactory.create(allocation=unit, kind=DeviationKind.BY_ACCIDENT)
    look_of(trial, by=User.objects.get(username="trial_lead"))
    factories.advance(trial, status, by=User.objects.get(username="trial_lead"))
    if status in (TrialStatus.LOCKED, TrialStatus.REVEALED):
        factories.DataSetFactory.create(trial=trial)
    return trial


def test_the_search_finds_what_is_planted() -> None:
    for word in ("Arm", "arms", "each stratum", "Strata", "a hash of", "SHA-256", "sha256"):
        assert unwelcome_in(f"<p>By {word}.</p>")
        assert unwelcome_in(f'<img alt="By {word}">')
    assert not unwelcome_in('<p class="app-flow__arm">Army, strategy, harm, share <script>sha()</script></p>')


def test_no_page_without_a_trial_asks_for_them(world: World, people: dict[str, User]) -> None:
    browser, records = Client(), Records(world)
    browser.force_login(people["leader"])
    factories.TrialFactory.create(bcu=world.south_west)
    seen = {
        address: found
        for address in dict.fromkeys(OPENED)
        if "trial_id" not in ARGUMENTS[address]
        and (found := unwelcome_in(_opened(browser, address, records.arguments(address, OWN))))
    }
    assert seen == {}


@pytest.mark.parametrize("design", [BLOCKS, MINIMISED], ids=["blocks", "minimised"])
@pytest.mark.parametrize("status", TrialStatus)
def test_no_page_of_a_trial_asks_for_them(
    world: World, people: dict[str, User], status: TrialStatus, design: Design
) -> None:
    browser = Client()
    browser.force_login(people["leader"])
    trial = _trial(world, status, design)
    of_trial = [address for address in dict.fromkeys(OPENED) if ARGUMENTS[address] == {"trial_id"}]
    assert {"trial", "trial_progress", "trial_wards", "trial_results", "seal_trial"} <= set(of_trial)
    seen = {
        address: found
        for address in of_trial
        if (found := unwelcome_in(_opened(browser, address, {"trial_id": trial.pk})))
    }
    assert seen == {}


def _opened(browser: Client, address: str, arguments: dict[str, Any]) -> str:
    """The page, or nothing where the address answers with something else."""
    response = browser.get(reverse(address, kwargs=arguments))
    assert response.status_code < 400, address
    is_page = response.status_code == 200 and "text/html" in response["Content-Type"]
    return response.content.decode() if is_page else ""
