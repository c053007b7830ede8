"""What the pages of reassurance contact say: a card for each referral, and the briefing before contact."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from referrals.contact.readers.referrals import may_read, open_referrals, results_that_stand
from referrals.models import (
    Case,
    CloseReason,
    ContactAttempt,
    Method,
    Noticed,
    PersonalText,
    Referral,
    ReferralStatus,
    Restriction,
    Result,
    TextKind,
)
from referrals.rules.contact import (
    CONTACT_MADE,
    methods_barred,
    results_barred,
    same_person,
    why_not_close,
)
from referrals.rules.crime_record import is_for_safety
from referrals.scope import teams_of
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.templatetags.words import clock, due_words, moment, weekday_moment

MOST_TEAMS_NAMED = 3

_SAFETY = {
    TextKind.SAFETY_NOTE: "Safety note: ",
    TextKind.REVIEW_SAFETY: "From the hate crime officer: ",
}
_NOTES = {
    **_SAFETY,
    TextKind.CONTACT_WISHES: "Wishes: ",
    TextKind.COMMUNICATION_NEED: "Communication: ",
}


@dataclass(frozen=True)
class Due:
    """When a referral is due, in words with the exact time."""

    words: str
    overdue: bool
    since: str


def due_of(referral: Referral, now: datetime) -> Due:
    """``26 hours overdue`` since …, ``Due in 5 hours, 6:00pm``, or ``Due Thursday 26 November, 9:30am``."""
    due_at = referral.due_at
    if due_at < now:
        return Due(due_words(due_at, now), overdue=True, since=weekday_moment(due_at))
    if timezone.localdate(due_at) == timezone.localdate(now):
        words = f"{due_words(due_at, now).capitalize()}, {clock(due_at)}"
        return Due(words, overdue=False, since="")
    return Due(f"Due {weekday_moment(due_at)}", overdue=False, since="")


def holder_of(referral: Referral, user: User) -> str:
    """Who has taken it."""
    if referral.taken_by is None:
        return "Not taken"
    return "With you" if referral.taken_by == user else f"With {referral.taken_by}"


@dataclass(frozen=True)
class Tag:
    """A short label and its tone."""

    text: str
    tone: str


def tags_of(case: Case, texts: Collection[PersonalText]) -> list[Tag]:
    """Restrictions in red, then what the conversation needs; neither strand nor offence."""
    tags = [
        Tag(Restriction(each).label, "red") for each in case.restrictions if each != Restriction.INTERPRETER
    ]
    if any(text.body for text in texts if text.kind in _SAFETY):
        tags.append(Tag("Safety note: read it first", "red"))
    if Restriction.INTERPRETER in case.restrictions:
        tags.append(Tag("Interpreter needed", "yellow"))
    if case.victim_under_18:
        tags.append(Tag("Under 18", "yellow"))
    needs = (text.body for text in texts if text.kind == TextKind.COMMUNICATION_NEED)
    return tags + [Tag(need, "yellow") for need in needs if need]


@dataclass(frozen=True)
class Card:
    """A referral on a list: strand and offence are not on it."""

    referral: Referral
    due: Due
    holder: str
    tags: list[Tag]
    unread: "Unread | None"
    mine: bool
    own_case: bool


def card_of(referral: Referral, user: User, now: datetime) -> Card:
    """The card of one of ``open_referrals``."""
    return Card(
        referral=referral,
        due=due_of(referral, now),
        holder=holder_of(referral, user),
        tags=tags_of(referral.case, referral.case.texts.all()),
        unread=unread_of(referral, user),
        mine=referral.taken_by_id == user.pk,
        own_case=is_officer_in_case(referral, user),
    )


@dataclass(frozen=True)
class Unread:
    """What changed on an open referral and nobody has said they have read, the weightiest first."""

    title: str
    changed: list[str]
    latest: str
    for_safety: bool
    ids: list[int]
    may_read: bool
    whose: str


def unread_of(referral: Referral, user: User) -> Unread | None:
    """What is unread of one of ``open_referrals`` or ``referrals_to_open``; ``None`` where nothing is."""
    notices = list(referral.notices.all())
    if not notices or referral.status != ReferralStatus.OPEN:
        return None
    names = {name for notice in notices for name in notice.changed}
    taken_at, taker = referral.taken_at, referral.taken_by
    title = "Changed since it was referred"
    if taker is not None and taken_at is not None and notices[0].noticed_at >= taken_at:
        title = f"Changed since {'you' if taker == user else taker} took it"
    return Unread(
        title=title,
        changed=[each.label for each in Noticed if each in names],
        latest=weekday_moment(notices[-1].noticed_at),
        for_safety=is_for_safety(names),
        ids=[notice.pk for notice in notices],
        may_read=may_read(referral, user),
        whose=f"{taker} reads it, or your supervisor." if taker else "",
    )


def is_officer_in_case(referral: Referral, user: User) -> bool:
    """SRC comes from somebody who is not on the investigation."""
    return same_person(referral.case.officer_in_case, user.display_name)


def is_with_officer_in_case(referral: Referral) -> bool:
    """Whoever took it is on the investigation since: it must change hands."""
    return referral.taken_by is not None and is_officer_in_case(referral, referral.taken_by)


@dataclass(frozen=True)
class Lead:
    """The first sentence of my referrals, and the empty state's."""

    teams: str
    sentence: str
    open: int


