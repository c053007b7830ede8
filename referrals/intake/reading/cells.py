"""From the text of one cell to its value. No database, no clock."""

import re
from functools import lru_cache

from django.conf import settings

from referrals.intake.reading.moments import read_moment
from referrals.models import CrimeStatus, Strand
from src_app.scrubbing import scrub_references


def _spellings(**words: str) -> dict[str, str]:
    """Each spelling, however cased and spaced, with what it means."""
    return {folded(word): meaning for meaning, several in words.items() for word in several.split(",")}


@lru_cache(maxsize=1_024)
def folded(text: str) -> str:
    """Lower case, with single spaces: how words of a cell are compared."""
    return " ".join(text.split()).casefold()


STRANDS = {
    spelling: Strand(name)
    for spelling, name in _spellings(
        race="race, racial, racist, race/ethnicity, race or ethnicity, ethnicity",
        religion="religion, religious, faith, religion/belief, religion or belief, religion/faith",
        sexual_orientation="sexual orientation, homophobic, homophobia, sexuality, sexual-orientation",
        disability="disability, disabled, disablist",
        transgender="transgender, trans, transphobic, transphobia, gender identity, transgender identity",
    ).items()
}
YES_OR_NO = {
    spelling: answer == "yes"
    for spelling, answer in _spellings(yes="y, yes, true, t, 1", no="n, no, false, f, 0, ").items()
}
CRIME_OR_INCIDENT = _spellings(
    crime="crime, recorded crime, notifiable crime, c",
    incident="incident, hate incident, non crime, non-crime, non crime hate incident, ncri, i",
)
CRIME_STATUSES = {
    spelling: CrimeStatus(name)
    for spelling, name in _spellings(
        recorded=(
            "recorded, open, active, live, new, under investigation, investigating, ongoing, filed, closed, "
            "finalised, complete, completed, charged, detected, undetected, no further action, nfa, reopened"
        ),
        cancelled=(
            "cancelled, canceled, cancelled crime, no crime, no crimed, no-crime, crime cancelled, "
            "cancelled (no crime), cancelled no crime, not a crime"
        ),
        transferred=(
            "transferred, transfer, transferred out, transferred to other force, crime transferred, "
            "transferred to another force, transferred (other force)"
        ),
    ).items()
}
VICTIM_TYPES = _spellings(
    individual="individual, person, member of public, i",
    organisation="organisation, organization, business, company, o",
    state="state, crown, the state, society, s",
)
LONGEST_HEADING = 50


def may_be_heading(text: str) -> bool:
    """Whether a text may name a column: it is short, and no time, reference, key or address is in it."""
    try:
        read_moment(text)
    except ValueError:
        reference = re.fullmatch(settings.CRIME_REFERENCE_PATTERN, text, re.ASCII)
        return len(text) <= LONGEST_HEADING and scrub_references(text) == text and reference is None
    return False


@lru_cache(maxsize=256)
def read_strands(text: str) -> tuple[list[str], list[str]]:
    """The monitored strands of ``Race; Disability``, in the order of :class:`Strand`, and what is none."""
    named = [part.strip() for part in re.split("[;,|+&\n]", text) if part.strip()]
    named = [part for name in named for part in _parts(name)]
    found = {STRANDS[folded(part)] for part in named if folded(part) in STRANDS}
    unknown = [part for part in named if folded(part) not in STRANDS]
    return [strand.value for strand in Strand if strand in found], unknown


def _parts(name: str) -> list[str]:
    """``Race/Disability`` is two strands where each part is one; ``Race/Ethnicity`` is one by itself."""
    parts = [part.strip() for part in name.split("/")]
    whole = folded(name) in STRANDS or not all(folded(part) in STRANDS for part in parts)
    return [name] if whole else parts
