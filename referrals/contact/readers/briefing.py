"""What must be known before a victim is contacted."""

from collections.abc import Mapping
from dataclasses import dataclass

from referrals.models import Case, Restriction, TextKind
from src_app.templatetags.words import moment

SAFETY_NOTES = {
    TextKind.SAFETY_NOTE: "Safety note: ",
    TextKind.REVIEW_SAFETY: "From the hate crime officer: ",
}
_NOTES = {
    **SAFETY_NOTES,
    TextKind.CONTACT_WISHES: "Wishes: ",
    TextKind.COMMUNICATION_NEED: "Communication: ",
}


@dataclass(frozen=True)
class Briefing:
    """What must be known before contact; safety overrides wishes, so it comes first.

    ``is_warning``: there is a restriction, a safety note or a child.
    """

    title: str
    is_warning: bool
    lines: list[str]
    as_at: str


def briefing_of(case: Case) -> Briefing:
    """Restrictions, safety notes, wishes and needs, and how old they are, of a case with its ``texts``."""
    return briefing(case, {text.kind: text.body for text in case.texts.all()})


def briefing(case: Case, texts: Mapping[str, str]) -> Briefing:
    """Restrictions, safety notes, wishes and needs, and how old they are; ``texts`` by their kind.

    The title is what must be read before all else: the restrictions, or the safety note where there are none.
    """
    first = [f"{Restriction(each).label}." for each in case.restrictions]
    if case.victim_under_18 and Restriction.THROUGH_GUARDIAN not in case.restrictions:
        first.append("The victim is under 18: speak through a safe parent or guardian.")
    notes = [f"{words}{texts[kind]}" for kind, words in _NOTES.items() if texts.get(kind)]
    if not first and any(texts.get(kind) for kind in SAFETY_NOTES):
        first.append(notes.pop(0))
    title = " ".join(first) or "No restrictions and no safety note are recorded here."
    as_at = f"From the crime record as at {moment(case.changed_at)}."
    if case.restrictions_set_at:
        as_at += f" Set by the hate crime officer at {moment(case.restrictions_set_at)}."
    return Briefing(title=title, is_warning=bool(first), lines=notes, as_at=as_at)
