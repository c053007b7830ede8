"""Import: the force's own words for strands, said once and remembered."""

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from referrals.intake.saving.save import import_cases
from referrals.models import Case, CaseImport, ImportStatus, Question, StrandMeaning
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World
from tests.extracts import extract, row
from tests.referrals.intake.views.uploading import page_of, save, text, upload

FLAGS = extract(
    row(1, hate_strands="RI"),
    row(2, hate_strands="ri"),
    row(3, hate_strands="FH"),
    row(4, hate_strands="Goth"),
)


@pytest.fixture
def browser(client_of: Callable[[User], Client], hcop: User) -> Client:
    return client_of(hcop)


@pytest.fixture
def held(browser: Client) -> CaseImport:
    upload(browser, FLAGS)
    return CaseImport.objects.get()


def _page(held: CaseImport) -> str:
    return reverse("import_strands", args=[held.pk])


def _say(browser: Client, held: CaseImport, **meanings: str) -> str:
    """Chooses a meaning for each of these words of the form."""
    return _send(browser, held, _names(browser, held), meanings)


def _names(browser: Client, held: CaseImport) -> dict[str, str]:
    """The names of the page's fields, by word."""
    html = text(browser.get(_page(held)))
    return {word: name for name, word in re.findall(r'for="id_(word-\w+)">(.*?)</label>', html)}


def _send(browser: Client, held: CaseImport, names: dict[str, str], meanings: dict[str, str]) -> str:
    """Sends a page with these fields, whatever the report has by now."""
    sent = {name: meanings.get(word, "") for word, name in names.items()}
    return text(browser.post(_page(held), sent, follow=True))


def test_the_check_of_the_import_leads_to_the_words_that_are_not_known(
    browser: Client, held: CaseImport
) -> None:
    page = page_of(browser, held)
    assert _page(held) in page
    assert "Say which strand is meant by RI, " in page
    assert sorted(_names(browser, held)) == ["FH", "Goth", "RI"]


def test_what_is_said_once_holds_for_this_file_and_the_next(
    browser: Client, held: CaseImport, world: World, hcop: User, now: datetime
) -> None:
    told = _say(browser, held, RI="race+religion", FH="religion", Goth="none")
    assert "Remembered for South West: 3 words." in told
    assert "Not a monitored strand" not in told
    said = dict(StrandMeaning.objects.values_list("word", "strands"))
    assert said == {"ri": ["race", "religion"], "fh": ["religion"], "goth": []}
    held.refresh_from_db()
    assert held.status == ImportStatus.WAITING
    save(browser, held, page_of(browser, held))
    found = Case.objects.order_by("crime_reference").values_list("strands", "questions")
    assert list(found) == [
        (["race", "religion"], []),
        (["race", "religion"], []),
        (["religion"], []),
        ([], []),
    ]
    again = import_cases(content=extract(row(9, hate_strands="R.I.")), bcu=world.south_west, by=hcop, at=now)
    assert not [warned for warned in again.warnings if warned.column == "hate_strands"]
    assert Case.objects.latest("pk").strands == ["race", "religion"]
    entry = AuditEntry.objects.get(action=Action.HEADINGS_MATCHED)
    assert entry.fields == ["hate_strands"]


def test_a_word_that_is_left_alone_is_asked_about_in_the_review(browser: Client, held: CaseImport) -> None:
    told = _say(browser, held, RI="race")
    assert "Not a monitored strand: FH." in told
    save(browser, held, page_of(browser, held))
    assert Question.STRANDS in Case.objects.order_by("crime_reference")[2].questions


@pytest.mark.parametrize("first", ["RI", "FH", "Goth"])
def test_an_answer_is_of_its_own_word_whatever_was_said_since_the_page_was_opened(
    browser: Client, held: CaseImport, first: str
) -> None:
    opened = _names(browser, held)
    _send(browser, held, opened, {first: "religion"})
    assert _names(browser, held).keys() == opened.keys() - {first}
    told = _send(browser, held, opened, {"Goth": "none"} | {first: "race"})
    assert "Remembered for South West:" in told
    said = dict(StrandMeaning.objects.values_list("word", "strands"))
    assert said == {first.lower(): ["race"], "goth": ["race"] if first == "Goth" else []}


@pytest.mark.parametrize("name", ["word-", "word-?!", "word-" + "a" * 60, "word-CR4 2YE", "heading-0"])
def test_a_field_that_names_no_word_makes_no_word(browser: Client, held: CaseImport, name: str) -> None:
    browser.post(_page(held), {name: "race"}, follow=True)
    assert _names(browser, held).keys() == {"RI", "FH", "Goth"}
    assert not StrandMeaning.objects.exists()


def test_another_bcu_has_words_of_its_own(browser: Client, held: CaseImport, world: World) -> None:
    _say(browser, held, RI="race")
    assert StrandMeaning.of(world.south_west) == {"ri": ["race"]}
    assert StrandMeaning.of(world.north) == {}


def test_where_every_word_is_known_there_is_nothing_to_say(browser: Client) -> None:
    upload(browser, extract(row(1)))
    held = CaseImport.objects.get()
    assert _page(held) not in page_of(browser, held)
    assert "Every word for a strand in this file is known." in text(browser.get(_page(held)))


def test_of_an_extract_that_was_saved_the_words_are_remembered_for_the_next(
    client_of: Callable[[User], Client], hcop: User, held: CaseImport, browser: Client
) -> None:
    save(browser, held, page_of(browser, held))
    assert browser.get(_page(held)).status_code == 302  # its report is gone
