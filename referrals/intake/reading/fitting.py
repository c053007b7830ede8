"""Whether a cell may belong to a column, by its form; and which column a heading may mean by its cells."""

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher

from django.conf import settings

from referrals.intake.reading.cells import (
    CRIME_OR_INCIDENT,
    VICTIM_TYPES,
    YES_OR_NO,
    folded,
    read_repeat,
    read_strands,
    says_nothing,
)
from referrals.intake.reading.columns import REQUIRED, Column, names_of
from referrals.rules.postcodes import read_postcode
from referrals.table_files.cells import letters
from referrals.table_files.moments import read_moment
from src_app.scrubbing import plain, scrub, scrub_references

# Every report says these.
NEVER_EMPTY = frozenset({*REQUIRED, Column.CRIME_OR_INCIDENT, Column.VICTIM_TYPE})


def fits(column: Column, cell: str) -> bool:
    """Whether the cell is empty or may belong to that column; of some columns nothing can be told."""
    text = folded(cell)
    if not text or column not in _FITTING:
        return True
    try:
        return bool(_FITTING[column](text))
    except ValueError:
        return False


def _moment(text: str) -> object:
    return read_moment(text if ":" in text else f"{text} 00:00")


_ABOUT_A_REPEAT = re.compile(r"(?:y|yes|n|repeat|first|new|single|multiple)\b")
_FITTING: dict[Column, Callable[[str], object]] = {
    Column.REPORTED_AT: _moment,
    Column.OCCURRED_AT: _moment,
    Column.CRIME_OR_INCIDENT: CRIME_OR_INCIDENT.get,
    Column.VICTIM_TYPE: VICTIM_TYPES.get,
    # No fixed abode has words there, and no figure.
    Column.VICTIM_POSTCODE: lambda text: read_postcode(plain(text)) or not re.search(r"\d", text),
    # A number of an incident, and no telephone number, tells that the cell is another column's.
    Column.OFFICER_IN_CASE: lambda text: scrub_references(text) == scrub(text),
    Column.INCIDENT_REFERENCE: lambda text: text not in YES_OR_NO,
    Column.VICTIM_KEY: lambda text: text not in YES_OR_NO,
    Column.REPEAT_VICTIM: lambda text: (
        read_repeat(text) is not None or says_nothing(text) or _ABOUT_A_REPEAT.match(text)
    ),
    Column.HATE_FLAG: YES_OR_NO.__contains__,
    Column.VICTIM_UNDER_18: lambda text: text in YES_OR_NO or says_nothing(text),
}
# Cells whose form alone tells the column.
_TELLING: dict[Column, Callable[[str], object]] = {
    Column.CRIME_REFERENCE: lambda text: re.fullmatch(settings.CRIME_REFERENCE_PATTERN, text, re.ASCII),
    Column.VICTIM_POSTCODE: lambda text: read_postcode(plain(text)),
    Column.HATE_STRANDS: lambda text: read_strands(text)[0],
    Column.CRIME_OR_INCIDENT: lambda text: text in ("crime", "incident", "non crime", "non-crime"),
    Column.VICTIM_TYPE: lambda text: text in ("individual", "organisation", "business", "state"),
}


def fits_form(column: Column, cell: str) -> bool:
    """Whether the cell has a form that only that column's cells have."""
    telling = _TELLING.get(column)
    return bool(telling and telling(folded(cell)))


_LEAST_ALIKE = 0.6


def guessed(cells: Mapping[str, Sequence[str]], taken: Sequence[Column]) -> dict[str, Column]:
    """For headings that nobody knows, the column that each may mean; none where there is nothing to go by.

    ``cells`` are some of each heading's. A column is guessed once, and none of those ``taken``.
    """
    scores = sorted(
        (
            (_score(heading, some, column), heading, column)
            for heading, some in cells.items()
            for column in Column
            if column not in taken and all(fits(column, cell) for cell in some)
        ),
        reverse=True,
    )
    found: dict[str, Column] = {}
    for score, heading, column in scores:
        if score >= _LEAST_ALIKE and heading not in found and column not in found.values():
            found[heading] = column
    return found


def _score(heading: str, cells: Sequence[str], column: Column) -> float:
    """How alike the heading is to one of the column's names, from 0 to 1; and 1 more for cells that tell."""
    said = [cell for cell in cells if cell.strip()]
    told = bool(said) and all(fits_form(column, cell) for cell in said)
    return _most_alike(heading, column) + told


def _most_alike(heading: str, column: Column) -> float:
    own = set(folded(heading).replace("_", " ").replace("/", " ").split())
    best = 0.0
    for name in names_of(column):
        words = set(name.split())
        shared = 2 * len(own & words) / (len(own) + len(words)) if own else 0.0
        ratio = SequenceMatcher(None, letters(heading), letters(name)).ratio()
        best = max(best, shared, ratio if ratio > 0.8 else 0.0)
    return best
