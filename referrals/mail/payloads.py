"""What the template of each message is given: a field that is not here cannot leak."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.db.models import Count, Min
from django.urls import reverse
from django.utils import timezone

from referrals.deadlines.readers import late_decisions
from referrals.mail.keys import TO_HCOP, bcu_of
from referrals.models import (
    Bcu,
    Digest,
    DigestKind,
    Fault,
    MailboxTest,
    MailKind,
    Notification,
    PlaceMove,
    Referral,
    Trial,
    TrialNotice,
)
from src_app.accounts.roles import Permission
from src_app.templatetags.words import day, moment


@dataclass(frozen=True)
class ReferralMail:
    """All that a message's template is given; a field that is not here cannot leak."""

    number: str
    ward: str
    due: str
    overdue: bool
    link: str
    team: str
    mailbox: str


@dataclass(frozen=True)
class TrialMail:
    """What the template is given of a message to a registrar."""

    trial: str
    day: str
    file: str


@dataclass(frozen=True)
class ProposalMail:
    """What the template is given of a message to whoever is to seal a trial."""

    trial: str
    day: str
    link: str


@dataclass(frozen=True)
class AccessMail:
    """What the template is given of a message to a supervisor whom the access review asks."""

    day: str
    link: str


@dataclass(frozen=True)
class SignInMail:
    """What the template is given of a message to somebody whose sign-in or address was changed."""

    on: str


@dataclass(frozen=True)
class WaitingMail:
    """What a message to those in charge says of follow-ups that nobody deals with."""

    link: str


@dataclass(frozen=True)
class DecisionMail:
    """What a message to the inspector, or to an HCOP where there is none, says of reports that wait."""

    bcu: str
    reports: int
    longest_hours: int
    to_hcop: bool
    link: str


@dataclass(frozen=True)
class FaultMail:
    """What the template is given of a message to the administrator."""

    what: str
    began: str
    ended: str
    link: str


@dataclass(frozen=True)
class MailboxMail:
    """What the template is given of a test mail to a team's mailbox."""

    team: str
    code: str
    link: str


@dataclass(frozen=True)
class PlaceMail:
    """What the template is given of a message to the teams whose wards move, or that become one."""

    what: str
    day: str
    is_merge: bool
    is_dropped: bool
    link: str


@dataclass(frozen=True)
class MorningMail:
    """A morning's digest in numbers; ``follow_ups`` is nothing where they are not the reader's to act on."""

    day: str
    whose: str
    due_today: int
    overdue: int
    untaken: int
    follow_ups: int | None
    link: str
    follow_up_link: str
    choices_link: str


@dataclass(frozen=True)
class WeekRow:
    """A team, borough or ward; of ``due`` referrals, how many stood how."""

    name: str
    in_time: int
    late: int
    overdue: int
    closed: int
    due: int


@dataclass(frozen=True)
class WeekMail:
    """The numbers of a week's digest; ``overdue_now`` is whatever the week."""

    first: str
    last: str
    total: WeekRow
    rows: list[WeekRow]
    overdue_now: int
    link: str
    choices_link: str


Payload = (
    ReferralMail
    | TrialMail
    | ProposalMail
    | AccessMail
    | SignInMail
    | WaitingMail
    | DecisionMail
    | FaultMail
    | MailboxMail
    | PlaceMail
    | MorningMail
    | WeekMail
)


def payload_of(notification: Notification) -> Payload:
    """What the template of that message is given."""
    if (referral := notification.referral) is not None:
        return _of_referral(notification.kind, referral)
    if (notice := notification.trial_notice) is not None:
        return _of_trial(notice)
    if (trial := notification.trial) is not None:
        return _of_proposal(trial)
    if (fault := notification.fault) is not None:
        return _of_fault(fault)
    if (test := notification.mailbox_test) is not None:
        return _of_mailbox_test(test)
    if (move := notification.place_move) is not None:
        return _of_place_move(move)
    if (digest := notification.digest) is not None:
        return _of_digest(digest)
    return _OF_NOTHING[MailKind(notification.kind)](notification)


def _of_referral(kind: str, referral: Referral) -> ReferralMail:
    return ReferralMail(
        number=referral.number,
        ward=referral.ward.name,
        due=moment(timezone.localtime(referral.due_at)),
        overdue=referral.due_at < timezone.now(),
        link=settings.SITE_URL + _page_for(kind, referral),
        team=referral.team.working_team.name,
        mailbox=referral.team.working_team.mailbox,
    )


