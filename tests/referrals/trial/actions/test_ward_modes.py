"""Setting the modes of wards."""

from datetime import date
from typing import Any

import pytest

from referrals.models import Mode, Trial, TrialStatus, Ward, WardMode
from referrals.trial.actions.ward_modes import set_ward_mode
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.refused import Refused
from tests.conftest import World
from tests.database import refused_by
from tests.factories import TrialFactory, WardModeFactory

DAY = date(2026, 11, 1)


def test_a_wards_mode_is_set_from_a_day_and_replaced_on_that_day(world: World, trial_lead: User) -> None:
    trial = TrialFactory.create(bcu=world.south_west)
    wards = world.wards[:2]
    assert set_ward_mode(wards=wards, mode=Mode.TRIAL, trial=trial, starts_on=DAY, by=trial_lead) == 2
    assert set_ward_mode(wards=wards, mode=Mode.TRIAL, trial=trial, starts_on=DAY, by=trial_lead) == 0
    assert WardMode.objects.count() == 2
    assert AuditEntry.objects.get(action=Action.WARD_MODE_SET).references == sorted(w.code for w in wards)


def test_mode_and_trial_go_together(world: World, trial_lead: User, administrator: User) -> None:
    with pytest.raises(Refused, match="Name the trial"):
        set_ward_mode(wards=world.wards, mode=Mode.TRIAL, starts_on=DAY, by=trial_lead)
    with pytest.raises(Refused, match="Name the trial"):
        set_ward_mode(
            wards=world.wards,
            mode=Mode.NOT_STARTED,
            trial=TrialFactory.create(),
            starts_on=DAY,
            by=administrator,
        )
    with refused_by("ward_mode_trial_names_its_trial"):
        WardModeFactory.create(mode=Mode.TRIAL, trial=None)


def test_a_ward_joins_only_a_trial_whose_sealed_protocol_names_it(world: World, trial_lead: User) -> None:
    def join(trial: Trial, *wards: Ward) -> None:
        set_ward_mode(wards=wards, mode=Mode.TRIAL, trial=trial, starts_on=DAY, by=trial_lead)

    draft = TrialFactory.create(bcu=world.south_west, status=TrialStatus.DRAFT)
    with pytest.raises(Refused, match="is draft: no ward can join it"):
        join(draft, world.wards[0])
    closed = TrialFactory.create(bcu=world.south_west, status=TrialStatus.CLOSED)
    with pytest.raises(Refused, match="is closed to recruitment: no ward can join it"):
        join(closed, world.wards[0])
    with pytest.raises(Refused, match="Hendon: not in the protocol of the trial"):
        join(TrialFactory.create(bcu=world.south_west), world.wards[0], world.north_ward)
    with pytest.raises(NotAllowed):
        join(TrialFactory.create(bcu=world.north), world.north_ward)
    assert not WardMode.objects.exists()
    join(TrialFactory.create(bcu=world.south_west, status=TrialStatus.SEALED), world.wards[0])
    assert WardMode.objects.count() == 1


def test_an_administrator_starts_no_trial_in_a_ward(world: World, administrator: User) -> None:
    with pytest.raises(NotAllowed):
        set_ward_mode(
            wards=world.wards,
            mode=Mode.TRIAL,
            trial=TrialFactory.create(),
            starts_on=DAY,
            by=administrator,
        )


def test_within_a_trials_protocol_its_lead_sets_other_modes_too(
    world: World, trial_lead: User, administrator: User
) -> None:
    trial = TrialFactory.create(bcu=world.south_west)
    choice: dict[str, Any] = {"mode": Mode.NOT_STARTED, "starts_on": DAY}
    with pytest.raises(NotAllowed):
        set_ward_mode(wards=world.wards, **choice, by=trial_lead)
    with pytest.raises(Refused, match="Hendon: not in the protocol"):
        set_ward_mode(wards=[world.north_ward], **choice, by=trial_lead, within=trial)
    with pytest.raises(NotAllowed):
        set_ward_mode(wards=world.wards, **choice, by=administrator, within=trial)
    assert set_ward_mode(wards=world.wards, **choice, by=trial_lead, within=trial) == 6
