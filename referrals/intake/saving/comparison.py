"""The database compares what is staged with the cases there are.

A decided case takes over what :data:`CHANGEABLE_WHEN_DECIDED` names and nothing else. A text that was erased
stays so, and one that the extract leaves empty is kept.
"""

from django.conf import settings
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql
from psycopg2.extras import Json

from referrals.intake.reading.columns import (
    CHANGEABLE_WHEN_DECIDED,
    FIELD_OF,
    MAY_SAY_NOTHING,
    OF_THE_VICTIM,
    QUESTION_OF,
    TEXT_OF,
    WORDS,
    Column,
)
from referrals.intake.reading.rows import LONGEST_SHOWN
from referrals.intake.saving.staging import Staging
from referrals.models import Bcu, Question
from src_app.database import run

_CHANGEABLE = sorted(column.value for column in CHANGEABLE_WHEN_DECIDED)
_OF_THE_VICTIM = sorted(column.value for column in OF_THE_VICTIM)


def reject(cursor: CursorWrapper, staging: Staging, bcu: Bcu) -> None:
    """Rejects rows for what only the whole file or the database shows, so that only good rows stay staged.

    Makes the table ``staged_twice``: the rows whose reference is there more than once, each with the line
    that is kept.
    """
    victim = "victim_hash" if Column.VICTIM_KEY in staging.columns else "NULL::text"
    run(cursor, _TWICE, victim=sql.SQL(victim), bcu=sql.Literal(bcu.pk))
    cursor.execute(_ANOTHER_VICTIM, [LONGEST_SHOWN])
    cursor.execute(
        """
        INSERT INTO staged_remark (line, rejects, column_name, value, reason)
        SELECT line, true, 'crime_reference', left(crime_reference, %s),
            concat('The same reference is on line ', kept, ' of this file.')
        FROM staged_twice AS sent
        WHERE line <> kept AND NOT EXISTS (
            SELECT FROM staged_remark AS told WHERE told.line = sent.line AND told.rejects
        ) ORDER BY line
        """,
        [LONGEST_SHOWN],
    )
    # Nothing is said of the case: it is not this BCU's to know.
    cursor.execute(
        """
        INSERT INTO staged_remark (line, rejects, column_name, value, reason)
        SELECT line, true, 'crime_reference', left(crime_reference, %s),
            'This reference cannot be imported here: check it on the crime record.'
        FROM staged_row AS sent
        WHERE EXISTS (
            SELECT FROM referrals_case AS other
            WHERE other.crime_reference = sent.crime_reference AND other.bcu_id <> %s
        ) AND NOT EXISTS (SELECT FROM staged_remark AS told WHERE told.line = sent.line AND told.rejects)
        ORDER BY line
        """,
        [LONGEST_SHOWN, bcu.pk],
    )
    cursor.execute(
        "DELETE FROM staged_row AS sent USING staged_remark AS rejected "
        "WHERE rejected.rejects AND rejected.line = sent.line"
    )
    # Nothing of a rejected row is saved, so there is nothing to look at.
    cursor.execute(
        "DELETE FROM staged_remark AS warned USING staged_remark AS rejected "
        "WHERE NOT warned.rejects AND rejected.rejects AND rejected.line = warned.line"
    )


