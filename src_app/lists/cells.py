"""Cells of a file that somebody may open in a spreadsheet."""

from src_app.scrubbing import plain

# A spreadsheet would take what begins so for a formula and run it.
_FORMULA = frozenset("=+-@")
_LINE_ENDS_AND_TABS = frozenset("\t\r\n")


def harmless(cell: str) -> str:
    """The cell, with an apostrophe before what a spreadsheet would run."""
    return f"'{cell}" if _would_run(cell) else cell


def as_it_was(cell: str) -> str:
    """The cell before :func:`harmless`."""
    return cell[1:] if cell.startswith("'") and _would_run(cell) else cell


def _would_run(cell: str) -> bool:
    """Whether it begins with a sign of a formula, however wide, or with a tab or a line end.

    What stands before it and is not seen, or is blank, counts for nothing: programs leave it out. Nor does an
    apostrophe: else nobody could tell afterwards which are the cell's own.
    """
    for sign in cell:
        if sign in _LINE_ENDS_AND_TABS:
            return True
        seen = plain(sign)
        if seen and not seen.isspace() and seen != "'":
            return seen[0] in _FORMULA
    return False
