"""Outcomes over both arms together, as the database keeps count of them: folded, and compared anew."""

from django.db import connection

from outcomes.counting import ALL, KEPT, added

_FOLD = """
    WITH gone AS (
        DELETE FROM outcomes_outcomecount WHERE (bcu_id, coalesce(code_id, 0)) IN (
            SELECT bcu_id, coalesce(code_id, 0) FROM outcomes_outcomecount GROUP BY 1, 2 HAVING count(*) > 1
        ) RETURNING *
    )
    INSERT INTO outcomes_outcomecount (bcu_id, code_id, cases)
    SELECT bcu_id, code_id, sum(cases) FROM gone GROUP BY 1, 2
"""


def fold_outcomes() -> None:
    """Makes one row of all that changes added for a BCU and outcome; what is added meanwhile stays."""
    with connection.cursor() as cursor:
        cursor.execute(_FOLD)


def mend_outcomes() -> int:
    """Counts all cases anew and adds what the count lacks; returns for how many BCUs and outcomes.

    One statement sees cases and counts as of one moment, and no change is in only one of them. 0 is what it
    should always be.
    """
    less = f"SELECT bcu_id, code_id, -number FROM ({KEPT}) AS kept"  # noqa: S608 - a constant
    with connection.cursor() as cursor:
        cursor.execute(added(ALL, less))
        return int(cursor.rowcount)
