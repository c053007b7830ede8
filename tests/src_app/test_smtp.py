"""What goes out by SMTP says what Django's own message would say."""

from email import message_from_bytes, policy
from email.message import EmailMessage as Parsed
from typing import cast

import pytest
from django.core.mail import BadHeaderError, EmailMultiAlternatives

from src_app.smtp import written

SUBJECTS = {
    "short": "Overdue",
    "folded": "A long subject " * 12,
    "encoded": "Überfällig: “Abbey”",
    "encoded and folded": "Überfällig, und das seit Tagen " * 8,
}
TEXTS = {
    "short": "One line\n",
    "other letters": "“Abbey” – é\n\n- a\n- b\n",
    "what SMTP knows": "From here\n.\n..\n--\n",
    "long": "x" * 2_000 + "\n",
    "long by its bytes": "é" * 600 + "\n",
}


def _mail(subject: str = "Overdue", text: str = "One line\n") -> EmailMultiAlternatives:
    headers = {"Message-ID": "<1@example.org>", "Auto-Submitted": "auto-generated"}
    mail = EmailMultiAlternatives(subject, text, to=["abbey@example.org"], headers=headers)
    mail.attach_alternative(f"<p>{text}</p>\n", "text/html")
    return mail


def _parsed(content: bytes) -> Parsed:
    return message_from_bytes(content, policy=policy.default)


def _parts(content: bytes) -> list[tuple[str, str | None, str]]:
    """Kind, name and content of each part."""
    parts = [part for part in _parsed(content).walk() if not part.is_multipart()]
    return [(part.get_content_type(), part.get_filename(), _content(part)) for part in parts]


def _content(part: Parsed) -> str:
    return cast(bytes, part.get_payload(decode=True)).decode().replace("\r\n", "\n").rstrip("\n")


def _headers(content: bytes) -> dict[str, str]:
    headers = {name: str(value).strip() for name, value in _parsed(content).items()}
    return {name: value for name, value in headers.items() if name not in ("Content-Type", "Date")}


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_message_is_what_django_would_write(subject: str, text: str) -> None:
    mail = _mail(subject, text)
    content, by_django = written(mail), mail.message().as_bytes()
    assert _parts(content) == _parts(by_django)
    assert _headers(content) == _headers(by_django)
    lines = content.split(b"\r\n")
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert max(map(len, lines)) <= 998


def test_a_file_arrives_byte_for_byte() -> None:
    """Django writes other letters in another way: a registrar's file would no longer have its hash."""
    mail = _mail()
    file = '{"name":"“Abbey” é"}'
    mail.attach("trial_sealed-1-2.json", file, "application/json")
    assert _parts(written(mail))[2:] == [("application/json", "trial_sealed-1-2.json", file)]


@pytest.mark.parametrize("line_end", ["\n", "\r"])
def test_a_header_with_a_line_end_is_refused(line_end: str) -> None:
    with pytest.raises(BadHeaderError):
        written(_mail(f"Overdue{line_end}Bcc: somebody@example.org"))
