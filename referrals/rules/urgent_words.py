"""Words in a victim's wishes or a safety note that call for a referral now, outside any trial.

They only raise a question: which case is referred is the HCOP's decision. A time or a way of contact ("call
after 6pm", "in person") is no request for one.
"""

import re
from collections.abc import Iterable

_REACH = "(call|ring|phone|telephone|contact|visit|see|speak|talk|text|message|reach|come)"
_ASKS = re.compile(
    rf"""\b(
        (asks?|asked|asking|requests?|requested|requesting|wants?|wanted|would\ like|'?d\ like|needs?|wishes)
        \ (for\ )?(a\ |an\ |some\ |early\ |urgent\ |police\ )*
        (contact|call(\ ?back)?|ring(\ ?back)?|(tele)?phone\ call|visit|officer
            |((some(one|body)|us|you|police|pc|(the\ )?team)\ )?to\ {_REACH}
            |to\ be\ (contacted|called|rung|phoned|visited|seen))
        | please\ (get\ in\ touch|{_REACH}\b(?!\ (only|after|before|between|from|until)\b))
        | (contact|visit|call(\ ?back)?)\ (requested|wanted|asked\ for|please)
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
# A denial reaches to the end of its part of the sentence.
_NOT = re.compile(
    r"""\b(no|not|n[o']t|don'?t|doesn'?t|didn'?t|never|declin\w+|refus\w+|without)\b
        ((?!\b(and|but|though|so)\b)[^.;,:])*$""",
    re.IGNORECASE | re.VERBOSE,
)
_HIGH_RISK = re.compile(
    r"""\b(
        high(er|est)?[\ -]risk | risk\ (is\ )?high | dash\W{0,3}high | high\ dash
        | (risk|danger)\ to\ (his|her|their\ )?\ ?life | life\ (is\ )?(at|in)\ (risk|danger)
        | threat\w*\W+(\w+\W+){0,4}(kill|life|stab|burn|attack)\w*
        | (will|would|going\ to|gonna|tr(y|ied|ying)\ to|wants?\ to|attempt\w*\ to|'ll)\ (kill|stab|burn)
        | in\ danger | imminent | suicid\w* | overdos\w* | self[\ -]?harm\w*
        | marac | fears?\ for\ (his|her|their)\ (life|safety)
        | weapons? | kni(fe|ves) | blades? | machetes? | swords? | acid | firearms? | guns?
        | stabb\w* | strangl\w* | kidnap\w* | arson
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
    """Whether such words stand there without a "no" or "not" before them in their part of the sentence.

    "But" and "and" begin another part.
    """
    plain = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return any(not _NOT.search(plain[: each.start()]) for each in words.finditer(plain))
