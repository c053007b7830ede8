"""Outcomes over both arms together, as the database keeps count of them: folded, and compared anew."""

from django.db import connection

from outcomes.count_triggers import ALL, KEPT, added
from src_app.database import fold


def fold_outcomes() -> None:
    """Makes one row of all that changes added for a BCU and outcome; what is added meanwhile stays."""
    fold("outcomes_outcomecount", {"bcu_id": "bcu_id", "code_id": "coalesce(code_id, 0)"}, ["cases"])


def mend_outcomes() -> int:
    """Counts all cases anew and adds what the count lacks; returns for how many BCUs and outcomes.

    One statement sees cases and counts as of one moment, and no change is in only one of them. 0 is what it
    should always be.
    """
    less = f"SELECT bcu_id, code_id, -number FROM ({KEPT}) AS kept"  # noqa: S608 - a constant
    with connection.cursor() as cursor:
        cursor.execute(added(ALL, less))
        return int(cursor.rowcount)
