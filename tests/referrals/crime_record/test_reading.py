"""A list of references that carry the flag, read from a file."""

import pytest
from pytest_django.fixtures import Settings

from referrals.crime_record import reading
from referrals.crime_record.reading import read_flags
from referrals.table_files.content import Content
from referrals.table_files.text import NotATable
from tests.workbooks import xlsx


def _signs(content: bytes) -> set[str]:
    return set(read_flags(Content.of(content)).signs)


@pytest.mark.parametrize(
    "content",
    [
        b"Crime reference\r\n01/7300001/26\r\n01-7300002-26\r\n",
        b"crime_reference;Flag\n01/7300001/26;49\n0173 0000226;49\n",
        "Crime No.\tOfficer\n01/7300001/26\tPC 1\n01/7300002/26\tPC 2\n".encode("utf-16"),
        "Flags – November\n\nURN\n01/7300001/26\n01/7300001/26\n\n01/7300002/26\nEnd".encode("cp1252"),
        xlsx(Flags=[["Crime Ref"], ["01/7300001/26"], ["01-7300002-26"]]),
    ],
)
def test_the_references_are_read_however_they_are_written(content: bytes) -> None:
    assert _signs(content) == {"01730000126", "01730000226"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x00\x01\x02\x03" * 50, "not plain text"),
        (b"\x89PNG\r\n\x1a\n\x81\x8d\x01" * 9, "not plain text"),
        (b"<html><body><table>", "is a web page"),
        (b"PK\x03\x04 and no more", "cannot be read"),
        (b"", "empty"),
        (b"Officer,Ward\nPC 1,Abbey\n", "No column holds crime references"),
        (b"01/7300001/26\n01/7300002/26\n", "No column holds crime references"),
        (b"Crime ref,URN\n01/7300001/26,1\n", "Several columns hold crime references"),
        (b"Crime ref\n", "No crime reference stands under the heading"),
        (b"Crime ref,Flag\n,49\nnone,49\n", "No crime reference stands under the heading"),
        (b'Crime ref,Flag\n01/7300001/26,"a"b\n', "Line 2 has a quotation mark that is not doubled"),
        (b'Crime ref,Flag\n01/7300001/26,"a\n', "never closed"),
        (xlsx(A=[["Crime ref"], ["01/1"]], B=[["Crime ref"], ["01/1"]]), "Several sheets hold a table"),
    ],
)
def test_a_file_that_cannot_be_compared_is_refused_in_one_sentence(content: bytes, says: str) -> None:
    with pytest.raises(NotATable, match=says):
        _signs(content)


def test_a_list_that_is_too_long_says_the_limit(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(reading, "MOST_REFERENCES", 1_000)
    content = "\n".join(["URN", *(f"01/{number:07}/26" for number in range(1_000))]).encode()
    assert len(_signs(content)) == 1_000
    with pytest.raises(NotATable, match="more than 1,000 references"):
        _signs(content + b"\n01/9000000/26")
    settings.MAX_UPLOAD_BYTES = 2 * 1024 * 1024
    with pytest.raises(NotATable, match="larger than 2 MB"):
        _signs(b"URN\n" + b" " * settings.MAX_UPLOAD_BYTES)