# Of rows with one reference that of the victim whom the case has is kept, else the first.
_TWICE = """
    CREATE TEMPORARY TABLE staged_twice AS
    SELECT line, sent.crime_reference, sent.victim_hash, first_value(line) OVER (
        PARTITION BY sent.crime_reference
        ORDER BY coalesce(own.victim_hash <> '' AND own.victim_hash = sent.victim_hash, false) DESC, line
    ) AS kept
    FROM (
        SELECT line, crime_reference, {victim} AS victim_hash,
            count(*) OVER (PARTITION BY crime_reference) AS rows
        FROM staged_row
    ) AS sent
    LEFT JOIN referrals_case AS own
        ON own.bcu_id = {bcu} AND own.crime_reference = sent.crime_reference
    WHERE rows > 1
"""
# By the counting rules a crime has one victim, so that a second row is seldom a mere repetition.
_ANOTHER_VICTIM = """
    WITH pair AS (
        SELECT other.line, kept.line AS kept, other.crime_reference
        FROM staged_twice AS other JOIN staged_twice AS kept ON kept.line = other.kept
        WHERE kept.victim_hash <> '' AND other.victim_hash <> '' AND kept.victim_hash <> other.victim_hash
    )
    INSERT INTO staged_remark (line, rejects, column_name, value, reason)
    SELECT line, true, 'crime_reference', left(crime_reference, %s), concat(
        'Line ', kept, ' has the same crime with another victim: that one is kept, with a note to look.'
    ) FROM pair
    UNION ALL
    SELECT kept, false, 'victim_key', '', concat(
        'Another victim of this crime is on line ', string_agg(line::text, ', ' ORDER BY line),
        ': this one is kept, with a note to look.'
    ) FROM pair GROUP BY kept
    ORDER BY 1
"""
_COMPARE = """
    CREATE TEMPORARY TABLE staged_fate AS
    SELECT line, case_id, decided_at, changed_at, differs, is_other, takes, asks, settles,
        takes <> '{{}}' OR (case_id IS NOT NULL AND asks <> '{{}}') AS changes
    FROM (
        SELECT *,
            CASE WHEN differs = '{{}}' THEN differs ELSE ARRAY(
                SELECT name FROM unnest(differs) WITH ORDINALITY AS differing (name, place)
                WHERE (decided_at IS NULL OR name = ANY({changeable})) AND NOT name = ANY(empties)
                    AND NOT (is_other AND name = ANY({of_the_victim}))
                ORDER BY place
            ) END AS takes,
            CASE WHEN case_id IS NULL OR questions = '{{}}' THEN questions
                WHEN decided_at IS NOT NULL THEN '{{}}'
                ELSE ARRAY(
                    SELECT question FROM unnest(questions) AS question
                    WHERE NOT question = ANY(open) AND EXISTS (
                        SELECT FROM unnest(settles) AS settling
                        WHERE split_part(settling, ' ', 1) = question AND NOT settling = ANY(settled)
                    )
                )::varchar[] END AS asks
        FROM (
            SELECT sent.line, own.id AS case_id, own.decided_at, own.changed_at, {is_other} AS is_other,
                own.questions AS open, own.settled,
                sent.questions || CASE WHEN {others} <> '{{}}' THEN ARRAY[{tag}] END::varchar[] AS questions,
                array_remove(ARRAY[{settles}]::varchar[], NULL) || {others} AS settles,
                CASE WHEN own.id IS NULL THEN '{{}}'
                    ELSE array_remove(ARRAY[{differ}]::text[], NULL) END AS differs,
                CASE WHEN own.id IS NULL THEN '{{}}'
                    ELSE array_remove(ARRAY[{empty}]::text[], NULL) END AS empties
            FROM staged_row AS sent
            LEFT JOIN referrals_case AS own
                ON own.bcu_id = {bcu} AND own.crime_reference = sent.crime_reference
            LEFT JOIN (
                SELECT kept.line, array_agg(DISTINCT {in_file}) AS others
                FROM staged_twice AS kept JOIN staged_twice AS other ON other.kept = kept.line
                WHERE kept.victim_hash <> '' AND other.victim_hash <> ''
                    AND kept.victim_hash <> other.victim_hash
                GROUP BY kept.line
            ) AS twice ON twice.line = sent.line
            {joins}
        ) AS compared
    ) AS weighed
"""
# Another victim as a case remembers it: the same hash is in no other case.
_OTHER = """
    concat({tag}, ' ', left(
        encode(sha256(convert_to(concat({row}.crime_reference, {row}.victim_hash), 'UTF8')), 'hex'), 16
    ))::varchar
"""
_IS_OTHER = """
    coalesce(own.victim_hash <> '' AND sent.victim_hash <> '' AND own.victim_hash <> sent.victim_hash, false)
"""
_OTHERS = "(coalesce(twice.others, '{{}}') || CASE WHEN {is_other} THEN ARRAY[{of_the_case}] END)"
_SETTLES = "CASE WHEN {is_said} OR {question} = ANY(sent.questions) THEN {question} END"
_FIELD_DIFFERS = "CASE WHEN own.{name} IS DISTINCT FROM sent.{name} THEN {column} END"
# A text has the minute where a spreadsheet has seconds that it does not show.
_MINUTE_DIFFERS = """
    CASE WHEN date_trunc('minute', own.{name}) IS DISTINCT FROM date_trunc('minute', sent.{name})
        THEN {column} END
"""
_SAID_DIFFERS = "CASE WHEN own.{name} <> sent.{name} THEN {column} END"
# An address that is no longer given is no reason to take a decided case's ward away.
_WARD_EMPTY = "CASE WHEN sent.no_postcode AND own.decided_at IS NOT NULL THEN 'victim_postcode' END"
# Whoever investigates must not make the contact: the bar is not lifted for want of a cell.
_OFFICER_EMPTY = "CASE WHEN sent.officer_in_case = '' THEN 'officer_in_case' END"
# An empty cell is no answer.
_IS_SAID = {
    Column.REPEAT_VICTIM: "sent.{name} IS NOT NULL",
    Column.HATE_STRANDS: "sent.{name} <> '{{}}'",
}
# What is not understood for certain is taken over once, with its question: the answer to that stays.
_ASKED_DIFFERS = """
    CASE WHEN CASE WHEN {question} = ANY(sent.questions)
        THEN {is_said} AND own.{name} <> sent.{name} AND NOT {question} = ANY(own.settled)
        ELSE own.{name} <> sent.{name} OR ({is_said} AND {question} = ANY(own.questions)) END
    THEN {column} END
"""
_TEXT_JOIN = "LEFT JOIN referrals_personaltext AS {text} ON {text}.case_id = own.id AND {text}.kind = {kind}"
_TEXT_DIFFERS = """
    CASE WHEN {text}.erased_at IS NULL AND sent.{name} <> coalesce({text}.body, '') THEN {column} END
"""
_TEXT_EMPTY = "CASE WHEN sent.{name} = '' THEN {column} END"


