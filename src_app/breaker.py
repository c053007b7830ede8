"""A service that failed is left alone for a while, so that nobody waits for it again and again."""

import time
from threading import Lock

import structlog

log = structlog.get_logger()


class Breaker:
    """Says of one service, for all threads of this process, whether to ask it.

    After a failure it is asked again by one caller after each ``rest``, in seconds; the others go on without
    it meanwhile. Each time it goes away is one line in the log.
    """

    def __init__(self, service: str, *, rest: float) -> None:
        self._service = service
        self._rest = rest
        self._lock = Lock()
        self._again_at: float | None = None

    def lets_through(self) -> bool:
        """Whether the caller is to ask it now; then it says afterwards how that went, or that it did not."""
        with self._lock:
            if self._again_at is None:
                return True
            now = time.monotonic()
            if now < self._again_at:
                return False
            self._again_at = now + self._rest
            return True

    def not_asked(self) -> None:
        """Whoever was let through had no need to ask it: the next one may."""
        with self._lock:
            if self._again_at is not None:
                self._again_at = time.monotonic()

    def failed(self, error: Exception) -> None:
        """It did not answer, or not as it should."""
        with self._lock:
            is_new = self._again_at is None
            self._again_at = time.monotonic() + self._rest
        if is_new:
            log.warning("a service does not answer", service=self._service, error=type(error).__name__)

    def worked(self) -> None:
        """It answered: everybody asks it again."""
        with self._lock:
            self._again_at = None
