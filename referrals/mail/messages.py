"""What goes out by e-mail.

To teams: the referral's number, ward, due time and a link, and nothing about the victim. To registrars: as
a file, what they keep of a trial. To whoever is to seal a trial: its name and a link. To supervisors whom the
access review asks, to the inspector of reports that wait, and to those in charge of follow-ups that nobody
deals with: a link. To somebody whose sign-in was reset: when. To the administrator: what of this system is
late, since when, and a link. To a team's mailbox also: a code that shows that it is read, and what becomes of
its wards. To whoever chose a digest: numbers and links.
"""

from dataclasses import asdict, dataclass

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from referrals.mail.payloads import TrialMail, payload_of
from referrals.models import (
    Notification,
)
from referrals.rules.trial.draws import canonical


def message_of(notification: Notification) -> EmailMultiAlternatives:
    """The message, its Message-ID fixed, so that a second copy is recognised. Words: ``templates/mail``.

    The HTML is made of the plain text, so it holds nothing else.
    """
    payload, notice = payload_of(notification), notification.trial_notice
    template = notice.kind if notice else notification.kind
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
    if notice is not None and isinstance(payload, TrialMail):
        content = canonical(notice.content)
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
