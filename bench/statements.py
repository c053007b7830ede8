"""The statements somebody would write by hand to read what a page shows, and no more than that."""

# ruff: noqa: S608 - conditions of this file alone are put together

_CASES = """
    SELECT c.id, c.crime_reference, c.reported_at, c.decided_at, w.name, b.name, d.suitable, d.reason,
        r.number, r.status
    FROM referrals_case c
    LEFT JOIN referrals_ward w ON w.id = c.ward_id
    LEFT JOIN referrals_borough b ON b.id = w.borough_id
    LEFT JOIN referrals_decision d ON d.case_id = c.id
    LEFT JOIN referrals_referral r ON r.case_id = c.id
    WHERE c.bcu_id = %(bcu)s {conditions}
    ORDER BY c.reported_at DESC, c.id DESC LIMIT 51
"""
_CONDITIONS = {
    "ward": "c.ward_id = %(ward)s",
    "borough": "w.borough_id = %(borough)s",
    "dates": "c.reported_at >= %(from)s AND c.reported_at < %(until)s",
    "deep": "(c.reported_at, c.id) < (%(after_at)s, %(after)s)",
    **{state: f"c.state = '{state}'" for state in ("waiting", "referred", "usual_service", "not_suitable")},
}


def case_list(*conditions: str) -> str:
    """A page of cases that meet the conditions named."""
    return _CASES.format(conditions="".join(f" AND {_CONDITIONS[name]}" for name in conditions))


_WAITING = "c.bcu_id = %(bcu)s AND c.decided_at IS NULL"
_ALIKE = """
    o.ward_id = c.ward_id AND o.offence = c.offence
    AND o.reported_at BETWEEN c.reported_at - interval '7 days' AND c.reported_at + interval '7 days'
    AND o.occurred_at BETWEEN c.occurred_at - interval '3 hours' AND c.occurred_at + interval '3 hours'
"""
OVERNIGHT_REVIEW = [
    f"""
    SELECT c.id, c.crime_reference, c.reported_at, c.offence, c.strands, c.restrictions, c.is_crime,
        c.victim_type, c.repeat_victim, c.victim_under_18, w.name, b.name, d.suitable, d.reason,
        d.contact_by, d.version, d.drafted_at, u.display_name
    FROM referrals_case c
    LEFT JOIN referrals_ward w ON w.id = c.ward_id
    LEFT JOIN referrals_borough b ON b.id = w.borough_id
    LEFT JOIN referrals_decision d ON d.case_id = c.id
    LEFT JOIN accounts_user u ON u.id = d.drafted_by_id
    WHERE {_WAITING} ORDER BY c.reported_at, c.id LIMIT 101
    """,
    f"""
    SELECT t.case_id, t.kind, t.body FROM referrals_personaltext t
    JOIN referrals_case c ON c.id = t.case_id WHERE {_WAITING}
    """,
    *(
        f"""
        SELECT c.id, other.id, other.crime_reference FROM referrals_case c
        CROSS JOIN LATERAL (
            SELECT o.id, o.crime_reference FROM referrals_case o WHERE o.id <> c.id AND {alike} LIMIT 100
        ) AS other
        WHERE {_WAITING}
        """
        for alike in (
            "o.incident_hash = c.incident_hash AND o.incident_hash <> ''",
            "o.victim_hash = c.victim_hash AND o.victim_hash <> ''",
            _ALIKE,
        )
    ),
    f"""
    SELECT count(*), count(*) FILTER (WHERE d.suitable), count(*) FILTER (WHERE NOT d.suitable),
        min(c.reported_at)
    FROM referrals_case c LEFT JOIN referrals_decision d ON d.case_id = c.id WHERE {_WAITING}
    """,
    """
    SELECT s.id, s.submitted_at, u.display_name FROM referrals_submission s
    JOIN accounts_user u ON u.id = s.submitted_by_id
    WHERE s.bcu_id = %(bcu)s ORDER BY s.submitted_at DESC, s.id DESC LIMIT 5
    """,
    """
    SELECT t.id, t.name, count(*) FROM referrals_trial t
    JOIN referrals_allocation a ON a.trial_id = t.id AND a.arm = 'control' AND a.position IS NOT NULL
        AND a.allocated_at <= %(now)s - make_interval(days => (t.protocol->>'follow_up_days')::int)
    LEFT JOIN referrals_controlcheck k ON k.allocation_id = a.id
    WHERE t.bcu_id = %(bcu)s AND t.status IN ('recruiting', 'closed') AND k.id IS NULL
    GROUP BY t.id, t.name
    """,
]

