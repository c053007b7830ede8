"""From the text of one cell to its value. No database, no clock."""

import re
from functools import lru_cache

from django.conf import settings

from referrals.intake.reading.moments import read_moment
from referrals.models import CrimeStatus, Strand
from src_app.scrubbing import plain, scrub_references, visible


def _spellings(**words: str) -> dict[str, str]:
    """Each spelling, however cased and spaced, with what it means."""
    return {folded(word): meaning for meaning, several in words.items() for word in several.split(",")}


@lru_cache(maxsize=1_024)
def folded(text: str) -> str:
    """Lower case, with single spaces: how words of a cell are compared."""
    return " ".join(text.split()).casefold()


def letters(text: str) -> str:
    """Letters and digits alone, in lower case: how words are compared that people join and part at will."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())


STRANDS = {
    letters(spelling): Strand(name)
    for spelling, name in _spellings(
        race=(
            "race, racial, racially, racist, racism, race ethnicity, race or ethnicity, ethnicity, "
            "nationality, xenophobic, xenophobia, anti gypsy, anti traveller, gypsy roma traveller"
        ),
        religion=(
            "religion, religious, religiously, faith, belief, religion belief, religion or belief, "
            "religion faith, religion or faith, faith or belief, anti semitic, anti semitism, islamophobic, "
            "islamophobia, anti muslim, anti christian, anti jewish, anti hindu, anti sikh, anti islamic, "
            "sectarian, sectarianism"
        ),
        sexual_orientation=(
            "sexual orientation, sexuality, homophobic, homophobia, biphobic, biphobia, lesbophobic, "
            "lesbian, gay, bisexual, lesbian gay, gay lesbian"
        ),
        disability="disability, disabled, disablist, disablism, ableist, ableism, learning disability",
        transgender=(
            "transgender, trans, transphobic, transphobia, transsexual, gender identity, "
            "transgender identity, trans identity, gender reassignment"
        ),
    ).items()
}
# Words behind a strand that say nothing of it: "Faith Hate", "Racial Incident", "racially motivated".
_BEHIND_A_STRAND = re.compile(
    r"(?:[ -](?:hate|motivated|aggravated|related|based|bias))?(?: (?:crimes?|incidents?|offences?|flag))?$"
)
_IN_BRACKETS = re.compile(r"\(([^()]*)\)")
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


@lru_cache(maxsize=256)
def read_strands(text: str) -> tuple[list[str], list[str]]:
    """The monitored strands of ``Race; Disability``, in the order of :class:`Strand`, and what is none."""
    found: set[Strand] = set()
    unknown = []
    for name in filter(None, map(str.strip, re.split("[;,|+&\n]", text))):
        named = _strands_of(name)
        found |= named
        if not named:
            unknown.append(name)
    return [strand.value for strand in Strand if strand in found], unknown


def _strands_of(name: str) -> set[Strand]:
    """``Racist and religious`` is two strands, as each part is one; ``Race/Ethnicity`` is one by itself.

    What stands in brackets counts where it is a strand too: ``Sexual orientation (lesbian)``.
    """
    inside = _IN_BRACKETS.findall(name)
    outside = _BEHIND_A_STRAND.sub("", folded(_IN_BRACKETS.sub(" ", name)))
    if letters(outside) in STRANDS:
        named = {STRANDS[letters(outside)]}
    else:
        parts = [letters(_BEHIND_A_STRAND.sub("", part)) for part in re.split(r" ?/ ?| and | or ", outside)]
        named = {STRANDS[part] for part in parts} if all(part in STRANDS for part in parts) else set()
    return named.union(*(_strands_of(part.removeprefix("and ")) for part in inside)) if named else named


# Whole texts, and the words that may stand beside one of them: "victim not known", "no CAD".
_NOT_KNOWN = frozenset(
    map(
        letters,
        (
            *(
                "unknown",
                "unk",
                "not known",
                "nk",
                "na",
                "none",
                "null",
                "nil",
                "no",
                "nan",
                "blank",
                "missing",
            ),
            *("not recorded", "not available", "not applicable", "not provided", "not given", "none given"),
            *(
                "not stated",
                "not yet known",
                "not created",
                "tbc",
                "tba",
                "tbd",
                "to be confirmed",
                "to follow",
            ),
            *("pending", "awaited", "refused", "anonymous", "unidentified", "not identified", "no trace"),
            *("see notes", "see log", "various", "multiple", "other", "test", "default", "dummy"),
        ),
    )
)
_NAMES_OF_A_KEY = re.compile(
    r"\b(?:cad|urn|id|ref|reference|incident|victim|aggrieved|nominal|person|key|log|number|no)\b"
)


@lru_cache(maxsize=1_024)
def says_not_known(key: str) -> bool:
    """Whether what stands in the place of a key says that there is none, such as N/K, 0, ??? or 9999999.

    The words are kept here; a force adds its own by ``KEYS_NOT_KNOWN``.
    """
    words = folded(plain(key))
    signs = letters(words)
    known = _NOT_KNOWN.union(map(letters, settings.KEYS_NOT_KNOWN))
    if len(set(signs)) <= 1 or signs in known:
        return True
    figures = signs.lstrip("abcdefghijklmnopqrstuvwxyz")
    # V0000000; and words alone, such as "victim not known".
    return set(figures) == {"0"} if figures else letters(_NAMES_OF_A_KEY.sub(" ", words)) in known | {""}


_REPEAT = re.compile(r"(?:y|yes|true|t|repeat|rv|multiple)\b(?! *\(?(?:0|no|none)\b)", re.IGNORECASE)
_NO_REPEAT = re.compile(r"(?:n|no|none|nil|false|f|not|non|first|new|single|never)\b", re.IGNORECASE)
_COUNT = re.compile(r"(\d{1,4})(?:\.0+)?\b", re.ASCII)


@lru_cache(maxsize=1_024)
def read_repeat(text: str) -> bool | None:
    """Whether a victim was one before: Y or N, a word, or how often; None where it is not understood.

    An empty cell says no. ``Yes - 4 in 12 months`` and ``3 previous`` are read by how they begin.
    """
    words = folded(text)
    if not words or words in YES_OR_NO:
        return YES_OR_NO.get(words, False)
    if count := _COUNT.match(words):
        return int(count[1]) > 0
    if _NO_REPEAT.match(words) and letters(words) not in _NOT_KNOWN - {"none", "nil"}:
        return False
    return True if _REPEAT.match(words) else None
