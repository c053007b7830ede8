"""Import: no page grows with what somebody puts into a file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from referrals.intake.reading.columns import Column
from referrals.models import CaseImport, ImportStatus
from src_app.accounts.models import User
from tests.extracts import extract, row
from tests.referrals.intake.views.uploading import text, upload
from tests.referrals.intake.watched.folders import MINUTE, Clock
from tests.workbooks import Cell, xlsx

pytestmark = pytest.mark.usefixtures("clock")

MOST_BYTES = 750_000
WIDE = f"{','.join(f'Column {number}' for number in range(8_000))}\r\n".encode()
UNKNOWN = ("hate_strands", "crime_status")
SAYS = "The table has 8,000 columns, and at most 256 are read: take out those that are not needed."


@pytest.fixture
def browser(client_of: Callable[[User], Client], hcop: User) -> Client:
    return client_of(hcop)


def shown(browser: Client, content: bytes) -> str:
    """The page that follows the upload, of whichever kind."""
    upload(browser, content)
    response = browser.get(
        reverse("import_preview", args=[CaseImport.objects.latest("uploaded_at").pk]), follow=True
    )
    assert response.status_code == 200
    assert len(response.content) < MOST_BYTES
    return text(response)


def test_8000_columns_are_refused_before_a_page_is_made_of_them(browser: Client) -> None:
    page = text(upload(browser, WIDE))
    assert SAYS in page
    assert len(page) < 50_000
    assert not CaseImport.objects.exists()


def test_the_command_refuses_them_with_exit_2(hcop: User, tmp_path: Path) -> None:
    (tmp_path / "wide.csv").write_bytes(WIDE)
    for command in (["import_cases", "--bcu=SW"], ["import_outcomes"]):
        with pytest.raises(CommandError) as refused:
            call_command(command[0], str(tmp_path / "wide.csv"), *command[1:])
        assert (str(refused.value), refused.value.returncode) == (SAYS, 2)


def test_the_watched_folder_says_it_on_the_page(
    hcop: User, system: User, tmp_path: Path, settings: Any
) -> None:
    settings.EXTRACT_FOLDER = str(tmp_path)
    (tmp_path / "SW").mkdir()
    (tmp_path / "SW" / "wide.csv").write_bytes(WIDE)
    clock = Clock(system)
    clock.look()
    clock.look(6 * MINUTE)
    held = CaseImport.objects.get()
    assert (held.status, held.problem) == (ImportStatus.REFUSED, SAYS)


def test_as_many_columns_as_there_may_be_make_a_page_that_can_be_used(browser: Client) -> None:
    letters = "abcdefghijklmnop"
    headings = ",".join(f"{'&' * 48}{first}{second}" for first in letters for second in letters)
    assert "headings not recognised" in shown(browser, f"{headings}\r\n{',' * 255}x\r\n".encode())


def test_as_long_headings_as_there_may_be_make_a_page_that_can_be_used(browser: Client) -> None:
    names = [f"{'&' * 197}{number:03}" for number in range(254)]
    upload(browser, extract(row(1), columns=["crime_reference", "reported_at", *names]))
    held = CaseImport.objects.get()
    for name in ("import_preview", "import_columns"):
        response = browser.get(reverse(name, args=[held.pk]))
        assert response.status_code == 200
        assert len(response.content) < MOST_BYTES


def test_as_many_sheets_as_there_may_be_are_offered(browser: Client) -> None:
    sheet: list[list[Cell]] = [["Crime No", "Reported"], ["01/7300001/26", "22/11/2026 18:07"]]
    page = shown(browser, xlsx(**{f"{'Sheet' * 19}{number:02}": sheet for number in range(100)}))
    assert page.count('type="radio"') == 100


def test_whatever_the_rows_hold_the_page_of_their_fates_can_be_used(browser: Client, settings: Any) -> None:
    """Each row's texts are as long as they may be and differ from each other's, or each has another fault."""
    settings.IMPORT_AT_ONCE_BYTES = settings.MAX_UPLOAD_BYTES
    new = [row(number, offence=f"{'&' * 190}{number}") for number in range(1_000)]
    warned = [row(2_000 + n, **dict.fromkeys(UNKNOWN, f"{'&' * 190}{n}")) for n in range(1_000)]
    wrong = [
        row(4_000 + n, **{column.value: f"{'&' * 190}{n}" for column in Column if column.value != "offence"})
        for n in range(1_000)
    ]
    page = shown(browser, extract(*new, *warned, *wrong))
    assert "The first 200 of" in page
