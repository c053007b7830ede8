"""Whatever a person types goes through a field that knows what must not be kept; a field to come as well."""

import pkgutil
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.models import CharField, CheckConstraint

from outcomes.evaluation.actions import correct_data_set, lock_outcomes
from outcomes.models import DataSet
from referrals.models import Arm, DeviationKind, NoticeKind, Trial, TrialNotice, TrialStatus
from referrals.trial.actions.life import close, proposal_digest, propose, reveal, seal
from referrals.trial.bundle import export_trial
from src_app.accounts.models import User
from src_app.fields import LineField, NoteField, PublicLineField, PublicNoteField
from src_app.keys import linking_hash, names_key
from tests.conftest import World
from tests.factories import (
    NOW,
    AllocationFactory,
    ControlCheckFactory,
    DeviationFactory,
    LookFactory,
    PauseFactory,
    RecordedOutcomeFactory,
    TrialFactory,
)
from tests.spellings import MUST_GO, MUST_STAY

ROOMS = ("src_app", "referrals", "outcomes")
# What is compared, searched for, or read as numbers and days, and never kept as it was typed; and what a
# browser says of a passkey, which nobody types.
NOT_KEPT = {
    ("CodeOnceMoreForm", "code"),
    ("ComparedForm", "found"),
    ("OwnPasswordForm", "oldpassword"),
    ("OwnPasswordForm", "password1"),
    ("OwnPasswordForm", "password2"),
    ("PasskeyOnceMoreForm", "credential"),
    ("PeopleListForm", "pasted"),
    ("PeopleRowsForm", "rows"),
    ("PeopleRowsForm", "seen"),
    ("ReferenceForm", "reference"),
    ("SealForm", "digest"),
    ("SafetyForm", "seen"),
    ("SearchForm", "reference"),
    ("SeenForm", "seen"),
    ("SetUpCodeForm", "code"),
    ("SetUpPasskeyForm", "credential"),
    ("SignInCodeForm", "code"),
    ("SignInPasskeyForm", "credential"),
    ("ProtocolForm", "block_sizes"),
    ("ProtocolForm", "looks"),
}
# The typed texts in files for people outside the force, by their names there.
IN_FILES = {
    "name": ("ProtocolForm", "name"),
    "question": ("ProtocolForm", "question"),
    "eligibility": ("ProtocolForm", "eligibility"),
    "reason": ("CorrectionForm", "reason"),
}
# What a report of a trial says of how it went.
IN_A_REPORT = {("PauseForm", "reason"), ("CloseForm", "because"), ("LookForm", "reason")}
# What no person types on a page, what may have lines, and addresses, which have a form of their own.
APPS = {"accounts", "audit", "health", "referrals", "outcomes"}
NOT_A_TYPED_LINE = {
    "health.taskrun.error",
    "health.taskrun.name",
    "accounts.user.password",
    "audit.auditentry.subject",
    "audit.auditentry.origin",
    "outcomes.dataset.reason",
    "outcomes.look.reason",
    "outcomes.outcomecode.short_title",
    "outcomes.outcomecode.description",
    "referrals.allocation.stratum",
    "referrals.caseimport.problem",
    "referrals.caseimport.sheet",
    "referrals.headingmeaning.column",
    "referrals.notification.unique_key",
    "referrals.notification.message_id",
    "referrals.notification.last_error",
    "referrals.notification.recipient",
    "referrals.postcode.pcds",
    "referrals.referral.number",
    "referrals.registrar.email",
    "referrals.team.mailbox",
}


def _forms() -> Iterator[Any]:
    for room in ROOMS:
        for module in pkgutil.walk_packages(import_module(room).__path__, f"{room}."):
            if ".migrations." not in module.name and not module.name.endswith("gunicorn_settings"):
                import_module(module.name)
    ahead: list[Any] = [forms.BaseForm]
    while ahead:
        for found in ahead.pop().__subclasses__():
            ahead.append(found)
            if found.__module__.split(".")[0] in ROOMS:
                yield found


