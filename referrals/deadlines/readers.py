"""What a BCU asks of its teams at a moment, and the due time that follows from it."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db.models import Max, Min, OuterRef, QuerySet, Subquery
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.text import capfirst

from referrals.models import (
    BankHoliday,
    Bcu,
    Case,
    ClockStop,
    DeadlinePolicy,
    Referral,
    ReferralStatus,
    ReopenedDecision,
    Ward,
)
from referrals.rules.bank_holidays import listed_holidays
from referrals.rules.contact import LEAST_ATTEMPTS
from referrals.rules.deadlines import LONDON, Stop, Window, due, is_working_day
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.templatetags.words import clock, counted

_HOUR = timedelta(hours=1)
# So long a report may wait for its decision where no policy says otherwise.
_DECISION_AFTER = 24 * _HOUR


class Reminded(StrEnum):
    """Who is reminded of a referral."""

    TAKER = "taker"
    MAILBOX = "mailbox"
    SUPERVISOR = "supervisor"
    HCOP = "hcop"


@dataclass(frozen=True)
class Deadlines:
    """What holds at a moment. ``reminders``: how long after the due time, negative before it, to whom.

    ``least_attempts``: by the word of the reason to close. ``decision_after``: how long a report may wait
    until the inspector is told; None, nobody is. ``step_since``: from when a policy asks for a step that
    was not asked for before.
    """

    contact: Window
    refer_now: Window
    least_attempts: Mapping[str, int] = field(default_factory=lambda: LEAST_ATTEMPTS)
    reminders: Mapping[Reminded, tuple[timedelta, ...]] = field(default_factory=dict)
    digest_at: time = time(7)
    quiet_from: time | None = None
    quiet_until: time | None = None
    decision_after: timedelta | None = None
    step_since: Mapping[tuple[Reminded, timedelta], datetime] = field(default_factory=dict)


def by_settings() -> Deadlines:
    """What holds where a BCU has no policy."""
    steps = (-settings.REMIND_BEFORE_DUE, timedelta())
    return Deadlines(
        contact=Window(passes=settings.REFERRAL_DUE_AFTER),
        refer_now=Window(passes=settings.REFER_NOW_DUE_AFTER),
        reminders={Reminded.MAILBOX: steps, Reminded.TAKER: steps},
        digest_at=settings.DIGEST_AT,
        decision_after=_DECISION_AFTER,
    )


def by_policy(policy: DeadlinePolicy) -> Deadlines:
    """What the policy asks."""
    return Deadlines(
        contact=_window(policy.contact_hours, policy.contact_working_days, policy.day_ends),
        refer_now=_window(policy.refer_now_hours, policy.refer_now_working_days, policy.day_ends),
        least_attempts={
            "no_reply": policy.attempts_no_reply,
            "wrong_details": policy.attempts_wrong_details,
        },
        reminders={
            whom: tuple(hours * _HOUR for hours in sorted(getattr(policy, f"remind_{whom}")))
            for whom in Reminded
        },
        digest_at=policy.digest_at,
        quiet_from=policy.quiet_from,
        quiet_until=policy.quiet_until,
        decision_after=policy.decision_hours * _HOUR if policy.decision_hours else None,
    )


def _window(hours: int | None, working_days: int | None, day_ends: time) -> Window:
    return Window(passes=(hours or 0) * _HOUR, working_days=working_days or 0, day_ends=day_ends)


def window_words(window: Window) -> str:
    """``24 hours``, or ``3 working days (by 5:00pm)``."""
    if not window.working_days:
        return counted(window.passes // _HOUR, "hour,hours")
    return f"{counted(window.working_days, 'working day,working days')} (by {clock(window.day_ends)})"


def policies_on(day: date) -> dict[int, DeadlinePolicy]:
    """The policy that applies on that day, of each BCU that has one, by the BCU's key."""
    begun = DeadlinePolicy.objects.filter(starts_on__lte=day)
    latest = begun.order_by("bcu", "-starts_on").distinct("bcu").select_related("set_by")
    return {policy.bcu_id: policy for policy in latest}


def deadlines_of_bcu(bcu_id: int, at: datetime) -> Deadlines:
    """What a BCU asks at that moment; one query."""
    return _latest(DeadlinePolicy.objects.filter(bcu=bcu_id), at)


def deadlines_of_ward(ward_id: int, at: datetime) -> Deadlines:
    """What the BCU of the ward asks at that moment; one query."""
    return _latest(DeadlinePolicy.objects.filter(bcu__boroughs__wards=ward_id), at)


