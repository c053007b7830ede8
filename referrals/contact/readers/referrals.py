"""Referrals with what their pages show, their attempts and the changes nobody has read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import (
    Count,
    Exists,
    F,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Value,
    prefetch_related_objects,
)
from django.db.models.functions import Replace
from django.utils import timezone

from referrals.cases.readers import of_linked_cases
from referrals.models import (
    RING_AGAIN,
    Case,
    ContactAttempt,
    FollowUp,
    Noticed,
    PersonalText,
    Referral,
    ReferralNotice,
    ReferralOrder,
    ReferralStatus,
    Reopening,
    ReopeningReason,
    TextKind,
)
from referrals.rules.contact import same_person
from referrals.scope import referrals_visible_to
from src_app.accounts.models import User
from src_app.accounts.roles import Permission


def attempts_that_stand(referral: Referral) -> QuerySet[ContactAttempt]:
    """The referral's attempts, but for those withdrawn and the rows that withdraw them."""
    return standing_attempts().filter(referral=referral)


def standing_attempts() -> QuerySet[ContactAttempt]:
    """The same of every referral, the oldest first."""
    standing = ContactAttempt.objects.filter(withdraws__isnull=True, withdrawn_by__isnull=True)
    return standing.order_by("made_at", "pk")


def results_that_stand(referral: Referral) -> list[str]:
    """What the attempts that stand came to, oldest first; none from before it was last referred again."""
    return list(_that_count(referral).values_list("result", flat=True))


def call_back_asked(referral: Referral) -> datetime | None:
    """When the victim asked at the last of these attempts to be called back."""
    return _that_count(referral).values_list("call_back_at", flat=True).last()


def _that_count(referral: Referral) -> QuerySet[ContactAttempt]:
    """Those that stand, since it was last referred, or opened again because the victim asked."""
    later = ReferralOrder.objects.filter(referral=referral, ordered_at__gt=OuterRef("logged_at"))
    asked = Reopening.objects.filter(
        referral=referral, reason=ReopeningReason.VICTIM_ASKED, reopened_at__gt=OuterRef("logged_at")
    )
    return attempts_that_stand(referral).filter(~Exists(later), ~Exists(asked))


def unread_notices() -> QuerySet[ReferralNotice]:
    """Changes nobody has said they have read, the first noticed first."""
    return ReferralNotice.objects.filter(read_at__isnull=True).order_by("noticed_at", "pk")


def changed_since(case: Case, since: datetime) -> set[Noticed]:
    """What texts and restrictions of the case changed since its referral ended, when no team was told."""
    texts = PersonalText.objects.filter(case=case, kind__in=Noticed.values, changed_at__gte=since)
    changed = {Noticed(kind) for kind in texts.values_list("kind", flat=True)}
    if case.restrictions_set_at is not None and case.restrictions_set_at >= since:
        changed.add(Noticed.RESTRICTIONS)
    return changed


def is_to_contact() -> Q:
    """The condition that a team is to contact the referral's victim: it is open, or they are rung again."""
    rings = FollowUp.objects.filter(FollowUp.is_to_ring_again(), referral=OuterRef("pk"))
    return Q(status=ReferralStatus.OPEN) | Q(Exists(rings))


def asked_to_ring(referral: Referral) -> list[FollowUp]:
    """What its team is still asked to ring again; from its follow-ups where those are read already."""
    tasks = [each for each in referral.follow_ups.all() if each.kind in RING_AGAIN and each.done_at is None]
    return sorted(tasks, key=lambda each: each.raised_at)


def read_by(referral: Referral) -> list[User | None]:
    """Who reads what changed: whoever has it, or deals with ringing again; None where nobody does yet."""
    rings = [] if referral.status == ReferralStatus.OPEN else asked_to_ring(referral)
    return [each.acknowledged_by for each in rings] or [referral.taken_by]


def may_read(referral: Referral, user: User) -> bool:
    """Whether it is for this account to say that the changes of a referral it may contact were read."""
    if not user.can(Permission.CONTACT_VICTIMS):
        return False
    return user.can(Permission.CHASE_REFERRALS) or not {None, user}.isdisjoint(read_by(referral))


