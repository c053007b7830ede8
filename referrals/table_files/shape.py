"""What stands around the reports of a table, and rows that are shorter or longer than its headings."""

import re
from collections.abc import Callable, Sequence

from referrals.table_files.cells import LONGEST_HEADING, letters, may_be_heading, unwrapped
from referrals.table_files.text import NotATable

ROWS_ABOVE = 20
_WEB_PAGE = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|table|body)\b", re.I | re.S
)
_OTHER_PAGE = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*(?:<\?mso[^>]*>\s*)?<(?:\w+:)?Workbook\b|MIME-Version:)", re.I
)
_SAVE_AGAIN = "open it in the spreadsheet program and save it as “Excel workbook (.xlsx)” or “CSV UTF-8”."
# How the lines begin that reports of other systems have under the table; or they are of signs alone.
_ASIDE = re.compile(
    r"[\W_]*(?:(?:\d[\d,]* )?(?:grand |sub)?-?(?:total|records?|rows?|count|number of|end|page|printed|"
    r"generated|produced|exported|created|run|reports?|date|bcu|source|user|official|restricted|confidential|"
    r"filter|parameters?)\b|\Z)",
    re.IGNORECASE,
)
# A text may begin so too: a known line is short besides, or has a figure or a colon.
_MOST_WORDS_OF_AN_ASIDE = 3
_MARK_OF_AN_ASIDE = re.compile(
    r"[\d:=]|\A(?:printed|generated|produced|exported|created) by\b", re.IGNORECASE
)
_MOST_CELLS_OF_AN_ASIDE = 2


def refuse_a_page(beginning: str) -> None:
    """Raises :class:`NotATable` for a web page, or a sheet in XML, that has the name of a table."""
    if _WEB_PAGE.match(beginning):
        raise NotATable(f"The file is a web page, whatever it is named: {_SAVE_AGAIN}")
    if _OTHER_PAGE.match(beginning):
        raise NotATable(f"The file is a spreadsheet in a form that is not read: {_SAVE_AGAIN}")


def best_row(rows: Sequence[Sequence[str]], known: Callable[[str], object]) -> tuple[int, int]:
    """How many known headings the best row has, and its place.

    Where none has any, the place of the fullest row that may name columns, or else of the fullest.
    """
    rows = [[unwrapped(cell) for cell in row] for row in rows]
    scores = [0 if _is_report(row) else sum(known(cell) is not None for cell in row) for row in rows]
    if any(scores):
        return max(scores), scores.index(max(scores))
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    names = [
        count * all(may_be_heading(cell.strip()) for cell in row if cell.strip())
        for count, row in zip(filled, rows, strict=True)
    ]
    fullest = names if max(names) > 1 else filled
    return 0, fullest.index(max(fullest))


def _is_report(row: Sequence[str]) -> bool:
    """Whether a cell of the row is none of a heading's; a word in another may be one by chance."""
    return any(len(cell) <= LONGEST_HEADING and not may_be_heading(cell.strip()) for cell in row)


def squared(cells: list[str], width: int) -> list[str]:
    """The row as wide as its headings, if it differs by empty cells at its end alone; else as it is.

    Spreadsheet programs leave such cells out, or add some. That no cell in its middle is missing or too many
    is for whoever knows the columns to see.
    """
    if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
        return cells[:width]
    return cells + [""] * (width - len(cells))


def is_aside(cells: Sequence[str], headings: Sequence[str]) -> bool:
    """Whether a row is surely no report: a total, another line known under tables, or the headings again."""
    if repeats_headings(cells, headings):
        return True
    filled = [cell.strip() for cell in cells if cell.strip()]
    words = " ".join(filled)
    if not len(filled) <= _MOST_CELLS_OF_AN_ASIDE < len(headings) or not _ASIDE.match(words):
        return False
    is_short = len(re.findall(r"\w+", words)) <= _MOST_WORDS_OF_AN_ASIDE
    return is_short or _MARK_OF_AN_ASIDE.search(words) is not None


def repeats_headings(cells: Sequence[str], headings: Sequence[str]) -> bool:
    """Whether a row is the headings again, as on each page of a report."""
    filled, named = ([cell.strip() for cell in row if cell.strip()] for row in (cells, headings))
    # The first alone tells of nearly every row that it is a report.
    return filled[0].casefold() == named[0].casefold() and [*map(letters, filled)] == [*map(letters, named)]


def is_remark(cells: Sequence[str], headings: Sequence[str]) -> bool:
    """Whether a row has few words and no figure: a remark around the table, or a part of a text in it."""
    filled = [cell for cell in cells if cell.strip()]
    is_short = len(filled) <= _MOST_CELLS_OF_AN_ASIDE < len(headings)
    return is_short and not re.search(r"\d", "".join(filled))