def _latest(policies: QuerySet[DeadlinePolicy], at: datetime) -> Deadlines:
    policy = policies.filter(starts_on__lte=timezone.localdate(at)).order_by("-starts_on").first()
    return by_policy(policy) if policy else by_settings()


def deadlines_by_bcu(at: datetime) -> dict[int, Deadlines]:
    """What holds in every BCU, by its key; two queries."""
    begun: dict[int, list[DeadlinePolicy]] = defaultdict(list)
    for policy in DeadlinePolicy.objects.filter(starts_on__lte=timezone.localdate(at)).order_by("starts_on"):
        begun[policy.bcu_id].append(policy)
    return {
        pk: replace(by_policy(begun[pk][-1]), step_since=_step_since(begun[pk]))
        if pk in begun
        else by_settings()
        for pk in Bcu.objects.values_list("pk", flat=True)
    }


def _step_since(policies: list[DeadlinePolicy]) -> dict[tuple[Reminded, timedelta], datetime]:
    """Since when each step of the last policy has been asked for, without those that the settings ask for."""
    since: dict[tuple[Reminded, timedelta], datetime | None] = dict.fromkeys(_steps(by_settings()))
    for policy in policies:
        begins = max(datetime.combine(policy.starts_on, time(), LONDON), policy.set_at)
        since = {step: since.get(step, begins) for step in _steps(by_policy(policy))}
    return {step: begins for step, begins in since.items() if begins}


def _steps(asked: Deadlines) -> list[tuple[Reminded, timedelta]]:
    return [(whom, step) for whom, steps in asked.reminders.items() for step in steps]


def undecided_since(bcu_id: int, before: datetime) -> QuerySet[Case]:
    """Reports of a BCU that have waited for a decision since then or longer, each with ``waiting_since``.

    A report waits since it was made, or since its decision was reopened.
    """
    reopened = ReopenedDecision.objects.filter(case=OuterRef("pk")).order_by("-reopened_at")
    since = Greatest("reported_at", Subquery(reopened.values("reopened_at")[:1]))
    # The time of the report alone is in an index.
    waiting = Case.objects.filter(bcu=bcu_id, decided_at__isnull=True, reported_at__lte=before)
    return waiting.annotate(waiting_since=since).filter(waiting_since__lte=before)


def late_decisions(bcu_id: int, at: datetime) -> QuerySet[Case]:
    """Reports of a BCU that wait for a decision longer than it lets them, each with ``waiting_since``."""
    after = deadlines_of_bcu(bcu_id, at).decision_after
    return Case.objects.none() if after is None else undecided_since(bcu_id, at - after)


def bank_holidays() -> frozenset[date]:
    """Every bank holiday that is known: of the list, and those that were added; one query."""
    return frozenset(listed_holidays()) | frozenset(BankHoliday.objects.values_list("day", flat=True))


def due_time(window: Window, at: datetime) -> datetime:
    """When a referral is due that is made then."""
    return due(at, window, holidays=bank_holidays() if window.working_days else frozenset())


def given_due(ward: Ward, *, refer_now: bool, at: datetime) -> dict[str, Any]:
    """What a referral that is made or opened again has of its deadline: fields of :class:`Referral`."""
    asked = deadlines_of_ward(ward.pk, at)
    window = asked.refer_now if refer_now else asked.contact
    by_days = bool(window.working_days)
    return {
        "due_at": due_time(window, at),
        "counted_from": at if by_days else None,
        "working_days": window.working_days if by_days else None,
        "day_ends": window.day_ends if by_days else None,
    }


def counted_again(
    referral: Referral, *, holidays: Collection[date], stops: Collection[ClockStop]
) -> datetime:
    """The due time of a referral, given in working days, counted anew with what is known."""
    assert referral.counted_from is not None
    assert referral.working_days is not None
    assert referral.day_ends is not None
    return due(
        referral.counted_from,
        Window(working_days=referral.working_days, day_ends=referral.day_ends),
        holidays=frozenset(holidays),
        stops=[
            Stop(stop.starts_at, stop.ends_at)
            for stop in stops
            if referral.counted_from < stop.ends_at and stop.starts_at < stop.ends_at
        ],
    )


def open_over(day: date) -> QuerySet[Referral]:
    """Open referrals whose working days reach over that day, so that a holiday on it may move them."""
    begins = datetime.combine(day, time(), LONDON)
    return Referral.objects.filter(
        status=ReferralStatus.OPEN,
        working_days__isnull=False,
        counted_from__lt=begins,
        due_at__gte=begins,
    ).order_by("pk")


@dataclass(frozen=True)
class Moved:
    """A referral with the due time that it gets."""

    referral: Referral
    due_at: datetime


