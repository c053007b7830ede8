"""The cache where Redis answers, and where it is refused, unreachable, hanging or not what it should be."""

import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings
from redis import Redis

from src_app import cache as cache_module
from src_app.accounts.models import User
from src_app.breaker import Breaker
from src_app.cache import RedisOrMemoryCache
from tests.away import hanging, refused
from tests.factories import PASSWORD

OPTIONS = django_settings.CACHES["default"]["OPTIONS"]
AWAY = ["refused", "unreachable", "hanging", "wrong password"]


@pytest.fixture(params=AWAY)
def away(request: pytest.FixtureRequest, settings: Settings) -> Iterator[None]:
    """The cache's Redis is away, in one of the ways that it can be."""
    server = None
    with hanging() as silent:
        match request.param:
            case "refused":
                server = f"redis://{refused()}/0"
            case "unreachable":
                server = "unix:///nowhere/at/all.sock?db=0"
            case "hanging":
                server = f"redis://127.0.0.1:{silent.port}/0"
            case "wrong password":
                server = f"{django_settings.REDIS_URL}&username=nobody&password=wrong"
        settings.CACHES = {"default": {**django_settings.CACHES["default"], "LOCATION": server}}
        yield


@pytest.mark.usefixtures("away")
def test_what_is_kept_is_found_while_redis_is_away(caplog: pytest.LogCaptureFixture) -> None:
    cache.set("chart", "<svg/>", 60)
    assert cache.add("lock", True, 60)
    assert not cache.add("lock", True, 60)
    cache.set("count", 1, 60)
    assert cache.incr("count") == 2
    cache.set_many({"a": 1, "b": 2}, 60)
    cache.delete("b")
    assert cache.touch("a", 60)
    assert cache.get_many(["a", "b", "chart"]) == {"a": 1, "chart": "<svg/>"}
    assert "a" in cache
    cache.delete_many(["a"])
    assert "a" not in cache
    cache.clear()
    assert cache.get("chart", "none") == "none"
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.usefixtures("away", "hcop")
def test_people_sign_in_while_redis_is_away() -> None:
    browser = Client()
    browser.post(reverse("account_login"), {"login": "hcop", "password": PASSWORD})
    assert browser.get(reverse("overnight_review")).status_code == 200


@pytest.mark.usefixtures("away", "hcop")
def test_the_lock_of_an_account_holds_while_redis_is_away() -> None:
    browser = Client()
    for password in ["wrong password"] * 5 + [PASSWORD]:
        browser.post(reverse("account_login"), {"login": "hcop", "password": password})
    assert browser.get(reverse("overnight_review")).status_code == 302


@pytest.mark.usefixtures("away", "hcop")
def test_of_an_address_failures_alone_are_counted_while_redis_is_away() -> None:
    for number in range(20):
        failed = {"login": f"nobody{number}", "password": "wrong password"}
        assert Client().post(reverse("account_login"), failed).status_code == 200
        # The last of these is refused, and whoever signed in before has used nothing up.
        signed_in = {"login": "hcop", "password": PASSWORD}
        expected = 302 if number < 19 else 200
        assert Client().post(reverse("account_login"), signed_in).status_code == expected


def _cache_at(address: str) -> RedisOrMemoryCache:
    return RedisOrMemoryCache(address, {"OPTIONS": OPTIONS})


def test_a_redis_that_hangs_is_waited_for_once() -> None:
    with hanging() as silent:
        for number in range(50):
            _cache_at(f"redis://127.0.0.1:{silent.port}/0").set(f"key{number}", 1)
        assert len(silent.callers) == 1


def test_redis_is_used_again_as_soon_as_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "_REDIS", Breaker("Redis", rest=0))
    _cache_at(f"redis://{refused()}/0").set("key", 1)
    back = _cache_at(django_settings.REDIS_URL)
    back.set("key", 2)
    assert Redis.from_url(django_settings.REDIS_URL).get(":1:key") == b"2"


class Run:
    """Somebody else's pickle, which does something when it is read."""

    times = 0

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        return _run, ()


def _run() -> None:
    Run.times += 1


@pytest.mark.parametrize("planted", [pickle.dumps(Run()), b"", b"\xff\xfe", b"{"])
def test_what_somebody_else_wrote_into_redis_is_never_run(planted: bytes) -> None:
    server = Redis.from_url(django_settings.REDIS_URL)
    for prefix in ("json", "web"):
        server.set(f"{prefix}:1:key", planted)
    assert cache.get("key", "nothing") == "nothing"
    assert Run.times == 0


@pytest.mark.parametrize("value", [None, True, 7, 0.5, "é", [1, [2]], {"a": [1, None]}])
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    cache.set("key", value, 60)
    assert cache.get("key", "nothing") == value
    assert type(cache.get("key", "nothing")) is type(value)


def test_what_is_no_json_is_a_mistake_of_ours_and_told() -> None:
    with pytest.raises(TypeError):
        cache.set("key", {1, 2}, 60)


def test_limits_are_counted_in_redis_where_it_answers(hcop: User) -> None:
    """So that they hold for all processes together."""
    Client().post(reverse("account_login"), {"login": "hcop", "password": "wrong password"})
    kept = Redis.from_url(django_settings.REDIS_URL).keys("json:1:allauth:rl:*")
    assert len(kept) == 3  # forms of the address, its failures, and those of the account
