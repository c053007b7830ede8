"""South West's part of the watched folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from referrals.models import Bcu
from src_app.accounts.models import User
from tests.referrals.intake.watched.folders import CONTENT, Clock


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
