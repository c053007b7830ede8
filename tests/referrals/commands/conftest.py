"""A trial that commands are asked about."""

import pytest

from referrals.models import Mode, Trial
from tests.conftest import World
from tests.factories import LONG_AGO, TrialFactory, WardModeFactory


@pytest.fixture
def trial(world: World) -> Trial:
    """A trial in the six wards of South West."""
    trial = TrialFactory.create(bcu=world.south_west, name="Pilot")
    for ward in world.wards:
        WardModeFactory.create(ward=ward, mode=Mode.TRIAL, trial=trial, starts_on=LONG_AGO)
    return trial
