"""Requests a minute of one address, with `limits`; shared by all nodes of a Redis server.

A window begins with an address's first request and lasts a minute. Requests are counted in the
process first, and whoever is beyond the limit there is refused without asking anybody. The rest is
counted in Redis, if there is one, for `REDIS_SECONDS` at most; when that fails, the process's own
count has to do for `REDIS_PAUSE_SECONDS`, and the log says so once a minute. At most `ADDRESSES`
addresses are kept: an attack from more pushes out the ones whose windows are the oldest.

Contract: `hit(address)` counts a request and returns None, or the seconds after which the address
may come again. It waits `REDIS_SECONDS` at most and raises nothing but cancellation.
Source: limits: "Rate limiting strategies", fixed window, and "Custom storage backends".
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

import structlog
from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter

from aybiza.actors.memory.redis_failover import leave_demoted_soon
from aybiza.config import clocks

ADDRESSES: Final = 20_000
MINUTE: Final = 60
REDIS_SECONDS: Final = 0.1
REDIS_PAUSE_SECONDS: Final = 5.0
REDIS_CONNECTIONS: Final = 64
LOG_SECONDS: Final = 60.0

log = structlog.get_logger(__name__)


class AddressTable(Storage):
    """Counts of windows in the process; bounded, and each step takes the same time.

    The library's own `MemoryStorage` looks at all keys after each request and keeps any number.
    """

    STORAGE_SCHEME = ["async+addresses"]  # noqa: RUF012 - the library reads it from the class

    def __init__(self, most: int = ADDRESSES, clock: Callable[[], float] = clocks.wall) -> None:
        super().__init__()
        self._most = most
        self._clock = clock
        # Number of requests and end of the window; the oldest window first.
        self._windows: dict[str, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._windows)

    @property
    def base_exceptions(self) -> type[Exception]:
        """None of its own."""
        return ValueError

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count in the window of `key`, or in a new one of `expiry` seconds."""
        now = self._clock()
        requests, until = self._windows.get(key, (0, 0.0))
        # A window that ends later than a new one would is from before the clock was put back.
        if not now < until <= now + expiry:
            self._windows.pop(key, None)
            requests, until = 0, now + expiry
            if len(self._windows) >= self._most:
                del self._windows[next(iter(self._windows))]
        self._windows[key] = requests + amount, until
        return requests + amount

    async def get(self, key: str) -> int:
        """Requests of the window."""
        return self._windows.get(key, (0, 0.0))[0]

    async def get_expiry(self, key: str) -> float:
        """When the window ends, by the wall clock."""
        return self._windows.get(key, (0, self._clock()))[1]

    async def check(self) -> bool:
        """It is always there."""
        return True

    async def reset(self) -> int:
        """Forget all."""
        count = len(self._windows)
        self._windows.clear()
        return count

    async def clear(self, key: str) -> None:
        """Forget one."""
        self._windows.pop(key, None)


class RateLimit:
    """See the module. `per_minute` 0: any number. `shared`: where all nodes count, in place of a
    Redis at an address."""

    def __init__(
        self,
        per_minute: int,
        redis_url: str | None = None,
        *,
        shared: Storage | None = None,
        clock: Callable[[], float] = clocks.wall,
        timer: Callable[[], float] = clocks.monotonic,
    ) -> None:
        self._limit = RateLimitItemPerMinute(per_minute) if per_minute else None
        self._clock = clock
        self._timer = timer
        self.table = AddressTable(clock=clock)
        self._here = FixedWindowRateLimiter(self.table)
        own = redis_url and per_minute and shared is None
        self._redis = _redis_storage(redis_url) if redis_url and own else None
        everywhere = shared or self._redis
        self._everywhere = FixedWindowRateLimiter(everywhere) if everywhere else None
        self._redis_again = 0.0
        self._logged: float | None = None

    async def hit(self, address: str) -> float | None:
        """Count a request; None, or the seconds to wait for the next one."""
        if self._limit is None:
            return None
        for limiter in (self._here, self._everywhere):
            if limiter is not None and not await self._within(limiter, address):
                return await self._seconds_left(limiter, address)
        return None

    async def aclose(self) -> None:
        """Close the connections to Redis."""
        if self._redis is not None:
            async with asyncio.timeout(REDIS_SECONDS * 10):
                await _client(self._redis).aclose()

    async def _within(self, limiter: FixedWindowRateLimiter, address: str) -> bool:
        assert self._limit is not None
        if limiter is self._here:
            return await limiter.hit(self._limit, address)
        within: bool | None = await self._ask_redis(limiter.hit(self._limit, address))
        return within is not False

    async def _seconds_left(self, limiter: FixedWindowRateLimiter, address: str) -> float:
        assert self._limit is not None
        key = self._limit.key_for(address)
        if limiter is self._here:
            until: float | None = await self.table.get_expiry(key)
        else:
            until = await self._ask_redis(limiter.storage.get_expiry(key))
        left = MINUTE if until is None else until - self._clock()
        return min(max(1.0, left), float(MINUTE))

    async def _ask_redis(self, asking: Any) -> Any:
        """What Redis answers; None if it does not, or has not just now."""
        if self._timer() < self._redis_again:
            asking.close()
            return None
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                return await asking
        except Exception as error:
            if self._redis is not None:
                await leave_demoted_soon(_client(self._redis).connection_pool, error)
            now = self._timer()
            self._redis_again = now + REDIS_PAUSE_SECONDS
            if self._logged is None or now - self._logged >= LOG_SECONDS:
                self._logged = now
                log.warning(
                    "rate_limit_alone",
                    why="Redis does not answer; addresses are counted by this node alone",
                    error=type(error).__name__,
                )
            return None


def _redis_storage(url: str) -> RedisStorage:
    # redis-py takes 6 MB, which a node without Redis does not need.
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    options: dict[str, Any] = {
        "socket_timeout": REDIS_SECONDS,
        "socket_connect_timeout": REDIS_SECONDS,
        "max_connections": REDIS_CONNECTIONS,
        "retry": Retry(NoBackoff(), 0),
    }
    if url.startswith("unix:"):
        url = f"redis+{url}"
    storage = RedisStorage(
        f"async+{url}", implementation="redispy", key_prefix="aybiza:rate", **options
    )
    if url.startswith("rediss:"):
        # A file that cannot be read is told when Redis is asked.
        with contextlib.suppress(OSError, ValueError):
            _share_context(_client(storage).connection_pool)
    return storage


def _client(storage: RedisStorage) -> Any:
    # The bridge of redis-py has it, the common one of all clients does not tell.
    return getattr(storage.bridge, "storage")  # noqa: B009


def _share_context(pool: Any) -> None:
    """Give all connections of the pool one TLS context: redis-py has each read the authorities
    anew, which takes 20 ms of the loop."""
    made = pool.connection_class
    context = made(**pool.connection_kwargs).ssl_context.get()

    def connection(**options: Any) -> Any:
        another = made(**options)
        another.ssl_context.context = context
        return another

    pool.connection_class = connection
