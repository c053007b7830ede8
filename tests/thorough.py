"""How often tests repeat one and the same check.

Usually often enough to find what the check was made for; with ``script/test --thorough``, which sets
``THOROUGH=1``, as often as is worth an hour now and then.
"""

import os

THOROUGH = os.environ.get("THOROUGH") == "1"


def repeated(usual: int, thorough: int) -> int:
    """How often to do something: `usual` times, or `thorough` times where that is asked for."""
    return thorough if THOROUGH else usual
