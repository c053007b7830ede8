"""Words in a victim's wishes or a safety note that call for a referral now, outside any trial.

They only raise a question: which case is referred is the HCOP's decision. A time or a way of contact ("call
after 6pm", "in person") is no request for one.
"""

import re
from collections.abc import Iterable

_ASKS = re.compile(
    r"""\b(
        (asks?|asked|asking|requests?|requested|requesting|wants?|wanted|would\ like|'?d\ like|needs?|wishes)
        \ (for\ )?(a\ |an\ |some\ |early\ |urgent\ |police\ )*
        (contact|call(\ ?back)?|phone\ call|visit|officer
            |to\ (speak|talk|be\ (contacted|called|visited|seen)))
        | please\ (contact|visit|get\ in\ touch|speak|come)
        | (contact|visit|call)\ (requested|wanted|asked\ for)
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_NOT = re.compile(
    r"\b(no|not|n[o']t|don'?t|doesn'?t|didn'?t|never|declin\w+|refus\w+|without)\b[^.;,]*$", re.IGNORECASE
)
_HIGH_RISK = re.compile(
    r"""\b(
        high(er|est)?[\ -]risk | risk\ (is\ )?high | (risk|danger)\ to\ (his|her|their\ )?\ ?life
        | threats?\ to\ (kill|life) | life\ (is\ )?(at|in)\ (risk|danger) | in\ danger | imminent
        | suicid\w* | self[\ -]?harm\w* | marac | fears?\ for\ (his|her|their)\ (life|safety)
        | weapons? | kni(fe|ves) | firearms? | gun
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)


def asks_for_contact(wishes: str) -> bool:
    """Whether the wishes read as a request to be contacted; one that is denied before it is none."""
    return _found(_ASKS, wishes)


def says_high_risk(notes: Iterable[str]) -> bool:
    """Whether one of the notes reads as high risk."""
    return any(_found(_HIGH_RISK, note) for note in notes)


def _found(words: re.Pattern[str], text: str) -> bool:
    """Whether such words stand there without a "no" or "not" before them in their part of the sentence."""
    plain = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return any(not _NOT.search(plain[: each.start()]) for each in words.finditer(plain))
