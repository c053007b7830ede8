"""The watched folder: finished files are imported as this system and moved aside.

One looks at a time, under an advisory lock that ends with its connection: what lies in ``.taken`` then
belongs to nobody who lives.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from django.conf import settings
from django.utils import timezone

from referrals.intake.held.holding import GONE, hold_extract, note_refused
from referrals.intake.watched import claims
from referrals.intake.watched.finished import (
    Watch,
    is_unfinished_by_name,
    opened,
    stamp_of,
)
from referrals.models import Bcu, CaseImport, ImportSource, ImportStatus
from referrals.scope import bcus_to_import_for
from referrals.table_files.content import Content
from referrals.table_files.text import NotATable
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.database import advisory_key, try_advisory_lock

log = structlog.get_logger()

# A file whose import fails again and again for so long is given up.
GIVEN_UP_AFTER = timedelta(hours=1)
_GIVEN_UP = "The file could not be taken in for an hour. Nothing was saved: choose it here."
_NAMES = uuid5(NAMESPACE_URL, "watched folder")
_LOCK_KEY = advisory_key(_NAMES)
_PIECE = 1_048_576


def take_extracts(*, by: User, at: datetime) -> int:
    """Imports every finished file, each by itself; returns how many there were.

    A file that fails keeps no other back, and is tried again at the next look.
    """
    check_authority(by, Permission.IMPORT_CASES)
    if not settings.EXTRACT_FOLDER:
        return 0
    with try_advisory_lock(_LOCK_KEY) as is_held:
        if not is_held:
            return 0
        look = _Look(by, at, Watch.resumed(at))
        try:
            look.over(Path(settings.EXTRACT_FOLDER))
        finally:
            look.end()
    return look.imported


@dataclass
class _Look:
    """One look at the folder. ``left`` counts what belongs to no BCU, ``failed`` what could not be taken."""

    by: User
    at: datetime
    watch: Watch
    imported: int = 0
    left: int = 0
    failed: int = 0

    def over(self, root: Path) -> None:
        bcus = {bcu.code: bcu for bcu in bcus_to_import_for(self.by)}
        try:
            entries = _entries(root)
        except OSError:
            self.failed += 1
            return
        for entry in entries:
            if entry.name in bcus and entry.is_dir(follow_symlinks=False):
                self._over_one(Path(entry.path), bcus[entry.name])
            elif not is_unfinished_by_name(entry.name):
                self.left += 1

    def end(self) -> None:
        """Logs how much was left or failed, if that changed; never a name or path, which may be personal."""
        told = (self.left, self.failed)
        if any(told) and told != self.watch.told:
            log.warning("the watched folder holds what is not taken", left=self.left, failed=self.failed)
        self.watch.told = told
        self.watch.remember()

    def _over_one(self, folder: Path, bcu: Bcu) -> None:
        try:
            claims.delete_old(folder, self.at)
            before, entries = list(claims.claimed(folder)), _entries(folder)
        except OSError:
            self.failed += 1
            return
        for path in before:
            self._take(path, bcu, is_claimed=True)
        for entry in entries:
            if entry.name in claims.ROOMS or is_unfinished_by_name(entry.name):
                continue
            if entry.is_file(follow_symlinks=False):
                self._take(Path(entry.path), bcu, is_claimed=False)
            else:
                self.left += 1

    def _take(self, path: Path, bcu: Bcu, *, is_claimed: bool) -> None:
        try:
            if self.watch.is_finished(path):
                taken = path if is_claimed else claims.claim(path, self.at)
                if taken:
                    self._import(taken, bcu)
        except FileNotFoundError:
            return  # its sender took it back
        except OSError:
            self._fail(path, bcu, is_claimed)
        except Exception:  # one file must not keep the others back
            log.exception("a file of the watched folder could not be taken")
            self._fail(path, bcu, is_claimed)

    def _fail(self, path: Path, bcu: Bcu, is_claimed: bool) -> None:
        self.failed += 1
        if is_claimed and claims.claimed_at(path) + GIVEN_UP_AFTER <= self.at:
            with suppress(OSError):
                self._refuse(path, bcu, uuid5(_NAMES, path.parent.name), _GIVEN_UP)
                claims.set_aside(path, claims.REFUSED)

    def _import(self, path: Path, bcu: Bcu) -> None:
        """A file that somebody wrote to meanwhile is left to be imported again, once it is still."""
        stamp = stamp_of(path)
        content = Content(stamp[1], lambda: opened(path))
        key = _key_of(content, bcu, claims.claimed_at(path))
        try:
            held = hold_extract(
                key=key,
                content=content,
                bcu=bcu,
                by=self.by,
                at=self.at,
                file_name=_name_of(path),
                source=ImportSource.FOLDER,
            )
        except NotATable as refused:
            held = self._refuse(path, bcu, key, str(refused))
        self.imported += 1
        if stamp_of(path) == stamp:
            is_refused = held.status == ImportStatus.REFUSED
            claims.set_aside(path, claims.REFUSED if is_refused else claims.DONE)

    def _refuse(self, path: Path, bcu: Bcu, key: UUID, problem: str) -> CaseImport:
        return note_refused(
            key=key,
            problem=problem,
            bcu=bcu,
            by=self.by,
            at=self.at,
            file_name=_name_of(path),
            size=path.lstat().st_size,
        )


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _name_of(path: Path) -> str:
    """The file's name; what is no UTF-8 in it cannot be stored."""
    return os.fsencode(path.name).decode(errors="replace")


def _key_of(content: Content, bcu: Bcu, taken_at: datetime) -> UUID:
    """The key of the file's import: the same content for a BCU on one day has one key, and is imported once.

    If that import was discarded, expired or was refused, the next key is returned, so that the file can be
    imported again.
    """
    digest = sha256()
    with content.open() as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    day = timezone.localdate(taken_at)
    keys = (uuid5(_NAMES, f"{bcu.pk} {day} {digest.hexdigest()} {attempt}") for attempt in count())
    return next(key for key in keys if not CaseImport.objects.filter(key=key, status__in=GONE).exists())
