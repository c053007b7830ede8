"""What a list of referrals shows: a card for each, and one sentence about all of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Prefetch, Q, prefetch_related_objects
from django.utils import timezone

from referrals.contact.readers.briefing import SAFETY_NOTES
from referrals.contact.readers.follow_ups import to_ring_again
from referrals.contact.readers.linked import Linked
from referrals.contact.readers.referrals import (
    asked_to_ring,
    is_officer_in_case,
    may_read,
    open_referrals,
    read_by,
    tell_cards,
)
from referrals.models import (
    Decision,
    FollowUp,
    Noticed,
    Reason,
    Referral,
    ReferralStatus,
    Restriction,
    TextKind,
)
from referrals.rules.crime_record import is_for_safety
from referrals.scope import teams_of
from src_app.accounts.models import User
from src_app.lists.paging import Paged
from src_app.templatetags.words import clock, due_words, weekday_moment

MOST_TEAMS_NAMED = 3


@dataclass(frozen=True)
class Due:
    """When a referral is due, in words with the exact time."""

    words: str
    overdue: bool
    since: str


def due_of(referral: Referral, now: datetime) -> Due:
    """``26 hours overdue`` since …, ``Due in 5 hours, 6:00pm``, or ``Due Thursday 26 November, 9:30am``.

    Of one whose clock stands, until when it does.
    """
    due_at = referral.due_at
    if referral.stopped_until is not None and referral.is_stopped(now):
        until = weekday_moment(referral.stopped_until)
        return Due(f"Clock stopped until {until}; then due {weekday_moment(due_at)}", overdue=False, since="")
    if due_at < now:
        return Due(due_words(due_at, now), overdue=True, since=weekday_moment(due_at))
    if timezone.localdate(due_at) == timezone.localdate(now):
        words = f"{due_words(due_at, now).capitalize()}, {clock(due_at)}"
        return Due(words, overdue=False, since="")
    return Due(f"Due {weekday_moment(due_at)}", overdue=False, since="")


def holder_of(referral: Referral, user: User) -> str:
    """Who has it, and who gave it to them. Of ``open_referrals`` or ``referrals_to_open``."""
    if referral.taken_by is None:
        return "Not taken"
    given = f", given by {referral.given_by}" if referral.given_by else ""
    return f"With {'you' if referral.taken_by == user else referral.taken_by}{given}"


def tries_of(referral: Referral) -> str:
    """How often somebody tried, and what came of it last; empty where nobody did. Of ``open_referrals``."""
    tries = list(referral.attempts.all())
    if not tries:
        return ""
    last = tries[-1]
    result = f"{last.get_result_display()}, {weekday_moment(last.made_at)}"
    return f"Tried once: {result}" if len(tries) == 1 else f"Tried {len(tries)} times, last: {result}"


def call_back_of(referral: Referral, now: datetime) -> str:
    """``Ring at 2:30pm``, or with the day where that is another; empty where no call back is asked for."""
    at = referral.call_back_at
    if at is None or referral.status != ReferralStatus.OPEN:
        return ""
    is_today = timezone.localdate(at) == timezone.localdate(now)
    when = f"at {clock(at)}" if is_today else weekday_moment(at)
    return f"Ring {when}" if at >= now else f"Ring now: asked to be rung {when}"


def safe_way_of(referral: Referral) -> str:
    """What a supervisor decided last on how to make contact safely; empty where nothing was; one query."""
    decision = referral.safety_decisions.select_related("decided_by").order_by("pk").last()
    if decision is None or not decision.method:
        return ""
    return (
        f"{decision.decided_by} decided {weekday_moment(decision.decided_at)} how to make contact safely: "
        f"{decision.get_method_display().lower()}."
    )


@dataclass(frozen=True)
class Tag:
    """A short label and its tone."""

    text: str
    tone: str


def urgency_of(referral: Referral) -> list[Tag]:
    """Why the HCOP referred it now, of one of ``open_referrals`` or ``referrals_to_open``.

    A case that was referred now after its decision has the words of any other: they tell no arm. Words of a
    wish decide nothing.
    """
    decision: Decision | None = getattr(referral.case, "decision", None)
    reasons = {order.reason for order in referral.orders.all()} | {decision.reason if decision else ""}
    tags = [Tag("High risk", "red")] if Reason.HIGH_RISK in reasons else []
    if Reason.ASKED_FOR_CONTACT in reasons:
        tags.append(Tag("Asked for contact", "yellow"))
    return tags


def tags_of(referral: Referral) -> list[Tag]:
    """Why to ring soon, restrictions, then what the conversation needs; neither strand nor offence."""
    case, texts = referral.case, referral.case.texts.all()
    tags = urgency_of(referral)
    tags += [
        Tag(Restriction(each).label, "red") for each in case.restrictions if each != Restriction.INTERPRETER
    ]
    if any(text.body for text in texts if text.kind in SAFETY_NOTES):
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
    call_back: str
    holder: str
    tries: str
    tags: list[Tag]
    unread: "Unread | None"
    linked: Linked
    mine: bool
    own_case: bool


def card_of(referral: Referral, user: User, now: datetime, linked: Linked) -> Card:
    """The card of one of ``open_referrals``."""
    return Card(
        referral=referral,
        due=due_of(referral, now),
        call_back=call_back_of(referral, now),
        holder=holder_of(referral, user),
        tries=tries_of(referral),
        tags=tags_of(referral),
        unread=unread_of(referral, user),
        linked=linked,
        mine=referral.taken_by_id == user.pk,
        own_case=is_officer_in_case(referral, user),
    )


@dataclass(frozen=True)
class Unread:
    """What changed, and nobody has said they have read, while the victim is to be contacted or rung again.

    The weightiest first.
    """

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
    is_open = referral.status == ReferralStatus.OPEN
    if not notices or not (is_open or asked_to_ring(referral)):
        return None
    names = {name for notice in notices for name in notice.changed}
    reader, title = read_by(referral)[0], "Changed: read it before you ring"
    return Unread(
        title=_since(referral, notices[0].noticed_at, user) if is_open else title,
        changed=[each.label for each in Noticed if each in names],
        latest=weekday_moment(notices[-1].noticed_at),
        for_safety=is_for_safety(names),
        ids=[notice.pk for notice in notices],
        may_read=may_read(referral, user),
        whose=f"{reader} reads it, or your supervisor." if reader else "",
    )


def _since(referral: Referral, noticed_at: datetime, user: User) -> str:
    """Since when an open referral has changed, as far as whoever has it can tell."""
    taken_at, taker = referral.taken_at, referral.taken_by
    if taker is not None and taken_at is not None and noticed_at >= taken_at:
        return f"Changed since {'you' if taker == user else taker} took it"
    return "Changed since it was referred"


@dataclass(frozen=True)
class RingAgainCard:
    """What a team is asked to ring again, with what must be known before; neither strand nor offence."""

    task: FollowUp
    tags: list[Tag]
    unread: Unread | None
    own_case: bool


def ring_again_cards(user: User, now: datetime) -> list[RingAgainCard]:
    """Of all that the account's teams are to ring again, and what it has just said is done."""
    tasks = [(each, each.referral) for each in to_ring_again(user, now) if each.referral is not None]
    referrals = [referral for _, referral in tasks]
    tell_cards(referrals)
    asked = FollowUp.objects.filter(FollowUp.is_to_ring_again()).select_related("acknowledged_by")
    prefetch_related_objects(referrals, Prefetch("follow_ups", asked))
    return [
        RingAgainCard(
            task=task,
            tags=tags_of(referral),
            unread=unread_of(referral, user),
            own_case=is_officer_in_case(referral, user),
        )
        for task, referral in tasks
    ]