def _of_trial(notice: TrialNotice) -> TrialMail:
    return TrialMail(
        trial=notice.trial.name,
        day=f"{notice.on:%-d %B %Y}",
        file=f"{notice.kind}-{notice.trial_id}-{notice.pk}.json",
    )


def _of_proposal(trial: Trial) -> ProposalMail:
    return ProposalMail(
        trial=trial.name,
        day=day(trial.proposed_at) if trial.proposed_at else "",
        link=settings.SITE_URL + reverse("seal_trial", args=[trial.pk]),
    )


def _of_access_review(notification: Notification) -> AccessMail:
    return AccessMail(day=day(notification.created_at), link=settings.SITE_URL + reverse("confirm_access"))


def _of_fault(fault: Fault) -> FaultMail:
    return FaultMail(
        what=fault.what,
        began=moment(fault.began_at),
        ended=moment(fault.ended_at),
        link=settings.SITE_URL + reverse("system_health"),
    )


def _of_mailbox_test(test: MailboxTest) -> MailboxMail:
    link = f"{settings.SITE_URL}{reverse('confirm_mailbox')}?code={test.code}"
    return MailboxMail(team=test.team.name, code=test.code, link=link)


def _of_place_move(move: PlaceMove) -> PlaceMail:
    return PlaceMail(
        what=str(move),
        day=day(move.starts_on),
        is_merge=move.is_merge,
        is_dropped=move.dropped_at is not None,
        link=settings.SITE_URL + reverse("my_referrals"),
    )


def _of_digest(digest: Digest) -> MorningMail | WeekMail:
    user, numbers = digest.choice.user, digest.numbers
    page = "compliance" if user is not None and user.can(Permission.VIEW_COMPLIANCE) else "my_referrals"
    links = {
        "link": settings.SITE_URL + reverse(page),
        "choices_link": settings.SITE_URL + reverse("choose_digests"),
    }
    if digest.choice.kind == DigestKind.MORNING:
        follow_up_link = settings.SITE_URL + reverse("follow_up_list")
        return MorningMail(day=day(digest.on), follow_up_link=follow_up_link, **links, **numbers)
    return WeekMail(
        first=day(date.fromisoformat(numbers["first"])),
        last=day(date.fromisoformat(numbers["last"])),
        total=WeekRow(**numbers["total"]),
        rows=[WeekRow(**row) for row in numbers["rows"]],
        overdue_now=numbers["overdue_now"],
        **links,
    )


def _page_for(kind: str, referral: Referral) -> str:
    if kind in (MailKind.FOLLOW_UP, MailKind.BARRED_METHOD):
        return reverse("follow_up_list")
    if kind in (MailKind.HANDED_ON, MailKind.RING_AGAIN):
        return reverse("my_referrals")  # A referral handed on is out of the old team's sight.
    return reverse("referral", args=[referral.number])


def _of_sign_in(notification: Notification) -> SignInMail:
    return SignInMail(on=moment(notification.created_at))


def _of_late_decision(notification: Notification) -> DecisionMail:
    at, bcu_id = timezone.now(), bcu_of(notification)
    assert bcu_id is not None
    bcu = Bcu.objects.get(pk=bcu_id)
    waiting = late_decisions(bcu.pk, at).aggregate(reports=Count("pk"), since=Min("waiting_since"))
    to_hcop = TO_HCOP in notification.unique_key
    return DecisionMail(
        bcu=bcu.name,
        reports=waiting["reports"],
        longest_hours=(at - (waiting["since"] or at)) // timedelta(hours=1),
        to_hcop=to_hcop,
        link=settings.SITE_URL + reverse("overnight_review" if to_hcop else "compliance"),
    )


def _of_late_follow_ups(_: Notification) -> WaitingMail:
    return WaitingMail(link=settings.SITE_URL + reverse("follow_up_list"))


_OF_NOTHING: dict[MailKind, Callable[[Notification], Payload]] = {
    MailKind.ACCESS_REVIEW: _of_access_review,
    MailKind.SIGN_IN_RESET: _of_sign_in,
    MailKind.ADDRESS_CHANGED: _of_sign_in,
    MailKind.DECISION_LATE: _of_late_decision,
    MailKind.FOLLOW_UPS_LATE: _of_late_follow_ups,
}
