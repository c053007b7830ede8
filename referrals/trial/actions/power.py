"""Having a worker work out what a design could find; of several questions of one person the newest counts.

What is asked stands in the cache alone. Where it is lost, whoever asked is told so, and asks again.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache

from referrals.trial.readers.power import (
    Panel,
    PowerQuestion,
    keep_panel,
    kept_panel,
    panel_of,
    power_question_of,
)
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.task_queue import send_task

# A worker that is free needs three seconds at most; after this long the page stops asking.
PATIENCE = timedelta(minutes=1)
_DIGEST = re.compile("[0-9a-f]{64}")
_AWAY = "What this trial could find cannot be worked out now, because the worker cannot be reached."
_LATE = "This takes longer than it should: the worker is busy, or it is not running."
_SUPERSEDED = "You have asked about another design since, or this was asked long ago."
# Longer than anybody waits; and longer than one person's work lasts, unless its worker was killed.
_ASKED_FOR, _WORKED_FOR = 600, 60


@dataclass(frozen=True)
class PowerAnswer:
    """The panel; or, while there is none, the question's digest; or why there will be none, in a sentence."""

    panel: Panel | None = None
    awaited: str = ""
    trouble: str = ""


class _Superseded(Exception):
    """The person has asked something else meanwhile."""


def ask_power(*, question: PowerQuestion, by: User, at: datetime) -> PowerAnswer:
    """The panel if it is there; else a worker is asked for it, instead of what this person asked before."""
    check_authority(by, Permission.VIEW_TRIALS)
    digest = question.digest
    if panel := kept_panel(digest):
        return PowerAnswer(panel)
    newest = _newest(by.pk)
    if newest is None or newest["digest"] != digest or _is_late(newest, at):
        asked = {"digest": digest, "question": question.document, "asked_at": at.isoformat()}
        cache.set(_asked(by.pk), asked, _ASKED_FOR)
        if not send_task("referrals.tasks.work_out_power", by.pk):
            cache.delete(_asked(by.pk))
            return PowerAnswer(trouble=_AWAY)
    return PowerAnswer(awaited=digest)


def look_for_power(*, digest: str, by: User, at: datetime) -> PowerAnswer:
    """What has become of a question that was asked."""
    check_authority(by, Permission.MANAGE_TRIALS)
    if _DIGEST.fullmatch(digest) and (panel := kept_panel(digest)):
        return PowerAnswer(panel)
    newest = _newest(by.pk)
    if newest is None or newest["digest"] != digest:
        return PowerAnswer(trouble=_SUPERSEDED)
    return PowerAnswer(trouble=_LATE) if _is_late(newest, at) else PowerAnswer(awaited=digest)


def work_out_power(*, asked_by: int) -> None:
    """Works out the newest question of that account, until none is left; for a worker.

    One worker at a time does it for one account, however often it asks: the others go on to other work.
    """
    while (newest := _newest(asked_by)) and not kept_panel(newest["digest"]):
        if not cache.add(_worked(asked_by), newest["digest"], _WORKED_FOR):
            # The one who is at it looks for the newest question again when it is done.
            return
        try:
            _work_out(newest, asked_by)
        finally:
            cache.delete(_worked(asked_by))


def _work_out(asked: dict[str, Any], asked_by: int) -> None:
    def goes_on() -> None:
        newest = _newest(asked_by)
        if newest is None or newest["digest"] != asked["digest"]:
            raise _Superseded

    try:
        panel = panel_of(power_question_of(asked["question"]), before_each_step=goes_on)
    except _Superseded:
        return
    keep_panel(asked["digest"], panel)


def _newest(user_id: int) -> dict[str, Any] | None:
    found: dict[str, Any] | None = cache.get(_asked(user_id))
    return found


def _is_late(asked: dict[str, Any], at: datetime) -> bool:
    return at - datetime.fromisoformat(asked["asked_at"]) > PATIENCE


def _asked(user_id: int) -> str:
    return f"power-asked:{user_id}"


def _worked(user_id: int) -> str:
    return f"power-worked:{user_id}"