@dataclass(frozen=True)
class Part:
    """The open referrals that one kind of person has, of which a page is shown.

    ``count``: how many there are on all pages. ``folded``: somebody else sees to them.
    """

    title: str
    cards: list[Card]
    paged: Paged[Referral]
    count: int
    folded: bool = False


@dataclass(frozen=True)
class Summary:
    """All open referrals of an account in one sentence; ``open`` is how many there are.

    ``teams`` names the account's teams and is empty where it has none. ``yours`` and ``nobodys``: how many of
    them the account has, and nobody.
    """

    teams: str
    sentence: str
    open: int
    yours: int
    nobodys: int

    @property
    def colleagues(self) -> int:
        """How many of them colleagues have."""
        return self.open - self.yours - self.nobodys


def summary_of(user: User, now: datetime) -> Summary:
    """How many victims to contact today and by this time tomorrow, in which teams, and how many are overdue.

    Over all pages.
    """
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    # The next midnight by the calendar: on the day of a clock change it is not 24 hours after the last one.
    tomorrow = timezone.make_aware((midnight.replace(tzinfo=None)) + timedelta(days=1))
    counts = open_referrals(user).aggregate(
        open=Count("pk"),
        today=Count("pk", filter=Q(due_at__lt=tomorrow)),
        soon=Count("pk", filter=Q(due_at__gte=tomorrow, due_at__lte=now + timedelta(days=1))),
        overdue=Count("pk", filter=Q(due_at__lt=now)),
        yours=Count("pk", filter=Q(taken_by=user)),
        nobodys=Count("pk", filter=Q(taken_by__isnull=True)),
        stopped=Count("pk", filter=Q(stopped_until__gt=now)),
    )
    names = list(teams_of(user).order_by("name").values_list("name", flat=True))
    teams = _joined(names) if len(names) <= MOST_TEAMS_NAMED else f"your {len(names)} teams"
    today, overdue = counts["today"], counts["overdue"]
    soon = f", {counts['soon']} more by this time tomorrow" if counts["soon"] else ""
    sentence = f"{today or 'Nobody'} to contact today in {teams}{soon}."
    if overdue:
        sentence += f" {overdue} {'is' if overdue == 1 else 'are'} overdue."
    if counts["stopped"]:
        sentence += f" The clock of {counts['stopped']} is stopped."
    return Summary(teams, sentence, counts["open"], yours=counts["yours"], nobodys=counts["nobodys"])


def _joined(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
