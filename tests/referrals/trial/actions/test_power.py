"""Asking a worker what a design could find: the newest question counts, and each is worked out once."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from redis import Redis

from referrals.rules.trial.allocation import Design, Scheme
from referrals.rules.trial.protocol import Expected
from referrals.tasks import work_out_power
from referrals.trial.actions import power
from referrals.trial.actions.power import PATIENCE, PowerAnswer, ask_power, look_for_power
from referrals.trial.readers.power import Panel, PowerQuestion
from src_app import cache as cache_module
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.accounts.roles import Role
from tests.factories import NOW, UserFactory

WORDS = Panel(["Said of this one."], [], [], [])


def _question(target: int) -> PowerQuestion:
    return PowerQuestion(Design(Scheme.SIMPLE, target), Expected(31, 24, 5), 2)


FIRST, SECOND = _question(100), _question(200)


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The targets that were worked out, each in two steps."""
    done: list[int] = []

    def panel_of(question: PowerQuestion, before_each_step: Callable[[], None]) -> Panel:
        before_each_step()
        during(question)
        before_each_step()
        done.append(question.design.target)
        return WORDS

    monkeypatch.setattr(power, "panel_of", panel_of)
    return done


happens: list[Callable[[], object]] = []


def during(_: PowerQuestion) -> None:
    """What happens while the next panel is worked out."""
    if happens:
        happens.pop(0)()


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    yield
    happens.clear()


def _ask(question: PowerQuestion, by: User, after: timedelta = timedelta(0)) -> PowerAnswer:
    return ask_power(question=question, by=by, at=NOW + after)


def _look(question: PowerQuestion, by: User, after: timedelta = timedelta(0)) -> PowerAnswer:
    return look_for_power(digest=question.digest, by=by, at=NOW + after)


def _sent() -> int:
    return int(Redis.from_url(django_settings.REDIS_URL).llen("celery"))


def test_a_question_is_sent_once_and_its_answer_is_there_for_everybody(
    trial_lead: User, worked_out: list[int]
) -> None:
    assert [_ask(FIRST, trial_lead).awaited for _ in range(3)] == [FIRST.digest] * 3
    assert _sent() == 1
    work_out_power(trial_lead.pk)
    work_out_power(trial_lead.pk)
    assert worked_out == [100]
    assert _look(FIRST, trial_lead) == _ask(FIRST, trial_lead) == PowerAnswer(WORDS)
    assert _sent() == 1


def test_of_many_questions_of_one_person_the_newest_alone_is_worked_out(
    trial_lead: User, worked_out: list[int]
) -> None:
    for target in range(100, 140):
        _ask(_question(target), trial_lead)
    for _ in range(40):
        work_out_power(trial_lead.pk)
    assert worked_out == [139]
    assert "another design since" in _look(FIRST, trial_lead).trouble


def test_what_is_superseded_while_it_is_worked_out_is_left_for_the_newest(
    trial_lead: User, worked_out: list[int]
) -> None:
    _ask(FIRST, trial_lead)
    happens.append(lambda: _ask(SECOND, trial_lead))
    work_out_power(trial_lead.pk)
    assert worked_out == [200]
    assert _look(SECOND, trial_lead) == PowerAnswer(WORDS)


def test_one_worker_at_a_time_works_for_one_person(trial_lead: User, worked_out: list[int]) -> None:
    def meanwhile() -> None:
        _ask(SECOND, trial_lead)
        work_out_power(trial_lead.pk)  # another worker is sent the second one
        assert worked_out == []

    _ask(FIRST, trial_lead)
    happens.append(meanwhile)
    work_out_power(trial_lead.pk)
    assert worked_out == [200]


def test_people_do_not_supersede_each_other(trial_lead: User, worked_out: list[int]) -> None:
    north_lead = UserFactory.create(role=Role.TRIAL_LEAD)
    _ask(FIRST, trial_lead)
    _ask(SECOND, north_lead)
    for user in (trial_lead, north_lead):
        work_out_power(user.pk)
    assert worked_out == [100, 200]


def test_after_a_minute_it_is_said_to_be_late_and_can_be_asked_again(trial_lead: User) -> None:
    _ask(FIRST, trial_lead)
    assert _look(FIRST, trial_lead, PATIENCE).awaited
    late = PATIENCE + timedelta(seconds=1)
    assert "longer than it should" in _look(FIRST, trial_lead, late).trouble
    assert _ask(FIRST, trial_lead, late).awaited
    assert _sent() == 2
    assert _look(FIRST, trial_lead, 2 * PATIENCE).awaited


def test_without_the_broker_it_is_said_at_once_and_nothing_is_left_of_it(
    trial_lead: User, worked_out: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setattr(power, "send_task", lambda *_: False)
        assert "the worker cannot be reached" in _ask(FIRST, trial_lead).trouble
    assert _ask(FIRST, trial_lead).awaited
    work_out_power(trial_lead.pk)
    assert worked_out == [100]


def test_where_the_cache_is_of_this_process_alone_the_worker_finds_nothing_to_do(
    trial_lead: User, worked_out: list[int]
) -> None:
    cache_module._REDIS.failed(OSError())
    _ask(FIRST, trial_lead)
    cache_module._REDIS.worked()
    work_out_power(trial_lead.pk)
    assert worked_out == []
    assert _ask(FIRST, trial_lead).awaited


def test_whoever_reads_no_trials_may_not_ask(officer: User, hcop: User) -> None:
    for user in (officer, hcop):
        with pytest.raises(NotAllowed):
            _ask(FIRST, user)
        with pytest.raises(NotAllowed):
            _look(FIRST, user)


def test_a_step_that_fails_lets_go_for_the_next_one(trial_lead: User, worked_out: list[int]) -> None:
    def fails() -> None:
        raise OSError("a step fails")

    _ask(FIRST, trial_lead)
    happens.append(fails)
    with pytest.raises(OSError, match="a step fails"):
        work_out_power(trial_lead.pk)
    work_out_power(trial_lead.pk)
    assert worked_out == [100]
