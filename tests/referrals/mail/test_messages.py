"""What goes out, as plain text and as HTML."""

import re
from collections.abc import Callable, Iterator
from email.message import Message
from typing import cast

import pytest
from django.conf import settings

from referrals.mail.messages import message_of
from referrals.models import DigestKind, MailKind, NoticeKind, Notification, Referral, Strand, TextKind
from tests.factories import (
    NOW,
    DigestChoiceFactory,
    DigestFactory,
    FaultFactory,
    MailboxTestFactory,
    NotificationFactory,
    PersonalTextFactory,
    PlaceMoveFactory,
    TrialFactory,
    TrialNoticeFactory,
)

TEMPLATES = settings.BASE_DIR / "templates" / "mail"
MakeReferral = Callable[..., Referral]
OF_NOTHING = (
    MailKind.ACCESS_REVIEW,
    MailKind.SIGN_IN_RESET,
    MailKind.ADDRESS_CHANGED,
    MailKind.FOLLOW_UPS_LATE,
)
# No word of a strand, of an allegation or of a victim may leave this system by mail.
MARK = "Xyzzy"
FORBIDDEN = [MARK, "victim", "hate", "offence", "suspect", *(strand.label for strand in Strand)]
# Said of this system's own people and records.
HARMLESS = ("hate crime officer", "crime record")

_COUNTS = {"in_time": 3, "late": 1, "overdue": 1, "closed": 0, "due": 5}
WEEK = {
    "first": "2026-11-16",
    "last": "2026-11-22",
    "total": {"name": "All", **_COUNTS},
    "rows": [{"name": "Abbey team", **_COUNTS}, {"name": "Balham <team>", **_COUNTS}],
    "overdue_now": 2,
}


@pytest.fixture
def marked(make_referral: MakeReferral) -> Referral:
    """A referral of which every text about the victim, the report or the offence is marked."""
    referral = make_referral(
        case__offence=f"{MARK} threats",
        case__crime_reference="99/7654321/26",
        case__officer_in_case=f"{MARK} PC",
        case__strands=[strand.value for strand in Strand],
    )
    for kind in TextKind:
        PersonalTextFactory.create(case=referral.case, kind=kind, body=f"{MARK} {kind}")
    return referral


def _every_mail(referral: Referral) -> Iterator[tuple[str, Notification]]:
    """One of each template, by the template's name."""
    trial = TrialFactory.create(bcu=referral.case.bcu)
    at = {"created_at": NOW, "recipient": "somebody@example.org", "referral": None}
    for kind in MailKind:
        if kind == MailKind.TRIAL_NOTICE:
            for notice in NoticeKind:
                about = TrialNoticeFactory.create(trial=trial, kind=notice)
                yield notice, NotificationFactory.create(kind=kind, trial_notice=about, **at)
        elif kind == MailKind.TRIAL_PROPOSED:
            yield kind, NotificationFactory.create(kind=kind, trial=trial, **at)
        elif kind == MailKind.DECISION_LATE:
            key = f"{kind}:bcu:{referral.case.bcu_id}:2026-11-23:inspector:1"
            yield kind, NotificationFactory.create(kind=kind, unique_key=key, **at)
        elif kind in OF_NOTHING:
            yield kind, NotificationFactory.create(kind=kind, **at)
        elif kind == MailKind.MAILBOX_TEST:
            yield kind, NotificationFactory.create(kind=kind, mailbox_test=MailboxTestFactory.create(), **at)
        elif kind == MailKind.PLACE_MOVE:
            yield kind, NotificationFactory.create(kind=kind, place_move=PlaceMoveFactory.create(), **at)
        elif kind == MailKind.DIGEST_MORNING:
            yield kind, NotificationFactory.create(kind=kind, digest=DigestFactory.create(), **at)
        elif kind == MailKind.DIGEST_WEEK:
            choice = DigestChoiceFactory.create(kind=DigestKind.WEEK)
            digest = DigestFactory.create(choice=choice, numbers=WEEK)
            yield kind, NotificationFactory.create(kind=kind, digest=digest, **at)
        elif kind in (MailKind.FAULT, MailKind.FAULT_OVER):
            fault = FaultFactory.create(ended_at=NOW)
            yield kind, NotificationFactory.create(kind=kind, fault=fault, **at)
        else:
            yield kind, NotificationFactory.create(kind=kind, referral=referral)


def _parts(message: Message) -> dict[str, str]:
    """The texts of a message by their kind."""
    texts = [part for part in message.walk() if part.get_content_maintype() == "text"]
    return {part.get_content_type(): cast(bytes, part.get_payload(decode=True)).decode() for part in texts}


def _words(html: str) -> str:
    """What somebody reads of it."""
    body = re.sub(r"<style>.*?</style>|<title>.*?</title>|<[^>]+>", " ", html, flags=re.DOTALL)
    for entity, sign in (("&#x27;", "'"), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"')):
        body = body.replace(entity, sign)
    return " ".join(body.split())


def test_no_message_holds_a_strand_an_allegation_or_anything_of_the_victim(marked: Referral) -> None:
    tried = set()
    for template, mail in _every_mail(marked):
        tried.add(template)
        written = message_of(mail).message()
        for kind, text in _parts(written).items():
            said = f"{written['Subject']} {text}"
            for harmless in HARMLESS:
                said = said.replace(harmless, "")
            for word in (*FORBIDDEN, marked.case.crime_reference):
                assert not re.search(rf"\b{re.escape(word)}\b", said, re.IGNORECASE), (template, kind, word)
    assert tried == {path.stem for path in TEMPLATES.glob("*.txt")}


def test_the_html_says_what_the_text_says_and_its_link_works(marked: Referral) -> None:
    for template, mail in _every_mail(marked):
        message = message_of(mail)
        parts = _parts(message.message())
        assert set(parts) == {"text/plain", "text/html"}, template
        words = " ".join(line.removeprefix("- ") for line in parts["text/plain"].split("\n"))
        assert _words(parts["text/html"]) == " ".join(f"{message.subject} {words}".split()), template
        links = re.findall(rf"{re.escape(settings.SITE_URL)}\S+", parts["text/plain"])
        assert re.findall(r'href="([^"]+)"', parts["text/html"]) == links, template
        # A registrar has no account to open anything with; about a sign-in nobody is to follow a link.
        of_sign_in = (MailKind.SIGN_IN_RESET, MailKind.ADDRESS_CHANGED)
        has_link = mail.trial_notice is None and mail.kind not in of_sign_in
        assert bool(links) is has_link, template


def test_a_message_loads_nothing_is_readable_in_the_dark_and_says_that_nobody_wrote_it(
    marked: Referral,
) -> None:
    for template, mail in _every_mail(marked):
        message = message_of(mail).message()
        html = _parts(message)["text/html"]
        assert not re.search(r"<img|<link|<script|src=|url\(|@import", html), template
        assert not re.search(r"color:|background", html.replace("color-scheme", "")), template
        assert '<meta name="color-scheme" content="light dark">' in html
        assert message["Message-ID"] == mail.message_id
        assert message["Auto-Submitted"] == "auto-generated"


def test_what_looks_like_html_in_a_name_is_shown_as_it_is(make_referral: MakeReferral) -> None:
    referral = make_referral()
    referral.ward.name = "Coombe <b>& Hill</b>"
    mail = NotificationFactory.create(referral=referral)
    parts = _parts(message_of(mail).message())
    assert "Coombe <b>& Hill</b>" in parts["text/plain"]
    assert "Coombe &lt;b&gt;&amp; Hill&lt;/b&gt;" in parts["text/html"]
