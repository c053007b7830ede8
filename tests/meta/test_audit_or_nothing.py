"""Where the audit row cannot be written, nothing is changed: tried on every action there is."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterable
from types import ModuleType
from typing import Any

import pytest
from django.apps import apps
from pytest_django.fixtures import Settings

import outcomes
import referrals
import src_app.accounts
from referrals.contact.actions.refer import refer
from referrals.crime_record.actions.flags import (
    reconcile_flags,
)
from referrals.trial.bundle import export_trial, head_of
from referrals.trial.check import check_trial
from src_app.accounts.models import User
from src_app.audit import record as audit_record
from tests.conftest import World
from tests.meta import prepared
from tests.meta.prepared.scene import ARGUMENTS, Act, Scene

# They give something outside and change nothing: without its audit row it is not given.
DISCLOSURES = {export_trial, head_of, check_trial, reconcile_flags}
# Parts of an action: their caller holds the transaction or writes the row. Delivery of mail commits its claim
# before it sends, on purpose. A look at the watched folder calls the actions here for each file.
# A question about power saves nothing.
PARTS = {
    "ask_for_duplicates",
    "ask_hcop",
    "ask_power",
    "check_authority",
    "check_may_export",
    "check_scope",
    "check_trial_wards",
    "close_by_record",
    "close_locked",
    "close_not_suitable",
    "deliver",
    "deliver_new",
    "deliver_waiting",
    "drop_contacts",
    "drop_ring_again",
    "drop_tasks",
    "end_stops",
    "export_cases",
    "follow_ward",
    "give_notice",
    "hand_over",
    "leave_closed_team",
    "lock_draft",
    "lock_referral",
    "lock_submitted",
    "lock_trial",
    "locked",
    "look_for_power",
    "mark_sent",
    "move_due",
    "note_head",
    "own_contacts",
    "preview_cases",
    "preview_roll_out",
    "raise_task",
    "record_change",
    "record_sent",
    "record_trial",
    "refer_again",
    "refuse_handed_over",
    "refuse_officer_in_case",
    "send_test",
    "take_extracts",
    "take_step",
    "tell",
    "tell_registrars",
    "tell_since",
}


def _modules(package: ModuleType) -> Iterable[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if ".management" not in found.name and ".migrations" not in found.name:
            yield importlib.import_module(found.name)


# Each fills ARGUMENTS.
list(_modules(prepared))


def test_every_action_is_tried_here() -> None:
    """An action is a public function told who acts; a new one needs its lines in ``prepared``."""
    modules = [*_modules(referrals), *_modules(outcomes), *_modules(src_app.accounts)]
    actions = {
        function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        if not name.startswith("_")
        if "by" in inspect.signature(function).parameters
    }
    # A referral is made, or opened again, inside another action, and tried with it.
    assert {action.__name__ for action in actions - set(ARGUMENTS) - {refer}} == PARTS


class AuditFails(Exception):
    """What the test makes happen."""


class _Broken:
    """In place of the audit model: it cannot be written."""

    def __init__(self, **_: Any) -> None:
        pass

    class objects:  # noqa: N801 - as Django names it
        @staticmethod
        def bulk_create(*_: Any, **__: Any) -> None:
            raise AuditFails


def _everything() -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the project's own tables, history among them, but for the audit log."""
    return {
        model._meta.label: sorted(model._default_manager.values_list(), key=repr)
        for model in apps.get_models()
        if model._meta.app_label in {"accounts", "referrals", "outcomes"}
    }


@pytest.fixture(autouse=True)
def _mailbox(settings: Settings) -> None:
    """Without one nobody is told of faults."""
    settings.ADMIN_MAILBOX = "administrator@example.org"


@pytest.fixture
def scene(
    world: World,
    hcop: User,
    officer: User,
    supervisor: User,
    trial_lead: User,
    leader: User,
    system: User,
) -> Scene:
    people = (hcop, officer, supervisor, trial_lead, leader, system)
    return Scene(world, {str(user.role): user for user in people})


@pytest.mark.parametrize("action", ARGUMENTS, ids=lambda action: action.__name__)
def test_nothing_is_changed(action: Act, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ARGUMENTS[action](scene)
    before = _everything()
    with monkeypatch.context() as broken:
        broken.setattr(audit_record, "AuditEntry", _Broken)
        with pytest.raises(AuditFails):
            action(**arguments)
    assert _everything() == before
    for file in arguments.get("files", []):
        file.seek(0)
    action(**arguments)
    changed = _everything() != before
    assert changed is (action not in DISCLOSURES), "with the log in order it does change something"
    for file in arguments.get("files", []):
        file.close()