def _parts(staging: Staging) -> dict[str, sql.Composable]:
    """SQL for each column: whether its value differs, and whether it would empty a text."""
    texts = [
        {
            "text": sql.Identifier(f"kept_{column}"),
            "name": sql.Identifier(column.value),
            "kind": sql.Literal(TEXT_OF[column].value),
            "column": sql.Literal(column.value),
        }
        for column in staging.texts
    ]
    named = {
        column: {
            "name": sql.Identifier(name),
            "column": sql.Literal(column.value),
            "is_said": sql.SQL(_IS_SAID.get(column, "false")).format(name=sql.Identifier(name)),
            "question": sql.Literal(QUESTION_OF[column].value if column in QUESTION_OF else None),
        }
        for column, name in staging.fields.items()
    }
    fields = [sql.SQL(_difference(column)).format(**parts) for column, parts in named.items()]
    asked = [sql.SQL(_SETTLES).format(**parts) for column, parts in named.items() if column in QUESTION_OF]
    return {
        **_parts_of_another_victim(staging),
        "settles": sql.SQL(", ").join(asked),
        "differ": sql.SQL(", ").join([*fields, *(sql.SQL(_TEXT_DIFFERS).format(**text) for text in texts)]),
        "empty": sql.SQL(", ").join(
            [
                sql.SQL(_WARD_EMPTY),
                sql.SQL(_OFFICER_EMPTY if Column.OFFICER_IN_CASE in staging.columns else "NULL"),
                *(sql.SQL(_TEXT_EMPTY).format(**text) for text in texts),
            ]
        ),
        "joins": sql.SQL(" ").join(sql.SQL(_TEXT_JOIN).format(**text) for text in texts),
    }


