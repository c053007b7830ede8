"""Servers that are away, each in its own way, on sockets of this machine."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Hanging:
    """Accepts whoever comes, and never says a word; counts them."""

    def __init__(self) -> None:
        self.callers: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listening.accept()
            except OSError:
                return
            self.callers.append(caller)

    def close(self) -> None:
        """Nobody listens there any more."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()
        for caller in self.callers:
            caller.close()


@contextmanager
def hanging() -> Iterator[Hanging]:
    """A server that hangs while the context lasts."""
    server = Hanging()
    try:
        yield server
    finally:
        server.close()


def refused() -> str:
    """An address, as ``host:port``, where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"
