"""SQL that counts outcomes over both arms together: what a change adds to the count, and all of it.

A case counts once it is decided and found suitable, under the outcome recorded last. Actions change the three
tables under the case's row lock, so that no two changes of one case are counted apart. Triggers look up each
row by itself: a join would be planned for the first statement of a session and kept for all that follow.
"""

# ruff: noqa: S608 - names of this project's own tables

import pgtrigger

from referrals.models.counts import after_each

KEPT = "SELECT bcu_id, code_id, cases AS number FROM outcomes_outcomecount"


def latest(case: str, *, but: str = "") -> str:
    """The case's code recorded last, of those that are not among the rows of a table."""
    left_out = f"AND id NOT IN (SELECT id FROM {but})" if but else ""
    return f"""
        (SELECT code_id FROM outcomes_recordedoutcome WHERE case_id = {case} {left_out}
        ORDER BY recorded_at DESC, id DESC LIMIT 1)
    """


def suitable(case: str) -> str:
    """Whether the case's decision found it so; null without one."""
    return f"(SELECT suitable FROM referrals_decision WHERE case_id = {case})"


ALL = f"""
    SELECT c.bcu_id, {latest("c.id")} AS code_id, 1 AS number
    FROM referrals_case AS c JOIN referrals_decision AS d ON d.case_id = c.id
    WHERE c.decided_at IS NOT NULL AND d.suitable
"""


def added(*changes: str) -> str:
    """Adds what rows of BCU, code and number come to, and nothing where that is nothing."""
    return f"""
        INSERT INTO outcomes_outcomecount (bcu_id, code_id, cases)
        SELECT bcu_id, code_id, sum(number) FROM ({" UNION ALL ".join(changes)}) AS changed
        WHERE bcu_id IS NOT NULL GROUP BY 1, 2 HAVING sum(number) <> 0
    """


def of_case_changes() -> list[pgtrigger.Trigger]:
    """A new case has no decision yet, and one with a decision is never deleted: updates are all."""
    now, before = (
        f"""
        SELECT {row}.bcu_id, {latest(f"{row}.id")} AS code_id, {number} AS number
        WHERE {row}.decided_at IS NOT NULL AND {suitable(f"{row}.id")}
        """
        for row, number in (("NEW", 1), ("OLD", -1))
    )
    return [
        pgtrigger.Trigger(
            name="count_case",
            when=pgtrigger.After,
            operation=pgtrigger.Update,
            condition=pgtrigger.Q(old__decided_at__df=pgtrigger.F("new__decided_at"))
            | pgtrigger.Q(old__bcu__df=pgtrigger.F("new__bcu")),
            func=f"{' '.join(added(now, before).split())}; RETURN NULL;",
        )
    ]


def of_decision_changes() -> list[pgtrigger.Trigger]:
    """Of a decided case; a draft counts for nothing."""
    now, before = (
        f"""
        SELECT (
            SELECT bcu_id FROM referrals_case AS c WHERE c.id = {rows}.case_id AND c.decided_at IS NOT NULL
        ) AS bcu_id,
            {latest(f"{rows}.case_id")} AS code_id, {number} AS number
        FROM {rows} WHERE {rows}.suitable
        """
        for rows, number in (("new_rows", 1), ("old_rows", -1))
    )
    return list(
        after_each("count_decision", insert=added(now), update=added(now, before), delete=added(before))
    )


def of_new_outcomes() -> list[pgtrigger.Trigger]:
    """The latest outcome takes the place of the one before; the table only grows."""
    now, before = (
        f"""
        SELECT (
            SELECT bcu_id FROM referrals_case AS c
            WHERE c.id = changed.case_id AND c.decided_at IS NOT NULL AND {suitable("c.id")}
        ) AS bcu_id, {latest("changed.case_id", but=but)} AS code_id, {number} AS number
        FROM (SELECT DISTINCT case_id FROM new_rows) AS changed
        """
        for but, number in (("", 1), ("new_rows", -1))
    )
    return list(after_each("count_outcome", insert=added(now, before)))
