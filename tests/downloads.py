"""What a downloaded list holds."""

import csv
from io import BytesIO, StringIO
from typing import Any

import openpyxl
from django.test import Client

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def csv_rows(browser: Client, url: str, prefix: str = "", **asked: Any) -> list[dict[str, str]]:
    """The rows of the list's CSV by their headings; it begins with the mark that Excel knows UTF-8 by."""
    content = _content(browser, url, {**asked, f"{prefix}format": "csv"})
    assert content.startswith(BYTE_ORDER_MARK)
    return list(csv.DictReader(StringIO(content.decode("utf-8-sig"))))


def workbook_rows(browser: Client, url: str, prefix: str = "", **asked: Any) -> list[dict[str, Any]]:
    """The rows of the list's workbook by their headings; none of its cells is a formula."""
    content = _content(browser, url, {**asked, f"{prefix}format": "xlsx"})
    [sheet] = openpyxl.load_workbook(BytesIO(content)).worksheets
    assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    headings, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip((str(heading) for heading in headings), row, strict=True)) for row in rows]


def _content(browser: Client, url: str, asked: dict[str, Any]) -> bytes:
    response = browser.get(url, asked)
    assert response.status_code == 200
    assert response["Content-Disposition"].startswith("attachment; filename=")
    return response.getvalue()
