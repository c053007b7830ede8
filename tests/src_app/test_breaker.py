"""A service that failed is left alone for a while."""

import pytest

from src_app.breaker import Breaker


class Clock:
    now = 1_000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stands = Clock()
    monkeypatch.setattr("src_app.breaker.time.monotonic", lambda: stands.now)
    return stands


def test_one_caller_after_each_rest_asks_a_service_that_failed(clock: Clock) -> None:
    service = Breaker("it", rest=5)
    assert [service.lets_through() for _ in range(3)] == [True, True, True]
    service.failed(OSError())
    assert not service.lets_through()
    for _ in range(3):
        clock.now += 5
        assert [service.lets_through() for _ in range(3)] == [True, False, False]


def test_who_had_no_need_to_ask_leaves_it_to_the_next(clock: Clock) -> None:
    service = Breaker("it", rest=5)
    service.failed(OSError())
    clock.now += 5
    assert service.lets_through()
    service.not_asked()
    assert [service.lets_through() for _ in range(2)] == [True, False]


def test_everybody_asks_it_again_once_it_has_answered(clock: Clock) -> None:
    service = Breaker("it", rest=5)
    service.failed(OSError())
    service.worked()
    assert [service.lets_through() for _ in range(3)] == [True, True, True]


def test_each_time_it_goes_away_is_one_line_in_the_log(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    service = Breaker("Redis", rest=5)
    for _ in range(2):
        for _ in range(3):
            service.failed(TimeoutError("10.0.0.1"))
        service.worked()
    assert len(caplog.records) == 2
    assert "Redis" in caplog.records[0].getMessage()
    assert "10.0.0.1" not in caplog.text