_TEAMS = """
    SELECT m.team_id FROM referrals_teammembership m
    WHERE m.user_id = %(user)s AND m.starts_on <= %(today)s AND (m.ends_on IS NULL OR m.ends_on > %(today)s)
"""
MY_REFERRALS = [
    f"""
    SELECT r.id, r.number, r.due_at, r.taken_by_id, c.restrictions, c.victim_under_18, c.officer_in_case,
        w.name, u.display_name
    FROM referrals_referral r
    JOIN referrals_case c ON c.id = r.case_id
    JOIN referrals_ward w ON w.id = r.ward_id
    LEFT JOIN accounts_user u ON u.id = r.taken_by_id
    WHERE r.status = 'open' AND r.team_id IN ({_TEAMS}) AND r.taken_by_id IS NULL
    ORDER BY r.act_by, r.id LIMIT 51
    """,
    f"""
    SELECT t.case_id, t.kind, t.body FROM referrals_referral r
    JOIN referrals_personaltext t ON t.case_id = r.case_id
    WHERE r.status = 'open' AND r.team_id IN ({_TEAMS})
        AND t.kind IN ('safety_note', 'review_safety', 'communication_need')
    """,
    f"""
    SELECT r.id, r.number, r.status, r.closed_at, w.name, u.display_name FROM referrals_referral r
    JOIN referrals_ward w ON w.id = r.ward_id
    JOIN accounts_user u ON u.id = r.closed_by_id
    WHERE r.closed_at >= %(week)s AND r.team_id IN ({_TEAMS})
    ORDER BY r.closed_at DESC, r.id DESC LIMIT 20
    """,
    f"""
    SELECT count(*), count(*) FILTER (WHERE due_at < %(now)s) FROM referrals_referral
    WHERE status = 'open' AND team_id IN ({_TEAMS})
    """,
]

CASE = [
    """
    SELECT c.id, c.crime_reference, c.reported_at, c.offence, c.strands, c.restrictions, c.decided_at,
        w.name, b.name, d.suitable, d.reason, d.contact_by, s.submitted_at, r.number, r.made_at, r.due_at,
        r.status, r.taken_at, r.closed_at, r.contacted_at, r.flag_confirmed_at
    FROM referrals_case c
    LEFT JOIN referrals_ward w ON w.id = c.ward_id
    LEFT JOIN referrals_borough b ON b.id = w.borough_id
    LEFT JOIN referrals_decision d ON d.case_id = c.id
    LEFT JOIN referrals_submission s ON s.id = d.submission_id
    LEFT JOIN referrals_referral r ON r.case_id = c.id
    WHERE c.id = %(case)s AND c.bcu_id = %(bcu)s
    """,
    "SELECT kind, body FROM referrals_personaltext WHERE case_id = %(case)s",
    """
    SELECT a.made_at, a.method, a.result, u.display_name FROM referrals_referral r
    JOIN referrals_contactattempt a ON a.referral_id = r.id JOIN accounts_user u ON u.id = a.made_by_id
    WHERE r.case_id = %(case)s
    """,
    """
    SELECT n.kind, n.recipient, n.sent_at FROM referrals_referral r
    JOIN referrals_notification n ON n.referral_id = r.id WHERE r.case_id = %(case)s
    """,
    "SELECT code_id, recorded_at FROM outcomes_recordedoutcome WHERE case_id = %(case)s",
    """
    SELECT o.id, o.crime_reference FROM referrals_case c
    JOIN referrals_case o ON o.victim_hash = c.victim_hash AND o.id <> c.id AND o.victim_hash <> ''
    WHERE c.id = %(case)s
    """,
]

FLAGS = [
    """
    SELECT r.id, r.number, r.made_at, c.crime_reference, w.name, t.name FROM referrals_referral r
    JOIN referrals_case c ON c.id = r.case_id
    JOIN referrals_ward w ON w.id = r.ward_id
    JOIN referrals_team t ON t.id = r.team_id
    WHERE r.flag_confirmed_at IS NULL AND r.ruled_out_since IS NULL AND c.bcu_id = %(bcu)s
    ORDER BY r.made_at, r.id LIMIT 101
    """
]

