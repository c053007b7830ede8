"""People from a list: each row's fate before anything is saved, the saving, and the refused rows."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from referrals.models import TeamMembership
from referrals.people.actions.importing import Fate, PeoplePreview
from referrals.people.reading import MOST_ROWS
from referrals.scope import bcus_of, teams_of
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World
from tests.factories import TeamFactory, UserFactory

LIST, SAVE, REFUSED = (reverse(name) for name in ("import_people", "save_people", "refused_people"))
HEADINGS = "User name,Name,Role,E-mail,Team,BCU"
NEW = "pc7,PC 7,officer,pc7@example.police.uk,Abbey team,"


def text(*rows: str, headings: str = HEADINGS) -> str:
    return "\n".join((headings, *rows)) + "\n"


def looked(browser: Client, *rows: str, headings: str = HEADINGS) -> PeoplePreview:
    page = browser.post(LIST, {"pasted": text(*rows, headings=headings)})
    assert page.context["form"].errors == {}
    preview: PeoplePreview = page.context["preview"]
    return preview


def says(fates: list[Fate]) -> list[list[str]]:
    return [fate.says for fate in fates]


def refusal(browser: Client, given: Any) -> str:
    page = browser.post(LIST, given)
    return " ".join(str(error) for errors in page.context["form"].errors.values() for error in errors)


def saved(browser: Client, *rows: str) -> Any:
    given = text(*rows)
    return browser.post(SAVE, {"rows": given, "seen": looked(browser, *rows).digest})


@pytest.mark.parametrize("role", ["officer", "Neighbourhood officer or PCSO"])
def test_a_new_person_is_shown_then_saved_with_a_first_password_shown_once(
    browser: Client, world: World, role: str
) -> None:
    row = f"PC7,PC 7,{role},PC7@example.police.uk,{world.wards[0].code}; Balham team,"
    preview = looked(browser, row)
    assert says(preview.new) == [["PC 7", "Neighbourhood officer or PCSO", "Abbey team", "Balham team"]]
    assert not User.objects.filter(username="pc7").exists()
    assert saved(browser, row)["Location"] == reverse("first_passwords")
    page = browser.get(reverse("first_passwords"))
    ((name, username, password),) = page.context["rows"]
    assert "Saved. 1 person was added." in page.content.decode()
    user = User.objects.get(username="pc7")
    assert (name, username, user.email) == ("PC 7", "pc7", "pc7@example.police.uk")
    assert user.check_password(password)
    assert set(teams_of(user)) == {world.teams[0], world.teams[3]}
    assert password not in str(list(AuditEntry.objects.values_list()))


def test_a_file_with_a_mark_of_utf8_and_semicolons_is_read(browser: Client, world: World) -> None:
    content = ("\ufeff" + text(NEW).replace(",", ";")).encode()
    file = SimpleUploadedFile("people.csv", content)
    assert len(browser.post(LIST, {"file": file}).context["preview"].new) == 1
    tabs = text(NEW).replace(",", "\t")
    assert len(browser.post(LIST, {"pasted": tabs}).context["preview"].new) == 1


def test_each_change_is_named_and_saved_and_what_is_the_same_is_left_alone(
    browser: Client, world: World, officer: User, hcop: User, colleague: User
) -> None:
    for user in (officer, hcop, colleague):
        User.objects.filter(pk=user.pk).update(email=f"{user.username}@example.police.uk")
    rows = (
        "officer,PS 1001,supervisor,ps1001@example.police.uk,Colliers Wood team,",
        "hcop,HCOP South West,hcop,hcop@example.police.uk,,",
        "colleague,PCSO 7002,hcop,colleague@example.police.uk,,SW",
    )
    preview = looked(browser, *rows)
    assert says(preview.changed) == [
        [
            "Name: PS 1001",
            "E-mail: ps1001@example.police.uk",
            "Role: Neighbourhood supervisor",
            "Leaves Abbey team",
            "Joins Colliers Wood team",
        ],
        ["Role: Hate crime officer (HCOP)", "Leaves Abbey team", "Joins South West"],
    ]
    assert [fate.username for fate in preview.same] == ["hcop"]
    before = list(TeamMembership.objects.filter(user=hcop).values())
    assert saved(browser, *rows)["Location"] == reverse("person_list")
    officer.refresh_from_db()
    assert (officer.display_name, officer.role) == ("PS 1001", "supervisor")
    assert list(teams_of(officer)) == [world.teams[1]]
    assert not teams_of(colleague)
    assert list(bcus_of(colleague)) == [world.south_west]
    assert list(TeamMembership.objects.filter(user=hcop).values()) == before
    assert not looked(browser, *rows).to_save


def test_what_is_planned_stays_where_the_list_says_what_is_so_already(
    browser: Client, world: World, officer: User
) -> None:
    planned = timezone.localdate() + timedelta(days=9)
    TeamMembership.objects.create(user=officer, team=world.teams[5], starts_on=planned)
    saved(browser, "officer,PC 1001,officer,officer@example.police.uk,Abbey team,")
    officer.refresh_from_db()
    assert officer.email == "officer@example.police.uk"
    assert TeamMembership.objects.get(user=officer, team=world.teams[5]).ends_on is None


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("PC One,PC 7,officer,pc7@example.police.uk,,", "User name: A user name has"),
        ("pc7,,officer,pc7@example.police.uk,,", "Name: Say what the person is called"),
        ("pc7,PC 7,constable,pc7@example.police.uk,,", "Role: this is no role. Use one of: hcop, officer"),
        ("pc7,PC 7,system,pc7@example.police.uk,,", "Role: this is no role."),
        ("pc7,PC 7,officer,pc7@example.org,,", "E-mail: Give a work e-mail address that ends in"),
        ("pc7,PC 7,officer,taken@example.police.uk,,", "E-mail: somebody else has this address"),
        ("pc7,PC 7,officer,pc7@example.police.uk,Nowhere,", "Team: no team is named Nowhere"),
        ("pc7,PC 7,officer,pc7@example.police.uk,Twice team,", "Team: several teams are named Twice team"),
        ("pc7,PC 7,officer,pc7@example.police.uk,,XX", "BCU: no BCU has the code XX. Known: "),
        ("pc7,PC 7,officer,pc7@example.police.uk,,SW", "BCU: only HCOPs"),
        ("pc7,PC 7,auditor,pc7@example.police.uk,Abbey team,", "Team: only officers and supervisors"),
        ("left,PC 7,officer,pc7@example.police.uk,,", "User name: left is closed"),
        ("administrator,A,auditor,a@example.police.uk,,", "Role: change the role of an administrator"),
        ("system,A,auditor,a@example.police.uk,,", "User name: this is the account of the system"),
        ("pc7,PC 7,officer,pc7@example.police.uk,,,,", "more cells than there are headings"),
    ],
)
def test_a_row_that_cannot_be_is_refused_with_line_and_column_and_the_others_are_saved(
    browser: Client, world: World, system: User, row: str, why: str
) -> None:
    UserFactory.create(email="taken@example.police.uk")
    UserFactory.create(username="left", is_active=False)
    TeamFactory.create_batch(2, name="Twice team")
    good = "pc8,PC 8,officer,pc8@example.police.uk,Abbey team,"
    preview = looked(browser, row, good)
    (refused,) = preview.refused
    assert why in " ".join(refused.says)
    assert refused.line == 2
    saved(browser, row, good)
    assert User.objects.filter(username="pc8").exists()
    assert not User.objects.filter(username="pc7").exists()


def test_a_user_name_or_an_address_that_stands_twice_is_refused_once(browser: Client, world: World) -> None:
    preview = looked(
        browser,
        NEW,
        NEW,
        "pc8,PC 8,officer,pc7@example.police.uk,,",
        "pc9,PC 9,officer,pc9@example.police.uk,,",
    )
    assert [fate.username for fate in preview.new] == ["pc7", "pc9"]
    assert [fate.line for fate in preview.refused] == [3, 4]
    assert "it stands in line 2 already" in preview.refused[0].says[0]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "Choose a file, or paste rows."),
        ({"pasted": HEADINGS}, "There is no row under the headings"),
        ({"pasted": text(NEW, headings="User name,Name,Role")}, "A column is missing: E-mail."),
        ({"pasted": text(NEW, headings=f"{HEADINGS},Rank")}, "The heading “Rank” is not known"),
        ({"pasted": text(NEW, headings=f"{HEADINGS},Team")}, "The column Team is there twice"),
        ({"pasted": text('pc7,"PC 7')}, "Line 2 cannot be read"),
        ({"pasted": text(*[NEW] * (MOST_ROWS + 1))}, "more than 1,000 rows"),
        ({"pasted": "x" * 1_000_001}, "larger than 1 MB"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_as_a_whole(browser: Client, given: Any, why: str) -> None:
    assert why in refusal(browser, given)


def test_a_file_that_is_no_such_text_or_too_large_is_refused(browser: Client) -> None:
    for content, why in ((b"\xff\xfe\x00x", "no CSV file in UTF-8"), (b"x" * 1_000_001, "larger than 1 MB")):
        assert why in refusal(browser, {"file": SimpleUploadedFile("people.csv", content)})
    both = {"file": SimpleUploadedFile("people.csv", text(NEW).encode()), "pasted": text(NEW)}
    assert "not both" in refusal(browser, both)


def test_refused_rows_come_back_as_a_file_to_mend(browser: Client, world: World) -> None:
    rows = ("pc7,=1+1,constable,pc7@example.police.uk,,", "pc8,PC 8,officer,pc8@example.police.uk,,")
    response = browser.post(REFUSED, {"rows": text(*rows), "seen": "x"})
    content = response.getvalue().decode()
    assert content.startswith("\ufeff")
    (row,) = csv.DictReader(io.StringIO(content.removeprefix("\ufeff"), newline=""))
    assert re.match("Line 2: Role: this is no role", row.pop("Why refused"))
    assert row["Name"] == "'=1+1"
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.references) == (Action.DOWNLOADED, ["pc7"])
    mended = content.replace("constable", "officer")
    preview = browser.post(LIST, {"pasted": mended}).context["preview"]
    assert preview.new[0].given["display_name"] == "=1+1"
    again = browser.post(REFUSED, {"rows": content, "seen": "x"}).getvalue().decode()
    assert again.count("Why refused") == 1
    assert browser.post(REFUSED, {"rows": mended, "seen": "x"})["Location"] == LIST


def test_what_was_changed_since_the_look_is_looked_at_again(browser: Client, world: World) -> None:
    seen = looked(browser, NEW).digest
    UserFactory.create(username="pc7")
    response = browser.post(SAVE, {"rows": text(NEW), "seen": seen}, follow=True)
    assert "Something was changed after you looked" in response.content.decode()
    assert User.objects.get(username="pc7").email is None
    assert browser.post(SAVE, {"rows": text(NEW)})["Location"] == LIST


def test_one_list_is_saved_after_the_other_since_each_locks_accounts_in_its_own_order(
    browser: Client, world: World
) -> None:
    UserFactory.create(username="pc7")
    seen = looked(browser, NEW).digest
    with CaptureQueriesContext(connection) as queries:
        browser.post(SAVE, {"rows": text(NEW), "seen": seen})
    said = [each["sql"] for each in queries]
    [waits] = [at for at, sql in enumerate(said) if "pg_advisory_xact_lock(4900061)" in sql]
    assert waits < min(at for at, sql in enumerate(said) if "FOR NO KEY UPDATE" in sql)
    assert User.objects.get(username="pc7").email == "pc7@example.police.uk"


def test_one_row_that_fails_while_saving_leaves_nothing_saved(
    browser: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where somebody else takes the address at that moment."""
    rows = (NEW, "pc8,PC 8,officer,pc8@example.police.uk,,")
    seen = looked(browser, *rows).digest
    monkeypatch.setattr("src_app.accounts.actions._refuse_taken", _refuse_the_second)
    response = browser.post(SAVE, {"rows": text(*rows), "seen": seen}, follow=True)
    assert "Nothing was saved. Taken." in response.content.decode()
    assert not User.objects.filter(username__in=["pc7", "pc8"]).exists()


