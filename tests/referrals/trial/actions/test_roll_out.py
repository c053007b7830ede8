"""Wards of a trial planned by its lead: one by one, in a drawn order, and the move to everyone."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from referrals.models import Mode, Trial, TrialStatus, WardMode
from referrals.places.ward_modes import WardModes
from referrals.rules.trial.allocation import Design, Scheme
from referrals.rules.trial.protocol import protocol_of
from referrals.rules.trial.rollout import Order, order_of
from referrals.rules.trial.seal import rollout_key
from referrals.trial.actions.roll_out import (
    check_trial_wards,
    plan_roll_out,
    preview_roll_out,
    set_trial_wards,
)
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.refused import Refused
from tests.conftest import World
from tests.factories import NOW, SEED, TrialFactory, WardModeFactory, conduct

TODAY = NOW.date()
TOMORROW = TODAY + timedelta(days=1)
OTHER_KEY = "b3RoZXIga2V5IG90aGVyIGtleSBvdGhlciBrZXkgMTI="
Plan = Callable[..., Any]


@pytest.fixture
def trial(world: World) -> Trial:
    """It recruits in none of its six wards yet."""
    return TrialFactory.create(bcu=world.south_west, name="Pilot")


@pytest.fixture
def terms(trial: Trial, trial_lead: User) -> dict[str, Any]:
    """Two wards a week from tomorrow, by name."""
    return {
        "trial_id": trial.pk,
        "first_day": TOMORROW,
        "wards_a_step": 2,
        "days_between": 7,
        "order": Order.BY_NAME,
        "by": trial_lead,
        "at": NOW,
    }


def _starts(trial: Trial) -> dict[date, list[str]]:
    """The names of the wards that begin, by day."""
    found: dict[date, list[str]] = {}
    for mode in trial.ward_modes.select_related("ward").order_by("starts_on", "ward__name"):
        found.setdefault(mode.starts_on, []).append(mode.ward.name)
    return found


def test_wards_begin_step_by_step_by_name(trial: Trial, terms: dict[str, Any]) -> None:
    plan_roll_out(**terms)
    assert _starts(trial) == {
        TOMORROW: ["Abbey", "Balham"],
        TOMORROW + timedelta(days=7): ["Colliers Wood", "Furzedown"],
        TOMORROW + timedelta(days=14): ["Graveney", "Tooting Bec"],
    }
    entries = AuditEntry.objects.filter(action=Action.WARD_MODE_SET)
    assert entries.filter(subject="ward").count() == 3
    assert entries.get(subject="trial").fields == ["by_name", "ward_modes"]


def test_wards_as_listed_begin_in_the_order_of_the_protocol(trial: Trial, terms: dict[str, Any]) -> None:
    planned = plan_roll_out(**{**terms, "order": Order.AS_LISTED})
    assert [code for step in planned.steps for code in step.wards] == trial.protocol["wards"]


def test_a_drawn_order_is_that_of_the_seed(trial: Trial, terms: dict[str, Any], world: World) -> None:
    planned = plan_roll_out(**{**terms, "order": Order.DRAWN})
    codes = [ward.code for ward in world.wards]
    drawn = order_of(rollout_key(SEED, trial.protocol_digest), codes)
    assert drawn != sorted(codes)
    assert [code for step in planned.steps for code in step.wards] == drawn


def test_a_drawn_order_stays_when_one_of_its_wards_recruits_already(
    trial: Trial, terms: dict[str, Any], world: World
) -> None:
    drawn = order_of(rollout_key(SEED, trial.protocol_digest), [ward.code for ward in world.wards])
    [first] = [ward for ward in world.wards if ward.code == drawn[0]]
    WardModeFactory.create(ward=first, mode=Mode.TRIAL, trial=trial, starts_on=TODAY)
    planned = plan_roll_out(**{**terms, "order": Order.DRAWN})
    assert planned.started == (first.code,)
    assert [code for step in planned.steps for code in step.wards] == drawn[1:]
    assert WardMode.objects.get(ward=first).starts_on == TODAY


def test_a_ward_that_has_left_the_trial_is_rolled_out_again(
    trial: Trial, terms: dict[str, Any], world: World
) -> None:
    left = world.wards[0]
    WardModeFactory.create(ward=left, mode=Mode.TRIAL, trial=trial, starts_on=TODAY - timedelta(days=20))
    WardModeFactory.create(ward=left, starts_on=TODAY - timedelta(days=10))
    planned = plan_roll_out(**terms)
    assert planned.started == ()
    assert left.code in planned.steps[0].wards


def test_without_the_key_that_sealed_it_no_order_is_drawn(terms: dict[str, Any], settings: Settings) -> None:
    settings.TRIAL_SEAL_KEYS = [OTHER_KEY]
    with pytest.raises(Refused, match="no order was drawn"):
        plan_roll_out(**{**terms, "order": Order.DRAWN})
    plan_roll_out(**terms)


def test_a_preview_says_what_will_be_and_changes_nothing(trial: Trial, terms: dict[str, Any]) -> None:
    previewed = preview_roll_out(**terms)
    assert not WardMode.objects.exists()
    assert plan_roll_out(**terms, seen=previewed.digest) == previewed


def test_what_changed_since_the_preview_is_not_planned(
    trial: Trial, terms: dict[str, Any], world: World
) -> None:
    seen = preview_roll_out(**terms).digest
    WardModeFactory.create(ward=world.wards[0], mode=Mode.TRIAL, trial=trial)
    with pytest.raises(Refused, match="changed after these steps were shown"):
        plan_roll_out(**terms, seen=seen)
    assert WardMode.objects.count() == 1


def test_the_same_plan_again_changes_nothing(trial: Trial, terms: dict[str, Any]) -> None:
    seen = preview_roll_out(**terms).digest
    for _ in range(2):
        plan_roll_out(**terms, seen=seen)
    assert WardMode.objects.count() == 6


def test_a_new_plan_takes_the_place_of_what_has_not_begun(
    trial: Trial, terms: dict[str, Any], world: World
) -> None:
    abbey = world.wards[0]
    WardModeFactory.create(ward=abbey, mode=Mode.NOT_STARTED)
    plan_roll_out(**terms)
    later = TODAY + timedelta(days=30)
    planned = plan_roll_out(**{**terms, "first_day": later})
    assert len(planned.replaced) == 6
    assert min(_starts(trial)) == later
    modes = WardModes([abbey])
    assert modes.on(abbey.pk, TOMORROW).mode == Mode.NOT_STARTED
    assert modes.on(abbey.pk, later).trial == trial


def test_another_mode_planned_for_the_day_of_a_step_gives_way_and_is_named(
    trial: Trial, terms: dict[str, Any], world: World
) -> None:
    WardModeFactory.create(ward=world.wards[0], mode=Mode.NOT_STARTED, starts_on=TOMORROW)
    kept = WardModeFactory.create(ward=world.wards[0], starts_on=TOMORROW + timedelta(days=90))
    planned = plan_roll_out(**terms)
    assert [mode.ward for mode in planned.replaced] == [world.wards[0]]
    kept.refresh_from_db()
    assert kept.mode == Mode.SRC_FOR_ALL
    assert WardModes([world.wards[0]]).on(world.wards[0].pk, TOMORROW).trial == trial


def test_a_roll_out_begins_today_where_no_other_mode_does(
    trial: Trial, terms: dict[str, Any], world: World
) -> None:
    mode = WardModeFactory.create(ward=world.wards[0], mode=Mode.NOT_STARTED, starts_on=TODAY)
    with pytest.raises(Refused, match="Abbey: another mode begins there today"):
        plan_roll_out(**{**terms, "first_day": TODAY})
    mode.starts_on = TODAY - timedelta(days=1)
    mode.save()
    plan_roll_out(**{**terms, "first_day": TODAY})
    assert min(_starts(trial)) == TODAY


def test_a_day_that_is_past_or_outside_the_protocol_is_refused(terms: dict[str, Any], trial: Trial) -> None:
    with pytest.raises(Refused, match="22 November 2026 is past"):
        plan_roll_out(**{**terms, "first_day": TODAY - timedelta(days=1)})
    last = trial.conduct.recruits_until
    with pytest.raises(Refused, match="after the protocol's last day, 22 May 2027"):
        plan_roll_out(**{**terms, "first_day": last - timedelta(days=13)})
    assert not WardMode.objects.exists()
    plan_roll_out(**{**terms, "first_day": last - timedelta(days=14)})


def test_no_ward_begins_before_the_protocols_first_day(world: World, terms: dict[str, Any]) -> None:
    begins = TODAY + timedelta(days=7)
    protocol = protocol_of(
        name="Coming",
        bcu="SW",
        design=Design(Scheme.COMPLETE, target=20),
        conduct=conduct([ward.code for ward in world.wards], recruits_from=begins),
    )
    trial = TrialFactory.create(bcu=world.south_west, protocol=protocol, status=TrialStatus.SEALED)
    with pytest.raises(Refused, match="recruit from 30 November 2026 on"):
        plan_roll_out(**{**terms, "trial_id": trial.pk})
    plan_roll_out(**{**terms, "trial_id": trial.pk, "first_day": begins})


@pytest.mark.parametrize(
    "status", [TrialStatus.DRAFT, TrialStatus.CLOSED, TrialStatus.LOCKED, TrialStatus.REVEALED]
)
def test_only_a_trial_that_is_sealed_or_recruits_is_rolled_out(
    world: World, terms: dict[str, Any], status: TrialStatus
) -> None:
    other = TrialFactory.create(bcu=world.south_west, status=status)
    with pytest.raises(Refused, match="by now"):
        plan_roll_out(**{**terms, "trial_id": other.pk})


def test_where_every_ward_recruits_there_is_nothing_to_roll_out(
    trial: Trial, terms: dict[str, Any], world: World
) -> None:
    for ward in world.wards:
        WardModeFactory.create(ward=ward, mode=Mode.TRIAL, trial=trial)
    with pytest.raises(Refused, match="Every ward of the protocol is in this trial already"):
        plan_roll_out(**terms)


def test_only_the_lead_of_the_trials_bcu_plans(
    world: World, terms: dict[str, Any], leader: User, administrator: User
) -> None:
    for other in (leader, administrator):
        with pytest.raises(NotAllowed):
            plan_roll_out(**{**terms, "by": other})
    elsewhere = TrialFactory.create(bcu=world.north)
    with pytest.raises(Trial.DoesNotExist):
        plan_roll_out(**{**terms, "trial_id": elsewhere.pk})


@pytest.mark.parametrize("mode", Mode)
def test_the_lead_sets_every_mode_of_the_protocols_wards(
    trial: Trial, trial_lead: User, world: World, mode: Mode
) -> None:
    codes = [ward.code for ward in world.wards[:2]]
    choice: dict[str, Any] = {"trial_id": trial.pk, "wards": codes, "mode": mode, "starts_on": TOMORROW}
    assert check_trial_wards(**choice, by=trial_lead, at=NOW) == world.wards[:2]
    assert not WardMode.objects.exists()
    assert set_trial_wards(**choice, by=trial_lead, at=NOW) == 2
    kept = WardMode.objects.values_list("ward", "mode", "trial", "starts_on")
    of_trial = trial.pk if mode == Mode.TRIAL else None
    assert set(kept) == {(ward.pk, mode, of_trial, TOMORROW) for ward in world.wards[:2]}
    assert AuditEntry.objects.get(action=Action.WARD_MODE_SET).references == sorted(codes)


def test_wards_outside_the_protocol_are_not_the_leads_to_set(
    trial: Trial, trial_lead: User, world: World
) -> None:
    codes = [world.wards[0].code, world.north_ward.code]
    with pytest.raises(Refused, match="Hendon: not in the protocol"):
        set_trial_wards(
            trial_id=trial.pk, wards=codes, mode=Mode.SRC_FOR_ALL, starts_on=TOMORROW, by=trial_lead, at=NOW
        )
    assert not WardMode.objects.exists()


def test_after_recruitment_wards_move_to_everyone_and_join_no_more(world: World, trial_lead: User) -> None:
    closed = TrialFactory.create(bcu=world.south_west, status=TrialStatus.CLOSED)
    choice: dict[str, Any] = {"trial_id": closed.pk, "wards": [world.wards[0].code], "starts_on": TODAY}
    with pytest.raises(Refused, match="closed to recruitment by now"):
        set_trial_wards(**choice, mode=Mode.TRIAL, by=trial_lead, at=NOW)
    assert set_trial_wards(**choice, mode=Mode.SRC_FOR_ALL, by=trial_lead, at=NOW) == 1


def test_wards_of_a_draft_are_not_set(world: World, trial_lead: User) -> None:
    draft = TrialFactory.create(bcu=world.south_west, status=TrialStatus.DRAFT)
    with pytest.raises(Refused, match="is draft by now"):
        set_trial_wards(
            trial_id=draft.pk,
            wards=[world.wards[0].code],
            mode=Mode.NOT_STARTED,
            starts_on=TOMORROW,
            by=trial_lead,
            at=NOW,
        )


def test_what_began_is_not_set_again(trial: Trial, trial_lead: User, world: World) -> None:
    WardModeFactory.create(ward=world.wards[0], mode=Mode.TRIAL, trial=trial, starts_on=TODAY)
    choice: dict[str, Any] = {
        "trial_id": trial.pk,
        "wards": [world.wards[0].code],
        "by": trial_lead,
        "at": NOW,
    }
    with pytest.raises(Refused, match="22 November 2026 is past"):
        set_trial_wards(**choice, mode=Mode.SRC_FOR_ALL, starts_on=TODAY - timedelta(days=1))
    with pytest.raises(Refused, match="Abbey: another mode begins there today"):
        set_trial_wards(**choice, mode=Mode.SRC_FOR_ALL, starts_on=TODAY)
    assert set_trial_wards(**choice, mode=Mode.TRIAL, starts_on=TODAY) == 0
    with pytest.raises(Refused, match="after the protocol's last day"):
        set_trial_wards(**choice, mode=Mode.TRIAL, starts_on=TODAY + timedelta(days=181))
    assert set_trial_wards(**choice, mode=Mode.SRC_FOR_ALL, starts_on=TODAY + timedelta(days=181)) == 1