def _parts_of_another_victim(staging: Staging) -> dict[str, sql.Composable]:
    tag = sql.Literal(Question.ANOTHER_VICTIM.value)
    has_key = Column.VICTIM_KEY in staging.columns
    is_other = sql.SQL(_IS_OTHER if has_key else "false")
    in_file, of_the_case = (
        sql.SQL(_OTHER if has_key else "NULL::varchar").format(tag=tag, row=sql.Identifier(row))
        for row in ("other", "sent")
    )
    others = sql.SQL(_OTHERS).format(is_other=is_other, of_the_case=of_the_case)
    return {"tag": tag, "is_other": is_other, "in_file": in_file, "others": others}


def _difference(column: Column) -> str:
    if column in (Column.REPORTED_AT, Column.OCCURRED_AT):
        return _MINUTE_DIFFERS
    if column in QUESTION_OF:
        return _ASKED_DIFFERS
    return _SAID_DIFFERS if column in MAY_SAY_NOTHING else _FIELD_DIFFERS


def compare(cursor: CursorWrapper, staging: Staging, bcu: Bcu, *, lock: bool) -> None:
    """Makes the table ``staged_fate``: the case of each good row, what it takes over, and what it asks.

    With ``lock`` the cases that change are locked first, in the order of their keys, as every action does.
    """
    parts = _parts(staging) | {
        "bcu": sql.Literal(bcu.pk),
        "changeable": sql.Literal(_CHANGEABLE),
        "of_the_victim": sql.Literal(_OF_THE_VICTIM),
    }
    for again in (False, True):
        cursor.execute("DROP TABLE IF EXISTS pg_temp.staged_fate")
        run(cursor, _COMPARE, **parts)
        cursor.execute("ANALYZE staged_fate")
        if again or not lock or not _locked(cursor):
            return


def _locked(cursor: CursorWrapper) -> int:
    """Locks the cases that would change, and returns how many there are."""
    cursor.execute(
        "SELECT FROM referrals_case WHERE id IN (SELECT case_id FROM staged_fate WHERE changes) "
        "ORDER BY id FOR NO KEY UPDATE"
    )
    return int(cursor.rowcount)


_WARNINGS = """
    INSERT INTO staged_remark (line, rejects, column_name, value, reason)
    SELECT line, false, name, '', CASE
        WHEN name = ANY({changeable}) OR decided_at IS NULL
        THEN concat('The extract has no ', {words} ->> name, ' for this case: the one here is kept.')
        ELSE concat('The case was decided on ', {decided_at}, ': this change is not taken over.')
        END
    FROM staged_fate, unnest(differs) AS name
    WHERE NOT name = ANY(takes) AND NOT (is_other AND name = ANY({of_the_victim})) ORDER BY line
"""
_OTHER_THAN_THE_CASE = """
    INSERT INTO staged_remark (line, rejects, column_name, value, reason)
    SELECT line, false, 'victim_key', '',
        'The case has another victim: nothing that the extract says of this one is taken over. Look at the '
        'crime record.'
    FROM staged_fate WHERE is_other ORDER BY line
"""
# An extract does not say when it was made; a case saved here after its last report is a sign of age.
_OLDER = """
    INSERT INTO staged_remark (line, rejects, column_name, value, reason)
    SELECT line, false, 'crime_reference', '', concat(
        'Saved here on ', {changed_at},
        ', after the last report of this extract: make sure that this extract is the newer.'
    )
    FROM staged_fate
    WHERE takes <> '{{}}' AND changed_at > (SELECT max(reported_at) FROM staged_row) ORDER BY line
"""


