"""A connection that is lost before or during COMMIT: what the page says of it is true."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg2
import psycopg2.extensions
import pytest
from allauth.account.internal.flows import password_change
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from referrals.contact.actions import attempts, closing, referral_lock
from referrals.contact.actions.follow_ups import chase
from referrals.intake.held.holding import hold_extract, note_refused
from referrals.models import (
    CaseImport,
    CloseReason,
    ContactAttempt,
    Method,
    Notification,
    Referral,
    ReferralStatus,
    Result,
    Submission,
)
from referrals.review.actions.submit import submit
from src_app.accounts.models import User
from src_app.busy import Trouble
from src_app.commits import Connection
from tests.conftest import World
from tests.database import owner_rights
from tests.extracts import extract, row
from tests.factories import (
    NOW,
    PASSWORD,
    CaseFactory,
    ContactAttemptFactory,
    DecisionFactory,
    ReferralFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)

ClientOf = Callable[[User], Client]
MakeReferral = Callable[..., Referral]


class AnswerLost(psycopg2.extensions.connection):
    """Commits, and the answer does not arrive: so many times."""

    times = 0

    def commit(self) -> None:
        super().commit()
        if AnswerLost.times > 0:
            AnswerLost.times -= 1
            self.close()
            raise psycopg2.OperationalError("server closed the connection unexpectedly")


class LosingConnection(Connection, AnswerLost):
    """The application's own connection, over a line that fails."""


@pytest.fixture
def lose_answers() -> Iterator[Callable[[int], None]]:
    """From here on the answers to so many commits are lost."""
    options = connection.settings_dict["OPTIONS"]
    usual = options["connection_factory"]
    options["connection_factory"] = LosingConnection
    connection.close()

    def lose(times: int) -> None:
        AnswerLost.times = times

    yield lose
    AnswerLost.times = 0
    options["connection_factory"] = usual
    connection.close()


@contextmanager
def killed_at_commit(times: int) -> Iterator[None]:
    """The database ends the session of whoever logs an attempt while it commits: so many times."""
    with owner_rights(), connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE SEQUENCE deaths;
            CREATE FUNCTION die_at_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
            BEGIN
                IF nextval('deaths') <= {times} THEN
                    PERFORM pg_terminate_backend(pg_backend_pid());
                    PERFORM pg_sleep(5);
                END IF;
                RETURN NULL;
            END $$;
            CREATE CONSTRAINT TRIGGER die_at_commit AFTER INSERT ON referrals_contactattempt
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die_at_commit();
            """
        )
    try:
        yield
    finally:
        with owner_rights(), connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION die_at_commit CASCADE; DROP SEQUENCE deaths")


def kill_this_session() -> None:
    """As an administrator would, from another session; returns once it is gone."""
    pid = connection.connection.info.backend_pid
    parameters = {**connection.connection.info.dsn_parameters, "options": ""}
    other = psycopg2.connect(**parameters)
    try:
        other.autocommit = True
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    finally:
        other.close()


Answer = tuple[int, str]


@pytest.fixture
def log_no_answer(client_of: ClientOf, officer: User, make_referral: MakeReferral) -> Callable[[], Answer]:
    """Logs on the page that nobody answered; returns status and text of what comes of it."""
    client, referral = client_of(officer), make_referral()
    given: dict[str, Any] = {
        "key": uuid.uuid4(),
        "method": Method.TELEPHONE,
        "result": Result.NO_ANSWER,
        "note": "Later",
    }

    def log() -> Answer:
        response = client.post(reverse("log_contact", args=[referral.number]), given, follow=True)
        return response.status_code, " ".join(response.content.decode().split())

    return log


def test_lost_before_the_commit_nothing_is_saved_and_the_page_says_so(
    log_no_answer: Callable[[], Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    save = attempts._save

    def killed(*args: Any) -> Any:
        kill_this_session()
        return save(*args)

    monkeypatch.setattr(attempts, "_save", killed)
    status, text = log_no_answer()
    assert (status, Trouble.LOST.advice in text) == (503, True)
    assert not ContactAttempt.objects.exists()
    monkeypatch.undo()
    assert "attempt logged" in log_no_answer()[1]


def test_killed_during_the_commit_it_is_looked_up_and_saved_once(
    log_no_answer: Callable[[], Answer],
) -> None:
    with killed_at_commit(1):
        status, text = log_no_answer()
    assert (status, "attempt logged" in text) == (200, True)
    assert ContactAttempt.objects.count() == 1


def test_killed_during_every_commit_it_is_unknown_and_the_page_says_so(
    log_no_answer: Callable[[], Answer],
) -> None:
    with killed_at_commit(99):
        status, text = log_no_answer()
    assert (status, Trouble.UNKNOWN.advice in text) == (503, True)
    assert "Nothing of yours was saved" not in text
    assert not ContactAttempt.objects.exists()


def test_committed_without_an_answer_it_is_looked_up_and_found(
    log_no_answer: Callable[[], Answer],
    lose_answers: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    advance = attempts._advance

    def lose_then_advance(*args: Any) -> None:
        lose_answers(1)
        advance(*args)

    monkeypatch.setattr(attempts, "_advance", lose_then_advance)
    status, text = log_no_answer()
    assert (status, "attempt logged" in text) == (200, True)
    assert ContactAttempt.objects.count() == 1


def test_where_the_look_up_has_no_answer_either_it_is_not_called_unsaved(
    log_no_answer: Callable[[], Answer],
    lose_answers: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    advance = attempts._advance

    def lose_then_advance(*args: Any) -> None:
        lose_answers(2)
        advance(*args)

    monkeypatch.setattr(attempts, "_advance", lose_then_advance)
    status, text = log_no_answer()
    assert (status, Trouble.UNKNOWN.advice in text) == (503, True)
    assert "Nothing of yours was saved" not in text
    assert ContactAttempt.objects.count() == 1


def test_an_action_without_a_key_is_not_called_unsaved(
    client_of: ClientOf,
    officer: User,
    make_referral: MakeReferral,
    lose_answers: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    referral = make_referral()
    ContactAttemptFactory.create(referral=referral, result=Result.DECLINED)
    lock = referral_lock.lock_referral

    def lose_then_lock(*args: Any) -> Referral:
        lose_answers(1)
        return lock(*args)

    monkeypatch.setattr(closing, "lock_referral", lose_then_lock)
    address = reverse("close_referral", args=[referral.number])
    response = client_of(officer).post(address, {"reason": CloseReason.DECLINED})
    assert response.status_code == 503
    assert Trouble.UNKNOWN.advice in response.content.decode()
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.CLOSED


def test_what_was_saved_in_part_is_not_called_unsaved(
    client_of: ClientOf, hcop: User, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload is kept before it is read."""
    monkeypatch.setattr("referrals.intake.held.holding.start_work", lambda *_: kill_and_ask())

    def kill_and_ask() -> None:
        kill_this_session()
        CaseImport.objects.exists()

    file = SimpleUploadedFile("night.csv", extract(row()), "text/csv")
    upload = {"key": uuid.uuid4(), "bcu": world.south_west.pk, "file": file}
    response = client_of(hcop).post(reverse("import_cases"), upload)
    assert response.status_code == 503
    assert Trouble.PARTLY.advice in response.content.decode()
    assert CaseImport.objects.count() == 1


