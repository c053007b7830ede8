"""From the staged rows to cases and their texts, set by set; the database writes their history."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from psycopg2 import sql
from psycopg2.extras import Json

from referrals.intake.reading.columns import QUESTION_OF, TEXT_OF, Column, field_name
from referrals.intake.saving.staging import Staging
from referrals.models import Bcu, CrimeStatus, VictimType
from src_app.database import run
from src_app.refused import Refused

# What a new case is taken for where the file does not say.
_ASSUMED: Mapping[str, Any] = {
    "offence": "",
    "strands": [],
    "is_crime": True,
    "crime_status": CrimeStatus.RECORDED.value,
    "hate_flag": True,
    "victim_type": VictimType.INDIVIDUAL.value,
    "repeat_victim": False,
    "victim_under_18": False,
    "officer_in_case": "",
    "incident_hash": "",
    "victim_hash": "",
    "restrictions": [],
}
_MAKE = """
    INSERT INTO referrals_case (bcu_id, crime_reference, imported_at, changed_at, {names})
    SELECT {bcu}, crime_reference, {at}, {at}, {values}
    FROM staged_row JOIN staged_fate USING (line)
    WHERE case_id IS NULL ORDER BY line
    ON CONFLICT (crime_reference) DO NOTHING
"""
_MAKE_TEXTS = """
    INSERT INTO referrals_personaltext (case_id, kind, body, changed_at)
    SELECT made.id, text.kind, text.body, {at}
    FROM staged_row JOIN staged_fate USING (line)
    JOIN referrals_case AS made USING (crime_reference)
    CROSS JOIN LATERAL (VALUES {texts}) AS text (kind, body)
    WHERE staged_fate.case_id IS NULL AND text.body <> ''
"""
_CHANGE = """
    UPDATE referrals_case AS kept SET changed_at = {at}{values}
    FROM staged_row JOIN staged_fate USING (line)
    WHERE kept.id = staged_fate.case_id AND changes
"""
_CHANGE_TEXTS = """
    INSERT INTO referrals_personaltext (case_id, kind, body, changed_at)
    SELECT case_id, text.kind, text.body, {at}
    FROM staged_row JOIN staged_fate USING (line)
    CROSS JOIN LATERAL (VALUES {texts}) AS text (kind, body, name)
    WHERE text.name = ANY(takes)
    ON CONFLICT (case_id, kind) WHERE kind <> 'attempt_note'
    DO UPDATE SET body = EXCLUDED.body, changed_at = EXCLUDED.changed_at
"""
# What the row says now is no question any more; what it asks is one.
_QUESTIONS = sql.SQL(
    """, questions = ARRAY(
        SELECT question FROM unnest(kept.questions) AS question
        WHERE NOT coalesce({columns}::jsonb ->> question = ANY(takes), false)
    ) || asks, settled = ARRAY(SELECT DISTINCT unnest(kept.settled || settles))"""
).format(
    columns=sql.Literal(Json({question.value: column.value for column, question in QUESTION_OF.items()}))
)
# Whoever checked the draft has not seen what changed: it cannot be submitted as it was seen.
_CHANGE_DRAFTS = """
    UPDATE referrals_decision AS draft SET version = version + 1 FROM staged_fate
    WHERE draft.case_id = staged_fate.case_id AND draft.submission_id IS NULL AND changes
"""


def make(staging: Staging, expected: int, *, bcu: Bcu, at: datetime) -> None:
    """Makes a case of each new row; raises :class:`Refused` where another BCU made some of them meanwhile.

    Such a reference is a conflict, not an error: the database would log a failed statement with the texts.
    """
    given = set(staging.fields.values())
    values: dict[str, sql.Composable] = {
        name: sql.SQL("coalesce({}, {})").format(sql.Identifier(name), sql.Literal(_ASSUMED[name]))
        if name in _ASSUMED
        else sql.Identifier(name)
        for name in sorted(given)
    }
    values |= {name: sql.Literal(value) for name, value in _ASSUMED.items() if name not in given}
    values |= {"questions": sql.Identifier("asks"), "settled": sql.Identifier("settles")}
    made = _execute(
        _MAKE,
        bcu=sql.Literal(bcu.pk),
        at=sql.Literal(at),
        names=_listed(map(sql.Identifier, values)),
        values=_listed(values.values()),
    )
    if made != expected:
        raise Refused("Somebody else saved some of these reports meanwhile. Nothing was saved: try again.")
    if staging.texts:
        _execute(_MAKE_TEXTS, at=sql.Literal(at), texts=_texts(staging, "({kind}, {name})"))


def change(staging: Staging, *, at: datetime) -> None:
    """Gives each changed case what it takes over."""
    values = [
        sql.SQL(
            ", {name} = CASE WHEN {column} = ANY(takes) THEN staged_row.{name} ELSE kept.{name} END"
        ).format(name=sql.Identifier(name), column=sql.Literal(column.value))
        for column, name in staging.fields.items()
    ]
    _execute(_CHANGE, at=sql.Literal(at), values=sql.SQL("").join([*values, _QUESTIONS]))
    if staging.texts:
        _execute(_CHANGE_TEXTS, at=sql.Literal(at), texts=_texts(staging, "({kind}, {name}, {column})"))
    _execute(_CHANGE_DRAFTS)


def changes_of_decided() -> dict[int, list[str]]:
    """What of each decided case changes, by its key, as :func:`follow_crime_record` wants it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT case_id, takes FROM staged_fate WHERE takes <> '{}' AND decided_at IS NOT NULL"
        )
        return {case: [field_name(Column(name)) for name in takes] for case, takes in cursor}


def fields_changed() -> set[str]:
    """The names under which the audit log knows what changes in some case."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT unnest(takes) FROM staged_fate")
        fields = {field_name(Column(name)) for (name,) in cursor}
        cursor.execute("SELECT FROM staged_fate WHERE changes AND asks <> '{}' LIMIT 1")
        return fields | ({"questions"} if cursor.rowcount else set())


def _execute(statement: str, **parts: sql.Composable) -> int:
    with connection.cursor() as cursor:
        run(cursor, statement, **parts)
        return int(cursor.rowcount)


def _texts(staging: Staging, form: str) -> sql.Composed:
    return _listed(
        sql.SQL(form).format(
            kind=sql.Literal(TEXT_OF[column].value),
            name=sql.Identifier(column.value),
            column=sql.Literal(column.value),
        )
        for column in staging.texts
    )


def _listed(parts: Any) -> sql.Composed:
    return sql.SQL(", ").join(parts)
