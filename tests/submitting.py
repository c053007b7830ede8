"""Somebody who submits, as a process of its own that can be killed: ``python -m tests.submitting``.

It reads its plan, says ``ready``, and begins when told; every line it says is in the order of what it did.
"""

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

import django
from django.db import OperationalError


def work(plan: Mapping[str, Any], *, halt: bool) -> None:
    """Makes each submission of the plan under its own key, and tries again where somebody else is at it."""
    from django.db import connection

    from referrals.models import Bcu
    from src_app.accounts.models import User
    from src_app.audit.record import acting

    by, bcu = User.objects.get(pk=plan["by"]), Bcu.objects.get(pk=plan["bcu"])
    if halt:
        connection.commit = _say_and_halt  # type: ignore[method-assign]
    with acting("test process", by=by):
        for key, seen in plan["submissions"]:
            _submit_in_the_end(UUID(key), seen, bcu=bcu, by=by, at=datetime.fromisoformat(plan["at"]))


def _submit_in_the_end(key: UUID, seen: Sequence[tuple[int, int]], **rest: Any) -> None:
    from referrals.review.actions.submit import submit
    from src_app.refused import Refused

    while True:
        say("begun", key)
        try:
            submission = submit(key=key, seen=dict(seen), **rest)
        except Refused as error:
            if not isinstance(error.__cause__, OperationalError):
                raise
            say("busy", key)
        else:
            say("done", key, submission.pk)
            return


def _say_and_halt() -> NoReturn:
    """Stands still where everything is written and nothing is committed."""
    say("halted")
    while True:
        signal.pause()


def say(*words: object) -> None:
    """One line on standard output, at once and whole."""
    os.write(1, " ".join(map(str, words)).encode() + b"\n")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "src_app.settings")
    django.setup()
    given = json.loads(sys.stdin.readline())
    say("ready")
    sys.stdin.readline()
    work(given, halt="halt" in sys.argv)
