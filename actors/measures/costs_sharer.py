"""`CostsSharer`: what tenants have spent on all nodes together, so that quotas hold for a cluster.

    child(CostsSharer, "redis://…", name="costs_sharer")
    child(CostsSharer, client=client, name="costs_sharer")      as `redis.asyncio.Redis` is one

Each node writes what its own ledger says of today into a hash of Redis, `aybiza:spent:<day>`, under
its name and the tenant's, and adds up what the others have written; nobody adds to another's
figure, so that a node that starts anew, or a Redis that has lost all, is right a moment later. A
quota is known everywhere `SHARE_SECONDS` after it was reached: so much, and the requests under
way, can be spent over it. The path of a call reads the ledger and waits for nothing.

Errors: none reach a call. While Redis is away the last figures of the others hold; that is logged
once in `LOG_SECONDS`, and `events.STORE_FAILED` tells of each time.
Source: specification 000, "Phase 5" (quota management); Redis, HSET, HGETALL, EXPIRE.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from typing import Any, Final

import redis.asyncio as redis
import structlog

from aybiza.actors.measures import costs, events
from aybiza.actors.measures.events import emit
from aybiza.actors.memory.redis_failover import NO_REDIS, leave_demoted_soon
from aybiza.actors.runtime import NORMAL, Exit, GenServer, Pid, Shutdown, Stop, Task
from aybiza.claude.ledger import Ledger, day_of

SHARE_SECONDS = 1.0
REDIS_SECONDS = 2.0
KEPT_SECONDS: Final = 3 * 86_400
LOG_SECONDS = 60.0
_BETWEEN: Final = "\n"

log = structlog.get_logger(__name__)


class CostsSharer(GenServer):
    """See the module."""

    traps_exits = True

    async def init(self, url: str = "", client: Any = None) -> None:
        self._redis: Any = client or redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
            retry=None,
        )
        self._sharing: Pid | None = None
        self._logged = -math.inf
        self.send_after("share", 0.0)

    def _tell(self, reason: Any) -> None:
        emit(self.vm, events.STORE_FAILED, store="REDIS_URL")
        if self.vm.now() - self._logged >= LOG_SECONDS:
            self._logged = self.vm.now()
            why = reason.detail if isinstance(reason, Shutdown) else reason
            log.warning("costs_not_shared", reason=str(why))

    async def handle_info(self, message: Any) -> None:
        match message:
            case "share" if self._sharing is None:
                self._sharing = Task.start(self.vm, self._share).pid
            case Exit(pid, reason) if pid == self._sharing:
                self._sharing = None
                if reason != NORMAL:
                    self._tell(reason)
                self.send_after("share", SHARE_SECONDS)

    async def _share(self) -> None:
        try:
            async with asyncio.timeout(2 * REDIS_SECONDS):
                await share(self._redis, costs.ledger(self.vm), self.vm.node, time.time())
        except (redis.RedisError, OSError, TimeoutError, *NO_REDIS) as error:
            await leave_demoted_soon(self._redis.connection_pool, error)
            raise Stop(Shutdown(str(error) or type(error).__name__)) from None

    async def terminate(self, reason: Any) -> None:
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                await self._redis.aclose()
        except (redis.RedisError, OSError, TimeoutError):
            return


async def share(server: Any, ledger: Ledger, node: str, now: float) -> None:
    """Write what this node has spent today, and take what the others have."""
    day = day_of(now)
    key = f"aybiza:spent:{day}"
    own = {
        f"{node}{_BETWEEN}{tenant}": spent
        for (of, tenant), spent in ledger.tenant_days.items()
        if of == day
    }
    async with server.pipeline(transaction=False) as pipe:
        if own:
            pipe.hset(key, mapping=own)
            pipe.expire(key, KEPT_SECONDS)
        pipe.hgetall(key)
        told: dict[str, str] = (await pipe.execute())[-1]
    others: Counter[str] = Counter()
    for field, spent in told.items():
        who, between, tenant = field.partition(_BETWEEN)
        if between and who != node and spent.isdecimal():
            others[tenant] += int(spent)
    ledger.hear(day, others)
