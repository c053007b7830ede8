"""The bytes of a file, wherever they lie, read as a stream as often as need be."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast


@dataclass(frozen=True)
class Content:
    """``size`` in bytes; each call of ``open`` gives a stream from the beginning."""

    size: int
    open: Callable[[], BinaryIO] = field(repr=False)

    @staticmethod
    def of(content: bytes) -> "Content":
        """What is in memory already."""
        return Content(len(content), lambda: io.BytesIO(content))

    @staticmethod
    def at(path: Path) -> "Content":
        """A file; raises OSError."""
        return Content(path.stat().st_size, lambda: cast(BinaryIO, path.open("rb")))