def lead_of(user: User, now: datetime) -> Lead:
    """How many to contact today, where, and how many are overdue; of all pages."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    # Tomorrow by the calendar, then its midnight: a day of a clock change has not 24 hours.
    tomorrow = timezone.make_aware((midnight.replace(tzinfo=None)) + timedelta(days=1))
    counts = open_referrals(user).aggregate(
        open=Count("pk"),
        today=Count("pk", filter=Q(due_at__lt=tomorrow)),
        overdue=Count("pk", filter=Q(due_at__lt=now)),
    )
    names = list(teams_of(user).order_by("name").values_list("name", flat=True))
    teams = _joined(names) if len(names) <= MOST_TEAMS_NAMED else f"your {len(names)} teams"
    today, overdue = counts["today"], counts["overdue"]
    sentence = f"{today or 'Nobody'} to contact today in {teams}."
    if overdue:
        sentence += f" {overdue} {'is' if overdue == 1 else 'are'} overdue."
    return Lead(teams=teams, sentence=sentence, open=counts["open"])


def _joined(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


@dataclass(frozen=True)
class Briefing:
    """What must be known before contact; safety overrides wishes, so it comes first."""

    title: str
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
    if not first and any(texts.get(kind) for kind in _SAFETY):
        first.append(notes.pop(0))
    title = " ".join(first) or "No restrictions and no safety note are recorded here."
    as_at = f"From the crime record as at {moment(case.changed_at)}."
    if case.restrictions_set_at:
        as_at += f" Set by the hate crime officer at {moment(case.restrictions_set_at)}."
    return Briefing(title=title, lines=notes, as_at=as_at)


@dataclass(frozen=True)
class Offered:
    """What the log page offers at once, what it keeps under "something else", and what is ruled out."""

    methods: list[tuple[str, str]]
    methods_barred: list[tuple[str, str]]
    results: list[tuple[str, str]]
    results_other: list[tuple[str, str]]
    results_barred: list[tuple[str, str]]


_AT_ONCE = (Result.CONTACT_MADE, Result.NO_ANSWER, Result.MESSAGE_LEFT)


def offered_for(referral: Referral) -> Offered:
    """A barred way is not offered, yet can be recorded: the truth must have a place."""
    restrictions = referral.case.restrictions
    no_methods, no_results = methods_barred(restrictions), results_barred(restrictions)
    # One that was closed without contact can still turn out well, and in no other way.
    ended = referral.status != ReferralStatus.OPEN
    results = [each for each in Result.choices if not ended or each[0] == CONTACT_MADE]
    return Offered(
        methods=[each for each in Method.choices if each[0] not in no_methods],
        methods_barred=[each for each in Method.choices if each[0] in no_methods],
        results=[each for each in results if each[0] in _AT_ONCE and each[0] not in no_results],
        results_other=[each for each in results if each[0] not in _AT_ONCE],
        results_barred=[each for each in results if each[0] in no_results],
    )


def reasons_to_close(referral: Referral, user: User) -> list[CloseReason]:
    """The reasons its attempts have shown, the one of the latest attempt first."""
    results = results_that_stand(referral)
    shown = [
        reason
        for reason in CloseReason
        if not why_not_close(reason, results=results, decides_safety=user.can(Permission.CHASE_REFERRALS))
    ]
    return sorted(shown, key=lambda reason: reason != (results[-1] if results else ""))


@dataclass(frozen=True)
class LoggedAttempt:
    """An attempt as the page of its referral lists it, with the row that withdraws it."""

    attempt: ContactAttempt
    withdrawal: ContactAttempt | None
    may_withdraw: bool


def attempts_of(referral: Referral, user: User) -> list[LoggedAttempt]:
    """The attempts of one of ``referrals_to_open``, oldest first, withdrawn ones among them."""
    contacts = user.can(Permission.CONTACT_VICTIMS)
    supervises = contacts and user.can(Permission.CHASE_REFERRALS)
    listed = []
    for attempt in referral.attempts.all():
        withdrawal = getattr(attempt, "withdrawn_by", None)
        own = contacts and attempt.made_by == user
        listed.append(LoggedAttempt(attempt, withdrawal, withdrawal is None and (own or supervises)))
    return listed
