"""Cells of a file that somebody may open in a spreadsheet."""

# A spreadsheet would take what begins so for a formula and run it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(cell: str) -> str:
    """The cell, with an apostrophe before what a spreadsheet would run."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def as_it_was(cell: str) -> str:
    """The cell before :func:`harmless`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
