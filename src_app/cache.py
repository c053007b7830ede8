"""The cache: Redis, and while that is away the memory of this process."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import InvalidResponse, RedisError

from src_app.breaker import Breaker

_REDIS = Breaker("Redis", rest=5)
# Far more accounts than anybody tries to sign in to within five minutes: the oldest are dropped beyond it.
_MOST_IN_MEMORY = 2_000


class JsonSerializer:
    """Values as JSON: what somebody else wrote into Redis is read as data and never run, as pickle would be.

    A tuple comes back as a list.
    """

    def dumps(self, value: Any) -> str:
        """The value as JSON; raises TypeError for one that has no such form."""
        return json.dumps(value)

    def loads(self, data: bytes) -> Any:
        """The value; raises :class:`~redis.exceptions.InvalidResponse` for what is not ours."""
        try:
            return json.loads(data)
        except ValueError as error:
            raise InvalidResponse("This is no JSON.") from error


def _in_memory_otherwise(name: str) -> Callable[..., Any]:
    of_redis: Callable[..., Any] = getattr(RedisCache, name)
    of_memory: Callable[..., Any] = getattr(LocMemCache, name)

    @wraps(of_redis)
    def asked(self: "RedisOrMemoryCache", *args: Any, **kwargs: Any) -> Any:
        if _REDIS.lets_through():
            try:
                found = of_redis(self, *args, **kwargs)
            except RedisError as error:
                _REDIS.failed(error)
            else:
                _REDIS.worked()
                return found
        return of_memory(self.memory, *args, **kwargs)

    return asked


class RedisOrMemoryCache(RedisCache):
    """Redis; while it does not answer, each process goes on with a memory of its own.

    So people can sign in without it. Limits hold then for each process by itself, and begin anew when Redis
    goes and when it returns.
    """

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self.memory = LocMemCache("without Redis", {**params, "OPTIONS": {"MAX_ENTRIES": _MOST_IN_MEMORY}})

    add = _in_memory_otherwise("add")
    get = _in_memory_otherwise("get")
    set = _in_memory_otherwise("set")
    touch = _in_memory_otherwise("touch")
    delete = _in_memory_otherwise("delete")
    get_many = _in_memory_otherwise("get_many")
    has_key = _in_memory_otherwise("has_key")
    incr = _in_memory_otherwise("incr")
    set_many = _in_memory_otherwise("set_many")
    delete_many = _in_memory_otherwise("delete_many")
    _clear = _in_memory_otherwise("clear")

    def clear(self) -> None:
        """Empties both."""
        self.memory.clear()
        self._clear()
