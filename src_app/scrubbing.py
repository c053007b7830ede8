"""What finds a person in a text: telephone numbers, e-mail addresses, postcodes and victims' keys.

People write these in many ways: in full-width digits, with a zero-width space in them, parted by dots. A text
is therefore compared as :func:`plain` gives it. Crime references, incident numbers, dates, times and police
numbers stay. A number in words, and a name, cannot be told from other words.
"""

import re
import sys
import unicodedata
from collections.abc import Callable, Collection, Iterator
from functools import cache
from urllib.parse import unquote

from django.conf import settings

REMOVED = "[removed]"

# A letter that no text has: it stands for what is no telephone number, whatever its digits are.
_MASK = "\u01c1"
_BETWEEN = r"(?:[^\w,;]|_|[,;](?=\s{0,3}\d))"
_NUMBER_LIKE = re.compile(rf"\d(?:{_BETWEEN}{{0,6}}\d){{8,}}", re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)
# Letters where the figures 0 and 1 were meant, as in "O77OO 9OO I23".
_LETTER_FOR_FIGURE = re.compile(
    r"(?<=\d)[oOIil]+(?=\W{0,2}\d)|(?<![^\W_])[oO](?=\d\d)|(?<=\d[ .-])[Iil](?=\d\d)", re.ASCII
)
_FIGURES = str.maketrans("oOIil", "00111")
_NO_NUMBER = r"""
      [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}                           # the key of a form or a request
    | (?<![\w/-])\d\d/\d{4,8}/\d\d(?![\w/-])                                # the form of a reference
    | (?<![\d./-])(?:0?[1-9]|[12]\d|3[01])(?P<sign>[./-])(?:0?[1-9]|1[0-2])(?P=sign)(?:19|20)?\d\d(?![./-]?\d)
    | (?<![\d./-])(?:0?[1-9]|[12]\d|3[01])\ (?:0?[1-9]|1[0-2])\ (?:19|20)\d\d(?!\d)
    | (?<![\d./-])(?:19|20)\d\d[./-](?:0[1-9]|1[0-2])[./-](?:0[1-9]|[12]\d|3[01])(?!\d)
    | (?<![\d:.])(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d(?:[.,]\d{1,6})?)?(?![:.]?\d)
    | (?<![\d-])(?:[01]\d|2[0-4])[0-5]\d\s?-\s?(?:[01]\d|2[0-4])[0-5]\d(?!\s?-\s?\d|\d|\s\d{3})  # 0900-1700
"""
# These are no number either, unless they make one with the digits beside them: "07 7.00 900 123".
_NO_NUMBER_BY_ITSELF = re.compile(
    r"""
      (?<![\w/-])\d\d-\d{4,8}-\d\d(?![\w/-])                                # a reference with hyphens
    | (?<![\d.])0\.0\d{5,}(?!\d)                                            # a fraction
    | (?<![\d:.])(?:[01]?\d|2[0-4])\.[0-5]\d(?:\.[0-5]\d)?(?![:.]?\d)         # a time with dots
    """,
    re.VERBOSE | re.ASCII,
)
# Royal Mail's postcode areas: with a blank behind it, another word is none.
_AREAS = (
    "AB|AL|B|BA|BB|BD|BH|BL|BN|BR|BS|BT|CA|CB|CF|CH|CM|CO|CR|CT|CV|CW|DA|DD|DE|DG|DH|DL|DN|DT|DY|E|EC|EH|EN|EX|"
    "FK|FY|G|GL|GU|GY|HA|HD|HG|HP|HR|HS|HU|HX|IG|IM|IP|IV|JE|KA|KT|KW|KY|L|LA|LD|LE|LL|LN|LS|LU|M|ME|MK|ML|N|NE|"
    "NG|NN|NP|NR|NW|OL|OX|PA|PE|PH|PL|PO|PR|RG|RH|RM|S|SA|SE|SG|SK|SL|SM|SN|SO|SP|SR|SS|ST|SW|SY|TA|TD|TF|TN|TQ|"
    "TR|TS|TW|UB|W|WA|WC|WD|WF|WN|WR|WS|WV|YO|ZE"
)
# What stands behind a figure and is no end of a postcode: ranks, and words such as in "E10, 3 at most".
_RANKS, _WORDS_OF_TWO = "DS|PS|DR", "as|at|be|by|he|hr|re|up|us|we"
_POSTCODE = re.compile(
    r"""
    (?<![A-Z\d])(?!P[CS]|D[CIS])                            # PC, PS, DC, DI and DS are ranks
    (?P<outward>
        (?:[A-Z]{1,2}|(?:__AREAS__)[ -])(?:\d|(?-i:[Il])(?=\d))[A-Z\d]?
        | (?:__AREAS__)(?-i:[Il])(?=[\ -]\d)                # I for 1, and O for 0 in what follows
    )
    [\W_]{0,6}
    (?P<inward>
        \d(?:[ABD-HJLNP-UW-Z]{2}|[ .-](?!__RANKS__|(?-i:__WORDS__))[ABD-HJLNP-UW-Z]{2})
        | (?-i:(?<=\ )O[ABD-HJLNP-UW-Z]{2})
    )
    (?:s\b)?(?![A-Z\d])
    """.replace("__AREAS__", _AREAS)
    .replace("__RANKS__", _RANKS)
    .replace("__WORDS__", _WORDS_OF_TWO),
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_ORDINAL = re.compile("1st|2nd|3rd|[04-9]th")
_AT_IN_BRACKETS = r"[(\[{<]\s?(?:at|@)\s?[)\]}>]"
# With a blank beside the "@", or a word in its place, the end of an address tells it from the end of a
# sentence: "called @ 10.30", "stayed at home.no reply". Country codes that are English words are left out.
_ENDING = (
    r"(?:com|net|org|info|uk|eu|ie|fr|de|es|pl|ro|pt|nl|dk|se|fi|cz|sk|hu|gr|bg|lt|lv|ee|hr|ch|ru|ua|tr|il|ca|au|"
    r"nz|za|pk|bd|lk|ng|gh|ke|cn|jp|kr|br|mx)"
)
_PROVIDERS = "gmail|googlemail|hotmail|outlook|yahoo|icloud|aol|btinternet|protonmail"
_DOT = r"(?:\.|[(\[{<]\s?(?:dot|\.)\s?[)\]}>]|\sdot\s)"
# Of bounded length, so that a long word costs no more than its length.
_NAME, _LABEL = r"[\w.+'-]{1,64}", r"[\w-]{1,63}"
_EMAIL = re.compile(
    rf"""
      {_NAME}@[\w.-]{{0,99}}[A-Z][\w-]{{0,99}}(?:{_DOT}{_LABEL})*
    | {_NAME}\s?{_AT_IN_BRACKETS}\s?{_LABEL}(?:\s?{_DOT}\s?{_LABEL})+
    | {_NAME}\s{{0,3}}@\s{{0,3}}(?:{_LABEL}\s?(?:,|{_DOT})\s?){{1,9}}{_ENDING}\b
    | {_NAME}\s{{1,3}}at\s{{1,3}}{_LABEL}(?:\sdot\s{_LABEL})+
    | {_NAME}\s{{1,3}}at\s{{1,3}}(?!(?:{_LABEL}\.){{0,3}}(?:police|gov|nhs)\.uk\b)
      (?:{_LABEL}\s?\.){{1,9}}{_ENDING}\b
    | {_NAME}\s{{0,3}}(?:@|\bat\b)\s{{0,3}}(?:{_PROVIDERS})(?:[\s.,]{{1,3}}(?:co|com|uk|net)\b)+
    """,
    re.VERBOSE | re.IGNORECASE,
)
_VICTIM_KEY = re.compile(r"\bV\d{5,}\b", re.IGNORECASE | re.ASCII)
# A text without a digit, an "@" or the word "at" holds nothing that is looked for.
_MAY_HOLD = re.compile(r"\d|@|\bat\b", re.IGNORECASE)
_VARIATIONS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_SEEN_AS_NOTHING = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def visible(text: str) -> str:
    """The text without characters that cannot be seen, but for spaces, tabs and line ends."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(sign for sign in text if not _is_invisible(sign))


def _is_invisible(sign: str) -> bool:
    if sign.isascii():
        return not sign.isprintable() and sign not in "\n\r\t"
    category = unicodedata.category(sign)
    return category in {"Cc", "Cf"} or sign in _SEEN_AS_NOTHING or _VARIATIONS.match(sign) is not None


def plain(text: str) -> str:
    """What can be seen of the text by NFKC, with ASCII digits and hyphens: as texts are compared."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_plain_sign, unicodedata.normalize("NFKC", visible(text))))


def _plain_sign(sign: str) -> str:
    category = unicodedata.category(sign)
    if category == "Nd":
        return str(unicodedata.decimal(sign))
    if category == "Me":
        return ""  # what encloses the sign before it
    return "-" if category == "Pd" or sign == "\u2212" else sign


def scrub(text: str) -> str:
    """The text with what finds a person replaced by ``[removed]``; as it was where there is nothing."""
    seen = plain(text)
    spans = _finds(seen)
    return _without(seen, spans) if spans else text


def found_in(text: str) -> list[str]:
    """What :func:`scrub` takes out, in its order and as :func:`plain` gives it, each once."""
    seen = plain(text)
    return list(dict.fromkeys(seen[start:end] for start, end in sorted(_finds(seen))))


def _finds(seen: str) -> list[tuple[int, int]]:
    """Where in a plain text something stands that finds a person, as start and end; they may overlap."""
    if not _MAY_HOLD.search(seen):
        return []
    spans = [found.span() for pattern in (_EMAIL, _VICTIM_KEY) for found in pattern.finditer(seen)]
    return [*spans, *_postcodes(seen), *_telephones(seen)]


def scrub_keys(text: str, keys: Collection[str]) -> str:
    """The text without a report's own keys: its postcode, its incident reference, its victim's key.

    One is found however it is parted and in whatever case, if it has a digit and four signs or more.
    """
    seen = plain(text)
    signs = _signs(seen)
    spans = [span for key in keys for span in _spans_of(key, seen, signs)]
    return _without(seen, spans) if spans else text


def scrub_references(text: str) -> str:
    """What :func:`scrub` gives, without crime references and incident numbers either."""
    scrubbed = scrub(text)
    spans = [found.span() for found in _references().finditer(plain(scrubbed))]
    return _without(plain(scrubbed), spans) if spans else scrubbed


def scrub_line(text: str) -> str:
    """What :func:`scrub_references` gives of a line of a log, in which something may be written in code.

    An address has ``%20`` for a blank; libraries write ``\\xa0``, or take UTF-8 for Latin-1; once or several
    times over. Where something is found the whole text is given as decoded so far. A line longer than
    ``LONGEST_LINE`` is cut, well before that end: a number may stand across it.
    """
    if len(text) > LONGEST_LINE:
        return f"{scrub_line(text[:LONGEST_LINE])[:-_LONGEST_IN_CODE]}..."
    seen = kept = scrub_references(text)
    for _ in range(_MOST_TIMES_ENCODED):
        decoded = _decoded(seen)
        if decoded == seen:
            return kept
        seen = scrub_references(decoded)
        if seen != decoded:
            kept = seen
    return REMOVED


LONGEST_LINE = 2_000
_LONGEST_IN_CODE = 200
_MOST_TIMES_ENCODED = 8
_ESCAPED = re.compile(r"\\+(?:x([0-9a-f]{2})|(?-i:U)(00[01][0-9a-f]{5})|u([0-9a-f]{4})|[tnr])", re.IGNORECASE)
_AS_LATIN_1 = re.compile("[\x80-\xff]{2,}")


def _decoded(text: str) -> str:
    """The text with one layer of one code undone; the same where there is none."""
    for decode in _DECODERS:
        if (decoded := decode(text)) != text:
            return decoded
    return text


def _unescaped(text: str) -> str:
    """The text with its escapes undone; two of them may be the halves of one sign, as JSON writes it."""
    halves = _ESCAPED.sub(_one_unescaped, text)
    return halves.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _one_unescaped(found: re.Match[str]) -> str:
    number = next(filter(None, found.groups()), None)
    return chr(min(int(number, 16), sys.maxunicode)) if number else " "


_DECODERS: tuple[Callable[[str], str], ...] = (
    lambda text: _unescaped(text) if _ESCAPED.search(text) else text,
    lambda text: _AS_LATIN_1.sub(lambda found: found[0].encode("latin-1").decode(errors="replace"), text),
    unquote,
    lambda text: text.replace("+", " "),
)


def _without(text: str, spans: Collection[tuple[int, int]]) -> str:
    parts, end = [], 0
    for start, until in sorted(spans):
        if start >= end:
            parts += [text[end:start], REMOVED]
        end = max(end, until)
    return "".join([*parts, text[end:]])


@cache
def _references() -> re.Pattern[str]:
    return re.compile(
        # In an address a slash stands before it and behind it.
        rf"(?<!\w)(?:{settings.CRIME_REFERENCE_PATTERN}"
        r"|\d\d(?P<between>[/-])(?!(?:19|20)\d\d(?!\d))\d{4,8}(?P=between)\d\d"
        r"|CAD[\W_]{0,3}\d{1,6}(?:\W?\d{1,2}\W?[A-Z]{3}\W?\d\d(?:\d\d)?)?)(?!\w)",
        re.IGNORECASE | re.ASCII,
    )


@cache
def _no_number() -> re.Pattern[str]:
    """What may look like a telephone number and is none. A reference of digits alone may be one."""
    reference = rf"(?<![\w/])(?!\d+(?![\w/])){settings.CRIME_REFERENCE_PATTERN}(?![\w/])"
    return re.compile(f"{reference}|{_NO_NUMBER}", re.VERBOSE | re.IGNORECASE | re.ASCII)


def _masked(text: str, pattern: re.Pattern[str]) -> str:
    return pattern.sub(lambda found: _MASK * len(found[0]), text)


def _telephones(text: str) -> Iterator[tuple[int, int]]:
    text = _LETTER_FOR_FIGURE.sub(lambda found: found[0].translate(_FIGURES), text)
    if not _NUMBER_LIKE.search(text):
        return
    text = _masked(text, _no_number())
    for start, end in _numbers_in(text, _is_whole):
        if not _NO_NUMBER_BY_ITSELF.fullmatch(text, start, end):
            yield start, end
    yield from _numbers_in(_masked(text, _NO_NUMBER_BY_ITSELF), _is_possible)


def _numbers_in(text: str, is_number: Callable[[str, int], bool]) -> Iterator[tuple[int, int]]:
    """The longest telephone numbers that groups of digits make together, from the left."""
    for run in _NUMBER_LIKE.finditer(text):
        groups = [found.span() for found in _DIGITS.finditer(text, *run.span())]
        first = 0
        while first < len(groups):
            before = _before(text, groups[first][0])
            # Some write "+07700 900123".
            is_foreign = "+" in before and text[groups[first][0]] != "0"
            digits, last = "+" if is_foreign else "", None
            for place in range(first, len(groups)):
                written = text[groups[first][0] : groups[place][1]]
                if place - first >= _MOST_GROUPS_OF_A_LIST and _LISTED.search(written):
                    break
                digits += text[slice(*groups[place])]
                if len(digits) > _MOST_DIGITS:
                    break
                if is_number(digits, place - first + 1):
                    last = place
            if last is not None:
                yield groups[first][0] - len(before), groups[last][1]
                first = last
            first += 1


_MOST_DIGITS = 18
# "07700, 900123" is a number, "01, 02, 03, 04, 05" is a list.
_LISTED = re.compile(r"[,;]\s")
_MOST_GROUPS_OF_A_LIST = 3


def _before(text: str, start: int) -> str:
    """The signs that begin a number: ``+``, ``(`` or ``+ (``."""
    found = re.search(r"[+(][+( ]{0,3}$", text[max(0, start - 4) : start])
    return found[0] if found else ""


def _is_possible(digits: str, groups: int) -> bool:
    """Whether a telephone could have these digits, written in so many groups; ``+`` may stand before them.

    A number that was never given to anybody is one all the same: people mistype.
    """
    # Late: the lists of all countries are not for every process.
    import phonenumbers

    dialled = _dialled(digits, groups)
    if dialled is None:
        return False
    try:
        number = phonenumbers.parse(dialled, "GB")
    except phonenumbers.NumberParseException:
        return False
    possible = phonenumbers.is_possible_number_with_reason(number)
    return possible == phonenumbers.ValidationResult.IS_POSSIBLE


def _dialled(digits: str, groups: int) -> str | None:
    """The digits with the ``+`` or the zero to dial them with; None where their count fits no number."""
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    elif len(digits) == 12 and digits.startswith("44"):
        digits = f"+{digits}"
    elif len(digits) == 10 and digits.startswith(_ZERO_DROPPED) and groups <= _MOST_GROUPS_OF_A_SHORT_NUMBER:
        digits = f"0{digits}"  # a spreadsheet drops the zero
    if digits.startswith("+"):
        return digits if digits[1:2] != "0" and len(digits) in _SIGNS_OF_A_FOREIGN_NUMBER else None
    is_short = len(digits) == 10 and groups <= _MOST_GROUPS_OF_A_SHORT_NUMBER
    return digits if digits.startswith("0") and (is_short or len(digits) == 11) else None


# Mobiles, and London; others look like references.
_ZERO_DROPPED = ("7", "203", "207", "208")
# The plus, and 8 to 15 digits (E.164).
_SIGNS_OF_A_FOREIGN_NUMBER = range(9, 17)
# More groups of so few digits are days or times: "01 02 03 04 05".
_MOST_GROUPS_OF_A_SHORT_NUMBER = 3


def _is_whole(digits: str, groups: int) -> bool:
    """Whether these digits are a British number with its zero and all its figures, mobile or landline."""
    return len(digits) == 11 and digits.startswith(("01", "02", "07")) and _is_possible(digits, groups)


def _postcodes(text: str) -> Iterator[tuple[int, int]]:
    for found in _POSTCODE.finditer(text):
        outward = found["outward"]
        is_lower_case = outward.islower() and outward[1].isalpha() and " " not in outward
        if not _ORDINAL.fullmatch(found["inward"]) or is_lower_case:
            yield found.span()


def _signs(text: str) -> str:
    """Letters and digits alone."""
    return _NO_SIGN.sub("", text).upper()


def _spans_of(key: str, text: str, folded: str) -> Iterator[tuple[int, int]]:
    """Where a plain text holds the key; ``folded`` are the text's signs."""
    signs = _signs(plain(key))
    if len(signs) < _FEWEST_SIGNS or not _DIGITS.search(signs):
        return
    # An incident number is also written without the letters before it.
    bare = signs.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    for form in (signs, bare) if len(bare) >= _FEWEST_OF_A_PART else (signs,):
        if form in folded:
            parted = r"[\W_]{0,4}".join(map(re.escape, form))
            for found in re.finditer(rf"(?<![^\W_]){parted}(?![^\W_])", text, re.IGNORECASE):
                yield found.span()


_NO_SIGN = re.compile(r"[\W_]")
_FEWEST_SIGNS = 4
_FEWEST_OF_A_PART = 6
