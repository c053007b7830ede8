"""Reminders: of referrals before and after their due time, and of reports that wait for a decision.

When, and to whom, is said by the deadlines of each BCU. Each goes to one recipient once.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import count, pairwise

from django.db import transaction
from django.db.models import (
    BigIntegerField,
    CharField,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, Coalesce, Concat, Floor
from django.utils import timezone

from referrals.deadlines.readers import Deadlines, Reminded, deadlines_by_bcu, undecided_since
from referrals.mail.claims import HELD_BACK
from referrals.mail.keys import TO_HCOP, TO_TAKER, call_back_key
from referrals.mail.outbox import queue
from referrals.models import (
    FOR_THE_HCOP,
    BcuMembership,
    Case,
    ContactAttempt,
    FollowUp,
    FollowUpKind,
    LateDecision,
    Leave,
    MailKind,
    Notification,
    Referral,
    ReferralOrder,
    ReferralStatus,
    Result,
    TeamMembership,
)
from referrals.rules.deadlines import is_quiet
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission, Role
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record

_HOUR = timedelta(hours=1)
# Time enough to read the restrictions before the call.
_BEFORE_CALL_BACK = timedelta(minutes=15)
_AT_DUE = timedelta()
# A contact is to be noted on the crime record after so long; what is older than the second is let be.
_NOTED_WITHIN = (timedelta(days=1), timedelta(days=7))
# So many referrals are locked together.
_AT_ONCE = 200
# Messages that were of no use when their turn came: what they tell may be of use again.
_GIVEN_UP = Q(abandoned_at__isnull=False) & ~Q(last_error=HELD_BACK)


def remind_due(*, by: User, at: datetime) -> int:
    """Queues the reminders whose step has come, as the deadlines of each BCU have them; returns of how many.

    Of several steps of one recipient that have come, the last: nobody is told in one morning what was missed
    in three days. Nothing goes out in the quiet hours of a BCU, of a referral that has ended, or while its
    clock is stopped.
    """
    check_authority(by, Permission.SEND_REMINDERS)
    reminded: set[str] = set()
    in_charge = _InCharge(timezone.localdate(at))
    for asked, bcus in _alike(deadlines_by_bcu(at)):
        if is_quiet(at, asked.quiet_from, asked.quiet_until):
            continue
        for whom, steps in asked.reminders.items():
            for step, later in pairwise([*steps, None]):
                if step is None:
                    continue
                has_come = _has_come(step, later, asked.step_since.get((whom, step)), at)
                last = 0
                while found := _remind_some(whom, step, has_come & Q(pk__gt=last), bcus, in_charge, by, at):
                    last = found[-1].pk
                    reminded.update(each.number for each in found)
    return len(reminded)


def _alike(deadlines: dict[int, Deadlines]) -> Iterable[tuple[Deadlines, list[int]]]:
    """The BCUs of which the same holds, together: most have no policy."""
    found: list[tuple[Deadlines, list[int]]] = []
    for bcu, asked in deadlines.items():
        same = next((bcus for other, bcus in found if other == asked), None)
        if same is None:
            found.append((asked, [bcu]))
        else:
            same.append(bcu)
    return found


class _InCharge:
    """Supervisors by team, and supervisors and HCOPs by BCU: at work on that day, and with an address."""

    def __init__(self, day: date) -> None:
        away = Leave.objects.filter(Leave.current(day)).values("user")
        can_be_told = Q(user__is_active=True, user__email__isnull=False) & ~Q(user__in=away)
        self.supervising = TeamMembership.objects.filter(
            TeamMembership.current(day), can_be_told, user__role=Role.SUPERVISOR
        )
        self.of_team: dict[int, list[User]] = defaultdict(list)
        for membership in self.supervising.select_related("user").order_by("pk"):
            self.of_team[membership.team_id].append(membership.user)
        of_bcus = BcuMembership.objects.filter(BcuMembership.current(day), can_be_told)
        self.hcop_of = of_bcus.filter(user__role=Role.HCOP)
        self.hcops: dict[int, list[User]] = defaultdict(list)
        self.inspectors: dict[int, list[User]] = defaultdict(list)
        for found, people in (
            (self.hcops, self.hcop_of),
            (self.inspectors, of_bcus.filter(user__role=Role.SUPERVISOR)),
        ):
            for of_bcu in people.select_related("user").order_by("pk"):
                found[of_bcu.bcu_id].append(of_bcu.user)

    def of_follow_up(self, follow_up: FollowUp, bcu: int) -> list[User]:
        """Who can act on it: of the HCOP's own tasks no supervisor is told."""
        referral, hcops = follow_up.referral, self.hcops[bcu]
        if referral is None or follow_up.kind in FOR_THE_HCOP:
            return hcops
        people = {user.pk: user for user in [*self.of_team[referral.team.working_team.pk], *hcops]}
        return list(people.values()) or self.inspectors[bcu]