def test_a_password_that_was_changed_is_not_called_unsaved(
    client_of: ClientOf, hcop: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        kill_this_session()
        User.objects.exists()

    monkeypatch.setattr(password_change, "finalize_password_change", killed)
    changed = {"oldpassword": PASSWORD, "password1": "another long one", "password2": "another long one"}
    response = client_of(hcop).post(reverse("account_change_password"), changed)
    assert response.status_code == 503
    assert Trouble.PARTLY.advice in response.content.decode()
    assert User.objects.get(pk=hcop.pk).check_password("another long one")


Prepared = tuple[Callable[[], object], type[Model]]


def _log(hcop: User, officer: User, world: World) -> Prepared:
    referral = ReferralFactory.create(case__ward=world.wards[0])
    given: dict[str, Any] = {
        "method": Method.TELEPHONE,
        "result": Result.NO_ANSWER,
        "made_at": NOW,
        "by": officer,
        "at": NOW,
    }
    return partial(attempts.log_attempt, referral_id=referral.pk, key=uuid.uuid4(), **given), ContactAttempt


def _withdraw(hcop: User, officer: User, world: World) -> Prepared:
    logged = ContactAttemptFactory.create(
        referral__case__ward=world.wards[0], made_by=officer, result=Result.NO_ANSWER
    )
    given: dict[str, Any] = {"attempt_id": logged.pk, "key": uuid.uuid4(), "by": officer, "at": NOW}
    return partial(attempts.withdraw_attempt, **given), ContactAttempt


def _chase(hcop: User, officer: User, world: World) -> Prepared:
    referral = ReferralFactory.create(case__ward=world.wards[0])
    return partial(chase, referral_id=referral.pk, key=uuid.uuid4(), by=hcop, at=NOW), Notification


def _submit(hcop: User, officer: User, world: World) -> Prepared:
    decision = DecisionFactory.create(case=CaseFactory.create(ward=world.wards[0]), suitable=True)
    given: dict[str, Any] = {
        "seen": {decision.case_id: decision.version},
        "key": uuid.uuid4(),
        "by": hcop,
        "at": NOW,
    }
    return partial(submit, bcu=world.south_west, **given), Submission


def _hold(hcop: User, officer: User, world: World) -> Prepared:
    given: dict[str, Any] = {"key": uuid.uuid4(), "content": extract(row()), "by": hcop, "at": NOW}
    return partial(hold_extract, bcu=world.south_west, **given), CaseImport


def _note(hcop: User, officer: User, world: World) -> Prepared:
    given: dict[str, Any] = {
        "file_name": "night.csv",
        "size": 9,
        "problem": "It is no table.",
        "by": hcop,
        "at": NOW,
    }
    return partial(note_refused, bcu=world.south_west, key=uuid.uuid4(), **given), CaseImport


@pytest.mark.parametrize("prepare", [_log, _withdraw, _chase, _submit, _hold, _note])
def test_every_action_with_a_key_is_looked_up_by_it(
    prepare: Callable[[User, User, World], Prepared],
    hcop: User,
    officer: User,
    world: World,
    lose_answers: Callable[[int], None],
) -> None:
    act, model = prepare(hcop, officer, world)
    before = model._default_manager.count()
    lose_answers(1)
    act()
    assert AnswerLost.times == 0
    assert model._default_manager.count() == before + 1
