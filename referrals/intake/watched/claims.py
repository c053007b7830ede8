"""Files taken out of the watched folder: out of their sender's reach, set aside, deleted after a day.

In the folder of a BCU, ``.taken`` holds what is being imported, ``done`` and ``refused`` what has been. Each
file lies there in a folder of its own that is named for the moment it was taken: no two files meet under one
name, and moving is renaming, which happens at once or not at all.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

TAKEN, DONE, REFUSED = ROOMS = (".taken", "done", "refused")
_MOMENT = "%Y%m%dT%H%M%SZ"


def claim(path: Path, at: datetime) -> Path | None:
    """Takes the file out of its sender's reach; returns where it is now, or nothing if it is gone.

    Raises OSError, and has done nothing then.
    """
    place = _room(path.parent, TAKEN) / f"{at.astimezone(UTC):{_MOMENT}}-{secrets.token_hex(4)}"
    place.mkdir(mode=0o700)
    try:
        path.rename(place / path.name)
    except OSError as error:
        place.rmdir()
        if isinstance(error, FileNotFoundError):
            return None
        raise
    return place / path.name


def claimed(folder: Path) -> Iterator[Path]:
    """Files that were taken and not set aside: their worker died, or they changed while they were read."""
    for place in _places(folder, TAKEN):
        yield from _files(place)


def claimed_at(path: Path) -> datetime:
    """When the file was taken; raises ValueError where its folder is not named by this system."""
    return _moment(path.parent)


def set_aside(path: Path, room: str) -> None:
    """Moves what was taken to ``DONE`` or ``REFUSED``; raises OSError."""
    place = path.parent
    place.rename(_room(place.parent.parent, room) / place.name)


def delete_old(folder: Path, at: datetime) -> None:
    """Deletes what was taken a day ago, but for files that are still to be imported; raises OSError."""
    for room in ROOMS:
        for place in _places(folder, room):
            is_old = _moment(place) + settings.WAITING_EXTRACT_KEPT_FOR <= at
            if is_old and not (room == TAKEN and _files(place)):
                shutil.rmtree(place)


def _room(folder: Path, name: str) -> Path:
    """Made where it is missing; a link in its place, which would lead elsewhere, is not followed."""
    room = folder / name
    room.mkdir(mode=0o700, exist_ok=True)
    if room.is_symlink():
        raise NotADirectoryError(f"{name} is a link.")
    return room


def _places(folder: Path, room: str) -> list[Path]:
    """The folders in a room that are named as this system names them, the oldest first."""
    if (folder / room).is_symlink() or not (folder / room).is_dir():
        return []
    with os.scandir(folder / room) as entries:
        places = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    return sorted(place for place in places if _is_ours(place))


def _files(place: Path) -> list[Path]:
    with os.scandir(place) as entries:
        return [Path(entry.path) for entry in entries if entry.is_file(follow_symlinks=False)]


def _moment(place: Path) -> datetime:
    return datetime.strptime(place.name.partition("-")[0], _MOMENT).replace(tzinfo=UTC)


def _is_ours(place: Path) -> bool:
    try:
        _moment(place)
    except ValueError:
        return False
    return True
