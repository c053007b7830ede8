"""SQL that counts outcomes over both arms together: what a change adds to the count, and all of it.

A case counts once it is decided and found suitable, under the outcome recorded last. Actions change the three
tables under the case's row lock, so that no two changes of one case are counted apart.
"""

# ruff: noqa: S608 - names of this project's own tables

import pgtrigger

from referrals.models.counts import after_each

KEPT = "SELECT bcu_id, code_id, cases AS number FROM outcomes_outcomecount"


def latest(case: str, *, but: str = "") -> str:
    """The code of the case recorded last, of those that are not among the rows of a table."""
    left_out = f"AND id NOT IN (SELECT id FROM {but})" if but else ""
    return f"""
        (SELECT code_id FROM outcomes_recordedoutcome WHERE case_id = {case}.id {left_out}
        ORDER BY recorded_at DESC, id DESC LIMIT 1)
    """


def counted(cases: str, decisions: str, number: int = 1) -> str:
    """Rows of BCU, code and number for those of the cases that count."""
    return f"""
        SELECT c.bcu_id, {latest("c")} AS code_id, {number} AS number
        FROM {cases} AS c JOIN {decisions} AS d ON d.case_id = c.id
        WHERE c.decided_at IS NOT NULL AND d.suitable
    """


ALL = counted("referrals_case", "referrals_decision")


def added(*changes: str) -> str:
    """Adds what such rows come to, and nothing where that is nothing."""
    return f"""
        INSERT INTO outcomes_outcomecount (bcu_id, code_id, cases)
        SELECT bcu_id, code_id, sum(number) FROM ({" UNION ALL ".join(changes)}) AS changed
        GROUP BY 1, 2 HAVING sum(number) <> 0
    """


def of_case_changes() -> list[pgtrigger.Trigger]:
    """A new case has no decision yet, and one with a decision is never deleted: updates are all."""
    decided = """
        (SELECT {rows}.* FROM old_rows JOIN new_rows USING (id)
        WHERE old_rows.bcu_id <> new_rows.bcu_id
            OR (old_rows.decided_at IS NULL) <> (new_rows.decided_at IS NULL))
    """
    now, before = (
        counted(decided.format(rows=rows), "referrals_decision", number)
        for rows, number in (("new_rows", 1), ("old_rows", -1))
    )
    return list(after_each("count_case", update=added(now, before)))


def of_decision_changes() -> list[pgtrigger.Trigger]:
    """Of a decided case; a draft counts for nothing."""
    now, before = counted("referrals_case", "new_rows"), counted("referrals_case", "old_rows", -1)
    return list(
        after_each("count_decision", insert=added(now), update=added(now, before), delete=added(before))
    )


def of_new_outcomes() -> list[pgtrigger.Trigger]:
    """The latest outcome takes the place of the one before; the table only grows."""
    cases = "(SELECT * FROM referrals_case WHERE id IN (SELECT case_id FROM new_rows))"
    before = f"""
        SELECT c.bcu_id, {latest("c", but="new_rows")} AS code_id, -1 AS number
        FROM {cases} AS c JOIN referrals_decision AS d ON d.case_id = c.id
        WHERE c.decided_at IS NOT NULL AND d.suitable
    """
    return list(after_each("count_outcome", insert=added(counted(cases, "referrals_decision"), before)))
