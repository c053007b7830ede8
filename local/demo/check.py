"""Proves that a running system works: page, task, mail and database, each by using it."""

import os
import re
import secrets
import smtplib
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing
from email.message import EmailMessage
from http.cookiejar import CookieJar
from pathlib import Path

import psycopg2

from local.demo.sign_ins import SignIn
from local.services.children import PATIENCE, ServiceError
from local.services.processes import Running

_HIDDEN_FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
_PASSWORD_FIELD = 'type="password"'  # noqa: S105 - of a page
_ASK_AGAIN_AFTER = 10


def prove(directory: Path, running: Running, env: Mapping[str, str], person: SignIn) -> Iterator[str]:
    """Yields a line for each thing shown to work; raises ServiceError at the first that does not."""
    try:
        yield f"page: {_sign_in(env['SITE_URL'], person)}"
        running.raise_if_one_ended()
        yield f"task: {_do_task(env, running)}"
        yield f"mail: {_send_mail(directory / 'mail', running.mail_port)}"
        yield f"PostgreSQL: {_server_version(env['DATABASE_URL'])}"
        running.raise_if_one_ended()
    except (OSError, smtplib.SMTPException, psycopg2.Error) as error:
        raise ServiceError(f"Something does not answer as it should: {error}") from error


def _sign_in(address: str, person: SignIn) -> str:
    """Sign in as a browser would; returns what was served."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with browser.open(f"{address}/", timeout=PATIENCE) as response:
        form_address, page = response.url, response.read().decode()
    fields = {"login": person.username, "password": person.password, **dict(_HIDDEN_FIELD.findall(page))}
    content = urllib.parse.urlencode(fields).encode()
    with browser.open(form_address, content, timeout=PATIENCE) as response:
        landed, page = response.url, response.read().decode()
    if landed == form_address or _PASSWORD_FIELD in page:
        raise ServiceError(f"{person.username} could not sign in at {form_address}.")
    return f"signed in as {person.username} and was served {landed}"


def _do_task(env: Mapping[str, str], running: Running) -> str:
    """Have a Celery worker do a task, sent and answered through Redis."""
    os.environ.update({**env, "DJANGO_SETTINGS_MODULE": "src_app.settings"})
    import django

    django.setup()
    from django.core.cache import cache

    from src_app.task_queue import send_task

    token = secrets.token_hex(8)
    begun = asked = time.monotonic()
    send_task("src_app.tasks.prove", token)
    while cache.get(f"prove:{token}") != token:
        running.raise_if_one_ended()
        now = time.monotonic()
        if now - begun > PATIENCE:
            raise ServiceError("No Celery worker did the task it was sent through Redis.")
        if now - asked > _ASK_AGAIN_AFTER:
            # On a slow machine this process or the worker may have gone on without Redis for a while.
            send_task("src_app.tasks.prove", token)
            asked = now
        time.sleep(0.05)
    return f"done by a Celery worker through Redis in {time.monotonic() - begun:.1f} s"


def _send_mail(kept: Path, port: int) -> str:
    """Have the mail catcher accept a message and keep it."""
    token = secrets.token_hex(8)
    message = EmailMessage()
    message["From"], message["To"] = "check@example.org", "team@example.org"
    message["Subject"] = token
    message.set_content("Sent to see that mail is accepted.")
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as server:
        server.send_message(message)
    if not any(token in path.read_text(errors="replace") for path in (kept / "new").iterdir()):
        raise ServiceError("The mail catcher accepted a message and kept nothing.")
    return f"a message accepted by the SMTP catcher on port {port}"


def _server_version(url: str) -> str | None:
    """The version of the PostgreSQL server at `url`, as it says itself."""
    with closing(psycopg2.connect(url)) as connection:
        return connection.info.parameter_status("server_version")
