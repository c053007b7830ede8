"""From rows of text to validated rows, and what speaks against the others. No database."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from functools import cache, lru_cache
from itertools import chain, pairwise
from typing import Any, NamedTuple

from django.conf import settings

from referrals.intake.reading.cells import (
    CRIME_OR_INCIDENT,
    CRIME_STATUSES,
    VICTIM_TYPES,
    YES_OR_NO,
    folded,
    read_repeat,
    read_strands,
    says_not_known,
)
from referrals.intake.reading.columns import (
    FIELD_OF,
    NEVER_SHOWN,
    QUESTION_OF,
    REQUIRED,
    SELDOM,
    TEXT_OF,
    Column,
    Meanings,
    heading_words,
    recogniser,
)
from referrals.intake.reading.fitting import NEVER_EMPTY, fits
from referrals.models import Case, CrimeStatus, Strand, VictimType
from referrals.rules.postcodes import read_postcode
from referrals.table_files.cells import bare, letters
from referrals.table_files.content import Content
from referrals.table_files.moments import read_moment
from referrals.table_files.read import Record, Rows, find_columns, read_rows
from referrals.table_files.shape import ROWS_ABOVE, is_aside, is_remark, repeats_headings, squared
from src_app.keys import linking_hash
from src_app.lists.cells import as_it_was
from src_app.scrubbing import plain, scrub, scrub_keys, scrub_references, visible

LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Warned:
    """Something to look at in a row that is saved all the same."""

    line: int
    column: str
    reason: str

    @property
    def column_words(self) -> str:
        """The column as pages call it."""
        return heading_words(self.column) or "The table"


@dataclass(frozen=True)
class Rejection:
    """Why a row is not saved. ``value`` is the cell, cut to 60 characters; empty where not to be shown."""

    line: int
    column: str
    value: str
    reason: str

    @property
    def column_words(self) -> str:
        """The column as pages call it; empty for the whole row."""
        return heading_words(self.column)


@dataclass(frozen=True, slots=True)
class ExtractRow:
    """A row that can be saved: values by field of a case, or kind of text, for the columns the file has.

    Incident and victim are keyed hashes already. ``postcode`` is ``None`` without the column; it finds the
    ward and goes no further.
    """

    line: int
    values: Mapping[str, Any] = field(repr=False)
    postcode: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Read:
    """What one row says: a row to save with its warnings, or what speaks against it and no warning.

    A line that is no report, such as a total, has a warning alone.
    ``crime_reference`` is empty where it cannot be read.
    """

    line: int
    crime_reference: str
    row: ExtractRow | None
    rejections: list[Rejection]
    warnings: list[Warned]


# Strands by the letters of a word that is none by itself.
StrandWords = Mapping[str, Sequence[str]]
UNKNOWN_STRAND = "Not a monitored strand"


@dataclass(frozen=True)
class Extract:
    """A file that is a table: its rows as a stream, to be read once.

    ``warnings`` are of its headings; ``share`` tells how much is read, from 0 to 1.
    """

    columns: Mapping[Column, int]
    warnings: list[Warned]
    rows: Iterator[Read] = field(repr=False)
    share: Callable[[], float] = field(repr=False)


@contextmanager
def open_extract(
    content: Content,
    *,
    at: datetime,
    meanings: Meanings | None = None,
    strand_words: StrandWords | None = None,
    sheet: str = "",
) -> Iterator[Extract]:
    """The file's rows, validated as of ``at``; ``strand_words``: what the BCU's own words for strands mean.

    Raises :class:`~referrals.table_files.text.NotATable` on the way.

    Two rows of one reference are both given here: the database finds them, as it remembers every row.
    """
    column_of = recogniser(meanings)
    with read_rows(content, column_of, sheet=sheet) as table:
        columns = find_columns(table.headings, column_of, required=REQUIRED)
        reader = _RowReader(columns, table, at, strand_words or {})
        yield Extract(
            columns=columns,
            warnings=[*_warnings_of_table(table), *_warnings_of_headings(table, columns)],
            rows=reader.read_all(table.records),
            share=table.share,
        )


def _warnings_of_table(table: Rows) -> list[Warned]:
    warnings = []
    if table.line > 1:
        reason = f"The headings are on line {table.line}; what stands above them is not read."
        warnings.append(Warned(table.line, "", reason))
    if table.hidden:
        rows = "A row is" if table.hidden == 1 else f"{table.hidden:,} rows are"
        reason = f"{rows} hidden in the spreadsheet, as by a filter, and read all the same: is it meant?"
        warnings.append(Warned(table.line, "", reason))
    return warnings


def _warnings_of_headings(table: Rows, columns: Mapping[Column, int]) -> list[Warned]:
    used = set(columns.values())
    unused = [heading for place, heading in enumerate(table.headings) if heading and place not in used]
    missing = [column for column in Column if column not in columns and column not in SELDOM]
    return [
        *(Warned(table.line, shown(heading), "This column is not used.") for heading in unused),
        *(Warned(table.line, column.value, "The file has no such column.") for column in missing),
    ]


def shown(text: str, *withheld: str) -> str:
    """The text cut for a report; empty where it holds anything withheld or what looks like a victim's data.

    A crime reference is shown, with hyphens for slashes too: it is how the row is found.
    """
    text = " ".join(visible(text).split())
    if any(_holds(text, cell) for cell in withheld) or scrub_keys(text, withheld) != text:
        return ""
    if scrub_references(text) != text and not any(map(_is_reference, (text, text.replace("-", "/")))):
        return ""
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def _holds(text: str, cell: str) -> bool:
    """Whether the text contains the cell, apart from spaces and capitals.

    A cell of fewer than four characters must be the whole text: one so short is part of many texts by chance.
    """
    text, cell = ("".join(part.split()).upper() for part in (text, cell))
    return cell == text if len(cell) < 4 else cell in text


def _is_reference(text: str) -> bool:
    form = re.compile(settings.CRIME_REFERENCE_PATTERN, re.ASCII)
    return len(text) <= _longest("crime_reference") and form.fullmatch(text) is not None


@cache
def _longest(name: str) -> int:
    """How many characters that field of a case holds."""
    limit = Case._meta.get_field(name).max_length  # type: ignore[union-attr]  # a plain text field
    assert limit is not None
    return limit


class _RowReader:
    """Reads row after row of one file, and collects what speaks against each."""

    def __init__(
        self, columns: Mapping[Column, int], table: Rows, at: datetime, strand_words: StrandWords
    ) -> None:
        self.places = sorted(columns.items(), key=lambda item: item[1])
        self.readers = [
            (column, FIELD_OF[column], read) for column, read in _READERS.items() if column in columns
        ]
        # What cells of few different texts mean, where there is nothing to say of them.
        self.known: dict[Column, dict[str, Any]] = {column: {} for column in _FEW_TEXTS}
        self.texts = [(column, kind.value) for column, kind in TEXT_OF.items() if column in columns]
        self.hidden = [column for column in NEVER_SHOWN if column in columns]
        self.headings, self.is_sheet, self.at = table.headings, table.is_sheet, at
        self.strand_words = strand_words
        self.reference_at, self.reported_at = (columns[column] for column in REQUIRED)
        self.form = re.compile(settings.CRIME_REFERENCE_PATTERN, re.ASCII).fullmatch
        column_at = {place: column for column, place in self.places}
        self.begins_with_text = column_at.get(0) in _BROKEN
        self.ends_with_text = column_at.get(len(self.headings) - 1) in _BROKEN
        # The same words come again and again; kept for this file alone.
        self.scrubbed = lru_cache(maxsize=1_024)(scrub)

    def read_all(self, records: Iterator[Record]) -> Iterator[Read]:
        """What each row says; of a report that a line break cuts in two, that neither part is saved."""
        has_reports = is_cut = False
        before = _Kind.HEADINGS
        for group, following in pairwise(chain(self._grouped(records), [_Group(_END, _Kind.END, [])])):
            record, kind, around = group
            if kind is _Kind.REPORT:
                is_cut = self._is_rest(before) or self._goes_on(record.cells or [], around, following.kind)
                has_reports = True
                yield self.read(record, is_cut=is_cut)
            elif record is not _END:
                yield self.read(record)
            before = around[-1][1] if around else kind
            strays = self._strays(has_reports, is_cut, before, following.kind)
            for line, each in around:
                yield self._stray(line) if each in strays else self._aside(line)

    def _grouped(self, records: Iterator[Record]) -> Iterator["_Group"]:
        """Each row with the lines after it that are no report.

        Those above the first row are a group without a row, and so are those that are too many for one.
        """
        group = _Group(_END, _Kind.HEADINGS, [])
        for record in records:
            kind = self._kind(record)
            is_row = kind in (_Kind.REPORT, _Kind.UNKNOWN)
            if is_row or len(group.around) == ROWS_ABOVE:
                yield group
                group = _Group(record, kind, []) if is_row else _Group(_END, _Kind.UNKNOWN, [])
            if not is_row:
                group.around.append((record.line, kind))
        yield group

    def _strays(
        self, has_reports: bool, is_cut: bool, last: "_Kind", following: "_Kind"
    ) -> Collection["_Kind"]:
        """Which lines after a row may be a part of a report, and are no remarks around the table."""
        if not has_reports and not self.begins_with_text:
            return ()
        if following is _Kind.END:
            return (_Kind.REMARK,) if is_cut else ()
        if is_cut or (following is _Kind.REPORT and self._is_rest(last)):
            return (_Kind.REMARK, _Kind.ASIDE)
        return (_Kind.REMARK,)

    def _kind(self, record: Record) -> "_Kind":
        cells = record.cells
        if cells is None:
            return _Kind.UNKNOWN
        is_report = self._has_reference(cells)
        # The rest of a text may begin with a reference too, and lacks what stands before it.
        if is_report and len(cells) >= len(self.headings):
            return _Kind.REPORT
        if not is_report and is_aside(cells, self.headings):
            return _Kind.HEADINGS if repeats_headings(cells, self.headings) else _Kind.ASIDE
        if not is_report and is_remark(cells, self.headings):
            return _Kind.ASIDE if self.is_sheet else _Kind.REMARK
        reported = bare(cells[self.reported_at]) if len(cells) > self.reported_at else ""
        return _Kind.REPORT if reported and fits(Column.REPORTED_AT, reported) else _Kind.UNKNOWN

    def _has_reference(self, cells: list[str]) -> bool:
        cell = cells[self.reference_at] if len(cells) > self.reference_at else ""
        return bool(self.form(cell) or self.form(bare(cell)))

    def _is_rest(self, before: "_Kind") -> bool:
        """Whether the text that a row begins with may have begun on the line before it."""
        parts = (_Kind.REMARK, _Kind.ASIDE, _Kind.UNKNOWN)
        return self.begins_with_text and not self.is_sheet and before in parts

    def _goes_on(self, cells: list[str], around: "_Around", following: "_Kind") -> bool:
        """Whether the text that a row ends with may go on in the next line.

        A line known under tables ends it below the table; among reports it may be the rest of one.
        """
        after = around[0][1] if around else following
        is_below = after is _Kind.ASIDE and following is _Kind.END
        if self.is_sheet or is_below or after in (_Kind.REPORT, _Kind.HEADINGS, _Kind.END):
            return False
        return len(cells) < len(self.headings) or (self.ends_with_text and bool(cells[-1].strip()))

    def _aside(self, line: int) -> Read:
        return Read(line, "", None, [], [Warned(line, "", "This line is no report: it is left out.")])

    def _stray(self, line: int) -> Read:
        reason = "This line is no report: is it a part of a text in the report above or below it?"
        return Read(line, "", None, [Rejection(line, "", "", reason)], [])

    def read(self, record: Record, *, is_cut: bool = False) -> Read:
        """What the row says."""
        self.line = record.line
        self.rejections: list[Rejection] = []
        self.warnings: list[Warned] = []
        self.questions: list[str] = []
        self.cells: dict[Column, str] = {}
        if not self._split(record.cells):
            return Read(self.line, "", None, self.rejections, [])
        if is_cut:
            reason = "A line break cuts a text of this row in two: put the text in quotation marks."
            self.rejections.append(Rejection(self.line, "", "", reason))
        reference = self._reference()
        values = {name: self._field(column, read) for column, name, read in self.readers}
        self._check_order(values)
        if self.rejections:
            return Read(self.line, reference, None, self.rejections, [])
        values["crime_reference"], values["questions"] = reference, self.questions
        for column, kind in self.texts:
            values[kind] = self._text(column)
        postcode = self.cells.get(Column.VICTIM_POSTCODE)
        row = ExtractRow(self.line, values, None if postcode is None else read_postcode(plain(postcode)))
        return Read(self.line, reference, row, [], self.warnings)

    def _field(self, column: Column, read: "_Reader") -> Any:
        known = self.known.get(column)
        if known is None:
            return read(self, column)
        text, told = self.cells[column], len(self.warnings)
        if text in known:
            return known[text]
        value = read(self, column)
        if len(self.warnings) == told and len(known) < _MOST_KNOWN:
            known[text] = value
        return value

    def _split(self, cells: list[str] | None) -> bool:
        if cells is None:
            reason = "A quotation mark inside a quoted cell must be doubled."
            self.rejections.append(Rejection(self.line, "", "", reason))
            return False
        width, given = len(self.headings), len(cells)
        cells = squared(cells, width)
        if len(cells) == width:
            self._clean(cells)
            if given == width or self._is_whole():
                return True
        reason = f"The row has {given} cells where the headings have {width}."
        self.rejections.append(Rejection(self.line, "", str(given), reason))
        return False

    def _clean(self, cells: list[str]) -> None:
        """Keeps each column's cell, without what cannot be seen and a spreadsheet's apostrophe."""
        plain = "".join(cells).isprintable()
        for column, place in self.places:
            text = cells[place]
            if not plain and (seen := visible(text)) != text:
                self._warn(column, "Characters that cannot be seen are left out.")
                text = seen
            text = text.strip()
            if text.startswith("'"):
                text = (as_it_was(text) if column in _TYPED else text[1:]).strip()
            self.cells[column] = text

    def _is_whole(self) -> bool:
        """Whether a row that was not as wide as the headings differs by empty cells at its end alone.

        Where one in its middle is missing, or parted in two, another stands in a column that it does not fit.
        """
        return all(
            fits(column, cell) and (cell or column not in NEVER_EMPTY) for column, cell in self.cells.items()
        )

    def _reference(self) -> str:
        """The reference, empty where it is none."""
        reference = self.cells[Column.CRIME_REFERENCE]
        if not reference:
            self._reject(Column.CRIME_REFERENCE, "The crime reference is missing.")
        elif not _is_reference(reference):
            self._reject(Column.CRIME_REFERENCE, "This has not the form of a crime reference.")
        else:
            return reference
        return ""

    def _check_order(self, values: dict[str, Any]) -> None:
        reported, occurred = values["reported_at"], values.get("occurred_at")
        if reported and reported > self.at:
            self._reject(Column.REPORTED_AT, "The report lies in the future.")
        elif reported and occurred and occurred > reported:
            self._warn(Column.OCCURRED_AT, "The offence is later than its report.")

    def _reject(self, column: Column, reason: str) -> None:
        value = shown(self.cells[column], *(self.cells.get(hidden, "") for hidden in NEVER_SHOWN))
        self.rejections.append(Rejection(self.line, column.value, value, reason))

    def _warn(self, column: Column, reason: str) -> None:
        self.warnings.append(Warned(self.line, column.value, reason))

    def _text(self, column: Column) -> str:
        """The cell without what finds a person; the crime record has it."""
        text = self.cells[column]
        if not text:
            return text
        kept = scrub_keys(self.scrubbed(text), [self.cells[hidden] for hidden in self.hidden])
        if kept != text:
            self._warn(
                column, "A telephone number, e-mail address, postcode or key of the report in it is left out."
            )
        return kept

    def moment(self, column: Column) -> datetime | None:
        text = self.cells[column]
        if not text:
            if column == Column.REPORTED_AT:
                self._reject(column, "The time of the report is missing.")
            return None
        try:
            moment, twice = read_moment(text)
        except ValueError as error:
            with suppress(ValueError):
                moment, _ = read_moment(f"{text} 00:00")
                self._warn(column, "No time of day: taken as midnight.")
                return moment
            self._reject(column, str(error))
            return None
        if twice:
            self._warn(column, "The clocks went back over this time: taken as the earlier of the two.")
        return moment

    def cut(self, column: Column) -> str:
        text, limit = " ".join(self._text(column).split()), _longest(FIELD_OF[column])
        if len(text) > limit:
            self._warn(column, f"Cut to {limit} characters.")
            return text[:limit].rstrip()
        return text

    def _ask(self, column: Column) -> None:
        self.questions.append(QUESTION_OF[column].value)

    def strands(self, column: Column) -> list[str] | None:
        strands, words = read_strands(self.cells[column])
        said = [self.strand_words.get(letters(word)) for word in words]
        unknown = [word for word, meaning in zip(words, said, strict=True) if meaning is None]
        named = {*strands, *chain.from_iterable(meaning or () for meaning in said)}
        strands = [strand.value for strand in Strand if strand in named]
        withheld = [self.cells.get(hidden, "") for hidden in NEVER_SHOWN]
        for name in unknown:
            seen = shown(name, *withheld)
            self._warn(column, f"{UNKNOWN_STRAND}: {seen}." if seen else f"{UNKNOWN_STRAND}.")
        # A trial may balance by race, and what is not understood may be race.
        if unknown and Strand.RACE not in strands:
            self._ask(column)
            return strands or None
        return strands

    def is_crime(self, column: Column) -> bool | None:
        match CRIME_OR_INCIDENT.get(folded(self.cells[column])):
            case "crime":
                return True
            case "incident":
                self._warn(column, "A hate incident, not a crime.")
                return False
        self._warn(column, "Neither Crime nor Incident: a new case is taken as a crime.")
        return None

    def crime_status(self, column: Column) -> str | None:
        text = folded(self.cells[column])
        status = CRIME_STATUSES.get(text)
        if status is None:
            if text:
                self._warn(column, "Not a known status: a new case is taken as recorded.")
            return None
        if status != CrimeStatus.RECORDED:
            self._warn(column, f"{status.label}.")
        return status.value

    def hate_flag(self, column: Column) -> bool | None:
        answer = YES_OR_NO.get(folded(self.cells[column])) if self.cells[column] else None
        if answer is False:
            self._warn(column, "The hate flag is not on the crime record.")
        elif answer is None and self.cells[column]:
            self._warn(column, "Neither Y nor N: a new case is taken as flagged.")
        return answer

    def victim_type(self, column: Column) -> str:
        match VICTIM_TYPES.get(folded(self.cells[column])):
            case "individual":
                return VictimType.INDIVIDUAL.value
            case "organisation" | "state" as named:
                self._warn(column, f"No individual victim: {VictimType(named).label}.")
                return VictimType(named).value
        self._warn(column, "Not Individual, Organisation or State: taken as an individual.")
        return VictimType.INDIVIDUAL.value

    def repeat(self, column: Column) -> bool | None:
        """An empty cell takes nothing back that was known, or answered."""
        if not self.cells[column]:
            return None
        answer = read_repeat(self.cells[column])
        if answer is None:
            self._warn(column, "Neither yes, no nor how often: it is asked in the overnight review.")
            self._ask(column)
        return answer

    def under_18(self, column: Column) -> bool | None:
        """An empty cell, or one that is not understood, makes no adult of a child."""
        text = folded(self.cells[column])
        if text and text not in YES_OR_NO:
            self._warn(column, "Neither Y nor N: a new case is taken as N.")
        return YES_OR_NO.get(text) if text else None

    def linked(self, column: Column) -> str:
        if self.cells[column] and says_not_known(self.cells[column]):
            self._warn(column, "This is no key: nothing is linked by it.")
            self.cells[column] = ""
        kind = "incident" if column == Column.INCIDENT_REFERENCE else "victim"
        return linking_hash(kind, plain(self.cells[column]))


class _Kind(Enum):
    """What a row is, as far as it tells by itself."""

    REPORT = auto()
    HEADINGS = auto()
    ASIDE = auto()
    REMARK = auto()
    UNKNOWN = auto()
    END = auto()


# Lines that are no report, with what they are.
_Around = list[tuple[int, _Kind]]


class _Group(NamedTuple):
    """A row, or none, and the lines after it that are no report."""

    record: Record
    kind: _Kind
    around: _Around


_END = Record(0, None)
# Words of a person, in which an apostrophe may be their own; before anything else a spreadsheet put it.
_TYPED = frozenset({*TEXT_OF, Column.OFFENCE, Column.OFFICER_IN_CASE})
# What people write with line breaks in it.
_BROKEN = _TYPED | {Column.HATE_STRANDS}
_Reader = Callable[[_RowReader, Column], Any]
_MOST_KNOWN = 256
_FEW_TEXTS = (
    Column.HATE_STRANDS,
    Column.CRIME_OR_INCIDENT,
    Column.CRIME_STATUS,
    Column.HATE_FLAG,
    Column.VICTIM_TYPE,
    Column.REPEAT_VICTIM,
    Column.VICTIM_UNDER_18,
)
_READERS: dict[Column, _Reader] = {
    Column.REPORTED_AT: _RowReader.moment,
    Column.OCCURRED_AT: _RowReader.moment,
    Column.OFFENCE: _RowReader.cut,
    Column.HATE_STRANDS: _RowReader.strands,
    Column.CRIME_OR_INCIDENT: _RowReader.is_crime,
    Column.CRIME_STATUS: _RowReader.crime_status,
    Column.HATE_FLAG: _RowReader.hate_flag,
    Column.VICTIM_TYPE: _RowReader.victim_type,
    Column.REPEAT_VICTIM: _RowReader.repeat,
    Column.OFFICER_IN_CASE: _RowReader.cut,
    Column.INCIDENT_REFERENCE: _RowReader.linked,
    Column.VICTIM_KEY: _RowReader.linked,
    Column.VICTIM_UNDER_18: _RowReader.under_18,
}
