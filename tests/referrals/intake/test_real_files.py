"""Files as other systems really write them, by command, by page and by watched folder."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from referrals.intake.saving.save import import_cases
from referrals.models import Bcu, Case, CaseImport, ImportStatus
from referrals.table_files.text import NotATable
from src_app.accounts.models import User
from tests.extracts import REAL_FILES as FILES
from tests.factories import BcuMembershipFactory, UserFactory
from tests.referrals.intake.views.uploading import page_of, save, upload
from tests.referrals.intake.watched.folders import SECOND, Clock

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 27, 7, 30, tzinfo=UTC)
Counts = tuple[int, int, int, int]
Take = Callable[[Path], Counts]


@pytest.fixture
def by_command(real_places: Bcu, capsys: Any) -> Take:
    def take(path: Path) -> Counts:
        capsys.readouterr()
        with suppress(SystemExit):  # where some rows are rejected
            call_command("import_cases", str(path), "--json")
        report = json.loads(capsys.readouterr().out)
        return report["new"], report["unchanged"], report["changed"], report["rejected"]

    return take


@pytest.fixture
def by_page(real_places: Bcu, client_of: Callable[[User], Client]) -> Take:
    hcop = UserFactory.create(role="hcop")
    BcuMembershipFactory.create(user=hcop, bcu=real_places)
    browser = client_of(hcop)

    def take(path: Path) -> Counts:
        to = upload(browser, b"", file=SimpleUploadedFile(path.name, path.read_bytes())).headers["Location"]
        held = CaseImport.objects.get(pk=to.strip("/").split("/")[1])
        assert held.status == ImportStatus.WAITING, held.problem
        page = page_of(browser, held)
        if "Save " in page:
            save(browser, held, page)
            held.refresh_from_db()
        return held.new, held.unchanged, held.changed, held.rejected

    return take


@pytest.fixture
def by_folder(real_places: Bcu, tmp_path: Path, settings: Any, system: User) -> Take:
    settings.EXTRACT_FOLDER = str(tmp_path)
    (tmp_path / "SW").mkdir()
    clock = Clock(system)
    clock.at = AT

    def take(path: Path) -> Counts:
        (tmp_path / "SW" / path.name).write_bytes(path.read_bytes())
        clock.look()
        clock.look(SECOND * 61)
        held = CaseImport.objects.get(file_name=path.name)
        assert held.status == ImportStatus.SAVED, held.problem
        return held.new, held.unchanged, held.changed, held.rejected

    return take


@pytest.fixture(params=["command", "page", "folder"])
def take(request: pytest.FixtureRequest, clock: time_machine.Traveller) -> Take:
    """Imports a file and tells how many rows are new, unchanged, changed and rejected."""
    clock.move_to(AT)
    taken: Take = request.getfixturevalue(f"by_{request.param}")
    return taken


@pytest.mark.parametrize(
    ("files", "counts"),
    [
        ("placeholder-keys/placeholder-victim-keys.csv", [(8, 0, 0, 0)]),
        ("placeholder-keys/placeholder-incidents.csv", [(8, 0, 0, 0)]),
        ("short-rows/a-excel-short-rows.csv", [(20, 0, 0, 0)]),
        ("short-rows/b-comma-after-each-row.csv", [(4, 0, 0, 0)]),
        ("short-rows/c-missing-cell-in-the-middle.csv", [(0, 0, 0, 2)]),
        ("lines-above/a-title-lines.csv", [(3, 0, 0, 0)]),
        ("lines-above/b-textbox-lines.csv", [(3, 0, 0, 0)]),
        ("lines-above/c-sep-line.csv", [(3, 0, 0, 0)]),
        ("lines-above/e-control.csv", [(3, 0, 0, 0)]),
        ("spreadsheet-times/1-times.xlsx spreadsheet-times/2-same-times.csv", [(4, 0, 0, 0), (0, 4, 0, 0)]),
        ("strand-words/strands.csv", [(18, 0, 0, 0)]),
        ("wrapped-cells/a-all-wrapped.csv", [(3, 0, 0, 0)]),
        ("repeat-count/repeat-as-count.csv", [(8, 0, 0, 0)]),
    ],
)
def test_a_real_file_is_read_as_people_mean_it(take: Take, files: str, counts: list[Counts]) -> None:
    assert [take(FILES / name) for name in files.split()] == counts


@pytest.fixture
def warned(real_places: Bcu, system: User) -> Callable[[str], list[tuple[int, str, str]]]:
    """Saves a file, and gives its warnings: line, column and words."""

    def read(name: str) -> list[tuple[int, str, str]]:
        preview = import_cases(content=(FILES / name).read_bytes(), bcu=real_places, by=system, at=AT)
        return [(each.line, each.column, each.reason) for each in preview.warnings]

    return read


Warn = Callable[[str], list[tuple[int, str, str]]]


@pytest.mark.parametrize(
    ("name", "column", "field"),
    [
        ("placeholder-keys/placeholder-victim-keys.csv", "victim_key", "victim_hash"),
        ("placeholder-keys/placeholder-incidents.csv", "incident_reference", "incident_hash"),
    ],
)
def test_keys_that_say_not_known_link_nobody_and_are_warned_of(
    warned: Warn, name: str, column: str, field: str
) -> None:
    told = [line for line, named, words in warned(name) if named == column and "nothing is linked" in words]
    assert told == list(range(2, 10))
    assert set(Case.objects.values_list(field, flat=True)) == {""}


def test_a_wrapped_key_is_the_key_it_shows(warned: Warn) -> None:
    warned("wrapped-cells/b-before.csv")
    warned("wrapped-cells/c-same-victims-wrapped.csv")
    victims = dict(Case.objects.values_list("crime_reference", "victim_hash"))
    assert victims["09/8812010/26"] == victims["09/8812012/26"]
    assert victims["09/8812011/26"] == victims["09/8812013/26"] == victims["09/8812014/26"]
    assert victims["09/8812010/26"] != victims["09/8812011/26"]


def test_the_line_of_the_headings_is_said_where_it_is_not_the_first(warned: Warn) -> None:
    for name, line in {"a-title-lines": 4, "b-textbox-lines": 4, "c-sep-line": 2}.items():
        said = f"The headings are on line {line}; what stands above them is not read."
        assert (line, "", said) in warned(f"lines-above/{name}.csv")
    assert not [words for *_, words in warned("lines-above/e-control.csv") if "headings" in words]


def test_a_web_page_is_named_as_one(real_places: Bcu, system: User) -> None:
    content = (FILES / "lines-above/d-web-page.xls").read_bytes()
    with pytest.raises(NotATable, match="The file is a web page, whatever it is named: open it in"):
        import_cases(content=content, bcu=real_places, by=system, at=AT)


def test_a_hidden_sheet_is_not_the_table(warned: Warn) -> None:
    warned("hidden/a-hidden-sheet-with-more-headings.xlsx")
    references = Case.objects.order_by("crime_reference").values_list("crime_reference", flat=True)
    assert list(references) == ["09/8809000/26", "09/8809001/26", "09/8809002/26"]


def test_rows_hidden_by_a_filter_are_counted_in_a_warning(warned: Warn) -> None:
    (said,) = [words for *_, words in warned("hidden/b-rows-hidden-by-a-filter.xlsx") if "hidden" in words]
    assert said == "3 rows are hidden in the spreadsheet, as by a filter, and read all the same: is it meant?"


def test_strands_are_those_that_the_words_name(warned: Warn) -> None:
    unknown = {line: words for line, column, words in warned("strand-words/strands.csv") if "strand" in words}
    race, religion, both = ["race"], ["religion"], ["race", "religion"]
    found = list(Case.objects.order_by("crime_reference").values_list("strands", flat=True))
    assert found == [
        *(both, both, religion, religion, religion, religion, religion, race, [], [], [], []),
        *(["sexual_orientation"], ["transgender"], ["disability"], both, both, ["sexual_orientation"]),
    ]
    flags = dict(enumerate(("RI", "RS", "IS", "FH"), start=10))
    assert unknown == {line: f"Not a monitored strand: {flag}." for line, flag in flags.items()}


def test_a_repeat_victim_may_be_a_count_or_in_words(warned: Warn) -> None:
    assert [
        words for _, column, words in warned("repeat-count/repeat-as-count.csv") if "repeat" in column
    ] == []
    found = list(Case.objects.order_by("crime_reference").values_list("repeat_victim", flat=True))
    assert found == [False, True, True, True, True, True, True, False]
