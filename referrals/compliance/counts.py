"""How referrals ended, as the database keeps count of it: read, folded and compared with what is counted."""

from django.db import connection

from referrals.models.counts import KEPT, added_contacts, counted_contacts, true_state

_FOLD = """
    WITH gone AS (
        DELETE FROM referrals_contactcount WHERE (ward_id, due_on) IN (
            SELECT ward_id, due_on FROM referrals_contactcount GROUP BY 1, 2 HAVING count(*) > 1
        ) RETURNING *
    )
    INSERT INTO referrals_contactcount (ward_id, due_on, in_time, late, closed_without_contact)
    SELECT ward_id, due_on, sum(in_time), sum(late), sum(closed_without_contact) FROM gone GROUP BY 1, 2
"""


def fold_contacts() -> None:
    """Makes one row of all that was added for a ward and due day; what is added meanwhile stays."""
    with connection.cursor() as cursor:
        cursor.execute(_FOLD)


def mend_contacts() -> int:
    """Counts all referrals anew and adds what the count lacks; returns for how many wards and days.

    One statement sees referrals and counts as of one moment, and no change is in only one of them. 0 is what
    it should always be.
    """
    with connection.cursor() as cursor:
        cursor.execute(added_contacts(more=counted_contacts("referrals_referral"), less=KEPT))
        return int(cursor.rowcount)


def mend_states() -> int:
    """Writes the state of each case whose state is not the true one; returns how many there were."""
    true = true_state("c")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE referrals_case AS c SET state = {true} WHERE state <> {true}")  # noqa: S608 - a constant
        return int(cursor.rowcount)
