"""The mail catcher, spoken to as any mail server."""

import smtplib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from src_app.supervisor.processes import free_port
from tests.patience import patience
from tests.process_tree import wait_for

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    number = free_port()
    command = [sys.executable, "-m", "src_app.supervisor.catcher", "--port", str(number)]
    catcher = subprocess.Popen([*command, "--directory", str(tmp_path / "mail")], cwd=ROOT)
    try:
        wait_for(lambda: listens(number), "the catcher to listen")
        yield number
    finally:
        catcher.terminate()
        assert catcher.wait(patience(60)) == 0


def listens(port: int) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", port):
            return True
    except OSError:
        return False


def test_each_message_is_a_file_of_its_own_with_its_recipients(port: int, tmp_path: Path) -> None:
    with smtplib.SMTP("127.0.0.1", port) as server:
        for number in (1, 2):
            server.sendmail(
                "from@example.org",
                ["team@example.org", "other@example.org"],
                f"Subject: message {number}\r\n\r\n.dots and £ stay\r\n".encode(),
            )
    kept = sorted((tmp_path / "mail").iterdir())
    assert [path.suffix for path in kept] == [".eml", ".eml"]
    for number, path in enumerate(kept, 1):
        assert (
            path.read_bytes()
            == (
                "X-Envelope-To: team@example.org, other@example.org\r\n"
                f"Subject: message {number}\r\n\r\n.dots and £ stay\r\n"
            ).encode()
        )


@pytest.mark.usefixtures("port")
def test_the_messages_are_for_nobody_elses_eyes(tmp_path: Path) -> None:
    assert (tmp_path / "mail").stat().st_mode & 0o777 == 0o700
