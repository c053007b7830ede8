"""What gunicorn logs, and what it says of itself."""

import re
import sys
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

import gunicorn.util
import structlog
from django.conf import settings
from gunicorn.glogging import Logger
from gunicorn.http import wsgi

from src_app.headers import headers
from src_app.logs import json_lines
from src_app.scrubbing import scrub_line

_REFUSED = re.compile(r"Invalid request from ip=(\S*):")


class ServerLog(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's log and access log, as JSON lines that are scrubbed like all others."""

    def setup(self, cfg: Any) -> None:
        """Raises ImproperlyConfigured where a variable is missing: nothing is scrubbed without settings."""
        scrub_line("")
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.setFormatter(json_lines())

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """One line a request.

        What somebody searched for may be in the query, the referrer and other headers: they are left out.
        """
        if not self.access_log_enabled:
            return
        sent = dict(resp.headers)
        structlog.get_logger(self.access_log.name).info(
            "request",
            address=caller(environ),
            method=environ.get("REQUEST_METHOD"),
            path=req.path,
            status=int(str(resp.status).split()[0]),
            bytes=getattr(resp, "sent", None),
            ms=request_time // timedelta(milliseconds=1),
            request_id=sent.get("X-Request-ID"),
        )

    def warning(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """Of a request that gunicorn refuses, why; the line that it quotes may hold anything."""
        if refused := _REFUSED.match(str(msg)):
            kind, _, _ = sys.exc_info()
            why = kind.__name__ if kind else "unknown"
            self.error_log.warning("Refused what is no request, from %s: %s", refused[1], why)
        else:
            super().warning(msg, *args, **kwargs)


def caller(environ: dict[str, Any]) -> str | None:
    """The caller's address past the trusted proxies; the nearest one's where there is no such address."""
    proxies = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    passed_on = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if 0 < proxies <= len(passed_on):
        with suppress(ValueError):
            return str(ip_address(passed_on[-proxies].strip()))
    return environ.get("REMOTE_ADDR")


def say_nothing_of_itself() -> None:
    """Has gunicorn not name itself, and answer what is no request without quoting it.

    It has settings for neither.
    """
    wsgi.SERVER = "web"
    gunicorn.util.write_error = _write_error


def _write_error(sock: Any, status: int, reason: str, _message: str) -> None:
    body = f"{reason}\n"
    sent = {
        **headers(),
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": len(body),
        "Connection": "close",
    }
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in sent.items())]
    gunicorn.util.write_nonblock(sock, "\r\n".join([*lines, "", body]).encode("latin-1"))
