"""Whether a file in the watched folder is finished: nobody says so, and therefore it is watched.

A file is judged by having been still, by this system's own clock: what a sender or a file server says of the
time counts for nothing. What was seen is kept in the cache from look to look, under digests, because a name
may be somebody's data; where it is lost, the watching begins anew.
"""

import os
import stat
import zipfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from django.core.cache import cache

STILL_FOR = timedelta(seconds=60)
# For a file that looks as though more were to come.
STILL_FOR_IN_DOUBT = timedelta(minutes=5)

_CACHED = "watched-folder"
_CACHED_FOR = timedelta(hours=1)
_UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload", "~")
_HIDDEN = (".", "~$")
_PIECE = 1_048_576

# What changes when a file does: its place on the disk, its size, its time.
Stamp = tuple[int, int, int]


def is_unfinished_by_name(name: str) -> bool:
    """Hidden files, and names that programs give to what they are still writing."""
    return name.startswith(_HIDDEN) or name.lower().endswith(_UNFINISHED)


def stamp_of(path: Path) -> Stamp:
    """Of the file itself, never of what a link names; raises OSError, also for what is no plain file."""
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError("It is no plain file.")
    return status.st_ino, status.st_size, status.st_mtime_ns


def opened(path: Path) -> BinaryIO:
    """The file itself, never what a link names; raises OSError."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb")


@dataclass
class Watch:
    """What each file looked like, and since when; ``told`` is what the log was told at the last look."""

    at: datetime
    told: tuple[int, ...] = ()
    before: dict[str, tuple[Stamp, datetime]] = field(default_factory=dict, repr=False)
    seen: dict[str, tuple[Stamp, datetime]] = field(default_factory=dict, repr=False)

    @classmethod
    def resumed(cls, at: datetime) -> "Watch":
        """With what was seen at the last look."""
        told, seen = cache.get(_CACHED, ((), {}))
        before = {
            name: ((place, size, changed), datetime.fromisoformat(since))
            for name, ((place, size, changed), since) in seen.items()
        }
        return cls(at, tuple(told), before)

    def remember(self) -> None:
        """Keeps what was seen for the next look."""
        seen = {name: (stamp, since.isoformat()) for name, (stamp, since) in self.seen.items()}
        cache.set(_CACHED, (self.told, seen), _CACHED_FOR.total_seconds())

    def is_finished(self, path: Path) -> bool:
        """Whether it has been still for long enough; raises OSError."""
        stamp, name = stamp_of(path), sha256(os.fsencode(path)).hexdigest()
        was, since = self.before.get(name, (None, self.at))
        self.seen[name] = stamp, since if was == stamp else self.at
        still = self.at - self.seen[name][1]
        return still >= STILL_FOR_IN_DOUBT or (still >= STILL_FOR and _looks_whole(path))


def _looks_whole(path: Path) -> bool:
    """Whether nothing speaks for a writer who pauses.

    A workbook of today's kind ends with its table of contents. A text ends with a line break, outside a
    quoted cell, and has a row under its headings: programs write these first and may search for long.
    """
    with opened(path) as stream:
        if zipfile.is_zipfile(stream):
            return True
        stream.seek(0)
        quotes, lines, end = 0, 0, b""
        while piece := stream.read(_PIECE):
            quotes += piece.count(b'"')
            lines += max(piece.count(b"\n"), piece.count(b"\r"))
            end = (end + piece)[-2:]
    # In UTF-16 the line break has an empty byte beside it.
    return end.strip(b"\0").endswith((b"\n", b"\r")) and quotes % 2 == 0 and lines > 1
