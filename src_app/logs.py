"""Logs and error reports that name no victim: JSON lines, scrubbed on the way out.

Code is written not to log personal data; the scrubber is the second guard, for what an exception message or
a library's own line may carry.
"""

import logging
import sys
from typing import Any

import structlog
from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

from src_app.scrubbing import REMOVED, scrub_line


def scrub_event(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """structlog processor: scrubs every value of the event, however deep."""
    return {key: _scrub_value(value) for key, value in event.items()}


def _scrub_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _scrub_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_scrub_value(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float | logging.LogRecord):
        return value
    return scrub_line(str(value))


class NothingInErrorReports(SafeExceptionReporterFilter):
    """Error reports carry the trace's places alone: no POST data, no local variables, no settings."""

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return {}

    def get_traceback_frame_variables(self, request: Any, tb_frame: Any) -> Any:
        return []

    def get_safe_settings(self) -> dict[str, Any]:
        return {}

    def get_safe_request_meta(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def get_safe_cookies(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def is_active(self, request: HttpRequest | None) -> bool:
        return True


def place_of_error(
    _logger: Any, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """structlog processor: an exception becomes its type and the places it passed, without its message.

    A database error's message quotes the row that failed, and so a victim's data. Of a request that was
    refused, Django makes the message the line itself, and it quotes what was sent.
    """
    if str(event.get("logger", "")).startswith("django.security."):
        event["event"] = "refused"
    information = event.pop("exc_info", None)
    record = event.get("_record")
    if not information and record is not None:
        information = record.exc_info  # another library's line
    if information is True:
        information = sys.exc_info()
    elif isinstance(information, BaseException):
        information = (type(information), information, information.__traceback__)
    if not information or information[0] is None:
        return event
    kind, _, trace = information
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    event.update(error=kind.__name__, trace=frames)
    return event


def without_quoted_error(
    _logger: Any, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """structlog processor: Celery writes an exception's message into its line; the line does without it."""
    arguments = event.pop("positional_args", None)
    if isinstance(arguments, dict) and "exc" in arguments:
        event["event"] = event["_record"].msg % {**arguments, "exc": REMOVED}
    return event


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    place_of_error,
    without_quoted_error,
]


def json_lines() -> logging.Formatter:
    """What makes one line of JSON of whatever any logger is given, scrubbed."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        pass_foreign_args=True,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            scrub_event,
            structlog.processors.JSONRenderer(),
        ],
    )


def logging_config(environment: str) -> dict[str, Any]:
    """Django's LOGGING: everything through one handler, as JSON lines on standard error."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": json_lines}},
        "handlers": {"standard_error": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {
            "handlers": ["standard_error"],
            "level": "WARNING" if environment == "test" else "INFO",
        },
        "loggers": {
            # The default logger would mail error reports to administrators.
            "django": {"handlers": [], "propagate": True},
            "django.request": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
        },
    }
