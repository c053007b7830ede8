"""Headers of every answer, whoever gives it: a page, a static file, a refusal, or the web server itself."""

from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings

# What a page might ask of the browser. Buttons copy a text, and passkeys are made and shown: nothing else.
_OFF = (
    *("accelerometer", "autoplay", "browsing-topics", "camera", "clipboard-read"),
    *("display-capture", "encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid"),
    *(
        "idle-detection",
        "keyboard-map",
        "local-fonts",
        "magnetometer",
        "microphone",
        "midi",
        "otp-credentials",
    ),
    *("payment", "picture-in-picture"),
    *("screen-wake-lock", "serial", "storage-access", "usb", "window-management", "xr-spatial-tracking"),
)
_ON = ("clipboard-write", "publickey-credentials-create", "publickey-credentials-get")
HEADERS = {
    "Permissions-Policy": ", ".join([*(f"{name}=()" for name in _OFF), *(f"{name}=(self)" for name in _ON)]),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    # Pages have one of their own, by the settings; this is for what loads nothing.
    "Content-Security-Policy": "; ".join(
        f"{name} 'none'" for name in ("default-src", "object-src", "base-uri", "frame-ancestors")
    ),
}


def headers() -> dict[str, str]:
    """``HEADERS``, and in production that only TLS will do: Django says it of its own pages alone."""
    if not settings.PRODUCTION:
        return HEADERS
    return {
        **HEADERS,
        "Strict-Transport-Security": f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains; preload",
    }


def with_headers(application: WSGIApplication) -> WSGIApplication:
    """The application, with those of the headers that an answer has not."""
    every = headers()

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            there = {name.lower() for name, _ in headers}
            added = [(name, value) for name, value in every.items() if name.lower() not in there]
            return start_response(status, [*headers, *added], *more)

        return application(environ, start)

    return answer
