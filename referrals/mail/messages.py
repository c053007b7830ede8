"""What goes out by e-mail.

To teams: the referral's number, ward, due time and a link, and nothing about the victim. To registrars: as
a file, what they keep of a trial. To whoever is to seal a trial: its name and a link. To supervisors whom the
access review asks: a link. To somebody whose sign-in was reset: when. To the administrator: what of this
system is late, since when, and a link. To whoever chose a digest: numbers and links.
"""

from dataclasses import asdict, dataclass
from datetime import date

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from referrals.models import Digest, DigestKind, Fault, MailKind, Notification, Referral, Trial, TrialNotice
from referrals.rules.trial.draws import canonical
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
class FaultMail:
    """The same of a message to the administrator."""

    what: str
    began: str
    ended: str
    link: str


@dataclass(frozen=True)
class MorningMail:
    """The same of a morning's digest; ``follow_ups`` is nothing where they are not the reader's to act on."""

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
    """The same of a week's digest; ``overdue_now`` is whatever the week."""

    first: str
    last: str
    total: WeekRow
    rows: list[WeekRow]
    overdue_now: int
    link: str
    choices_link: str


Payload = (
    ReferralMail | TrialMail | ProposalMail | AccessMail | SignInMail | FaultMail | MorningMail | WeekMail
)


def message_of(notification: Notification) -> EmailMultiAlternatives:
    """The message, its Message-ID fixed, so that a second copy is recognised. Words: ``templates/mail``.

    The HTML is made of the plain text, so it holds nothing else.
    """
    payload: Payload
    if notification.digest is not None:
        template, payload = notification.kind, _of_digest(notification.digest)
    elif notification.kind == MailKind.ACCESS_REVIEW:
        template, payload = notification.kind, _of_access_review(notification)
    elif notification.kind == MailKind.SIGN_IN_RESET:
        template, payload = notification.kind, SignInMail(reset=moment(notification.created_at))
    elif notification.trial_notice is not None:
        template, payload = notification.trial_notice.kind, _of_trial(notification.trial_notice)
    elif notification.trial is not None:
        template, payload = notification.kind, _of_proposal(notification.trial)
    elif notification.fault is not None:
        template, payload = notification.kind, _of_fault(notification.fault)
    else:
        assert notification.referral is not None
        template, payload = notification.kind, _of_referral(notification.kind, notification.referral)
    subject, _, body = render_to_string(f"mail/{template}.txt", asdict(payload)).partition("\n")
    body = body.strip("\n") + "\n"
    message = EmailMultiAlternatives(
        subject=subject,
        body=body,
        to=[notification.recipient],
        headers={"Message-ID": notification.message_id, "Auto-Submitted": "auto-generated"},
    )
    html = render_to_string("mail/layout.html", {"subject": subject, "blocks": _blocks(body)})
    message.attach_alternative(html, "text/html")
    if notification.trial_notice is not None and isinstance(payload, TrialMail):
        content = canonical(notification.trial_notice.content)
        message.attach(payload.file, content.decode(), "application/json")
    return message


@dataclass(frozen=True)
class _Line:
    """A line of the plain text, and the address of this system that it ends in."""

    text: str
    link: str


@dataclass(frozen=True)
class _Block:
    """Lines up to the next empty one: a paragraph, or a list where each begins with a dash."""

    lines: list[_Line]
    is_list: bool


def _blocks(text: str) -> list[_Block]:
    return [
        _Block([_line(line.removeprefix("- ")) for line in block.splitlines()], block.startswith("- "))
        for block in text.strip("\n").split("\n\n")
    ]


def _line(text: str) -> _Line:
    before, site, path = text.partition(settings.SITE_URL + "/")
    return _Line(before, site + path)


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
    if kind == MailKind.HANDED_ON:
        return reverse("my_referrals")  # The referral itself is out of the old team's sight.
    return reverse("referral", args=[referral.number])
