"""What goes out by e-mail: the referral's number, ward, due time and a link, and nothing about the victim."""

from dataclasses import asdict, dataclass

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from referrals.models import MailKind, Notification
from src_app.templatetags.words import moment


@dataclass(frozen=True)
class ReferralMail:
    """All that a message's template is given; a field that is not here cannot leak."""

    number: str
    ward: str
    due: str
    overdue: bool
    link: str


def message_of(notification: Notification) -> EmailMessage:
    """The message, its Message-ID fixed, so that a second copy is recognised. Words: ``templates/mail``."""
    referral = notification.referral
    payload = ReferralMail(
        number=referral.number,
        ward=referral.ward.name,
        due=moment(timezone.localtime(referral.due_at)),
        overdue=referral.due_at < timezone.now(),
        link=settings.SITE_URL + _page_for(notification),
    )
    subject, _, body = render_to_string(f"mail/{notification.kind}.txt", asdict(payload)).partition("\n")
    return EmailMessage(
        subject=subject,
        body=body.lstrip("\n"),
        to=[notification.recipient],
        headers={"Message-ID": notification.message_id},
    )


def _page_for(notification: Notification) -> str:
    if notification.kind in (MailKind.FOLLOW_UP, MailKind.BARRED_METHOD):
        return reverse("follow_up_list")
    if notification.kind == MailKind.HANDED_ON:
        return reverse("my_referrals")  # The referral itself is out of the old team's sight.
    return reverse("referral", args=[notification.referral.number])
