"""Servers that are away, each in its own way, on sockets of this machine."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


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


class Door:
    """A way to a server, through which everything passes until it is shut.

    It listens at ``port``. The address it leads to is a host and a port, or a file that is a Unix socket.
    """

    def __init__(self, leads_to: tuple[str, int] | str) -> None:
        self._leads_to = leads_to
        self._passing = threading.Event()
        self._delay = 0.0
        self._lock = threading.Lock()
        self._open_sockets: set[socket.socket] = set()
        self._listening: socket.socket | None = None
        self.port = int(refused().rpartition(":")[2])
        self.open()

    def open(self) -> None:
        """Everything passes at once, as in the beginning."""
        self._delay = 0.0
        self._passing.set()
        if self._listening is None:
            self._listening = socket.create_server(("127.0.0.1", self.port), backlog=100)
            threading.Thread(target=self._accept, args=[self._listening], daemon=True).start()

    def refuse(self) -> None:
        """Whoever is inside is thrown out, and nobody comes in: as where a server ends."""
        self._passing.set()
        if self._listening is not None:
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            self._listening = None
        with self._lock:
            for each in self._open_sockets:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def hang(self) -> None:
        """Everybody comes in, and nothing passes."""
        self._passing.clear()

    def slow_down(self, seconds: float) -> None:
        """Each piece passes so much later."""
        self._delay = seconds

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                caller, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._lead, args=[caller], daemon=True).start()

    def _lead(self, caller: socket.socket) -> None:
        family = socket.AF_UNIX if isinstance(self._leads_to, str) else socket.AF_INET
        with caller, socket.socket(family) as server:
            self._passing.wait()
            try:
                server.connect(self._leads_to)
            except OSError:
                return
            with self._lock:
                self._open_sockets |= {caller, server}
            back = threading.Thread(target=self._pass_on, args=[server, caller], daemon=True)
            back.start()
            self._pass_on(caller, server)
            back.join()
            with self._lock:
                self._open_sockets -= {caller, server}

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while piece := one.recv(65_536):
                time.sleep(self._delay)
                self._passing.wait()
                other.sendall(piece)
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def doors(*lead_to: tuple[str, int] | str) -> Iterator[list[Door]]:
    """A door to each of the servers, while the context lasts."""
    opened = [Door(each) for each in lead_to]
    try:
        yield opened
    finally:
        for door in opened:
            door.refuse()
