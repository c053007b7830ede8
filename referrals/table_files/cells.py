"""What can be told of the text of one cell, whatever its table is about. No database, no clock."""

import re

from django.conf import settings

from referrals.table_files.moments import read_moment
from src_app.scrubbing import scrub_references, visible

LONGEST_HEADING = 50
# What crime management systems call it, as a person would say it.
CRIME_REFERENCE_HEADINGS = (
    "crime ref, crime ref no, crime ref number, crime reference no, crime reference number, crime no, "
    "crime number, crime report no, crime report number, crn, urn, occurrence number, occurrence no, "
    "cris, cris no, cris ref"
)
_WRAPPED = re.compile(r'="(.*)"', re.DOTALL)


def unwrapped(cell: str) -> str:
    """The cell as a spreadsheet shows it: what stands in ``="…"``; it keeps a number's zeros so."""
    found = _WRAPPED.fullmatch(cell.strip())
    return found[1].replace('""', '"') if found else cell


def bare(cell: str) -> str:
    """What can be seen of the cell, without the apostrophe that a spreadsheet put before it."""
    return visible(cell).strip().removeprefix("'").strip()


def may_be_heading(text: str) -> bool:
    """Whether a text may name a column: it is short, and no time, reference, key or address is in it."""
    try:
        read_moment(text)
    except ValueError:
        reference = re.fullmatch(settings.CRIME_REFERENCE_PATTERN, text, re.ASCII)
        return len(text) <= LONGEST_HEADING and scrub_references(text) == text and reference is None
    return False


def letters(text: str) -> str:
    """Letters and digits alone, in lower case: how words are compared that people join and part at will."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())
