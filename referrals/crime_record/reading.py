"""Reading a list of the crime references that carry the flag on the crime management system."""

import re
from dataclasses import dataclass

from django.conf import settings

from referrals.table_files.cells import CRIME_REFERENCE_HEADINGS, letters
from referrals.table_files.content import Content
from referrals.table_files.read import SeveralSheets, read_rows
from referrals.table_files.text import NotATable

MOST_REFERENCES = 10_000
_HEADING = "crime reference"
_HEADINGS = frozenset(map(letters, f"{_HEADING}, {CRIME_REFERENCE_HEADINGS}".split(",")))


@dataclass(frozen=True)
class ReadFlags:
    """The letters and digits of each reference, in capitals; ``hidden`` counts rows a spreadsheet hides."""

    signs: frozenset[str]
    hidden: int


def read_flags(content: Content) -> ReadFlags:
    """The references of the file's one column of them; raises :class:`NotATable`.

    What has no digit in it is no reference. A row that cannot be read is not passed over: its flag would be
    called missing.
    """
    if content.size > settings.MAX_UPLOAD_BYTES:
        limit = settings.MAX_UPLOAD_BYTES // (1024 * 1024)
        raise NotATable(f"The file is larger than {limit} MB: save the column of references alone.")
    try:
        with read_rows(content, _known) as table:
            places = [place for place, heading in enumerate(table.headings) if _known(heading)]
            if len(places) != 1:
                raise NotATable(_WHICH[bool(places)])
            signs: set[str] = set()
            for record in table.records:
                if record.cells is None:
                    raise NotATable(f"Line {record.line:,} has a quotation mark that is not doubled.")
                signs.update(_signs_of(record.cells[places[0] : places[0] + 1]))
                if len(signs) > MOST_REFERENCES:
                    raise NotATable(
                        f"The list has more than {MOST_REFERENCES:,} references, the most that are compared: "
                        "take one of your BCU alone."
                    )
    except SeveralSheets:
        raise NotATable("Several sheets hold a table: save the references as a file of their own.") from None
    if not signs:
        raise NotATable("No crime reference stands under the heading.")
    return ReadFlags(frozenset(signs), table.hidden)


_WHICH = {
    False: "No column holds crime references: write “Crime reference” above it.",
    True: "Several columns hold crime references: keep one of them.",
}


def _known(heading: str) -> str | None:
    return _HEADING if letters(heading) in _HEADINGS else None


def _signs_of(cells: list[str]) -> list[str]:
    found = (re.sub("[^0-9A-Za-z]", "", cell).upper() for cell in cells)
    return [signs for signs in found if re.search(r"\d", signs)]
