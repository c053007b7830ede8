"""From the text of one cell to its value. No database, no clock."""

import re
from functools import lru_cache

from django.conf import settings

from referrals.models import CrimeStatus, Strand
from referrals.table_files.cells import letters
from src_app.scrubbing import plain


def _spellings(**words: str) -> dict[str, str]:
    """Each spelling, however cased and spaced, with what it means."""
    return {folded(word): meaning for meaning, several in words.items() for word in several.split(",")}


@lru_cache(maxsize=1_024)
def folded(text: str) -> str:
    """Lower case, with single spaces: how words of a cell are compared."""
    return " ".join(text.split()).casefold()


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


_NOT_KNOWN = frozenset(
    map(
        letters,
        (
            *("unknown", "unk", "not known", "nk", "na", "none", "null", "nil", "nan", "blank", "missing"),
            *("tbc", "tba", "tbd", "to be confirmed", "to follow", "pending", "awaited", "awaiting"),
            *("refused", "withheld", "declined", "anonymous", "unidentified", "unrecorded", "unavailable"),
            *("various", "multiple", "other", "test", "default", "dummy"),
        ),
    )
)
# Whatever follows them: not known, no trace, never given, see log.
_DENIALS = frozenset(("no", "not", "never", "see"))
# What a key is called, and what says nothing of it: "victim not known", "CAD yet to follow".
_BESIDE_A_KEY = re.compile(
    r"\b(?:cad|urn|id|ref|reference|incident|victim|aggrieved|nominal|person|key|log|number|crime|report|yet)\b"
)
_PLAIN_KEY = re.compile(r"[a-z]{0,3}(\d{4,})", re.ASCII | re.IGNORECASE)
_AFTER_AN_ABBREVIATION = re.compile(r"[a-z]{2,3}\d{3}", re.ASCII)
_FEWEST_AFTER_A_NAME, _FEWEST_AFTER_AN_ABBREVIATION, _FEWEST_OF_ONE_KIND = 3, 5, 6


@lru_cache(maxsize=1_024)
def says_not_known(key: str) -> bool:
    """Whether what stands in the place of a key is none, such as N/K, 0, ???, Unknown 1 or V9999999.

    A key has figures: what has none is words. A force adds words of its own by ``KEYS_NOT_KNOWN``.
    """
    if settings.KEYS_NOT_KNOWN and letters(plain(key)) in map(letters, settings.KEYS_NOT_KNOWN):
        return True
    if (found := _PLAIN_KEY.match(key)) and len(set(found[1])) > 1:
        return False  # as nearly all are
    text = folded(plain(key))
    signs = letters(text)
    figures = "".join(filter(str.isdigit, signs))
    if not figures or len(signs) == 1:
        return True
    if signs.endswith(figures) and _is_made_up(figures):
        return True
    words = _words_beside(text)
    if words in ([], ["no"]) or (len(words) == 1 and len(words[0]) == 1):
        # A name, such as Victim 1 or V1, tells nobody apart; "No 471" is a number.
        return signs != figures and len(figures) < _FEWEST_AFTER_A_NAME
    # A force may begin its keys with NA or NK.
    may_be_abbreviation = words[0] in _NOT_KNOWN and len(words[0]) <= 3
    has_number = len(figures) >= _FEWEST_AFTER_AN_ABBREVIATION or _AFTER_AN_ABBREVIATION.match(text)
    return says_nothing(text) and not (may_be_abbreviation and has_number)


def _is_made_up(figures: str) -> bool:
    """0000 and 99 are; 2222 may be a number, as it is too short to be 1111111."""
    return len(set(figures)) == 1 and (figures[0] in "09" or len(figures) >= _FEWEST_OF_ONE_KIND)


def says_nothing(text: str) -> bool:
    """Whether a cell begins with words that nothing is known, or is made of signs alone."""
    words = _words_beside(folded(plain(text)))
    if not words or words[0] in _DENIALS:
        return bool(words) or not letters(text)
    return any("".join(words[:count]) in _NOT_KNOWN for count in range(1, 4))


def _words_beside(text: str) -> list[str]:
    """The words of the text without its figures, and without what a key is called."""
    return _BESIDE_A_KEY.sub(" ", re.sub(r"[\W\d_]+", " ", text)).split()


_REPEAT = re.compile(
    r"(?:y|yes|true|repeat(?:s|ed)?|rv|multiple)\b(?!.*(?:\b(?:0|n|no|not|none|never|nk|unknown|unsure|tbc)\b|\?))"
)
# A no counts alone, or before what it denies: "not checked" is none.
_NO_REPEAT = re.compile(
    r"(?:n|no|not|non|never|none|nil|false)[\W_]*(?:$|(?:an? )?(?:repeat|previous|prior|before)|0\b"
    r"|(?:in )?(?:the )?(?:last |past )?\d+ (?:month|mth|year|yr|week|day))"
    r"|(?:none|nil) (?:known|recorded|reported|found)"
    r"|(?:first|new|single)(?:[ -](?:time|victim|incident|report|offence|occurrence|crime))*[\W_]*$"
)
# A day, or how long ago, is no count.
_COUNT = re.compile(r"(\d{1,4})(?:\.0+)?\b(?! ?[/.:-] ?\d| ?(?:month|mth|year|yr|week|day)s?\b)", re.ASCII)


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
    if _NO_REPEAT.match(words):
        return False
    return True if _REPEAT.match(words) else None
