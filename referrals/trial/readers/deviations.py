"""What the HCOP reads of deviations: words of the practice, where the trial's own would be "arm"."""

from collections.abc import Iterable

from django.db.models import (
    QuerySet,
)

from referrals.models import (
    CONTROL_REFERRED,
    OF_CONTROL,
    OF_SRC,
    Allocation,
    Arm,
    Deviation,
    DeviationKind,
    NotDelivered,
)

_WORDS = {
    DeviationKind.BY_ACCIDENT: "The neighbourhood team contacted the victim by accident",
    DeviationKind.FOR_SAFETY: "The victim was contacted because safety called for it",
    DeviationKind.NOT_DELIVERED: "SRC was not delivered",
    DeviationKind.IN_ERROR: "The case was not suitable for the trial",
    DeviationKind.WRONG_WARD: "The case was put in the wrong ward",
    DeviationKind.REFERRED_FOR_SAFETY: "The victim was referred because safety called for it",
    DeviationKind.REFERRED_BY_WISH: "The victim was referred because they asked for contact",
    DeviationKind.FLAGGED: "The case was flagged as an SRC case",
}
_OF_THE_OTHER_ARM = {Arm.SRC: OF_CONTROL, Arm.CONTROL: OF_SRC}


def in_words(kind: str) -> str:
    """What happened, as a sentence without its full stop."""
    return _WORDS[DeviationKind(kind)]


def kinds_for(allocation: Allocation) -> list[tuple[str, str]]:
    """What can have happened to a case of that arm, each with its words; a referral records its own."""
    others = (*_OF_THE_OTHER_ARM[Arm(allocation.arm)], *CONTROL_REFERRED)
    return [(kind.value, words) for kind, words in _WORDS.items() if kind not in others]


def particulars(*, why: str, ordered_by: str) -> str:
    """Why SRC was not delivered, or who ordered the contact; empty for the other kinds of deviation."""
    if why:
        return f"{NotDelivered(why).label}."
    return f"Ordered by {ordered_by}." if ordered_by else ""


def service_of(allocation: Allocation) -> str:
    """What the case is to get."""
    return "SRC" if allocation.arm == Arm.SRC else "Usual service"


def standing_deviations(allocations: Iterable[Allocation]) -> QuerySet[Deviation]:
    """What is recorded of these and not withdrawn, in order."""
    return Deviation.objects.filter(
        allocation__in=allocations, withdraws__isnull=True, withdrawn_by__isnull=True
    ).order_by("pk")
