"""How long tests wait for something that another process does."""

import os

_STRETCH = float(os.environ.get("TEST_PATIENCE", "1"))


def patience(seconds: float) -> float:
    """The seconds to wait at most, stretched where ``TEST_PATIENCE`` says that the machine is slow."""
    return seconds * _STRETCH