def _remind_some(
    whom: Reminded,
    step: timedelta,
    has_come: Q,
    bcus: list[int],
    in_charge: _InCharge,
    by: User,
    at: datetime,
) -> Sequence[Referral]:
    """Queues one step of one kind of recipient, in a transaction; returns of which referrals, in order."""
    kind = MailKind.DUE_SOON if step < _AT_DUE else MailKind.OVERDUE
    ends = f":{step // _HOUR:+d}:{whom}:"
    with transaction.atomic():
        # The lock keeps a completion from slipping in between the look and the mail.
        referrals = list(
            Referral.objects.alias(begun_at=_begun_at())
            .filter(
                has_come,
                _is_untold(whom, kind, ends, in_charge),
                Q(stopped_until__isnull=True) | Q(stopped_until__lte=at),
                status=ReferralStatus.OPEN,
                ward__borough__bcu__in=bcus,
            )
            .select_related("team", "taken_by", "ward__borough")
            .order_by("pk")
            .select_for_update(of=("self",), skip_locked=True)[:_AT_ONCE]
        )
        before = Notification.objects.filter(_GIVEN_UP, referral__in=referrals, kind=kind)
        given_up = set(before.values_list("unique_key", flat=True))
        for referral in referrals:
            begins = f"{kind}:{referral.number}:{math.floor(referral.due_at.timestamp())}{ends}"
            for pk, recipient in _recipients(whom, referral, in_charge):
                keys = (f"{begins}{pk}:{number}" for number in count())
                key = next(key for key in keys if key not in given_up)
                queue(kind=kind, referral=referral, recipient=recipient, unique_key=key, at=at)
        _record_reminded([each.number for each in referrals], by)
    return referrals


def _record_reminded(numbers: list[str], by: User) -> None:
    if numbers:
        record(Action.MAIL_QUEUED, by=by, purpose=Purpose.CONTACT, subject="referral", references=numbers)


def _has_come(step: timedelta, later: timedelta | None, since: datetime | None, at: datetime) -> Q:
    """A condition for referrals: this step has come, and the next one has not.

    One when overdue or later has come since ``since``, so that a new policy does not remind of all at once.
    One before the due time never comes before half of the time has passed: a day may be all there is.
    """
    if step < _AT_DUE:
        half_has_passed = Q(begun_at__lte=Value(at) - (F("due_at") - Value(at)))
        has_come = Q(due_at__gte=at, due_at__lte=at - step) & half_has_passed
    else:
        has_come = Q(due_at__lte=at - step) if step else Q(due_at__lt=at)
        if since is not None:
            has_come &= Q(due_at__gte=since - step)
    if later is None or later == _AT_DUE:
        return has_come
    return has_come & Q(due_at__gt=at - later)


def _begun_at() -> Coalesce:
    """When the referral was made, or opened again last."""
    orders = ReferralOrder.objects.filter(referral=OuterRef("pk")).order_by("-ordered_at")
    return Coalesce(Subquery(orders.values("ordered_at")[:1]), "made_at")


def _seconds(moment: OuterRef) -> Cast:
    """The whole seconds of a moment since 1970, as text."""
    epoch = Func(moment, template="EXTRACT(EPOCH FROM %(expressions)s)", output_field=BigIntegerField())
    return Cast(Cast(Floor(epoch), BigIntegerField()), CharField())


def _is_untold(whom: Reminded, kind: MailKind, ends: str, in_charge: _InCharge) -> Q:
    """A condition for referrals: there is such a recipient who has not been told of this step.

    The key of a message ends in the key of its recipient, and in how many before it were given up.
    """
    if whom == Reminded.MAILBOX:
        return Q(~Exists(_told(kind, ends, OuterRef, OuterRef("team_id"))))
    if whom == Reminded.TAKER:
        told = _told(kind, ends, OuterRef, OuterRef("taken_by_id"))
        return Q(~Exists(told), taken_by__email__isnull=False)
    told = _told(kind, ends, lambda name: OuterRef(OuterRef(name)), OuterRef("user_id"))
    if whom == Reminded.SUPERVISOR:
        return Q(Exists(in_charge.supervising.filter(~Exists(told), team=OuterRef("team"))))
    return Q(Exists(in_charge.hcop_of.filter(~Exists(told), bcu=OuterRef("ward__borough__bcu"))))


