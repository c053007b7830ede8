"""What headings of an extract and its words for strands mean, said by hand and remembered for its BCU."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from uuid import UUID

from django.db import transaction

from referrals.intake.held.holding import locked
from referrals.intake.held.parts import content_of
from referrals.intake.held.work import start_work
from referrals.intake.reading.columns import Column, recogniser
from referrals.intake.reading.fitting import fits_form, guessed
from referrals.intake.reading.rows import shown
from referrals.intake.saving.save import check_scope
from referrals.models import Bcu, CaseImport, HeadingMeaning, ImportStatus, Strand, StrandMeaning
from referrals.table_files.cells import LONGEST_HEADING, letters, may_be_heading
from referrals.table_files.read import SeveralSheets, read_rows
from referrals.table_files.shape import is_aside, squared
from src_app.accounts.models import User
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused

_MOST_LOOKED_AT, _MOST_EXAMPLES = 50, 3


@dataclass(frozen=True)
class Heading:
    """A heading of the file, what it is taken for now or else may mean, and some of the cells under it."""

    words: str
    column: Column | None
    guess: Column | None
    examples: list[str] = field(repr=False)


@dataclass(frozen=True)
class Choice:
    """What there is to choose: the headings, or else the sheets."""

    headings: list[Heading]
    sheets: list[str]


def choice_of(held: CaseImport) -> Choice:
    """The headings of the extract, or the sheets of which one must be named first.

    Raises :class:`Refused` where the key of the file is lost.
    """
    column_of = recogniser(HeadingMeaning.of(held.bcu))
    try:
        with read_rows(content_of(held), column_of, sheet=held.sheet) as table:
            rows = [
                squared(record.cells, len(table.headings))
                for record in islice(table.records, _MOST_LOOKED_AT)
                if record.cells and not is_aside(record.cells, table.headings)
            ]
            cells = {
                heading: [row[place].strip() for row in rows if row[place].strip()]
                for place, heading in reversed(list(enumerate(table.headings)))
                if letters(heading)
            }
            named = dict.fromkeys(heading for heading in table.headings if letters(heading))
    except SeveralSheets as several:
        return Choice([], several.names)
    columns = {heading: column_of(heading) for heading in named}
    unknown = {heading: cells[heading] for heading, column in columns.items() if column is None}
    guesses = guessed(unknown, [column for column in columns.values() if column])
    return Choice(
        [
            Heading(words, column, guesses.get(words), _examples(cells[words]))
            for words, column in columns.items()
        ],
        [],
    )


def _examples(cells: list[str]) -> list[str]:
    """Some of the cells, for whoever has the file: without what finds a person."""
    return list(dict.fromkeys(map(_example, cells)))[:_MOST_EXAMPLES]


def _example(cell: str) -> str:
    if fits_form(Column.CRIME_REFERENCE, cell):
        return "a crime reference"
    if fits_form(Column.VICTIM_POSTCODE, cell):
        return "a postcode"
    return shown(cell) or "not shown here"


def match_columns(
    *, import_id: UUID, sheet: str, meanings: Mapping[str, str], by: User, at: datetime
) -> CaseImport:
    """Says which sheet is meant and what headings mean, and has the extract read again.

    ``meanings`` gives a column's name, or nothing for not used, by heading. Raises
    ``CaseImport.DoesNotExist`` for an extract that is not theirs, and :class:`Refused` for one that is gone
    or at work.
    """
    with transaction.atomic():
        held = locked(import_id, by, at)
        if held.status not in (ImportStatus.MATCHING, ImportStatus.WAITING):
            raise Refused("This extract is at work or saved already: its columns can no longer be matched.")
        if meanings:
            remember_headings(bcu=held.bcu, meanings=meanings, by=by, at=at)
        if sheet:
            _record(by, ["sheet"])
        held.sheet = sheet or held.sheet
        _read_again(held, at)
    start_work(held, at)
    return held


def match_strands(
    *, import_id: UUID, meanings: Mapping[str, Collection[Strand]], by: User, at: datetime
) -> CaseImport:
    """Remembers which strands words of the BCU's extracts name, and has an extract that waits read again.

    No strand for a word: it is none that is monitored. One that the watched folder saved is left as it is.
    Raises ``CaseImport.DoesNotExist`` for an extract that is not theirs, and :class:`Refused` for one that is
    gone or at work, and for what is no word.
    """
    with transaction.atomic():
        held = locked(import_id, by, at)
        if held.status not in (ImportStatus.WAITING, ImportStatus.SAVED):
            raise Refused("This extract is at work, or its columns are to be matched first: look again soon.")
        for word, strands in meanings.items():
            StrandMeaning.objects.update_or_create(
                bcu=held.bcu,
                word=_key(word),
                defaults={
                    "strands": [strand.value for strand in Strand if strand in strands],
                    "said_by": by,
                    "said_at": at,
                },
            )
        if meanings:
            _record(by, [Column.HATE_STRANDS.value])
        if meanings and held.status == ImportStatus.WAITING:
            _read_again(held, at)
    if held.status == ImportStatus.READING:
        start_work(held, at)
    return held


def _read_again(held: CaseImport, at: datetime) -> None:
    held.status, held.problem, held.report_encrypted = ImportStatus.READING, "", None
    held.queued_at, held.attempts = at, 0
    held.save(update_fields=["sheet", "status", "problem", "report_encrypted", "queued_at", "attempts"])


def remember_headings(*, bcu: Bcu, meanings: Mapping[str, str], by: User, at: datetime) -> int:
    """Remembers what headings of the BCU's extracts mean; returns how many meanings are new or others.

    What a heading means without being told is not kept. Raises :class:`Refused` for a column there is none
    of, and for a heading without letters or digits.
    """
    check_scope(by, bcu)
    usual, changed = recogniser(), []
    with transaction.atomic():
        for heading, name in meanings.items():
            kept = HeadingMeaning.objects.filter(bcu=bcu, heading=_key(heading)).first()
            if (kept.column if kept else (usual(heading) or "")) == _column(name):
                continue
            HeadingMeaning.objects.update_or_create(
                bcu=bcu,
                heading=_key(heading),
                defaults={"column": _column(name), "said_by": by, "said_at": at},
            )
            changed.append(_column(name))
        _record(by, sorted({name for name in changed if name}))
    return len(changed)


def _record(by: User, fields: list[str]) -> None:
    record(Action.HEADINGS_MATCHED, by=by, purpose=Purpose.INTAKE, subject="extract", fields=fields)


def _key(heading: str) -> str:
    key = letters(heading)
    if not key or not may_be_heading(heading):
        raise Refused(
            f"A heading is a few words that name a column, of {LONGEST_HEADING} characters at most: "
            "make sure that the file's first line holds the headings."
        )
    return key


def _column(name: str) -> str:
    if name and name not in list(Column):
        raise Refused(f"There is no column {name}: the columns are {', '.join(Column)}.")
    return name


def read_meanings(said: Iterable[str]) -> dict[str, str]:
    """A column's name by heading, from ``Heading=column``; raises :class:`Refused` for what is none."""
    meanings = {}
    for each in said:
        heading, equals, name = each.rpartition("=")
        if not equals:
            raise Refused(f'{each} says nothing: write "Heading=column", or "Heading=" for not used.')
        _key(heading)
        meanings[heading] = _column(name.strip())
    return meanings
