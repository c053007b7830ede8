"""``load_reference_data``."""

import csv
from typing import Any

from django.apps import apps
from django.core.management import call_command

from outcomes.models import OutcomeCode
from outcomes.recording.reference import CODES, load_outcome_codes
from referrals.models import Ward, WardMode
from src_app.accounts.models import User
from src_app.accounts.roles import Role
from src_app.audit.models import AuditEntry
from tests.database import owner_rights


def everything() -> dict[str, list[Any]]:
    """All rows of the project's own tables."""
    return {
        model._meta.db_table: sorted(map(str, model._default_manager.values_list()))
        for app in ("accounts", "audit", "health", "referrals", "outcomes")
        for model in apps.get_app_config(app).get_models()
    }


def test_wards_modes_codes_and_the_system_account_are_there_afterwards(db: None, capsys: Any) -> None:
    call_command("load_reference_data")
    assert capsys.readouterr().out == "Wards added to: 79. Outcome codes added or changed: 22.\n"
    assert (Ward.objects.count(), WardMode.objects.count(), OutcomeCode.objects.count()) == (79, 79, 22)
    system = User.objects.get(role=Role.SYSTEM)
    assert not system.is_active
    assert not system.has_usable_password()
    entries = AuditEntry.objects.order_by("pk")
    assert [(entry.actor, entry.subject) for entry in entries] == [(system, "ward"), (system, "outcome code")]


def test_the_measures_are_the_pilots(db: None, system: User) -> None:
    load_outcome_codes(by=system)

    def codes(**measure: bool) -> set[int]:
        return set(OutcomeCode.objects.filter(**measure).values_list("code", flat=True))

    assert codes() == set(range(1, 23))
    assert codes(attrition=True) == {14, 16}
    assert codes(charge=True) == {1}
    assert codes(positive=True) == {1, 2, 3, 4, 5, 6, 8, 9, 10, 22}


def test_a_second_run_changes_nothing(db: None, capsys: Any) -> None:
    call_command("load_reference_data")
    before = everything()
    capsys.readouterr()
    call_command("load_reference_data")
    assert capsys.readouterr().out == "Wards added to: 0. Outcome codes added or changed: 0.\n"
    assert everything() == before


def test_a_code_that_differs_from_the_file_is_put_right(db: None, system: User) -> None:
    load_outcome_codes(by=system)
    OutcomeCode.objects.filter(code=16).update(attrition=False)
    with owner_rights():
        OutcomeCode.objects.filter(code=7).delete()
    assert load_outcome_codes(by=system) == 2
    assert OutcomeCode.objects.get(code=16).attrition
    assert AuditEntry.objects.latest("pk").references == ["7", "16"]
    with CODES.open(encoding="utf-8") as file:
        assert OutcomeCode.objects.count() == len(list(csv.DictReader(file)))
