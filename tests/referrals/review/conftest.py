"""A trial that balances by what an extract may leave open."""

import pytest

from referrals.models import Mode, Trial
from referrals.rules.trial.allocation import Design, Factor, Scheme
from referrals.rules.trial.protocol import protocol_of
from tests.conftest import World
from tests.factories import TrialFactory, WardModeFactory, conduct


@pytest.fixture
def minimised(world: World) -> Trial:
    """A trial of all wards that balances borough and repeat victims."""
    boroughs = tuple(sorted({ward.borough.code for ward in world.wards}))
    factors = (Factor("borough", boroughs), Factor("repeat_victim", ("yes", "no"), weight=2))
    design = Design(Scheme.MINIMISATION, target=250, factors=factors)
    protocol = protocol_of(
        name="Minimised", bcu="SW", design=design, conduct=conduct(ward.code for ward in world.wards)
    )
    trial = TrialFactory.create(bcu=world.south_west, name="Minimised", protocol=protocol)
    for ward in world.wards:
        WardModeFactory.create(ward=ward, mode=Mode.TRIAL, trial=trial)
    return trial