def _told(
    kind: MailKind, ends: str, of_referral: Callable[[str], OuterRef], recipient: OuterRef
) -> QuerySet[Notification]:
    due = (of_referral("number"), Value(":"), _seconds(of_referral("due_at")))
    key = Concat(Value(f"{kind}:"), *due, Value(ends), Cast(recipient, CharField()), Value(":"))
    of_step = Notification.objects.filter(referral=of_referral("pk"), unique_key__startswith=key)
    return of_step.exclude(_GIVEN_UP)


def _recipients(whom: Reminded, referral: Referral, in_charge: _InCharge) -> Iterator[tuple[int, str]]:
    """The key of each recipient, with their address."""
    if whom == Reminded.MAILBOX:
        yield referral.team_id, referral.team.mailbox
    elif whom == Reminded.TAKER:
        assert referral.taken_by is not None
        yield referral.taken_by.pk, str(referral.taken_by.email)
    else:
        of_bcu = in_charge.hcops[referral.ward.borough.bcu_id]
        for user in in_charge.of_team[referral.team_id] if whom == Reminded.SUPERVISOR else of_bcu:
            yield user.pk, str(user.email)


def _quiet_bcus(at: datetime) -> list[int]:
    asked = deadlines_by_bcu(at).items()
    return [bcu for bcu, each in asked if is_quiet(at, each.quiet_from, each.quiet_until)]


def remind_of_call_backs(*, by: User, at: datetime) -> int:
    """Reminds whoever has a referral of the time at which the victim asked to be called back, each once.

    Its team is told where nobody has it, or whoever does has no address. An attempt since has moved or ended
    the call back. Returns of how many referrals.
    """
    check_authority(by, Permission.SEND_REMINDERS)
    quiet = _quiet_bcus(at)
    key = Concat(
        Value(f"{MailKind.CALL_BACK}:"), OuterRef("number"), Value(":"), _seconds(OuterRef("call_back_at"))
    )
    told = Notification.objects.filter(referral=OuterRef("pk"), unique_key__startswith=key)
    with transaction.atomic():
        referrals = (
            Referral.objects.filter(
                ~Exists(told), status=ReferralStatus.OPEN, call_back_at__lte=at + _BEFORE_CALL_BACK
            )
            .exclude(ward__borough__bcu__in=quiet)
            .select_related("team", "taken_by")
            .order_by("pk")
            .select_for_update(of=("self",), skip_locked=True)
        )
        reminded = []
        for referral in referrals:
            holder = referral.taken_by
            recipient, ends = (holder.email, TO_TAKER) if holder and holder.email else (None, "")
            queue(
                kind=MailKind.CALL_BACK,
                referral=referral,
                recipient=recipient or referral.team.mailbox,
                unique_key=call_back_key(referral) + ends,
                at=at,
            )
            reminded.append(referral.number)
        _record_reminded(reminded, by)
    return len(reminded)


def remind_of_notes(*, by: User, at: datetime) -> int:
    """Reminds whoever logged a contact a day ago that it is to be noted on the crime record, once of each.

    Nobody is told whose account is closed or has no address, nor what is older than a week: My referrals
    shows what is left. Returns of how many contacts.
    """
    check_authority(by, Permission.SEND_REMINDERS)
    quiet = _quiet_bcus(at)
    key = Concat(Value(f"{MailKind.NOTE_RECORD}:"), Cast(OuterRef("pk"), CharField()))
    told = Notification.objects.filter(unique_key=key)
    with transaction.atomic():
        found = (
            ContactAttempt.objects.filter(
                ContactAttempt.is_to_note(),
                ~Exists(told),
                result=Result.CONTACT_MADE,
                logged_at__range=(at - _NOTED_WITHIN[1], at - _NOTED_WITHIN[0]),
            )
            .exclude(referral__ward__borough__bcu__in=quiet)
            .select_related("referral", "made_by", "entered_by")
            .order_by("pk")
        )
        reminded = []
        for attempt in found:
            if attempt.logger.is_active and attempt.logger.email:
                queue(
                    kind=MailKind.NOTE_RECORD,
                    referral=attempt.referral,
                    recipient=attempt.logger.email,
                    unique_key=f"{MailKind.NOTE_RECORD}:{attempt.pk}",
                    at=at,
                )
                reminded.append(attempt.referral.number)
        _record_reminded(reminded, by)
    return len(reminded)


