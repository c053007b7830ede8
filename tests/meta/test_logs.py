"""Logs and error reports name nobody, whatever an exception carries."""

import io
import json
import logging
import logging.config
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import structlog
from celery import shared_task
from django.conf import settings
from django.test import Client, RequestFactory
from django.views.debug import ExceptionReporter, get_exception_reporter_filter

from src_app.accounts.models import User
from src_app.logs import logging_config
from src_app.scrubbing import scrub_references
from tests.meta.production import PRODUCTION

SECRETS = {
    "postcode": "SW17 2QX",
    "postcode in one": "TW107TW",
    "crime reference": "01/7654321/26",
    "incident reference": "CAD4711/22NOV26",
    "victim key": "V412345",
    "mail": "someone@example.org",
    "telephone": "07700 900123",
}


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What production's logging configuration writes, and nothing else is in the way."""
    stream = io.StringIO()
    config = logging_config("production")
    config["handlers"]["standard_error"]["stream"] = stream
    logging.config.dictConfig(config)
    yield stream
    logging.config.dictConfig(settings.LOGGING)


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_line_is_scrubbed_however_it_is_written(written: io.StringIO, secret: str) -> None:
    logging.getLogger("library").warning("row %s failed", secret)
    structlog.get_logger().warning("row", deep={"list": [secret]}, plain=secret)
    lines = written.getvalue().splitlines()
    assert len(lines) == 2
    assert all("[removed]" in line for line in lines)
    assert secret not in written.getvalue()


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_an_exception_is_its_kind_and_its_places_without_its_message(
    written: io.StringIO, secret: str
) -> None:
    def fail(argument: str) -> None:
        kept_in_a_local = argument
        raise ValueError(f"bad row: {kept_in_a_local}")

    try:
        fail(secret)
    except ValueError:
        logging.getLogger("library").exception("the import failed")
        structlog.get_logger().exception("the import failed")
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [line["error"] for line in lines] == ["ValueError", "ValueError"]
    assert all("fail" in line["trace"][-1] for line in lines)
    assert "bad row" not in written.getvalue()
    assert secret not in written.getvalue()


def test_a_task_that_fails_is_logged_without_what_its_error_says(written: io.StringIO) -> None:
    """Celery's own line, from its own code, run in this process."""

    @shared_task(name="tests.failing")
    def failing() -> None:
        raise ValueError("Failing row contains (Ring Jane Doe, husband is the suspect)")

    failing.apply()
    line = json.loads(written.getvalue().splitlines()[-1])
    assert line["error"] == "ValueError"
    assert line["event"].startswith("Task tests.failing[")
    assert "Jane" not in written.getvalue()


def test_a_command_that_fails_in_production_says_its_kind_and_place_alone() -> None:
    code = (
        "import manage, sys; sys.argv = ['manage.py', 'check']; manage.main(); raise ValueError('Jane Doe')"
    )
    failed = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], **PRODUCTION},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert failed.returncode == 1
    assert json.loads(failed.stderr.splitlines()[-1])["error"] == "ValueError"
    assert "Jane" not in failed.stdout + failed.stderr


def test_a_page_that_fails_logs_no_data_of_its_request(
    written: io.StringIO,
    client_of: Callable[[User], Client],
    hcop: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError(" ".join(SECRETS.values()))

    monkeypatch.setattr("referrals.review.views.review.rows", fail)
    browser = client_of(hcop)
    browser.raise_request_exception = False
    response = browser.get("/overnight-review/", {"page": "", "q": "SW17 2QX"})
    assert response.status_code == 500
    assert "ValueError" in written.getvalue()
    for secret in SECRETS.values():
        assert secret not in written.getvalue()
        assert secret not in response.content.decode()


def test_a_page_that_is_refused_is_logged_with_the_account_that_asked(
    written: io.StringIO, client_of: Callable[[User], Client], officer: User
) -> None:
    response = client_of(officer).get("/overnight-review/")
    assert response.status_code == 403
    line = json.loads(written.getvalue().splitlines()[-1])
    assert (line["event"], line["account"]) == (
        "Forbidden (Permission denied): /overnight-review/",
        officer.pk,
    )
    assert line["request_id"] == response.headers["X-Request-ID"]


def test_a_request_that_is_refused_is_logged_without_what_it_said(
    client: Client, written: io.StringIO
) -> None:
    client.get("/", HTTP_HOST="jane-victim.example")
    assert "jane" not in written.getvalue()
    assert "django.security.DisallowedHost" in written.getvalue()


def test_an_error_report_has_no_values_settings_or_form_data() -> None:
    request = RequestFactory().post(
        "/import/", {"cell": SECRETS["postcode"]}, headers={"x-key": SECRETS["mail"]}
    )
    request.COOKIES["sessionid"] = SECRETS["victim key"]

    def fail() -> None:
        kept_in_a_local = SECRETS["crime reference"]
        raise ValueError("without a value" * bool(kept_in_a_local))

    try:
        fail()
    except ValueError as error:
        reporter = ExceptionReporter(request, type(error), error, error.__traceback__)
        reporter.filter = get_exception_reporter_filter(request)
        reports = reporter.get_traceback_html() + reporter.get_traceback_text()
    assert "without a value" in reports
    for secret in (*SECRETS.values(), settings.LINKING_KEY, settings.SECRET_KEY):
        assert secret not in reports


@pytest.mark.parametrize(
    "found",
    [
        *(
            "07700900123",
            "07700-900123",
            "07700  900123",
            "020-7946-0958",
            "(020) 7946 0958",
            "020 7946 0958",
        ),
        *("+44 7700 900123", "+44 (0)7700 900123", "+447700900123", "0044 7700 900123"),
        *("SW8 1AA", "sw8  1aa", "SW81AA", "W1A 1AA"),
    ],
)
def test_a_number_or_postcode_is_found_however_it_is_written(found: str) -> None:
    assert scrub_references(f"Ring {found} after six") == "Ring [removed] after six"


def test_what_is_nobodys_is_left_alone() -> None:
    for text in (
        "SRC-2026-000123",
        "2026-11-23T07:30:00Z",
        "192.168.10.2",
        "page overnight_review",
        "500",
        "after 01 02 2026 10 am",
        "Room B2 1st floor",
        "0.0123456789",
        "Flat 12, call 3 times",
    ):
        assert scrub_references(text) == text
