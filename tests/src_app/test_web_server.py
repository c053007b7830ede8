"""gunicorn itself, sent hostile requests: what it logs of them, and the headers of what it answers."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from django.conf import settings

from local.services.processes import answers, free_port
from src_app.headers import HEADERS
from src_app.web_server import caller
from tests.meta.test_headers import NOTHING
from tests.patience import patience
from tests.process_tree import kill_tree, wait_for
from tests.spellings import MUST_GO, traces_in

REFERENCES = ("01/7654321/26", "CAD4711/22NOV26", "CAD 4711/22NOV26", "V412345")
STATIC = "/static/js/session.js"
PICTURE = "/static/icon.svg"
FORGED = '{"event": "request", "path": "/forged/", "status": 200}'
LINE_ENDS = ("%0a", "%0d%0a", "%250a", "%c2%85", "%e2%80%a8", "%0b", "%1b[2K", "\\n")
# No request: what a client says in place of its first line, or among its headers.
NO_REQUESTS = (
    "07700 900123",
    "GET /01/7654321/26 zjane@example.org HTTP/1.1",
    "GET / HTTP/9.07700900123",
    "zjane@example.org: / HTTP/1.1",
    f"GET /{'07700900123' * 500} HTTP/1.1",
    "GET / HTTP/1.1\r\nzjane@example.org 07700900123",
    "GET / HTTP/1.1\r\nTransfer-Encoding: 07700900123",
    "GET / HTTP/1.1\r\nContent-Length: 07700900123x",
    # Where one server reads the length and the other the chunks, a second request hides in the first.
    "POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked",
    "POST / HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 5",
)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str


@dataclass
class Server:
    """A web process: where it answers, and the file with all it writes."""

    port: int
    log: Path

    def send(self, request: str | bytes) -> Answer:
        """What it answers to these bytes, and an empty line after them."""
        sent = request if isinstance(request, bytes) else request.encode()
        with socket.create_connection(("127.0.0.1", self.port), timeout=patience(60)) as connection:
            connection.sendall(sent + b"\r\n\r\n")
            found = HTTPResponse(connection)
            found.begin()
            return Answer(found.status, dict(found.headers.items()), found.read().decode())

    def get(self, path: str, *headers: str) -> Answer:
        return self.send(
            "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers])
        )

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def requests(self, least: int = 0) -> list[dict[str, object]]:
        """The lines of the access log, once there are so many: one is written when its answer has gone."""

        def found() -> list[dict[str, object]]:
            lines = [json.loads(line) for line in self.log.read_text().split("\n")[:-1]]
            return [each for each in lines if each["logger"] == "gunicorn.access"]

        wait_for(lambda: len(found()) >= least, f"{least} lines of the access log", 10)
        return found()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    port, log = free_port(), tmp_path_factory.mktemp("web") / "web.log"
    here = {
        "WEB_BIND": f"127.0.0.1:{port}",
        "WEB_WORKERS": "1",
        "WEB_ACCESS_LOG": "-",
        "STATIC_ROOT": str(settings.BASE_DIR / "static"),
    }
    with log.open("wb") as file:
        running = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--config", "python:src_app.gunicorn_settings"],
            env={**os.environ, **here},
            cwd=settings.BASE_DIR,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(lambda: answers(port) or running.poll() is not None, "gunicorn to answer")
        assert running.poll() is None, log.read_text()
        found = Server(port, log)
        found.get("/nowhere/")
        found.requests(1)
        yield found
    finally:
        kill_tree(running)


def told(lines: list[str]) -> str:
    """What somebody makes of the lines who decodes whatever is in them."""
    text = "\n".join(json.dumps(json.loads(line), ensure_ascii=False) for line in lines)
    for _ in range(4):
        text = unquote(text)
    return text


def named_in(lines: list[str]) -> list[str]:
    """Who or what the lines name, of all that was sent."""
    text = told(lines)
    return [*traces_in(text), *(each for each in REFERENCES if each.lower() in text.lower())]


def test_nobody_who_stands_in_an_address_is_in_the_log(server: Server) -> None:
    before = len(server.requests()), len(server.lines())
    for text in (*MUST_GO, *REFERENCES):
        once = quote(text, safe="")
        for written in (once, quote(text), quote(once), quote(quote(once))):
            assert server.get(f"/nowhere/{written}/?q={once}").status == 404
    sent = 4 * (len(MUST_GO) + len(REFERENCES))
    requests = server.requests(before[0] + sent)[before[0] :]
    assert ["[removed]" in str(each["path"]) for each in requests] == [True] * sent
    assert named_in(server.lines()[before[1] :]) == []


def test_nobody_who_stands_in_a_header_or_a_method_is_in_the_log(server: Server) -> None:
    before = len(server.requests()), len(server.lines())
    for text in (*MUST_GO, *REFERENCES):
        for written in (text, quote(text, safe="")):
            server.get("/account/login/", f"User-Agent: {written}", f"Referer: http://localhost/{written}")
            server.send(f"GET /account/login/ HTTP/1.1\r\nHost: {written}\r\nConnection: close")
        server.send(f"{quote(text, safe='')} / HTTP/1.1\r\nHost: localhost\r\nConnection: close")
    assert server.requests(before[0] + 4 * len(MUST_GO))
    assert named_in(server.lines()[before[1] :]) == []


def test_what_is_no_request_is_refused_without_a_word_of_it(server: Server) -> None:
    for request in NO_REQUESTS:
        before = len(server.lines())
        answer = server.send(request)
        assert 400 <= answer.status < 600, request
        lines = server.lines()[before:]
        assert "Refused what is no request, from 127.0.0.1: " in lines[0]
        assert named_in([*lines, json.dumps(answer.body)]) == []


@pytest.mark.parametrize("line_end", LINE_ENDS)
def test_a_request_makes_one_line_whatever_line_ends_are_in_its_address(
    server: Server, line_end: str
) -> None:
    before = len(server.requests())
    server.get(f"/a{line_end}{quote(FORGED)}")
    requests = server.requests(before + 1)[before:]
    assert [each["status"] for each in requests] == [404]
    assert str(requests[0]["path"]).startswith("/a")
    assert requests[0]["path"] != "/forged/"
    assert all(line.isascii() and line.isprintable() for line in server.lines())


def test_a_request_is_logged_with_what_tells_it_from_others(server: Server) -> None:
    before = len(server.requests())
    answer = server.get("/nowhere/?q=somebody")
    [request] = server.requests(before + 1)[before:]
    assert request["request_id"] == answer.headers["X-Request-ID"]
    assert (request["method"], request["path"], request["status"]) == ("GET", "/nowhere/", 404)
    assert (request["address"], request["bytes"]) == ("127.0.0.1", len(answer.body.encode()))
    assert str(request["timestamp"]).endswith("Z"), "a time in UTC"
    assert "somebody" not in str(request)


def test_a_server_without_its_settings_says_which_one_is_missing() -> None:
    failed = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--config", "python:src_app.gunicorn_settings"],
        env={"PATH": os.environ["PATH"], "WEB_BIND": f"127.0.0.1:{free_port()}"},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=patience(60),
        check=False,
    )
    assert failed.returncode == 1
    assert "Set the SECRET_KEY environment variable" in failed.stderr.splitlines()[-1]


def _requests() -> dict[str, str]:
    def get(path: str, *headers: str) -> str:
        return "\r\n".join([f"GET {path} HTTP/1.1", "Connection: close", *headers])

    here = "Host: localhost"
    return {
        "a page 200": get("/account/login/", here),
        "a redirect 302": get("/", here),
        "no page 404": get("/nowhere/", here),
        "a NUL 404": get("/%00", here),
        "another host 400": get("/account/login/", "Host: evil.example"),
        "a form without a token 403": "POST /account/login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close",
        "letters that are none 400": get("/", here, "Content-Type: text/plain; charset=rot13"),
        "a static file 200": get(STATIC, here),
        "a picture 200": get(PICTURE, here),
        "a static file that is there 304": get(
            STATIC, here, "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"
        ),
        "a folder of static files 404": get("/static/js/", here),
        "the source 404": get("/static/..%2f.git/config", here),
        "a static file that is none 404": get("/static/nowhere.js", here),
        "no request 400": NO_REQUESTS[0],
        "too long a request 414": NO_REQUESTS[4],
    }


@pytest.mark.parametrize("request_of", _requests())
def test_every_answer_has_the_headers_and_says_nothing_of_the_server(server: Server, request_of: str) -> None:
    answer = server.send(_requests()[request_of])
    assert answer.status == int(request_of.split()[-1])
    policy = answer.headers["Content-Security-Policy"]
    assert {**answer.headers, **HEADERS, "Content-Security-Policy": policy} == answer.headers
    assert set(policy.split("; ")) >= NOTHING
    kind = answer.headers.get("Content-Type", "").replace('"', "")
    assert kind.endswith("; charset=utf-8") or answer.status == 304
    assert answer.headers.get("Server", "web") == "web"
    assert "gunicorn" not in f"{answer.headers} {answer.body}".lower()


@pytest.mark.parametrize(
    ("proxies", "passed_on", "address"),
    [
        (0, "192.0.2.7", "10.0.0.1"),
        (1, "192.0.2.7", "192.0.2.7"),
        (1, "198.51.100.9, 192.0.2.7", "192.0.2.7"),
        (2, "198.51.100.9, 192.0.2.7", "198.51.100.9"),
        (2, "192.0.2.7", "10.0.0.1"),
        (1, "2001:db8::7", "2001:db8::7"),
        (1, "PC 1234 asks", "10.0.0.1"),
        (1, None, "10.0.0.1"),
    ],
)
def test_the_caller_is_whom_the_trusted_proxies_saw(
    monkeypatch: pytest.MonkeyPatch, proxies: int, passed_on: str | None, address: str
) -> None:
    monkeypatch.setattr(settings, "ALLAUTH_TRUSTED_PROXY_COUNT", proxies)
    environ = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": passed_on}
    assert caller({name: value for name, value in environ.items() if value}) == address