def _refuse_the_second(user: User) -> None:
    from src_app.accounts.actions import AccountRefused

    if user.username == "pc8":
        raise AccountRefused("Taken.")


def test_as_many_queries_to_look_at_thirty_rows_as_at_three(browser: Client, world: World) -> None:
    counts = []
    for rows in (3, 30):
        for number in range(rows):
            UserFactory.create(username=f"there{rows}-{number}")
        lines = [
            f"there{rows}-{number},PC,officer,t{number}@example.police.uk,Abbey team,"
            for number in range(rows)
        ]
        lines += [f"pc{number},PC,officer,pc{number}@example.police.uk,Abbey team," for number in range(rows)]
        with CaptureQueriesContext(connection) as queries:
            looked(browser, *lines)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_drawn_password_is_hashed_as_any_other_once_its_owner_signs_in(
    browser: Client, world: World, settings: Any
) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    saved(browser, NEW)
    ((_, username, password),) = browser.get(reverse("first_passwords")).context["rows"]
    quick = User.objects.get(username="pc7").password
    assert (
        Client().post(reverse("account_login"), {"login": username, "password": password}).status_code == 302
    )
    slow = User.objects.get(username="pc7").password
    assert int(quick.split("$")[1]) < 10_000 < 500_000 < int(slow.split("$")[1])
