"""How referrals ended, as the database keeps count of it: read, folded and compared with what is counted."""

from django.db import connection

from referrals.models.counts import COUNTS_BY, added_contacts, counted_contacts, kept_contacts, true_state
from src_app.database import fold


def fold_contacts() -> None:
    """Makes one row of all that was added for a ward and due day or week; what is added meanwhile stays."""
    for table in COUNTS_BY.values():
        fold(
            table,
            {"ward_id": "ward_id", "due_on": "due_on"},
            ["in_time", "late", "closed_without_contact"],
        )


def mend_contacts() -> int:
    """Counts all referrals anew and adds what the counts lack; returns for how many wards and days or weeks.

    One statement sees referrals and counts as of one moment, and no change is in only one of them. 0 is what
    it should always be.
    """
    mended = 0
    with connection.cursor() as cursor:
        for span in COUNTS_BY:
            counted = counted_contacts(span, "referrals_referral")
            cursor.execute(added_contacts(span, more=counted, less=kept_contacts(span)))
            mended += cursor.rowcount
    return mended


def mend_states() -> int:
    """Writes the state of each case whose state is not the true one; returns how many there were."""
    true = true_state("c")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE referrals_case AS c SET state = {true} WHERE state <> {true}")  # noqa: S608 - a constant
        return int(cursor.rowcount)
