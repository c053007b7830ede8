"""Mail sent by SMTP, written plainly: with the classes of ``email`` that takes as long as sending it."""

import quopri
from base64 import encodebytes
from collections.abc import Iterable
from email.utils import formatdate
from uuid import uuid4

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends import smtp
from django.core.mail.message import forbid_multi_line_headers, sanitize_address

# SMTP takes lines of 998 bytes, and a character may have four.
LONGEST_LINE = 998 // 4


class EmailBackend(smtp.EmailBackend):
    """Django's, which connects and signs in."""

    def _send(self, email_message: EmailMessage) -> bool:
        assert self.connection is not None
        # To read an address anew takes long; only a domain with other letters has another form here.
        to = [each if each.isascii() else sanitize_address(each, "utf-8") for each in email_message.to]
        self.connection.sendmail(email_message.from_email, to, written(email_message))
        return True


def written(message: EmailMessage) -> bytes:
    """The message as SMTP takes it: text, HTML and files, to those in ``to`` alone.

    Raises ``BadHeaderError``, a ``ValueError``, for a line end in a header.
    """
    assert isinstance(message, EmailMultiAlternatives)
    texts = [(message.body, "text/plain"), *message.alternatives]
    content = _multipart("alternative", (_text(kind, str(text)) for text, kind in texts))
    if message.attachments:
        content = _multipart("mixed", [content, *(_file(*each) for each in message.attachments)])
    header = {"Subject": message.subject, "From": message.from_email, "To": ", ".join(message.to)}
    header |= {"Date": formatdate(), **message.extra_headers, "MIME-Version": "1.0"}
    lines = (forbid_multi_line_headers(name, str(value), "utf-8") for name, value in header.items())
    text = "".join(f"{name}: {value}\n" for name, value in lines) + content
    return text.replace("\n", "\r\n").encode()


def _multipart(kind: str, parts: Iterable[str]) -> str:
    boundary = f"=_{uuid4().int}"
    inside = "".join(f"--{boundary}\n{part}\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n{inside}--{boundary}--\n'


def _text(kind: str, text: str) -> str:
    encoding = "8bit"
    if max(map(len, text.split("\n"))) > LONGEST_LINE:
        encoding, text = "quoted-printable", quopri.encodestring(text.encode()).decode()
    return f"Content-Type: {kind}; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n{text}"


def _file(name: str, content: str, kind: str) -> str:
    disposition = f'Content-Disposition: attachment; filename="{name}"'
    encoded = encodebytes(content.encode()).decode()
    return f"Content-Type: {kind}\nContent-Transfer-Encoding: base64\n{disposition}\n\n{encoded}"
