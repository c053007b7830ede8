"""A trial while it is a draft."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from referrals.models import Approval, ApprovalKind, Registrar, Trial, TrialStatus
from referrals.rules.trial.allocation import Design, Factor, Scheme
from referrals.rules.trial.analysis import OpenCases, Plan
from referrals.trial.actions.design import (
    delete_draft,
    draft_trial,
    name_registrar,
    record_approval,
    remove_registrar,
    revise_trial,
)
from referrals.trial.actions.life import propose
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.refused import Refused
from tests.conftest import World
from tests.database import refused_by
from tests.factories import NOW, TrialFactory, conduct

ASSESSED: dict[str, Any] = {
    "kind": ApprovalKind.DATA_PROTECTION,
    "reference": "DPIA/2026/12",
    "given_by": "Data protection officer",
    "given_on": date(2026, 11, 1),
}


@pytest.fixture
def terms(world: World) -> dict[str, Any]:
    """What a draft says: 250 units, complete randomisation, all wards of South West."""
    return {
        "name": "Pilot",
        "design": Design(Scheme.COMPLETE, target=250),
        "conduct": conduct(ward.code for ward in world.wards),
    }


@pytest.fixture
def draft(world: World, terms: dict[str, Any], trial_lead: User) -> Trial:
    return draft_trial(bcu=world.south_west, **terms, by=trial_lead)


@pytest.fixture
def proposed(world: World, trial_lead: User) -> Trial:
    trial = TrialFactory.create(bcu=world.south_west, status=TrialStatus.DRAFT)
    return propose(trial_id=trial.pk, by=trial_lead, at=NOW)


def test_a_draft_says_how_it_will_be_conducted_and_has_no_seed(
    draft: Trial, terms: dict[str, Any], trial_lead: User
) -> None:
    draft.refresh_from_db()
    assert (draft.status, draft.name) == (TrialStatus.DRAFT, "Pilot")
    assert (draft.design, draft.conduct) == (terms["design"], terms["conduct"])
    assert (draft.seed_encrypted, draft.commitment) == (None, "")
    entry = AuditEntry.objects.get(action=Action.TRIAL_DRAFTED)
    assert (entry.actor, entry.references) == (trial_lead, [f"trial {draft.pk}"])


def test_a_name_is_used_once(world: World, draft: Trial, terms: dict[str, Any], trial_lead: User) -> None:
    with pytest.raises(Refused, match="another name"):
        draft_trial(bcu=world.south_west, **terms, by=trial_lead)
    assert revise_trial(trial_id=draft.pk, **terms, by=trial_lead).name == "Pilot"


def test_a_draft_names_wards_of_its_bcu_alone(world: World, terms: dict[str, Any], trial_lead: User) -> None:
    terms["conduct"] = conduct([world.north_ward.code])
    with pytest.raises(Refused, match=f"{world.north_ward.code}: no ward of South West"):
        draft_trial(bcu=world.south_west, **terms, by=trial_lead)


BLOCKS: dict[str, Any] = {"target": 250, "block_sizes": (4, 6, 8)}
BALANCED: dict[str, Any] = {"scheme": Scheme.MINIMISATION, "target": 250}


@pytest.mark.parametrize(
    ("terms_of", "says"),
    [
        (
            {
                "design": Design(Scheme.STRATIFIED_BLOCKS, **BLOCKS, strata=("no", "yes")),
                "stratified_by": "colour",
            },
            "colour: nothing that is known of a case",
        ),
        ({"design": Design(**BALANCED, factors=(Factor("colour", ("a", "b")),))}, "colour: nothing"),
        (
            {"design": Design(**BALANCED, factors=(Factor("borough", ("E09000032", "E09000099")),))},
            "a level of borough in these wards",
        ),
        (
            {
                "design": Design(Scheme.STRATIFIED_BLOCKS, **BLOCKS, strata=("E09000032",)),
                "stratified_by": "borough",
            },
            "a stratum of these wards",
        ),
        (
            {
                "design": Design(Scheme.STRATIFIED_BLOCKS, **BLOCKS, strata=("no", "yes")),
                "stratified_by": "borough+repeat_victim",
            },
            "a stratum of these wards",
        ),
    ],
)
def test_a_protocol_under_which_a_case_could_have_no_arm_is_refused(
    world: World, terms: dict[str, Any], trial_lead: User, terms_of: dict[str, Any], says: str
) -> None:
    with pytest.raises(Refused, match=says):
        draft_trial(bcu=world.south_west, **{**terms, **terms_of}, by=trial_lead)
    assert not Trial.objects.exists()


def test_a_plan_of_closed_cases_only_is_refused(
    world: World, terms: dict[str, Any], trial_lead: User
) -> None:
    plan = Plan(open_cases=OpenCases.LEFT_OUT)
    terms["conduct"] = replace(terms["conduct"], plan=plan)
    with pytest.raises(Refused, match="Count open cases as without the outcome"):
        draft_trial(bcu=world.south_west, **terms, by=trial_lead)


def test_only_the_trial_lead_of_the_bcu_drafts(
    world: World, terms: dict[str, Any], trial_lead: User, leader: User, hcop: User
) -> None:
    for by in (leader, hcop):
        with pytest.raises(NotAllowed):
            draft_trial(bcu=world.south_west, **terms, by=by)
    with pytest.raises(NotAllowed):
        draft_trial(bcu=world.north, **terms, by=trial_lead)
    elsewhere = TrialFactory.create(bcu=world.north, status=TrialStatus.DRAFT)
    with pytest.raises(Trial.DoesNotExist):
        revise_trial(trial_id=elsewhere.pk, **terms, by=trial_lead)


def test_an_approval_recorded_again_stands_in_the_place_of_the_first(draft: Trial, trial_lead: User) -> None:
    for reference in ("DPIA/2026/11", "DPIA/2026/12"):
        record_approval(trial_id=draft.pk, **{**ASSESSED, "reference": reference}, by=trial_lead, at=NOW)
    approval = Approval.objects.get(trial=draft)
    assert (approval.reference, approval.recorded_by) == ("DPIA/2026/12", trial_lead)


def test_only_a_data_protection_assessment_allows_a_strand(draft: Trial, trial_lead: User) -> None:
    given = {**ASSESSED, "allows_strand": True}
    assert record_approval(trial_id=draft.pk, **given, by=trial_lead, at=NOW).allows_strand
    ethics = record_approval(
        trial_id=draft.pk, **{**given, "kind": ApprovalKind.ETHICS}, by=trial_lead, at=NOW
    )
    assert not ethics.allows_strand
    with refused_by("approval_of_a_strand_is_data_protections"):
        Approval.objects.filter(pk=ethics.pk).update(allows_strand=True)


def test_an_approval_of_tomorrow_is_refused(draft: Trial, trial_lead: User) -> None:
    tomorrow = NOW.date() + timedelta(days=1)
    with pytest.raises(Refused, match="dated in the future"):
        record_approval(trial_id=draft.pk, **{**ASSESSED, "given_on": tomorrow}, by=trial_lead, at=NOW)


def test_a_registrar_is_named_once_for_each_address(draft: Trial, trial_lead: User) -> None:
    name_registrar(trial_id=draft.pk, name="Library", email="a@example.org", by=trial_lead)
    named = name_registrar(trial_id=draft.pk, name="University library", email="a@example.org", by=trial_lead)
    assert Registrar.objects.get() == named
    assert named.name == "University library"
    remove_registrar(trial_id=draft.pk, registrar_id=named.pk, by=trial_lead)
    assert not Registrar.objects.exists()


def test_whatever_changes_a_draft_has_it_proposed_anew(
    proposed: Trial, terms: dict[str, Any], trial_lead: User
) -> None:
    changes = [
        lambda: revise_trial(trial_id=proposed.pk, **terms, by=trial_lead),
        lambda: record_approval(trial_id=proposed.pk, **ASSESSED, by=trial_lead, at=NOW),
        lambda: name_registrar(trial_id=proposed.pk, name="A", email="a@example.org", by=trial_lead),
        lambda: remove_registrar(
            trial_id=proposed.pk,
            registrar_id=Registrar.objects.get(email="a@example.org").pk,
            by=trial_lead,
        ),
    ]
    for change in changes:
        assert propose(trial_id=proposed.pk, by=trial_lead, at=NOW).proposed_by == trial_lead
        change()
        proposed.refresh_from_db()
        assert (proposed.proposed_at, proposed.proposed_by) == (None, None)


def test_a_sealed_trial_is_neither_changed_nor_deleted(
    world: World, terms: dict[str, Any], trial_lead: User
) -> None:
    sealed = TrialFactory.create(bcu=world.south_west, status=TrialStatus.SEALED)
    registrar = sealed.registrars.get()
    for change in (
        lambda: revise_trial(trial_id=sealed.pk, **terms, by=trial_lead),
        lambda: record_approval(trial_id=sealed.pk, **ASSESSED, by=trial_lead, at=NOW),
        lambda: name_registrar(trial_id=sealed.pk, name="A", email="a@example.org", by=trial_lead),
        lambda: remove_registrar(trial_id=sealed.pk, registrar_id=registrar.pk, by=trial_lead),
        lambda: delete_draft(trial_id=sealed.pk, by=trial_lead),
    ):
        with pytest.raises(Refused, match="is sealed by now"):
            change()
    assert sealed.registrars.get() == registrar


def test_a_draft_is_deleted_with_all_that_belongs_to_it(world: World, trial_lead: User) -> None:
    draft = TrialFactory.create(bcu=world.south_west, status=TrialStatus.DRAFT)
    delete_draft(trial_id=draft.pk, by=trial_lead)
    assert not Trial.objects.exists()
    assert not Approval.objects.exists()
    assert not Registrar.objects.exists()


def test_removing_a_registrar_who_is_gone_leaves_the_proposal(proposed: Trial, trial_lead: User) -> None:
    remove_registrar(trial_id=proposed.pk, registrar_id=0, by=trial_lead)
    proposed.refresh_from_db()
    assert proposed.proposed_by == trial_lead