def open_referrals(user: User) -> QuerySet[Referral]:
    """Referrals to contact, what is to be done first on top: by the due time, or the call back before it.

    :func:`tell_cards` adds what the card of each tells of.
    """
    return (
        referrals_visible_to(user)
        .filter(status=ReferralStatus.OPEN)
        .select_related("case__decision", "ward", "taken_by", "given_by")
        .order_by("act_by", "pk")
    )


def tell_cards(referrals: Sequence[Referral]) -> None:
    """Reads the orders, texts, changes and attempts that the cards of ``open_referrals`` tell of."""
    told = (
        TextKind.SAFETY_NOTE,
        TextKind.REVIEW_SAFETY,
        TextKind.CONTACT_WISHES,
        TextKind.COMMUNICATION_NEED,
    )
    texts = PersonalText.objects.filter(kind__in=told).order_by("pk")
    prefetch_related_objects(
        referrals,
        "orders",
        Prefetch("case__texts", texts),
        Prefetch("notices", unread_notices()),
        Prefetch("attempts", standing_attempts()),
    )


def referrals_ended_since(user: User, since: datetime) -> QuerySet[Referral]:
    """Completed and closed referrals, the latest first."""
    return (
        referrals_visible_to(user)
        .filter(closed_at__gte=since)
        .select_related("ward", "closed_by")
        .order_by("-closed_at", "-pk")
    )


def referrals_to_open(user: User) -> QuerySet[Referral]:
    """Referrals with all that their page shows, each one's attempts oldest first and its unread changes."""
    attempts = (
        ContactAttempt.objects.filter(withdraws__isnull=True)
        .select_related("made_by", "entered_by", "note", "withdrawn_by__made_by", "settled__settled_by")
        .prefetch_related(Prefetch("follow_ups", FollowUp.objects.select_related("acknowledged_by")))
        .order_by("made_at", "pk")
    )
    texts = PersonalText.objects.exclude(kind=TextKind.ATTEMPT_NOTE).exclude(body="")
    return (
        referrals_visible_to(user)
        .select_related("case__decision", "ward", "team", "taken_by", "given_by", "closed_by")
        .prefetch_related(
            "orders",
            Prefetch("attempts", attempts),
            Prefetch("case__texts", texts),
            Prefetch("notices", unread_notices()),
        )
    )


def referrals_linked_to(referral: Referral, user: User) -> QuerySet[Referral]:
    """Other referrals of the same incident or victim, as far as the account may see them."""
    return (
        referrals_visible_to(user)
        .filter(of_linked_cases(referral.case))
        .exclude(pk=referral.pk)
        .select_related("ward", "taken_by")
        .order_by("made_at", "pk")
    )


def is_officer_in_case(referral: Referral, user: User) -> bool:
    """Whether the account is the officer in the case, who may not make the contact."""
    return same_person(referral.case.officer_in_case, user.display_name)


def account_of_officer_in_case(referral: Referral) -> User | None:
    """The officer in the case, where exactly one open account has that name."""
    named = "".join(referral.case.officer_in_case.split())
    folded = Replace("display_name", Value(" "), Value(""))
    found = (
        list(User.objects.alias(folded=folded).filter(folded__iexact=named, is_active=True)[:2])
        if named
        else []
    )
    return found[0] if len(found) == 1 else None


def is_with_officer_in_case(referral: Referral) -> bool:
    """Whether whoever took the referral has become the officer in the case: a colleague must take it over."""
    return referral.taken_by is not None and is_officer_in_case(referral, referral.taken_by)


OWN_WEEKS = 12


@dataclass(frozen=True)
class OwnFigures:
    """Of the referrals that an officer has, due in the last twelve weeks: how many were contacted in time.

    ``due``: all whose due time has passed or that have ended. ``since``: the first day of those weeks.
    """

    in_time: int
    due: int
    since: date


def own_figures(user: User, now: datetime) -> OwnFigures:
    """Of nobody but that officer; in one query."""
    day = timezone.localdate(now)
    since = day - timedelta(days=day.weekday(), weeks=OWN_WEEKS)
    counted = Referral.objects.filter(
        Q(due_at__lt=now) | Q(closed_at__isnull=False),
        taken_by=user,
        due_at__gte=timezone.make_aware(datetime.combine(since, time())),
    ).aggregate(due=Count("pk"), in_time=Count("pk", filter=Q(contacted_at__lte=F("due_at"))))
    return OwnFigures(in_time=counted["in_time"], due=counted["due"], since=since)
