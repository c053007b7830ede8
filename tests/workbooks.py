"""Spreadsheets made up for tests, part by part: nothing in the project writes one."""

import io
import zipfile
from datetime import datetime
from xml.sax.saxutils import escape

_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
# Style 1 is a date with its time.
_FORMATS = '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs>'
_STYLES = f'<styleSheet xmlns="{_MAIN}">{_FORMATS}</styleSheet>'
Cell = str | int | float | bool | datetime | None


def xlsx(**sheets: list[list[Cell]]) -> bytes:
    """A workbook of these sheets, by name, each a list of rows."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", _TYPES)
        packed.writestr("_rels/.rels", _relations({"rId1": ("officeDocument", "xl/workbook.xml")}))
        places = {f"rId{n}": ("worksheet", f"worksheets/sheet{n}.xml") for n in range(1, len(sheets) + 1)}
        packed.writestr(
            "xl/_rels/workbook.xml.rels", _relations({**places, "rId0": ("styles", "styles.xml")})
        )
        names = "".join(
            f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(sheets, start=1)
        )
        packed.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{names}</sheets></workbook>',
        )
        packed.writestr("xl/styles.xml", _STYLES)
        for number, rows in enumerate(sheets.values(), start=1):
            packed.writestr(f"xl/worksheets/sheet{number}.xml", _sheet(rows))
    return written.getvalue()


def _relations(targets: dict[str, tuple[str, str]]) -> str:
    each = "".join(
        f'<Relationship Id="{key}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}">{each}</Relationships>'


def _sheet(rows: list[list[Cell]]) -> str:
    written = "".join(
        f'<row r="{number}">{"".join(_cell(cell, number, place) for place, cell in enumerate(row))}</row>'
        for number, row in enumerate(rows, start=1)
    )
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{written}</sheetData></worksheet>'


def _cell(cell: Cell, row: int, place: int) -> str:
    at = f'r="{_letters(place)}{row}"'
    match cell:
        case None:
            return ""
        case bool():
            return f'<c {at} t="b"><v>{int(cell)}</v></c>'
        case datetime():
            days = (cell - datetime(1899, 12, 30)).total_seconds() / 86_400  # noqa: DTZ001 - a wall clock
            return f'<c {at} s="1"><v>{days}</v></c>'
        case str():
            return f'<c {at} t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
    return f"<c {at}><v>{cell}</v></c>"


def _letters(place: int) -> str:
    """``A`` for the first column, ``AA`` for the 27th."""
    more, letter = divmod(place, 26)
    return (_letters(more - 1) if more else "") + chr(ord("A") + letter)


def with_hidden_sheet(workbook: bytes, name: str) -> bytes:
    """The workbook with that sheet out of sight, as a person or a program puts it."""
    before, after = f'<sheet name="{name}"', f'<sheet name="{name}" state="veryHidden"'
    return _changed(workbook, "xl/workbook.xml", before.encode(), after.encode())


def with_stray_cell(workbook: bytes) -> bytes:
    """The workbook with one cell more on its first sheet, in the last row and column there can be."""
    stray = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    return _changed(workbook, "xl/worksheets/sheet1.xml", b"</sheetData>", stray)


def _changed(workbook: bytes, name: str, before: bytes, after: bytes) -> bytes:
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as packed, zipfile.ZipFile(changed, "w") as written:
        for part in packed.infolist():
            body = packed.read(part)
            written.writestr(part, body.replace(before, after) if part.filename == name else body)
    return changed.getvalue()
