"""Reference data: wards, teams and modes."""

from datetime import date
from pathlib import Path

import pytest

from referrals.models import Bcu, Borough, Mode, Team, Ward, WardMode
from referrals.places.actions.wards import load_places
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry


def test_the_79_wards_of_four_boroughs_have_a_team_and_a_mode_each(system: User) -> None:
    assert load_places(by=system) == 79
    assert list(Bcu.objects.values_list("code", "name")) == [("SW", "South West")]
    # cut -d, -f4 wards.csv | sort | uniq -c, the ward with a comma in its name added to Richmond's.
    assert {borough.name: borough.wards.count() for borough in Borough.objects.all()} == {
        "Kingston upon Thames": 19,
        "Merton": 20,
        "Richmond upon Thames": 18,
        "Wandsworth": 22,
    }
    assert Team.objects.count() == 79
    assert Team.objects.values("mailbox").distinct().count() == 79
    modes = WardMode.objects.filter(mode=Mode.SRC_FOR_ALL, trial=None, starts_on=date(2020, 1, 1))
    assert modes.count() == WardMode.objects.count() == 79
    abbey = Ward.objects.get(code="E05013810")
    assert (abbey.name, abbey.borough.name) == ("Abbey", "Merton")
    assert (abbey.team.name, abbey.team.mailbox) == ("Abbey ward team", "abbey.snt@example.police.uk")


def test_wards_of_one_name_in_two_boroughs_have_a_mailbox_each(system: User) -> None:
    load_places(by=system)
    mailboxes = Team.objects.filter(name="Wandle ward team").values_list("mailbox", flat=True)
    assert sorted(mailboxes) == [
        "wandle-merton.snt@example.police.uk",
        "wandle-wandsworth.snt@example.police.uk",
    ]


def test_a_second_run_changes_nothing(system: User) -> None:
    load_places(by=system)
    assert load_places(by=system) == 0
    entries = AuditEntry.objects.filter(action=Action.REFERENCE_DATA_LOADED)
    assert [len(entry.references) for entry in entries] == [79]


def test_what_people_changed_stays(system: User) -> None:
    load_places(by=system)
    first, second, third = Ward.objects.order_by("code")[:3]
    Team.objects.filter(pk=first.team_id).update(mailbox="own@example.police.uk", name="Own name")
    Ward.objects.filter(pk=second.pk).update(team=first.team)
    third.modes.update(mode=Mode.NOT_STARTED, starts_on=date(2026, 1, 1))
    assert load_places(by=system) == 0
    assert Team.objects.get(pk=first.team_id).mailbox == "own@example.police.uk"
    assert Ward.objects.get(pk=second.pk).team == first.team
    assert [(mode.mode, mode.starts_on) for mode in third.modes.all()] == [
        (Mode.NOT_STARTED, date(2026, 1, 1))
    ]


def test_a_ward_that_appears_later_is_added_alone(system: User, tmp_path: Path) -> None:
    load_places(by=system)
    file = tmp_path / "wards.csv"
    file.write_text(
        "ward_code,ward_name,borough_code,borough_name,mode\n"
        "E05013810,Renamed,E09000024,Merton,not_started\n"
        "E05099999,New Ward,E09000024,Merton,not_started\n"
    )
    assert load_places(by=system, path=file) == 1
    assert Ward.objects.get(code="E05013810").name == "Abbey"
    assert Ward.objects.get(code="E05099999").modes.get().mode == Mode.NOT_STARTED


def test_who_keeps_no_places_loads_none(hcop: User) -> None:
    with pytest.raises(NotAllowed):
        load_places(by=hcop)
