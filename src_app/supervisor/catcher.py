"""A mail server that delivers nothing: ``python -m src_app.supervisor.catcher --directory DIR``.

Each message it accepts becomes one ``.eml`` file: a demo shows its mail, and a test reads it.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


class Catcher:
    """An aiosmtpd handler that writes each message to a file of its own in `directory`."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        # Mail names people: only who runs the demo reads it.
        directory.chmod(0o700)
        self.directory = directory
        self._numbers = count(1)

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep the message; the answer is given when it is whole on disk."""
        name = f"{time.time_ns()}-{os.getpid()}-{next(self._numbers)}"
        unfinished = self.directory / f".{name}.unfinished"
        recipients = ", ".join(envelope.rcpt_tos)
        content = envelope.original_content or b""
        unfinished.write_bytes(f"X-Envelope-To: {recipients}\r\n".encode() + content)
        unfinished.rename(self.directory / f"{name}.eml")
        return "250 Message accepted"


async def serve(host: str, port: int, directory: Path) -> None:
    """Accept mail at `host`:`port` until SIGTERM or SIGINT."""
    handler = Catcher(directory)
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = await loop.create_server(lambda: SMTP(handler, hostname="catcher"), host, port)
    async with server:
        await stopped.wait()


def main(given: Sequence[str] | None = None) -> int:
    """Runs the command line; returns an exit status."""
    parser = argparse.ArgumentParser(prog="python -m src_app.supervisor.catcher", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=2525)
    parser.add_argument("--directory", type=Path, required=True, help="where the messages go")
    arguments = parser.parse_args(given)
    asyncio.run(serve(arguments.host, arguments.port, arguments.directory))
    return 0


if __name__ == "__main__":
    sys.exit(main())
