"""What on the crime record rules a case out. Words are the values the database keeps."""

from collections.abc import Collection

CANCELLED = "cancelled"
TRANSFERRED = "transferred"
RECLASSIFIED = "reclassified"
UNFLAGGED = "unflagged"

# To be read again before the next call, whatever else has changed.
_FOR_SAFETY = frozenset({"safety_note", "review_safety", "restrictions", "victim_under_18"})


def grounds(*, is_crime: bool, crime_status: str, hate_flag: bool) -> list[str]:
    """Why it is no hate crime of the BCU, the weightiest first; empty while it is one."""
    found = [crime_status] if crime_status in (CANCELLED, TRANSFERRED) else []
    if not is_crime:
        found.append(RECLASSIFIED)
    if not hate_flag:
        found.append(UNFLAGGED)
    return found


def is_for_safety(changed: Collection[str]) -> bool:
    """Whether a change bears on what the officer may do without putting anybody at risk."""
    return bool(_FOR_SAFETY & set(changed))
