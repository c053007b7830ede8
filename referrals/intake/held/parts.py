"""Files that are held: in encrypted pieces, written and read one after another."""

import io
from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

from referrals.models import CaseImport, HeldPart, PartKind
from referrals.table_files.content import Content
from src_app.keys import WrongKey, decrypt_extract, encrypt_extract
from src_app.refused import Refused

PIECE = 1_048_576


class PartGone(Exception):
    """Somebody discarded the file while it was read."""


def hold_parts(held: CaseImport, kind: PartKind, pieces: Iterable[bytes]) -> None:
    """Keeps the pieces, instead of what was kept before."""
    drop_parts(held, kind)
    for number, piece in enumerate(pieces):
        HeldPart.objects.create(extract=held, kind=kind, number=number, body_encrypted=encrypt_extract(piece))


def drop_parts(held: CaseImport, *kinds: PartKind) -> None:
    """Deletes what is held of these kinds."""
    HeldPart.objects.filter(extract=held, kind__in=kinds).delete()


def pieces_of(held: CaseImport, kind: PartKind) -> Iterator[bytes]:
    """The pieces one after another; raises :class:`Refused` where their key is lost."""
    parts = HeldPart.objects.filter(extract=held, kind=kind)
    for number in parts.order_by("number").values_list("number", flat=True):
        token = parts.values_list("body_encrypted", flat=True).filter(number=number).first()
        if token is None:
            raise PartGone
        try:
            piece = decrypt_extract(bytes(token))
        except WrongKey:
            raise Refused("This extract can no longer be opened: upload it again.") from None
        yield piece


def content_of(held: CaseImport) -> Content:
    """The file itself."""

    def opened() -> BinaryIO:
        return cast(BinaryIO, io.BufferedReader(_Pieces(pieces_of(held, PartKind.CONTENT)), PIECE))

    return Content(held.size, opened)


def in_pieces(stream: BinaryIO) -> Iterator[bytes]:
    """The stream as pieces to hold."""
    while piece := stream.read(PIECE):
        yield piece


class _Pieces(io.RawIOBase):
    """Pieces as a stream that is read once, from the beginning."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces, self.left, self.read_so_far = pieces, memoryview(b""), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self.left:
            self.left = memoryview(next(self.pieces, b""))
        size = min(len(buffer), len(self.left))
        buffer[:size] = self.left[:size]
        self.left = self.left[size:]
        self.read_so_far += size
        return size

    def tell(self) -> int:
        return self.read_so_far