def moved_by(day: date, referrals: QuerySet[Referral]) -> list[Moved]:
    """Those of the referrals that a holiday on that day makes due later."""
    holidays = bank_holidays() | {day}
    found = [
        Moved(each, counted_again(each, holidays=holidays, stops=each.stops.all()))
        for each in referrals.prefetch_related("stops")
    ]
    return [moved for moved in found if moved.due_at > moved.referral.due_at]


def holidays_left_out() -> list[date]:
    """Bank holidays that make open referrals due later which were counted without them, in order."""
    by_days = Referral.objects.filter(status=ReferralStatus.OPEN, working_days__isnull=False)
    span = by_days.aggregate(first=Min("counted_from"), last=Max("due_at"))
    if span["first"] is None:
        return []
    first, last = timezone.localdate(span["first"]), timezone.localdate(span["last"])
    days = [day for day in bank_holidays() if first < day <= last and is_working_day(day, ())]
    return [day for day in sorted(days) if moved_by(day, open_over(day))]


_WHO = {
    Reminded.TAKER: "whoever has it",
    Reminded.MAILBOX: "the team’s mailbox",
    Reminded.SUPERVISOR: "the team’s supervisors",
    Reminded.HCOP: "the hate crime officers",
}


def step_words(after: timedelta) -> str:
    """``24 hours before``, ``when it is overdue`` or ``48 hours after``."""
    if not after:
        return "when it is overdue"
    return f"{counted(abs(after) // _HOUR, 'hour,hours')} {'after' if after > timedelta() else 'before'}"


def words_of(asked: Deadlines) -> list[tuple[str, str]]:
    """What holds, as a list of what it is about and what it says."""
    no_reply, wrong = (asked.least_attempts[reason] for reason in ("no_reply", "wrong_details"))
    reminders = [
        f"{_WHO[whom]}: {' and '.join(step_words(step) for step in steps)}"
        for whom, steps in asked.reminders.items()
        if steps
    ]
    quiet = "None"
    if asked.quiet_from and asked.quiet_until:
        quiet = f"{clock(asked.quiet_from)} to {clock(asked.quiet_until)}: reminders wait until they end"
    inspector = "Nobody is told"
    if asked.decision_after:
        inspector = f"The inspector is told after {counted(asked.decision_after // _HOUR, 'hour,hours')}"
    return [
        ("Contact is due", f"{window_words(asked.contact)} after the referral"),
        ("Refer now: contact is due", f"{window_words(asked.refer_now)} after the referral"),
        ("Attempts before “No reply”", f"at least {no_reply}"),
        ("Attempts before “No working contact details”", f"at least {wrong}"),
        ("Reminders", capfirst("; ".join(reminders)) or "None"),
        ("Quiet hours", quiet),
        ("Morning digest", clock(asked.digest_at)),
        ("A report without a decision", inspector),
    ]


@dataclass(frozen=True)
class BcuRow:
    """A BCU with what holds there today, by its policy if it has one, and the policies that are to come."""

    bcu: Bcu
    policy: DeadlinePolicy | None
    words: list[tuple[str, str]]
    to_come: list[tuple[DeadlinePolicy, list[tuple[str, str]]]]


def policy_rows(user: User, day: date) -> list[BcuRow]:
    """Every BCU by name; for those who keep deadlines."""
    if not user.can(Permission.MANAGE_PLACES):
        return []
    policies = policies_on(day)
    to_come = list(DeadlinePolicy.objects.filter(starts_on__gt=day).order_by("starts_on"))
    return [
        BcuRow(
            bcu=bcu,
            policy=policies.get(bcu.pk),
            words=words_of(by_policy(policies[bcu.pk]) if bcu.pk in policies else by_settings()),
            to_come=[(policy, words_of(by_policy(policy))) for policy in to_come if policy.bcu_id == bcu.pk],
        )
        for bcu in Bcu.objects.order_by("name", "pk")
    ]


def open_in(bcu: Bcu) -> int:
    """How many referrals are open in the wards of a BCU."""
    return Referral.objects.filter(status=ReferralStatus.OPEN, ward__borough__bcu=bcu).count()


@dataclass(frozen=True)
class Holiday:
    """A bank holiday; ``added`` where the list does not have it."""

    day: date
    name: str
    added: BankHoliday | None


def holidays_from(day: date) -> list[Holiday]:
    """The bank holidays from that day on, the earliest first."""
    listed = [Holiday(on, name, None) for on, name in listed_holidays().items() if on >= day]
    own = BankHoliday.objects.filter(day__gte=day).select_related("added_by")
    added = [Holiday(each.day, each.name, each) for each in own if each.day not in listed_holidays()]
    return sorted([*listed, *added], key=lambda holiday: holiday.day)