FOLLOW_UPS = [
    f"""
    SELECT f.id, f.kind, f.raised_at, r.number, w.name, u.display_name FROM referrals_followup f
    JOIN referrals_referral r ON r.id = f.referral_id
    JOIN referrals_ward w ON w.id = r.ward_id
    JOIN accounts_user u ON u.id = f.raised_by_id
    WHERE f.done_at IS NULL AND r.team_id IN ({_TEAMS}) ORDER BY f.raised_at, f.id LIMIT 51
    """,
    f"""
    SELECT f.id, f.kind, f.raised_at, r.number, w.name, u.display_name FROM referrals_followup f
    JOIN referrals_referral r ON r.id = f.referral_id
    JOIN referrals_ward w ON w.id = r.ward_id
    JOIN accounts_user u ON u.id = f.done_by_id
    WHERE f.done_at >= %(week)s AND r.team_id IN ({_TEAMS})
    ORDER BY f.done_at DESC, f.id DESC LIMIT 20
    """,
]

_SCOPE = {
    "hcop": "w.id IN (SELECT w.id FROM referrals_ward w JOIN referrals_borough b ON b.id = w.borough_id"
    " WHERE b.bcu_id = %(bcu)s)",
    "supervisor": f"w.id IN (SELECT id FROM referrals_ward WHERE team_id IN ({_TEAMS}))",
}
_OUTCOMES = """
    SELECT o.attrition, o.charge, o.positive, sum(k.cases) FROM outcomes_outcomecount k
    LEFT JOIN outcomes_outcomecode o ON o.code = k.code_id WHERE k.bcu_id = %(bcu)s GROUP BY 1, 2, 3
"""


def _compliance(scope: str) -> list[str]:
    return [
        f"""
        SELECT r.id, r.number, r.due_at, w.name, u.display_name,
            (SELECT count(*) FROM referrals_contactattempt a WHERE a.referral_id = r.id)
        FROM referrals_referral r
        JOIN referrals_ward w ON w.id = r.ward_id
        LEFT JOIN accounts_user u ON u.id = r.taken_by_id
        WHERE r.status = 'open' AND r.due_at < %(now)s AND {scope} ORDER BY r.due_at, r.id LIMIT 21
        """,
        f"""
        SELECT w.id, w.name, sum(k.in_time), sum(k.late), sum(k.closed_without_contact)
        FROM referrals_contactcount k JOIN referrals_ward w ON w.id = k.ward_id
        WHERE k.due_on >= %(first)s AND {scope} GROUP BY w.id, w.name
        """,
        f"""
        SELECT r.ward_id, count(*) FILTER (WHERE r.due_at < %(now)s), count(*)
        FROM referrals_referral r JOIN referrals_ward w ON w.id = r.ward_id
        WHERE r.status = 'open' AND {scope} GROUP BY 1
        """,
        f"""
        SELECT r.ward_id, count(*) FROM referrals_referral r JOIN referrals_ward w ON w.id = r.ward_id
        WHERE r.closed_at IS NOT NULL AND r.due_at >= %(now)s AND {scope} GROUP BY 1
        """,
        f"""
        SELECT date_trunc('week', k.due_on), sum(k.in_time), sum(k.late), sum(k.closed_without_contact)
        FROM referrals_contactcount k JOIN referrals_ward w ON w.id = k.ward_id
        WHERE k.due_on >= %(first)s AND k.due_on < %(last)s AND {scope} GROUP BY 1
        """,
    ]


COMPLIANCE = {
    "hcop": [*_compliance(_SCOPE["hcop"]), _OUTCOMES],
    "supervisor": _compliance(_SCOPE["supervisor"]),
}

_AUDIT = """
    SELECT e.id, e.at, e.action, e.purpose, e.subject, e.references, e.fields, e.origin, e.address,
        e.request_id, u.display_name, u.username
    FROM audit_auditentry e LEFT JOIN accounts_user u ON u.id = e.actor_id
    WHERE {condition} ORDER BY e.at DESC, e.id DESC LIMIT 26
"""
_AUDIT_CONDITIONS = {
    "": "true",
    "account": "e.actor_id = %(account)s",
    "action": "e.action = %(action)s",
    "deep": "(e.at, e.id) < (%(after_at)s, %(after)s)",
}


def audit_list(condition: str) -> str:
    """A page of the log that meets the condition named."""
    return _AUDIT.format(condition=_AUDIT_CONDITIONS[condition])
