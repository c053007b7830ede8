"""nginx itself, with docker/nginx.conf: the headers of what it answers by itself, and of what it passes on.

Left out where no nginx is installed; tests/meta/test_deployment.py reads the file everywhere.
"""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPMessage, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.conf import settings

from local.services.processes import answers, free_port
from src_app.headers import HEADERS
from tests.patience import patience
from tests.process_tree import kill_tree, wait_for

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx is installed")

OF_A_PAGE = {**HEADERS, "Content-Security-Policy": "default-src 'none'; script-src 'self'"}
HSTS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload"}
HOST = "Host: localhost\r\nConnection: close\r\nX-Forwarded-For: 192.0.2.7"


class Application(BaseHTTPRequestHandler):
    """In gunicorn's place: a page with its headers, one with none, silence, and an end without a word."""

    protocol_version = "HTTP/1.1"

    def version_string(self) -> str:
        return "web"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/broken/":
            self.close_connection = True
            return
        if self.path == "/silent/":
            self.server.over.wait(patience(60))  # type: ignore[attr-defined]
            return
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.send_header("Content-Type", "text/html; charset=utf-8")
        for name, value in ({} if self.path == "/bare/" else {**OF_A_PAGE, **HSTS}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"ok")

    do_POST = do_GET  # noqa: N815  # http.server's own name


@contextmanager
def _application() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Application) as serving:
        serving.over = threading.Event()  # type: ignore[attr-defined]
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        try:
            yield serving.server_address[1]
        finally:
            serving.over.set()  # type: ignore[attr-defined]
            serving.shutdown()


def _as_here(folder: Path, port: int, application: int) -> Path:
    """The file with other addresses and folders, a caller who may ask once at a time, and less patience."""
    text = (settings.BASE_DIR / "docker" / "nginx.conf").read_text()
    for there, here in {
        "listen 8080": f"listen 127.0.0.1:{port}",
        "http://web:8000": f"http://127.0.0.1:{application}",
        "/var/cache/nginx": str(folder),
        "limit_conn callers 32": "limit_conn callers 1",
        "proxy_read_timeout 75s": "proxy_read_timeout 2s",
    }.items():
        assert there in text
        text = text.replace(there, here)
    file = folder / "nginx.conf"
    file.write_text(text)
    return file


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    folder.chmod(0o777)
    with _application() as application:
        file = _as_here(folder, port, application)
        running = subprocess.Popen([str(NGINX), "-c", str(file), "-g", "daemon off;"], start_new_session=True)
        try:
            wait_for(lambda: answers(port) or running.poll() is not None, "nginx to answer")
            assert running.poll() is None
            yield port
        finally:
            kill_tree(running)


def _ask(port: int, request: str) -> tuple[int, HTTPMessage, str]:
    with socket.create_connection(("127.0.0.1", port), timeout=patience(60)) as connection:
        connection.sendall(f"{request}\r\n\r\n".encode())
        found = HTTPResponse(connection, method=request.split(" ", 1)[0])
        found.begin()
        return found.status, found.headers, found.read().decode()


SAYS = {
    413: "This is too large: a file may have 50 MB, and a form 5 MB. Go back and split it into smaller ones.",
    429: "Too many requests at once came from where you are. Go back and try again in a minute.",
    **dict.fromkeys(
        (502, 504),
        "This system does not answer at the moment. "
        "Look whether what you did was saved before you do it again.",
    ),
}
NOT_UNDERSTOOD = (
    "This system did not understand what the browser sent. Go to its first page and start from there."
)
OWN = {
    "no request": (400, "nonsense"),
    "two lengths": (400, f"POST / HTTP/1.1\r\n{HOST}\r\nContent-Length: 4\r\nContent-Length: 5"),
    "a length and pieces": (
        400,
        f"POST / HTTP/1.1\r\n{HOST}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked",
    ),
    "no host": (400, "GET / HTTP/1.1"),
    "a long header": (400, f"GET / HTTP/1.1\r\n{HOST}\r\nCookie: {'a' * 9000}"),
    "its own page": (404, f"GET /told-by-the-proxy HTTP/1.1\r\n{HOST}"),
    "trace": (405, f"TRACE / HTTP/1.1\r\n{HOST}"),
    "a large form": (413, f"POST / HTTP/1.1\r\n{HOST}\r\nContent-Length: 7000000"),
    "a large file": (413, f"POST /import/ HTTP/1.1\r\n{HOST}\r\nContent-Length: 70000000"),
    "a long address": (414, f"GET /{'a' * 9000} HTTP/1.1\r\n{HOST}"),
    "an encoding that is none": (501, f"POST / HTTP/1.1\r\n{HOST}\r\nTransfer-Encoding: none"),
    "nobody there": (502, f"GET /broken/ HTTP/1.1\r\n{HOST}"),
    "no answer": (504, f"GET /silent/ HTTP/1.1\r\n{HOST}"),
    "another version": (505, f"GET / HTTP/3.0\r\n{HOST}"),
}


@pytest.mark.parametrize("name", OWN)
def test_what_it_answers_itself_has_the_headers_and_says_what_to_do(port: int, name: str) -> None:
    status, request = OWN[name]
    _assert_its_own(status, _ask(port, request))


def test_so_has_what_it_answers_who_asks_too_often(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=patience(60)) as first:
        first.sendall(OWN["no answer"][1].encode() + b"\r\n\r\n")
        wait_for(lambda: _ask(port, f"GET / HTTP/1.1\r\n{HOST}")[0] == 429, "a second request to be refused")
        _assert_its_own(429, _ask(port, f"GET / HTTP/1.1\r\n{HOST}"))
    # It notices a little later that the first is gone, and counts it until then.
    wait_for(lambda: _ask(port, f"GET / HTTP/1.1\r\n{HOST}")[0] == 200, "the first to be counted no more")


def _assert_its_own(status: int, found: tuple[int, HTTPMessage, str]) -> None:
    told, headers, body = found
    assert told == status
    for header, value in {**HEADERS, **HSTS}.items():
        assert headers.get_all(header) == [value], header
    assert headers.get_all("Content-Type") == ["text/html; charset=utf-8"]
    assert body.startswith('<!doctype html><html lang="en-GB">')
    assert f"<p>{SAYS.get(status, NOT_UNDERSTOOD)}</p>" in body
    assert "nginx" not in body
    assert headers["Server"] == "nginx", "without its version"


@pytest.mark.parametrize(
    ("path", "expected"), [("/", {**OF_A_PAGE, **HSTS}), ("/bare/", {**HEADERS, **HSTS})]
)
def test_what_it_passes_on_has_each_header_once_and_names_no_server(
    port: int, path: str, expected: dict[str, str]
) -> None:
    status, headers, body = _ask(port, f"GET {path} HTTP/1.1\r\n{HOST}")
    assert (status, body) == (200, "ok")
    for header, value in expected.items():
        assert headers.get_all(header) == [value], header
    assert headers.get_all("Server") == ["web"]