def remind_again(referral: Referral, at: datetime) -> None:
    """Gives a referral that is open again the reminders that were given up while it had ended."""
    kind = MailKind.OVERDUE if referral.due_at < at else MailKind.DUE_SOON
    given_up = Notification.objects.filter(referral=referral, kind=kind, abandoned_at__isnull=False)
    last = given_up.order_by("recipient", "-pk").distinct("recipient")
    Notification.objects.filter(pk__in=last.values("pk")).update(abandoned_at=None, not_before=at)


def tell_of_late_decisions(*, by: User, at: datetime) -> int:
    """Tells the inspector of reports that wait for a decision longer than their BCU lets them, each once.

    In one mail a day, which says of all that wait. The inspector is the supervisor who belongs to the BCU;
    where none with an address does, the HCOPs are told. Returns of how many reports.
    """
    check_authority(by, Permission.SEND_REMINDERS)
    in_charge = _InCharge(timezone.localdate(at))
    told = 0
    for bcu, asked in deadlines_by_bcu(at).items():
        inspectors, hcops = in_charge.inspectors[bcu], in_charge.hcops[bcu]
        people = {f":inspector:{user.pk}": user for user in inspectors} or {
            f"{TO_HCOP}{user.pk}": user for user in hcops
        }
        today = f"{MailKind.DECISION_LATE}:bcu:{bcu}:{timezone.localdate(at)}"
        if asked.decision_after is None or not people or is_quiet(at, asked.quiet_from, asked.quiet_until):
            continue
        if Notification.objects.filter(unique_key__startswith=f"{today}:").exists():
            continue
        told_of = LateDecision.objects.filter(case=OuterRef("pk"), told_at__gte=OuterRef("waiting_since"))
        waiting = undecided_since(bcu, at - asked.decision_after).filter(~Exists(told_of))
        told += _tell_once(waiting, {today + ends: user for ends, user in people.items()}, by, at)
    return told


def tell_of_late_follow_ups(*, by: User, at: datetime) -> int:
    """Tells those in charge of follow-ups that nobody has acknowledged in time, each once.

    They are the HCOPs of the BCU, the supervisors of the team, and those of the BCU where there is nobody
    else. A threat does not wait for the end of quiet hours. Returns of how many follow-ups.
    """
    check_authority(by, Permission.SEND_REMINDERS)
    in_charge = _InCharge(timezone.localdate(at))
    asked = deadlines_by_bcu(at)
    told: dict[User, list[FollowUp]] = defaultdict(list)
    late = FollowUp.objects.filter(
        acknowledge_by__lt=at, acknowledged_at=None, done_at=None, escalated_at=None
    )
    with transaction.atomic():
        escalated = []
        for follow_up in (
            late.select_related(
                "referral__ward__borough", "referral__case", "referral__team__merged_into", "case"
            )
            .order_by("pk")
            .select_for_update(of=("self",), skip_locked=True)
        ):
            bcu = follow_up.about.bcu_id
            if follow_up.referral and follow_up.kind not in FOR_THE_HCOP:
                bcu = follow_up.referral.ward.borough.bcu_id
            waits = is_quiet(at, asked[bcu].quiet_from, asked[bcu].quiet_until)
            people = in_charge.of_follow_up(follow_up, bcu)
            if people and (not waits or follow_up.kind == FollowUpKind.THREAT):
                escalated.append(follow_up)
                for user in people:
                    told[user].append(follow_up)
        FollowUp.objects.filter(pk__in=[each.pk for each in escalated]).update(escalated_at=at)
        for user, follow_ups in told.items():
            key = f"{MailKind.FOLLOW_UPS_LATE}:{follow_ups[0].pk}:{user.pk}"
            queue(kind=MailKind.FOLLOW_UPS_LATE, recipient=str(user.email), unique_key=key, at=at)
        if escalated:
            record(
                Action.MAIL_QUEUED,
                by=by,
                purpose=Purpose.SUPERVISION,
                subject="referral",
                references=dict.fromkeys(each.name for each in escalated),
                recipients=[user.username for user in told],
            )
    return len(escalated)


def _tell_once(waiting: QuerySet[Case], people: dict[str, User], by: User, at: datetime) -> int:
    with transaction.atomic():
        cases = list(waiting.order_by("pk").select_for_update(of=("self",), no_key=True, skip_locked=True))
        if not cases:
            return 0
        LateDecision.objects.bulk_create(LateDecision(case=case, told_at=at) for case in cases)
        for key, user in people.items():
            queue(kind=MailKind.DECISION_LATE, recipient=str(user.email), unique_key=key, at=at)
        record(
            Action.MAIL_QUEUED,
            by=by,
            purpose=Purpose.REVIEW,
            subject="case",
            references=[case.crime_reference for case in cases],
            recipients=[user.username for user in people.values()],
        )
    return len(cases)
