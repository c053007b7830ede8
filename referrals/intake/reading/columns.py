"""The canonical columns of an overnight extract, and what each of them becomes."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from referrals.models import Question, TextKind
from referrals.table_files.cells import CRIME_REFERENCE_HEADINGS, letters


class Column(StrEnum):
    """The headings of the file's first line."""

    CRIME_REFERENCE = "crime_reference"
    REPORTED_AT = "reported_at"
    OCCURRED_AT = "occurred_at"
    OFFENCE = "offence"
    HATE_STRANDS = "hate_strands"
    CRIME_OR_INCIDENT = "crime_or_incident"
    CRIME_STATUS = "crime_status"
    HATE_FLAG = "hate_flag"
    VICTIM_TYPE = "victim_type"
    VICTIM_POSTCODE = "victim_postcode"
    REPEAT_VICTIM = "repeat_victim"
    CONTACT_WISHES = "contact_wishes"
    SAFETY_NOTE = "safety_note"
    OFFICER_IN_CASE = "officer_in_case"
    INCIDENT_REFERENCE = "incident_reference"
    VICTIM_KEY = "victim_key"
    VICTIM_UNDER_18 = "victim_under_18"
    COMMUNICATION_NEED = "communication_need"


REQUIRED = (Column.CRIME_REFERENCE, Column.REPORTED_AT)
# Not every system exports these; nothing is said where they are missing.
SELDOM = (Column.CRIME_STATUS, Column.HATE_FLAG)

# What crime management systems call them, as a person would say it: case, spaces and signs do not count.
_OTHER_HEADINGS: dict[Column, str] = {
    Column.CRIME_REFERENCE: CRIME_REFERENCE_HEADINGS,
    Column.REPORTED_AT: (
        "date time reported, reported date time, reported date, date reported, reported on, reported, "
        "report date, report date time, date of report, recorded date, date recorded, "
        "date time recorded"
    ),
    Column.OCCURRED_AT: (
        "committed from, committed on from, committed date, date committed, offence date, date of offence, "
        "occurred from, occurred, incident date, date from, earliest date"
    ),
    Column.OFFENCE: (
        "offence description, offence type, offence title, crime type, crime classification, classification, "
        "primary offence, ho offence, offence name"
    ),
    Column.HATE_STRANDS: (
        "hate crime strand s, hate crime strand, hate strand, strand, strands, hate type, "
        "hate crime type, hate motivation, hate crime flags, motivation"
    ),
    Column.CRIME_OR_INCIDENT: "crime incident, crime or non crime, record type, crime status type",
    Column.CRIME_STATUS: "status, status of crime, crime record status, record status, investigation status",
    Column.HATE_FLAG: "hate crime flag, hate flag set, flagged as hate crime, hate crime y n",
    Column.VICTIM_TYPE: "type of victim, victim category, aggrieved type",
    Column.VICTIM_POSTCODE: (
        "viw postcode, victim post code, victim home postcode, postcode of victim, aggrieved postcode, "
        "postcode, post code, home postcode"
    ),
    Column.REPEAT_VICTIM: "repeat, repeat victim flag, is repeat victim",
    Column.CONTACT_WISHES: (
        "contact preference, contact preferences, preferred contact, preferred contact method, "
        "victim contact preference, wishes, victim wishes"
    ),
    Column.SAFETY_NOTE: "warning markers, warning marker, warnings, safety notes, risk marker",
    Column.OFFICER_IN_CASE: "oic, officer in the case, investigating officer, io, investigator",
    Column.INCIDENT_REFERENCE: (
        "incident no, incident number, incident ref, cad, cad no, cad number, cad ref, log number, storm log"
    ),
    Column.VICTIM_KEY: "victim urn, victim id, victim ref, victim reference, nominal ref, person urn",
    Column.VICTIM_UNDER_18: "under 18, victim under eighteen, child victim, juvenile, is victim under 18",
    Column.COMMUNICATION_NEED: (
        "language communication need, communication needs, language, interpreter, interpreter needed, "
        "preferred language"
    ),
}


def names_of(column: Column) -> list[str]:
    """What headings call it, in words."""
    return [column.value.replace("_", " "), *map(str.strip, _OTHER_HEADINGS.get(column, "").split(","))]


# What a source's headings mean by hand: their letters, and a column's name or nothing for not used.
Meanings = Mapping[str, str]


_COLUMN_OF = {
    letters(heading): column
    for column in Column
    for heading in (column.value, *_OTHER_HEADINGS[column].split(","))
}


def recogniser(meanings: Meanings | None = None) -> Callable[[str], Column | None]:
    """Tells which column a heading means: as said by hand, else its own name or a common other one."""
    said = {heading: Column(name) if name else None for heading, name in (meanings or {}).items()}
    known = {**_COLUMN_OF, **said}
    return lambda heading: known.get(letters(heading))


