"""Proves that a running system works: page, task, mail and database, each by using it."""

import os
import secrets
import smtplib
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from html.parser import HTMLParser
from http.cookiejar import CookieJar

import psycopg2

from src_app.supervisor.processes import Running

_PATIENCE = 60


class CheckError(RuntimeError):
    """Something does not work; says what."""


def prove(running: Running, env: Mapping[str, str], username: str, password: str) -> Iterator[str]:
    """Yields a line for each thing shown to work; raises CheckError at the first that does not."""
    yield f"page: {sign_in(running.address, username, password)}"
    running.raise_if_one_ended()
    yield f"task: {do_task(env)}"
    yield f"mail: {send_mail(running)}"
    yield f"PostgreSQL: {server_version(env['DATABASE_URL'])}"
    running.raise_if_one_ended()


class _SignInForm(HTMLParser):
    """Finds the form that asks for a password, and its hidden fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.hidden: dict[str, str] = {}
        self.found = False
        self._form: tuple[str, dict[str, str]] = ("", {})
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = (values.get("action", ""), {})
        elif tag == "input" and values.get("type") == "hidden":
            self._form[1][values.get("name", "")] = values.get("value", "")
        elif tag == "input" and values.get("type") == "password":
            self.found = True
            self.action, self.hidden = self._form


def sign_in(address: str, username: str, password: str) -> str:
    """Sign in as a browser would; returns what was served. Raises CheckError."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    try:
        with browser.open(f"{address}/", timeout=_PATIENCE) as response:
            form_address, page = response.url, response.read().decode()
        form = _SignInForm(page)
        if not form.found:
            raise CheckError(f"{form_address} is not a sign-in page.")
        fields = {**form.hidden, "login": username, "password": password}
        target = urllib.parse.urljoin(form_address, form.action)
        content = urllib.parse.urlencode(fields).encode()
        with browser.open(target, content, timeout=_PATIENCE) as response:
            landed, page = response.url, response.read().decode()
    except urllib.error.URLError as error:
        raise CheckError(f"{address}: {error}") from error
    if _SignInForm(page).found:
        raise CheckError(f"{username} could not sign in at {target}.")
    return f"signed in as {username} and was served {landed}"


def do_task(env: Mapping[str, str]) -> str:
    """Have a Celery worker do a task, sent and answered through Redis. Raises CheckError."""
    os.environ.update({**env, "DJANGO_SETTINGS_MODULE": "src_app.settings"})
    import django

    django.setup()
    from django.core.cache import cache

    from src_app.tasks import prove as task

    token = secrets.token_hex(8)
    begun = time.monotonic()
    task.delay(token)
    while cache.get(f"prove:{token}") != token:
        if time.monotonic() - begun > _PATIENCE:
            raise CheckError("No Celery worker did the task it was sent through Redis.")
        time.sleep(0.05)
    return f"done by a Celery worker through Redis in {time.monotonic() - begun:.1f} s"


def send_mail(running: Running) -> str:
    """Have the mail catcher accept a message and keep it. Raises CheckError."""
    token = secrets.token_hex(8)
    message = EmailMessage()
    message["From"], message["To"] = "check@example.org", "team@example.org"
    message["Subject"] = token
    message.set_content("Sent to see that mail is accepted.")
    try:
        with smtplib.SMTP("127.0.0.1", running.mail_port, timeout=_PATIENCE) as server:
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise CheckError(f"The mail catcher refused a message: {error}") from error
    kept = (running.directory / "mail").glob("*.eml")
    if not any(token in path.read_text(errors="replace") for path in kept):
        raise CheckError("The mail catcher accepted a message and kept nothing.")
    return f"a message accepted by the SMTP catcher on port {running.mail_port}"


def server_version(url: str) -> str:
    """The version of the PostgreSQL server at `url`, as it says itself. Raises CheckError."""
    try:
        connection = psycopg2.connect(url)
    except psycopg2.OperationalError as error:
        raise CheckError(f"PostgreSQL does not answer: {error}") from error
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            row = cursor.fetchone()
    finally:
        connection.close()
    return str(row[0]) if row else "unknown"