def _typed_texts() -> dict[tuple[str, str], type[forms.CharField]]:
    """The class of every field for a text, by the names of its form and its own."""
    return {
        (form.__name__, name): type(field)
        for form in _forms()
        for name, field in form.base_fields.items()
        if isinstance(field, forms.CharField) and not isinstance(field, forms.UUIDField | forms.EmailField)
    }


def test_every_text_that_is_typed_is_a_note_or_a_line() -> None:
    texts = _typed_texts()
    assert {("AttemptForm", "note"), ("ProtocolForm", "name"), ("TeamForm", "why")} <= texts.keys()
    assert {name for name, kind in texts.items() if not issubclass(kind, NoteField)} == NOT_KEPT


def test_every_text_for_people_outside_the_force_goes_through_a_field_for_it() -> None:
    public = {name for name, kind in _typed_texts().items() if issubclass(kind, PublicNoteField)}
    assert public == {*IN_FILES.values(), *IN_A_REPORT}


def _with_spaces(value: Any, name: str = "") -> Iterator[str]:
    """The names of the texts of several words: what the system writes there are codes, days and digests."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _with_spaces(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _with_spaces(inner, name)
    elif isinstance(value, str) and " " in value:
        yield name


@pytest.mark.django_db
def test_no_other_typed_text_is_in_a_file_for_people_outside_the_force(
    world: World, hcop: User, trial_lead: User, leader: User
) -> None:
    """Of trials about which everything was typed that can be."""
    by_lead: dict[str, Any] = {"by": trial_lead, "at": NOW}
    draft = propose(trial_id=_trial(world, TrialStatus.DRAFT).pk, **by_lead)
    seal(trial_id=draft.pk, digest=proposal_digest(draft), by=leader, at=NOW)
    trial = _trial(world, TrialStatus.RECRUITING)
    unit = AllocationFactory.create(trial=trial, case__ward=world.wards[0], arm=Arm.CONTROL)
    ordered = {"kind": DeviationKind.FOR_SAFETY, "ordered_by": "Insp 4021", "recorded_by": hcop}
    DeviationFactory.create(allocation=unit, **ordered)
    ControlCheckFactory.create(allocation=unit)
    PauseFactory.create(trial=trial, resumed_at=NOW, resumed_by=trial_lead)
    LookFactory.create(trial=trial)
    close(trial_id=trial.pk, because="The end of the money.", **by_lead)
    by_lead["at"] = NOW + timedelta(days=31)
    lock_outcomes(trial_id=trial.pk, **by_lead)
    RecordedOutcomeFactory.create(case=unit.case, recorded_at=NOW)
    correct_data_set(trial_id=trial.pk, reason="A code was wrong.", **by_lead)
    trial = reveal(trial_id=trial.pk, **by_lead)
    assert set(TrialNotice.objects.values_list("kind", flat=True)) == set(NoticeKind.values)
    files = [
        export_trial(trial=trial, by=trial_lead),
        *DataSet.objects.values_list("content", flat=True),
        *TrialNotice.objects.values_list("content", flat=True),
    ]
    assert set(_with_spaces(files)) == IN_FILES.keys()


def _trial(world: World, status: TrialStatus) -> Trial:
    return TrialFactory.create(bcu=world.south_west, name=f"A trial that is {status}", status=status)


@pytest.mark.parametrize("field", [NoteField, LineField, PublicNoteField, PublicLineField])
def test_what_finds_a_person_is_refused_in_every_such_field(field: type[NoteField]) -> None:
    for spelling in MUST_GO:
        with pytest.raises(ValidationError):
            field(max_length=200).clean(f"Ring {spelling} after six")


@pytest.mark.parametrize("field", [NoteField, LineField])
def test_what_only_looks_like_it_is_taken_as_typed(field: type[NoteField]) -> None:
    for text in MUST_STAY:
        assert field(max_length=200).clean(f"Seen {text} today") == f"Seen {text} today"


def test_a_refusal_names_what_is_to_be_left_out() -> None:
    with pytest.raises(ValidationError, match="Leave out \u201c07700 900123\u201d, \u201cSW15 4QQ\u201d: "):
        NoteField(max_length=200).clean("Ring 07700 900123, lives at SW15 4QQ")


def test_too_long_a_text_is_refused_before_anything_is_looked_for_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("src_app.fields.visible", lambda _: pytest.fail("It was looked through."))
    with pytest.raises(ValidationError, match="at most 200 characters"):
        NoteField(max_length=200).clean("+1 " * 1_000)


@pytest.mark.parametrize("field", [PublicNoteField, PublicLineField])
@pytest.mark.parametrize("reference", ["01/7654321/26", "CAD4711/22NOV26", "CAD 4711", "SRC-2026-000123"])
def test_a_text_for_people_outside_the_force_names_no_case(
    field: type[PublicNoteField], reference: str
) -> None:
    with pytest.raises(ValidationError, match="outside the force"):
        field(max_length=200).clean(f"Wrong in {reference}")


@pytest.mark.parametrize("field", [LineField, PublicLineField])
@pytest.mark.parametrize("sign", ["\r", "\n", "\r\n", "\t", "\x1b", "\x85", "\u2028", "\u2029"])
def test_a_line_has_no_control_character(field: type[LineField], sign: str) -> None:
    with pytest.raises(ValidationError, match="one line"):
        field(max_length=200).clean(f"SW{sign}pilot")


def test_a_line_end_after_a_line_is_dropped() -> None:
    assert LineField(max_length=200).clean(" SW pilot\r\n") == "SW pilot"


def test_a_note_may_have_lines_and_loses_what_cannot_be_seen() -> None:
    assert NoteField(max_length=200).clean("Ring\u200b at six.\nDog.\x00") == "Ring at six.\nDog."


def test_a_line_end_of_a_note_counts_as_one_character_as_it_does_on_the_page() -> None:
    assert NoteField(max_length=9).clean("Ring.\r\nDog") == "Ring.\nDog"


@pytest.mark.parametrize(
    "text",
    [
        *("See CAD 4711/22NOV26.", "cad4711/22nov26 first", "CAD 4711 / 22NOV26", "key (N 412345)"),
        *("\u201cN412345\u201d", "#N-412345", "see INC/4711.", "INC 4711", "inc_4711"),
    ],
)
def test_a_note_may_not_name_its_own_incident_or_victim(text: str) -> None:
    keys = {"incident": ("CAD4711/22NOV26", "INC-4711"), "victim": ("N412345",)}
    hashes = {linking_hash(kind, key) for kind, written in keys.items() for key in written}
    assert names_key(text, hashes)
    assert not names_key("See CAD 4712/22NOV26 and N412346", hashes)
    field = NoteField(max_length=200)
    field.own_keys = hashes
    with pytest.raises(ValidationError, match="victim's key"):
        field.clean(text)


def test_the_database_keeps_no_line_end_in_what_is_a_line() -> None:
    of_one_line, guarded = set(), set()
    for model in apps.get_models():
        label = model._meta.label_lower
        if model._meta.app_label not in APPS or label.endswith("event"):
            continue
        names = [
            constraint.name
            for constraint in model._meta.constraints
            if isinstance(constraint, CheckConstraint)
        ]
        for field in model._meta.local_concrete_fields:
            if isinstance(field, CharField) and not field.choices and field.max_length not in (32, 64):
                of_one_line.add(f"{label}.{field.name}")
                if any(name.endswith(f"_{field.name}_is_one_line") for name in names):
                    guarded.add(f"{label}.{field.name}")
    assert of_one_line - guarded == NOT_A_TYPED_LINE