# Their cells are never repeated: not in a report, a log line, an exception or a table.
NEVER_SHOWN = (Column.VICTIM_POSTCODE, Column.INCIDENT_REFERENCE, Column.VICTIM_KEY)

# The field of a case that a column fills. The postcode finds the ward and is dropped.
FIELD_OF: dict[Column, str] = {
    Column.REPORTED_AT: "reported_at",
    Column.OCCURRED_AT: "occurred_at",
    Column.OFFENCE: "offence",
    Column.HATE_STRANDS: "strands",
    Column.CRIME_OR_INCIDENT: "is_crime",
    Column.CRIME_STATUS: "crime_status",
    Column.HATE_FLAG: "hate_flag",
    Column.VICTIM_TYPE: "victim_type",
    Column.VICTIM_POSTCODE: "ward_id",
    Column.REPEAT_VICTIM: "repeat_victim",
    Column.OFFICER_IN_CASE: "officer_in_case",
    Column.INCIDENT_REFERENCE: "incident_hash",
    Column.VICTIM_KEY: "victim_hash",
    Column.VICTIM_UNDER_18: "victim_under_18",
}

# The columns that are free text about a person, kept where it can be erased.
TEXT_OF: dict[Column, TextKind] = {
    Column.CONTACT_WISHES: TextKind.CONTACT_WISHES,
    Column.SAFETY_NOTE: TextKind.SAFETY_NOTE,
    Column.COMMUNICATION_NEED: TextKind.COMMUNICATION_NEED,
}

# What may still change once a case is decided: what allocation froze does not. The ward is that for contact.
CHANGEABLE_WHEN_DECIDED = frozenset(
    {
        *TEXT_OF,
        Column.OFFICER_IN_CASE,
        Column.VICTIM_UNDER_18,
        Column.VICTIM_POSTCODE,
        Column.CRIME_OR_INCIDENT,
        Column.CRIME_STATUS,
        Column.HATE_FLAG,
    }
)
# What a row says of its victim, and so of nobody else.
OF_THE_VICTIM = frozenset(
    {
        *TEXT_OF,
        Column.VICTIM_TYPE,
        Column.VICTIM_POSTCODE,
        Column.REPEAT_VICTIM,
        Column.VICTIM_KEY,
        Column.VICTIM_UNDER_18,
    }
)
# A cell that cannot be understood says nothing: a case that is here stays as it is.
MAY_SAY_NOTHING = frozenset(
    {
        Column.HATE_STRANDS,
        Column.CRIME_OR_INCIDENT,
        Column.CRIME_STATUS,
        Column.HATE_FLAG,
        Column.REPEAT_VICTIM,
        Column.VICTIM_UNDER_18,
    }
)
# What is not understood in these is asked before the decision.
QUESTION_OF: dict[Column, Question] = {
    Column.HATE_STRANDS: Question.STRANDS,
    Column.REPEAT_VICTIM: Question.REPEAT_VICTIM,
}

WORDS: dict[Column, str] = {
    Column.CRIME_REFERENCE: "crime reference",
    Column.REPORTED_AT: "time of report",
    Column.OCCURRED_AT: "time of offence",
    Column.OFFENCE: "offence",
    Column.HATE_STRANDS: "strands",
    Column.CRIME_OR_INCIDENT: "crime or incident",
    Column.CRIME_STATUS: "crime status",
    Column.HATE_FLAG: "hate flag",
    Column.VICTIM_TYPE: "type of victim",
    Column.VICTIM_POSTCODE: "ward",
    Column.REPEAT_VICTIM: "repeat victim",
    Column.CONTACT_WISHES: "contact wishes",
    Column.SAFETY_NOTE: "safety note",
    Column.OFFICER_IN_CASE: "officer in the case",
    Column.INCIDENT_REFERENCE: "link by incident",
    Column.VICTIM_KEY: "link by victim",
    Column.VICTIM_UNDER_18: "under 18",
    Column.COMMUNICATION_NEED: "communication need",
}

# A cell becomes a ward or a link; its heading names the cell.
_HEADING_WORDS = WORDS | {
    Column.VICTIM_POSTCODE: "victim's postcode",
    Column.INCIDENT_REFERENCE: "incident reference",
    Column.VICTIM_KEY: "victim key",
}


def heading_words(name: str) -> str:
    """What a column is called on a page: ``Time of report``; a heading that is no column stays as it is."""
    return _HEADING_WORDS[Column(name)].capitalize() if name in list(Column) else name


def field_name(column: Column) -> str:
    """The name under which the audit log knows what a column fills."""
    return FIELD_OF.get(column, column.value).removesuffix("_id")
