"""What goes out by e-mail.

To teams: the referral's number, ward, due time and a link, and nothing about the victim. To registrars: as
a file, what they keep of a trial. To whoever is to seal a trial: its name and a link. To supervisors whom the
access review asks, to the inspector of reports that wait, and to those in charge of follow-ups that nobody
deals with: a link. To somebody whose sign-in was reset: when. To the administrator: what of this system is
late, since when, and a link. To a team's mailbox also: a code that shows that it is read, and what becomes of
its wards. To whoever chose a digest: numbers and links.
"""

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

from referrals.mail.payloads import TrialMail, payload_of
from referrals.models import Notification
from referrals.rules.trial.draws import canonical


def message_of(notification: Notification) -> EmailMultiAlternatives:
    """The message, its Message-ID fixed, so that a second copy is recognised. Words: ``templates/mail``.

    The HTML is made of the plain text, so it holds nothing else.
    """
    payload, notice = payload_of(notification), notification.trial_notice
    template = notice.kind if notice else notification.kind
    subject, _, body = render_to_string(f"mail/{template}.txt", vars(payload)).partition("\n")
    body = body.strip("\n") + "\n"
    message = EmailMultiAlternatives(
        subject=subject,
        body=body,
        to=[notification.recipient],
        headers={"Message-ID": notification.message_id, "Auto-Submitted": "auto-generated"},
    )
    html = render_to_string("mail/layout.html", {"subject": subject, "content": _html_of(body)})
    message.attach_alternative(html, "text/html")
    if notice is not None and isinstance(payload, TrialMail):
        content = canonical(notice.content)
        message.attach(payload.file, content.decode(), "application/json")
    return message


def _html_of(text: str) -> SafeString:
    """Paragraphs and, where the lines begin with dashes, lists."""
    return format_html_join("\n", "{}", ((_block(block),) for block in text.strip("\n").split("\n\n")))


def _block(block: str) -> SafeString:
    lines = [(_line(line.removeprefix("- ")),) for line in block.splitlines()]
    if block.startswith("- "):
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", lines))
    return format_html("<p>{}</p>", format_html_join(" ", "{}", lines))


def _line(text: str) -> SafeString:
    """The line; an address of this system that it ends in becomes a link."""
    before, site, path = text.partition(settings.SITE_URL + "/")
    return format_html('{}<a href="{link}">{link}</a>', before, link=site + path) if site else escape(before)
