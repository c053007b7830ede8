"""Triggers that keep count of outcomes, over both arms together, and the SQL that counts all cases anew.

A case counts once it is decided and found suitable, under the outcome recorded last. Actions change cases,
decisions and outcomes under the case's row lock: of two changes at once, each would be counted without
the other. Triggers look up each row by itself: the plan of a join would be made for the first statement of
a session and kept for all that follow.
"""

import pgtrigger

from referrals.models.counts import after_each
from src_app.database import read_sql

KEPT = "SELECT bcu_id, code_id, cases AS number FROM outcomes_outcomecount"
ALL = """
    SELECT c.bcu_id, (
        SELECT code_id FROM outcomes_recordedoutcome WHERE case_id = c.id
        ORDER BY recorded_at DESC, id DESC LIMIT 1
    ) AS code_id, 1 AS number
    FROM referrals_case AS c JOIN referrals_decision AS d ON d.case_id = c.id
    WHERE c.decided_at IS NOT NULL AND d.suitable
"""


def added(*changes: str) -> str:
    """SQL that adds up ``changes`` (rows of BCU, code and number) and adds each sum that is not zero."""
    return read_sql("outcomes/sql/added_outcomes.sql", changes=" UNION ALL ".join(changes))


def of_case_changes() -> list[pgtrigger.Trigger]:
    """Triggers on changed cases: a new one has no decision yet, and a decided one is never deleted."""
    now, before = (
        read_sql("outcomes/sql/changed_case.sql", row=row, number=number)
        for row, number in (("NEW", "1"), ("OLD", "-1"))
    )
    return [
        pgtrigger.Trigger(
            name="count_case",
            when=pgtrigger.After,
            operation=pgtrigger.Update,
            condition=pgtrigger.Q(old__decided_at__df=pgtrigger.F("new__decided_at"))
            | pgtrigger.Q(old__bcu__df=pgtrigger.F("new__bcu")),
            func=f"{added(now, before)};\nRETURN NULL;",
        )
    ]


def of_decision_changes() -> list[pgtrigger.Trigger]:
    """Triggers on decisions: those of a decided case count, drafts do not."""
    now, before = (
        read_sql("outcomes/sql/changed_decisions.sql", rows=rows, number=number)
        for rows, number in (("new_rows", "1"), ("old_rows", "-1"))
    )
    return list(
        after_each("count_decision", insert=added(now), update=added(now, before), delete=added(before))
    )


def of_new_outcomes() -> list[pgtrigger.Trigger]:
    """Triggers on outcomes: the latest of a case replaces the one before. No row is changed or deleted."""
    now, before = (
        read_sql("outcomes/sql/changed_outcomes.sql", but=but, number=number)
        for but, number in (("", "1"), ("AND id NOT IN (SELECT id FROM new_rows)", "-1"))
    )
    return list(after_each("count_outcome", insert=added(now, before)))
