"""What the restrictions rule out, what counts as contact, and when a referral may end without it.

Words are the values the database keeps, so that a rule can be asked about a row as it stands.
"""

import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

CONTACT_MADE = "contact_made"
TELEPHONE = "telephone"

_METHODS_BARRED = {"no_home_visit": "home_visit"}
# A card through the letter box is read by whoever opens it, as a voicemail is heard.
_RESULTS_BARRED = {"no_voicemail": "message_left"}

_NOBODY_SPOKEN_TO = frozenset({"no_answer", "message_left", "wrong_details"})
CALL_BACK = "call_back"
# Who asks for a later day than that asks for the clock to be stopped.
LONGEST_CALL_BACK = timedelta(days=14)

_SAID_BY_THE_VICTIM = frozenset({"statement", "withdraw"})

# Wishes that say how and nothing else. Whatever more a wish says, the officer has to read and to weigh.
_FILLING = r"(only|please|preferred|prefers?|by|via|an?|the|call|contact)"
_WISHED = {
    TELEPHONE: r"|none|no preference|any|(tele)?phone|mobile|landline|ring",
    "home_visit": r"in person|face to face|(home )?visit|at home",
    "video": r"video|facetime|zoom|teams",
    "relay": r"(text )?relay|bsl|sign language",
}

# So many attempts at least go before the end of a referral for that reason, where no policy says otherwise.
LEAST_ATTEMPTS = MappingProxyType({"no_reply": 2, "wrong_details": 1})


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
    """The way of contact that can be chosen already: the one a short wish names, or the telephone for none.

    Nothing where the wish says more than that, or names a way that is not ``offered``.
    """
    words = " ".join(re.sub(r"[\W_]+", " ", wishes.casefold()).split())
    plain = " ".join(re.sub(rf"\b{_FILLING}\b", " ", words).split())
    for method, named in _WISHED.items():
        if re.fullmatch(named, plain):
            return method if method in offered else None
    return None


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


def why_not_call_back(result: str, *, call_back_at: datetime | None, at: datetime) -> str:
    """Why the victim cannot be called back then; empty when they can."""
    if call_back_at is None:
        return ""
    if result != CALL_BACK:
        return "A time to call back goes with the result “Asked to be called back”: change one of the two."
    if call_back_at <= at:
        return "The time to call back is still to come: give a later one."
    if call_back_at > at + LONGEST_CALL_BACK:
        return (
            f"A call back is at most {LONGEST_CALL_BACK.days} days ahead: leave the time empty, save, "
            "and stop the clock until the date that the victim asked for."
        )
    return ""


def same_person(name: str, other: str) -> bool:
    """Whether two ranks with shoulder numbers are the same, spaces and case aside; blanks never are."""
    folded, other_folded = ("".join(each.split()).casefold() for each in (name, other))
    return bool(folded) and folded == other_folded


_ASK_FIRST = (
    "Log an attempt with the result “Unsafe to attend”: your supervisor is asked whether another way "
    "is safe, and closes it where none is."
)


def why_not_close(
    reason: str,
    *,
    results: Collection[str],
    decides_safety: bool,
    least: Mapping[str, int] = LEAST_ATTEMPTS,
) -> str:
    """Why a referral cannot end without contact for this reason; empty when it can.

    ``results`` are those of the attempts that stand. A supervisor alone decides that no way of contact is
    safe, and needs no attempt for that. ``least``: how many attempts a reason needs, if more than one.
    """
    if len(results) < least.get(reason, 0) and (reason == "no_reply" or least[reason] > 1):
        times = "once" if least[reason] == 1 else f"{least[reason]} times"
        return f"Try at least {times}, and log each attempt, before you close it so."
    if reason == "no_reply":
        return ""
    if reason == "unsafe":
        return "" if decides_safety else _ASK_FIRST
    if reason in results:
        return ""
    return "Log the attempt that showed it first, then close."
