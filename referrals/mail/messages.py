"""What goes out by e-mail.

To teams: the referral's number, ward, due time and a link, and nothing about the victim. To registrars: as
a file, what they keep of a trial. To whoever is to seal a trial: its name and a link. To supervisors whom the
access review asks, to the inspector of reports that wait, and to
those in charge of follow-ups that nobody deals with: a link. To somebody whose sign-in was reset:
when. To the administrator: what of this system is late, since when, and a link. To a team's mailbox also: a
code that shows that it is read, and what becomes of its wards.
"""

from dataclasses import asdict, dataclass

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from referrals.models import (
    Fault,
    MailboxTest,
    MailKind,
    Notification,
    PlaceMove,
    Referral,
    Trial,
    TrialNotice,
)
from referrals.rules.trial.draws import canonical
from src_app.templatetags.words import day, moment


@dataclass(frozen=True)
class ReferralMail:
    """All that a message's template is given; a field that is not here cannot leak."""

    number: str
    ward: str
    due: str
    overdue: bool
    link: str


@dataclass(frozen=True)
class TrialMail:
    """The same of a message to a registrar."""

    trial: str
    day: str
    file: str


@dataclass(frozen=True)
class ProposalMail:
    """The same of a message to whoever is to seal a trial."""

    trial: str
    day: str
    link: str


@dataclass(frozen=True)
class AccessMail:
    """The same of a message to a supervisor whom the access review asks."""

    day: str
    link: str


@dataclass(frozen=True)
class SignInMail:
    """The same of a message to somebody whose sign-in was reset."""

    reset: str


@dataclass(frozen=True)
class WaitingMail:
    """The same of a message to those in charge, of reports or follow-ups that wait."""

    link: str


@dataclass(frozen=True)
class FaultMail:
    """The same of a message to the administrator."""

    what: str
    began: str
    ended: str
    link: str


@dataclass(frozen=True)
class MailboxMail:
    """The same of a test mail to a team's mailbox."""

    team: str
    code: str
    link: str


@dataclass(frozen=True)
class PlaceMail:
    """The same of a message to the teams whose wards move, or that become one."""

    what: str
    day: str
    is_merge: bool
    is_dropped: bool
    link: str


def message_of(notification: Notification) -> EmailMessage:
    """The message, its Message-ID fixed, so that a second copy is recognised. Words: ``templates/mail``."""
    payload: (
        ReferralMail
        | TrialMail
        | ProposalMail
        | AccessMail
        | SignInMail
        | WaitingMail
        | FaultMail
        | MailboxMail
        | PlaceMail
    )
    if notification.kind == MailKind.ACCESS_REVIEW:
        template, payload = notification.kind, _of_access_review(notification)
    elif notification.kind == MailKind.SIGN_IN_RESET:
        template, payload = notification.kind, SignInMail(reset=moment(notification.created_at))
    elif notification.kind == MailKind.DECISION_LATE:
        template, payload = notification.kind, WaitingMail(settings.SITE_URL + reverse("compliance"))
    elif notification.kind == MailKind.FOLLOW_UPS_LATE:
        template, payload = notification.kind, WaitingMail(settings.SITE_URL + reverse("follow_up_list"))
    elif notification.trial_notice is not None:
        template, payload = notification.trial_notice.kind, _of_trial(notification.trial_notice)
    elif notification.trial is not None:
        template, payload = notification.kind, _of_proposal(notification.trial)
    elif notification.fault is not None:
        template, payload = notification.kind, _of_fault(notification.fault)
    elif notification.mailbox_test is not None:
        template, payload = notification.kind, _of_mailbox_test(notification.mailbox_test)
    elif notification.place_move is not None:
        template, payload = notification.kind, _of_place_move(notification.place_move)
    else:
        assert notification.referral is not None
        template, payload = notification.kind, _of_referral(notification.kind, notification.referral)
    subject, _, body = render_to_string(f"mail/{template}.txt", asdict(payload)).partition("\n")
    message = EmailMessage(
        subject=subject,
        body=body.lstrip("\n"),
        to=[notification.recipient],
        headers={"Message-ID": notification.message_id},
    )
    if notification.trial_notice is not None and isinstance(payload, TrialMail):
        content = canonical(notification.trial_notice.content)
        message.attach(payload.file, content.decode(), "application/json")
    return message


def _of_referral(kind: str, referral: Referral) -> ReferralMail:
    return ReferralMail(
        number=referral.number,
        ward=referral.ward.name,
        due=moment(timezone.localtime(referral.due_at)),
        overdue=referral.due_at < timezone.now(),
        link=settings.SITE_URL + _page_for(kind, referral),
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


def _page_for(kind: str, referral: Referral) -> str:
    if kind in (MailKind.FOLLOW_UP, MailKind.BARRED_METHOD):
        return reverse("follow_up_list")
    if kind in (MailKind.HANDED_ON, MailKind.RING_AGAIN):
        return reverse("my_referrals")  # A referral handed on is out of the old team's sight.
    return reverse("referral", args=[referral.number])