_CROWDED = """
    INSERT INTO staged_remark (line, rejects, column_name, value, reason)
    WITH sent AS (
        SELECT line, {key}, crime_reference, reported_at FROM staged_row WHERE {key} <> ''
    ), report AS (
        SELECT line, {key}, reported_at FROM sent
        UNION ALL
        SELECT NULL, own.{key}, own.reported_at FROM referrals_case AS own
        WHERE own.bcu_id = {bcu} AND own.{key} <> '' AND own.{key} IN (SELECT {key} FROM sent)
            AND NOT EXISTS (SELECT FROM sent WHERE sent.crime_reference = own.crime_reference)
    ), counted AS (
        SELECT line, {key}, reported_at, count(*) OVER (
            PARTITION BY {key} ORDER BY reported_at RANGE BETWEEN {within} PRECEDING AND CURRENT ROW
        ) AS reports
        FROM report
    )
    SELECT line, false, {column}, '', {words} FROM (
        SELECT line, max(reports) OVER (
            PARTITION BY {key} ORDER BY reported_at RANGE BETWEEN CURRENT ROW AND {within} FOLLOWING
        ) AS most
        FROM counted
    ) AS found
    WHERE line IS NOT NULL AND most > {most} ORDER BY line
"""


def warn(cursor: CursorWrapper, staging: Staging, bcu: Bcu) -> bool:
    """Adds warnings to good rows; returns whether the extract may be older than what is saved."""
    if Column.VICTIM_POSTCODE in staging.columns:
        cursor.execute(
            "INSERT INTO staged_remark (line, rejects, column_name, value, reason) "
            "SELECT line, false, 'victim_postcode', '', %s FROM staged_row JOIN staged_fate USING (line) "
            "WHERE ward_id IS NULL AND decided_at IS NULL ORDER BY line",
            [f"No ward of {bcu.name} found by postcode: choose a team in the overnight review."],
        )
    words = Json({column.value: words for column, words in WORDS.items()})
    run(
        cursor,
        _WARNINGS,
        changeable=sql.Literal(_CHANGEABLE),
        of_the_victim=sql.Literal(_OF_THE_VICTIM),
        words=sql.SQL("{}::jsonb").format(sql.Literal(words)),
        decided_at=_moment("decided_at"),
    )
    cursor.execute(_OTHER_THAN_THE_CASE)
    _warn_of_crowded_keys(cursor, staging, bcu)
    run(cursor, _OLDER, changed_at=_moment("changed_at"))
    return bool(cursor.rowcount)


def _warn_of_crowded_keys(cursor: CursorWrapper, staging: Staging, bcu: Bcu) -> None:
    """A key on more reports than one person plausibly has may stand for nobody."""
    for column in (Column.INCIDENT_REFERENCE, Column.VICTIM_KEY):
        if column in staging.columns:
            run(
                cursor,
                _CROWDED,
                key=sql.Identifier(FIELD_OF[column]),
                column=sql.Literal(column.value),
                bcu=sql.Literal(bcu.pk),
                most=sql.Literal(settings.REPORTS_OF_A_KEY),
                within=sql.Literal(settings.REPORTS_OF_A_KEY_WITHIN),
                words=sql.Literal(
                    f"This key is on more than {settings.REPORTS_OF_A_KEY} reports within "
                    f"{settings.REPORTS_OF_A_KEY_WITHIN.days} days: is it one person’s or incident’s?"
                ),
            )


def _moment(name: str) -> sql.Composed:
    """The moment in the words that pages use, as :func:`src_app.templatetags.words.moment` writes it."""
    return sql.SQL("to_char({name} AT TIME ZONE {zone}, 'FMDD FMMonth YYYY, FMHH12:MIam')").format(
        name=sql.Identifier(name), zone=sql.Literal(settings.TIME_ZONE)
    )
