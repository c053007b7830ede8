"""Runs the verifier on what is given to it as files."""

import json
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from referrals.standalone import trial_verify
from tests.referrals.standalone.bundles import write


class Run(NamedTuple):
    """How it ended, and what it said."""

    status: int
    output: str
    error: str

    @property
    def report(self) -> dict[str, Any]:
        """What it said as JSON."""
        return dict(json.loads(self.output))

    @property
    def found(self) -> tuple[int, int | None]:
        """Exit status, and the number of the allocation named."""
        return self.status, self.report["allocation"]


def verify(directory: Path, bundle: object, *heads: object, as_json: bool = True) -> Run:
    """Verifies a bundle against files of heads."""
    out, err = StringIO(), StringIO()
    path = write(directory / "bundle.json", bundle)
    paths = [write(directory / f"heads-{index}.json", each) for index, each in enumerate(heads)]
    return Run(trial_verify.verify(path, paths, as_json, out, err), out.getvalue(), err.getvalue())
