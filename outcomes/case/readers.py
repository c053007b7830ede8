"""What belongs to one case and is told on its page, read in one statement.

The ORM reads each of these tables by a query of its own, and the accounts that are named there by another: a
dozen for a case, which were most of what its page cost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from django.db import connection

from referrals.models import Case, Decision, Referral

# Columns by name: what ends in ``_at`` is a moment, in ``_on`` a day, and ``by`` is who did it.
TableRow = Mapping[str, Any]


@dataclass(frozen=True)
class CaseRecords:
    """The rows of each table, the first written first."""

    accounts: list[TableRow]
    texts: list[TableRow]
    crime_record: list[TableRow]
    outcomes: list[TableRow]
    attempts: list[TableRow]
    hand_overs: list[TableRow]
    stops: list[TableRow]
    moves: list[TableRow]
    notices: list[TableRow]
    tasks: list[TableRow]
    orders: list[TableRow]
    mail: list[TableRow]
    trials: list[TableRow]
    deviations: list[TableRow]
    checks: list[TableRow]
    reopened: list[TableRow]
    found: list[TableRow]

    @property
    def trial(self) -> str:
        """The name of the trial that the case was allocated in; empty for the others."""
        return str(self.trials[0]["name"]) if self.trials else ""

    @cached_property
    def names(self) -> dict[int | None, str]:
        """Display names of those whom case, decision and referral name themselves, by key."""
        return {account["id"]: account["display_name"] for account in self.accounts}


# Names are looked up and not joined: of a statement with many joins, planning costs more than reading.
_SELECTS = {
    "accounts": "SELECT id, display_name FROM accounts_user WHERE id = ANY(%(accounts)s)",
    "texts": "SELECT kind, body FROM referrals_personaltext WHERE case_id = %(case)s",
    "crime_record": """
        SELECT kind, noticed_at, (SELECT display_name FROM accounts_user WHERE id = noticed_by_id) AS by
        FROM referrals_crimerecordevent WHERE case_id = %(case)s ORDER BY id
    """,
    "outcomes": """
        SELECT recorded_at, imported_at, code_id, written, is_day,
            (SELECT short_title FROM outcomes_outcomecode WHERE code = code_id) AS short_title,
            (SELECT display_name FROM accounts_user WHERE id = imported_by_id) AS by
        FROM outcomes_recordedoutcome WHERE case_id = %(case)s ORDER BY id
    """,
    "attempts": """
        SELECT made_at, logged_at, method, result, withdraws_id,
            (SELECT display_name FROM accounts_user WHERE id = made_by_id) AS by
        FROM referrals_contactattempt WHERE referral_id = %(referral)s ORDER BY id
    """,
    "hand_overs": """
        SELECT handed_at, (SELECT name FROM referrals_team WHERE id = from_team_id) AS from_team,
            (SELECT name FROM referrals_team WHERE id = to_team_id) AS to_team,
            by_hand, reason, (SELECT display_name FROM accounts_user WHERE id = handed_by_id) AS by
        FROM referrals_handover WHERE referral_id = %(referral)s ORDER BY id
    """,
    "stops": """
        SELECT reason, starts_at, ends_at,
            (SELECT display_name FROM accounts_user WHERE id = stopped_by_id) AS by,
            (SELECT display_name FROM accounts_user WHERE id = ended_by_id) AS ended_by
        FROM referrals_clockstop WHERE referral_id = %(referral)s ORDER BY id
    """,
    "moves": """
        SELECT reason, from_due_at, to_due_at, moved_at,
            (SELECT name FROM referrals_bankholiday WHERE id = holiday_id) AS holiday,
            (SELECT display_name FROM accounts_user WHERE id = moved_by_id) AS by
        FROM referrals_duemove WHERE referral_id = %(referral)s ORDER BY id
    """,
    "notices": """
        SELECT changed, noticed_at, read_at,
            (SELECT display_name FROM accounts_user WHERE id = noticed_by_id) AS by,
            (SELECT display_name FROM accounts_user WHERE id = read_by_id) AS read_by
        FROM referrals_referralnotice WHERE referral_id = %(referral)s ORDER BY id
    """,
    # What a change gave somebody to do; what came up in a contact is on the referral's page.
    "tasks": """
        SELECT kind, raised_at, acknowledged_at, done_at, dropped, result,
            (SELECT display_name FROM accounts_user WHERE id = acknowledged_by_id) AS acknowledged_by,
            (SELECT display_name FROM accounts_user WHERE id = done_by_id) AS done_by
        FROM referrals_followup
        WHERE (referral_id = %(referral)s OR case_id = %(case)s) AND attempt_id IS NULL ORDER BY id
    """,
    "orders": """
        SELECT reason, ordered_at, earlier_reason, earlier_closed_at,
            (SELECT display_name FROM accounts_user WHERE id = ordered_by_id) AS by
        FROM referrals_referralorder WHERE referral_id = %(referral)s
        UNION ALL
        SELECT reason, reopened_at, earlier_reason, earlier_closed_at,
            (SELECT display_name FROM accounts_user WHERE id = reopened_by_id)
        FROM referrals_reopening WHERE referral_id = %(referral)s ORDER BY ordered_at
    """,
    "mail": """
        SELECT kind, recipient, created_at, sent_at, abandoned_at, possible_duplicate
        FROM referrals_notification WHERE referral_id = %(referral)s ORDER BY id
    """,
    "trials": """
        SELECT name FROM referrals_trial
        WHERE id = (SELECT trial_id FROM referrals_allocation WHERE case_id = %(case)s)
    """,
    "deviations": """
        SELECT id, kind, why, ordered_by, happened_on, recorded_at, withdraws_id,
            (SELECT display_name FROM accounts_user WHERE id = recorded_by_id) AS by
        FROM referrals_deviation
        WHERE allocation_id = (SELECT id FROM referrals_allocation WHERE case_id = %(case)s) ORDER BY id
    """,
    "reopened": """
        SELECT suitable, reason, contact_by, duplicate_of, because, reopened_at,
            (SELECT display_name FROM accounts_user WHERE id = reopened_by_id) AS by,
            (SELECT submitted_at FROM referrals_submission WHERE id = submission_id) AS submitted_at,
            (SELECT display_name FROM accounts_user WHERE id =
                (SELECT submitted_by_id FROM referrals_submission WHERE id = submission_id)) AS submitted_by
        FROM referrals_reopeneddecision WHERE case_id = %(case)s ORDER BY id
    """,
    "found": """
        SELECT reason, contact_by, duplicate_of, found_at, corrects_id,
            (SELECT display_name FROM accounts_user WHERE id = found_by_id) AS by
        FROM referrals_foundnotsuitable WHERE case_id = %(case)s ORDER BY id
    """,
    "checks": """
        SELECT contacted, checked_at, (SELECT display_name FROM accounts_user WHERE id = checked_by_id) AS by
        FROM referrals_controlcheck
        WHERE allocation_id = (SELECT id FROM referrals_allocation WHERE case_id = %(case)s)
    """,
}
_ROWS = "(SELECT json_agg(found) FROM ({}) AS found)"
_STATEMENT = "SELECT " + ", ".join(map(_ROWS.format, _SELECTS.values()))


def records_of(case: Case) -> CaseRecords:
    """What belongs to a case that the account may see, which comes with decision and referral."""
    referral: Referral | None = getattr(case, "referral", None)
    with connection.cursor() as cursor:
        cursor.execute(
            _STATEMENT,
            {
                "case": case.pk,
                "referral": referral.pk if referral else None,
                "accounts": _accounts(case, referral),
            },
        )
        found = zip(_SELECTS, cursor.fetchone(), strict=True)
    return CaseRecords(**{name: [_read(row) for row in rows or ()] for name, rows in found})


def _accounts(case: Case, referral: Referral | None) -> list[int]:
    decision: Decision | None = getattr(case, "decision", None)
    named = [case.restrictions_set_by_id]
    if decision and decision.submission:
        named.append(decision.submission.submitted_by_id)
    if referral:
        named += [
            referral.made_by_id,
            referral.taken_by_id,
            referral.closed_by_id,
            referral.flag_confirmed_by_id,
            referral.flag_removed_by_id,
        ]
    return [account for account in named if account is not None]


def _read(row: TableRow) -> TableRow:
    return {name: _value(name, value) for name, value in row.items()}


def _value(name: str, value: Any) -> Any:
    if value is not None and name.endswith("_at"):
        return datetime.fromisoformat(value)
    if value is not None and name.endswith("_on"):
        return date.fromisoformat(value)
    return value
