"""Somebody who submits, as a process of its own that can be killed.

Each is forked from one process that has imported this module: the code is loaded once for all of them.
It says ``ready``, and begins when told; every line it says is in the order of what it did.
"""

import os
import signal
from collections.abc import Mapping, Sequence
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

import django
from django.apps import apps
from django.db import OperationalError

if not apps.ready:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "src_app.settings")
    django.setup()
    import referrals.review.actions.submit  # noqa: F401 - loaded before anybody is forked


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


def be(name: str, said_in: Path, begin: Connection, plan: Mapping[str, Any], halt: bool) -> None:
    """Somebody of that name: waits for a word, works, and says in the file what it does."""
    with open(said_in, "ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    # The name that its session has in the database.
    os.environ["PGAPPNAME"] = name
    say("ready")
    begin.recv()
    work(plan, halt=halt)
