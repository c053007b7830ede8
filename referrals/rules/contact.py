"""What the restrictions rule out, what counts as contact, and when a referral may end without it.

Words are the values the database keeps, so that a rule can be asked about a row as it stands.
"""

import re
from collections.abc import Collection

CONTACT_MADE = "contact_made"
TELEPHONE = "telephone"

_METHODS_BARRED = {"no_home_visit": "home_visit"}
# A card through the letter box is read by whoever opens it, as a voicemail is heard.
_RESULTS_BARRED = {"no_voicemail": "message_left"}

_NOBODY_SPOKEN_TO = frozenset({"no_answer", "message_left", "wrong_details"})
_SAID_BY_THE_VICTIM = frozenset({"statement", "withdraw"})

# The first that fits counts: a video call is no telephone call.
_WAY = re.compile(
    r"""\b(?:
        (?P<video> video(\ call\w*)? | facetime | zoom | skype)
        | (?P<relay> (text\ )?relay | bsl | sign\ language | minicom)
        | (?P<in_person> in[\ -]person | face[\ -]to[\ -]face | (home\ )?visit\w* | meet\w*
            | (police\ )?station | (call|come|pop)\w*\ (\w+\ )?(round|over|in\ person)
            | (come|seen?)\ (\w+\ )?(at|to)\ (\w+\ )?(home|house|address))
        | (?P<telephone> (tele)?phon\w* | mobile | landline | call\w* | ring\w* | rung)
        | (?P<written> text\w* | sms | e-?mail\w* | letters? | whatsapp | in\ writing)
        | (?P<any_way> contact\w*(?!\ (by|via|through|with|details|number)))
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_PART = re.compile(r"[.;,:()\n]|\s[-–—]\s|\b(?:but|and|though|so)\b", re.IGNORECASE)
_NOT_BEFORE = re.compile(
    r"\b(no|not|[a-z]+n't|dont|cannot|never|nor|without|avoid|declin\w+|refus\w+|rather than|instead of)\b",
    re.IGNORECASE,
)
_NOT_AFTER = re.compile(r"( (calls?|contact|is|are|to))* (not|never|unsafe|unwelcome)\b", re.IGNORECASE)
# "Do not ring before 10" says when, and so that ringing is right.
_AT_TIMES = re.compile(
    r"\b(before|after|until|till|between|during|while|at (work|night)|on \w+days?|in the \w+(ing|noon)s?)\b",
    re.IGNORECASE,
)
_AT_HOME = re.compile(r"\bhome visit", re.IGNORECASE)
_NOT_AT_HOME = re.compile(
    r"\b(station|elsewhere|(an|some)other place|neutral|no(t at| to|t)? (\w+ )?home"
    r"|at (\w+ )?(work(place)?|school|college|university|library))\b",
    re.IGNORECASE,
)

# "Repeated" attempts are at least this many.
LEAST_TRIES = 2


def methods_barred(restrictions: Collection[str]) -> frozenset[str]:
    """The ways of contact that must not be used, whatever the victim's wishes."""
    return frozenset(_METHODS_BARRED[each] for each in restrictions if each in _METHODS_BARRED)


def results_barred(restrictions: Collection[str]) -> frozenset[str]:
    """What must not be done once there: leaving a message where none may be left."""
    return frozenset(_RESULTS_BARRED[each] for each in restrictions if each in _RESULTS_BARRED)


def is_barred(method: str, result: str, restrictions: Collection[str]) -> bool:
    """Whether an attempt went against the restrictions."""
    return method in methods_barred(restrictions) or result in results_barred(restrictions)


def method_wished(wishes: str, offered: Collection[str]) -> str | None:
    """The one way of contact that the wishes name, or the telephone where they name none.

    Nothing where they rule out the telephone without naming another way, or name a way that is not offered.
    """
    plain = wishes.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    named, denied = _ways_in(plain)
    if TELEPHONE in named or not (named or denied & {TELEPHONE, "any_way"}):
        method = TELEPHONE
    elif named == {"in_person"}:
        method = _in_person(plain, offered)
    else:
        method = named.pop() if len(named) == 1 else ""
    return method if method in offered else None


def _ways_in(wishes: str) -> tuple[set[str], set[str]]:
    """The ways that are named, and those that are denied. A denial reaches to the end of its part."""
    named: set[str] = set()
    denied: set[str] = set()
    for part in _PART.split(wishes):
        for found in _WAY.finditer(part):
            before, after = part[: found.start()], part[found.end() :]
            is_denied = _NOT_AFTER.match(after) or (
                _NOT_BEFORE.search(before) and not _AT_TIMES.search(after)
            )
            (denied if is_denied else named).add(found.lastgroup or "")
    return named - {"any_way"}, denied


def _in_person(wishes: str, offered: Collection[str]) -> str:
    if _NOT_AT_HOME.search(wishes):
        return "elsewhere"
    return "home_visit" if "home_visit" in offered or _AT_HOME.search(wishes) else "elsewhere"


def is_contact(result: str) -> bool:
    """Only a conversation with the victim or guardian is contact; a voicemail is none."""
    return result == CONTACT_MADE


def contradiction(result: str, *, follow_ups: Collection[str], support_offered: bool) -> str:
    """Why the result cannot be logged with what is said to have come up; empty when it can.

    A new offence or a threat may show itself where nobody answers; a wish must have been spoken.
    """
    if result not in _NOBODY_SPOKEN_TO:
        return ""
    if support_offered or _SAID_BY_THE_VICTIM & set(follow_ups):
        return (
            "The result says that nobody was spoken to, but something was said or offered: "
            "change the result, or untick what did not come up."
        )
    return ""


def same_person(name: str, other: str) -> bool:
    """Whether two ranks with shoulder numbers are the same, spaces and case aside; blanks never are."""
    folded, other_folded = ("".join(each.split()).casefold() for each in (name, other))
    return bool(folded) and folded == other_folded


def why_not_close(reason: str, *, results: Collection[str], decides_safety: bool) -> str:
    """Why a referral cannot end without contact for this reason; empty when it can.

    ``results`` are those of the attempts that stand. A supervisor decides where a contact may be
    unsafe, and so needs no attempt for that.
    """
    if reason == "no_reply":
        if len(results) >= LEAST_TRIES:
            return ""
        return f"Try at least {LEAST_TRIES} times, and log each attempt, before you close it so."
    if reason in results or (reason == "unsafe" and decides_safety):
        return ""
    if reason == "unsafe":
        return "Log an attempt with the result “Unsafe to attend” first, or ask your supervisor."
    return "Log the attempt that showed it first, then close."
