"""A case of the overnight review as its row shows it, with everything that bears on the decision."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.crypto import salted_hmac

from referrals.cases.readers import report_of
from referrals.contact.readers.briefing import SAFETY_NOTES
from referrals.models import Case, Decision, Question, Restriction, Strand, TextKind
from referrals.review.readers.linked import Linked, Reports, alike_to, linked_to
from referrals.rules.eligibility import ineligible_because, warnings
from referrals.rules.urgent_words import asks_for_contact, says_high_risk
from src_app.accounts.models import User


@dataclass(frozen=True)
class ReviewRow:
    """One case of the list. ``linked`` share its incident or victim; ``alike`` may be the same offence.

    ``calls_for_referral``: short words for each thing in wishes and notes that may call for a referral now.
    """

    case: Case
    decision: Decision | None
    notes: list[str]
    wishes: str
    communication_need: str
    calls_for_referral: list[str]
    warnings: list[str]
    ineligible_because: str
    asks_for_restrictions: bool
    linked: Reports
    alike: Reports

    @property
    def references(self) -> list[str]:
        """The case's own and those of the reports it is shown with."""
        return [self.case.crime_reference, *(reference for _, reference in (*self.linked, *self.alike))]

    @property
    def is_not_suitable(self) -> bool:
        """Marked so, and not to be referred all the same."""
        decision = self.decision
        return decision is not None and not decision.suitable and not decision.referred_anyway

    @property
    def team_is_needed(self) -> bool:
        """No ward of the case's BCU says which team."""
        return not self.case.is_placed

    @property
    def version(self) -> str:
        """The draft's version, as a form sends it back; empty where there is none."""
        return str(self.decision.version) if self.decision else ""

    @property
    def seen_mark(self) -> str:
        """Stands for what is looked at: another one with another draft, restriction, note or wish.

        Keyed, so that nothing of it can be guessed.
        """
        draft = f"{self.decision.pk} {self.decision.version}" if self.decision else ""
        seen = "\n".join((draft, *self.case.restrictions, self.wishes, *self.notes))
        return salted_hmac("referrals.review.seen", seen, algorithm="sha256").hexdigest()

    @property
    def restrictions(self) -> list[str]:
        return [Restriction(restriction).label for restriction in self.case.restrictions]

    @property
    def questions(self) -> list[str]:
        """What the extract leaves open, in words."""
        return [Question(question).label for question in self.case.questions]

    @property
    def strands(self) -> str:
        return ", ".join(Strand(strand).label for strand in self.case.strands)


def rows(user: User, cases: Iterable[Case]) -> list[ReviewRow]:
    """Those of the ``waiting`` cases with their linked reports, in a fixed number of queries."""
    listed = list(cases)
    linked = linked_to(user, listed)
    alike = alike_to(user, listed, {pk: found.reports for pk, found in linked.items()})
    return [_row(case, linked[case.pk], alike[case.pk]) for case in listed]


def together(listed: list[ReviewRow]) -> list[ReviewRow]:
    """The rows, reordered so that linked and similar reports follow the first of them."""
    by_case = {row.case.pk: row for row in listed}
    placed: dict[int, ReviewRow] = {}
    for row in listed:
        following = [row.case.pk]
        while following:
            pk = following.pop(0)
            if pk in by_case and pk not in placed:
                placed[pk] = by_case[pk]
                following += [other for other, _ in (*placed[pk].linked, *placed[pk].alike)]
    return list(placed.values())


def calls_for_referral(texts: Mapping[str, str]) -> list[str]:
    """Short words for what may call for a referral now, in a case's texts by their kind."""
    found = []
    if asks_for_contact(texts.get(TextKind.CONTACT_WISHES, "")):
        found.append("Asks for contact?")
    if says_high_risk(texts.get(kind, "") for kind in SAFETY_NOTES):
        found.append("High risk?")
    return found


def asks_for_restrictions(case: Case, texts: Mapping[str, str]) -> bool:
    """Whether a safety note stands there without a restriction: the phone would offer every method."""
    return not case.restrictions and any(texts.get(kind) for kind in SAFETY_NOTES)


def _reopened(case: Case) -> list[str]:
    """That the latest decision was taken back, in short words; empty for most cases."""
    taken_back = list(case.reopened_decisions.all())
    if not taken_back:
        return []
    return ["Reopened: was suitable" if taken_back[-1].suitable else "Reopened: was not suitable"]


def _row(case: Case, linked: Linked, alike: Reports) -> ReviewRow:
    texts = {text.kind: text.body for text in case.texts.all()}
    notes = [texts.get(kind, "") for kind in SAFETY_NOTES]
    report = report_of(case)
    return ReviewRow(
        case=case,
        decision=getattr(case, "decision", None),
        notes=[note for note in notes if note],
        wishes=texts.get(TextKind.CONTACT_WISHES, ""),
        communication_need=texts.get(TextKind.COMMUNICATION_NEED, ""),
        calls_for_referral=calls_for_referral(texts),
        warnings=[*_reopened(case), *warnings(report), *linked.crowded],
        ineligible_because=ineligible_because(report),
        asks_for_restrictions=asks_for_restrictions(case, texts),
        linked=linked.reports,
        alike=alike,
    )
