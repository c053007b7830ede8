"""South West with its postcodes, and its part of the watched folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from referrals.models import Bcu
from referrals.places.actions.postcodes import load_postcodes
from referrals.places.actions.wards import load_places
from src_app.accounts.models import User
from tests.conftest import World
from tests.extracts import POSTCODES
from tests.factories import PostcodeFactory
from tests.referrals.intake.watched.folders import CONTENT, Clock


@pytest.fixture
def bcu(world: World) -> Bcu:
    """South West, where SW19 7QP is in its first ward and CR4 2YE in its second; EN5 1AA is North's."""
    PostcodeFactory.create(pcds="SW19 7QP", ward=world.wards[0])
    PostcodeFactory.create(pcds="CR4 2YE", ward=world.wards[1])
    PostcodeFactory.create(pcds="EN5 1AA", ward=world.north_ward)
    return world.south_west


@pytest.fixture
def real_places(system: User) -> Bcu:
    """The 79 wards of South West and the 474 sample postcodes."""
    load_places(by=system)
    with POSTCODES.open(encoding="utf-8") as file:
        load_postcodes(file=file, by=system)
    return Bcu.objects.get(code="SW")


@pytest.fixture
def inbox(tmp_path: Path, settings: Any, bcu: Bcu) -> Path:
    """South West's part of the watched folder."""
    settings.EXTRACT_FOLDER = str(tmp_path)
    own = tmp_path / "SW"
    own.mkdir()
    return own


@pytest.fixture
def clock(system: User) -> Clock:
    return Clock(system)


@pytest.fixture
def put(inbox: Path, clock: Clock) -> Callable[..., Path]:
    """Puts a finished file there, and has it seen once."""

    def write(content: bytes = CONTENT, name: str = "overnight.csv") -> Path:
        path = inbox / name
        path.write_bytes(content)
        clock.look()
        return path

    return write
