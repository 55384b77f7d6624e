"""Journals in Redis, which nodes of all machines share; a call stays for an hour after its last
entry.

    conv:{call}         list: its rows in order, as JSON
    conv:{call}:head    hash: its owner's epoch, and what it is listed with
    conv:calls          sorted set: the calls' ids by when they were opened

One Lua script decides what becomes of a part and writes it, so that a node which has lost a call
cannot slip in between; it is `placed` of `aybiza.actors.memory.store` in another language, and the
contract of all stores holds both to the same. The parts of a batch go in one pipeline, in order.
What Redis has lost (a restart, an eviction) is told as `behind`, and written again by who has it.

Errors: `StoreError` with the address, never the password. Nothing waits for longer than
`READ_SECONDS`, and nothing is tried again here.
Source: specification 001, "Memory Implementation"; Redis: "Scripting with Lua", EXPIRE.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from redis import BlockingConnectionPool, Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from aybiza.actors.memory.redis_failover import NO_REDIS, leave_demoted
from aybiza.actors.memory.store import (
    NO_ENTRY,
    About,
    CallRecord,
    Claimed,
    Part,
    Row,
    StoreError,
    Unreadable,
    Wanted,
    Written,
    dumps,
    number_of,
    told_by,
)
from aybiza.config.redact import hide_url_password
from aybiza.config.settings import Settings

TTL_SECONDS: Final = 3600
CONNECT_SECONDS: Final = 0.5
READ_SECONDS: Final = 1.0
CONNECTIONS: Final = 8
PAGE: Final = 500
CALLS: Final = "conv:calls"

# ARGV: epoch, seconds to live, pairs of what is known of the call, how many of them; and of a part
# also its first number, pairs of what its rows tell, how many of them; then its rows.
_KNOW: Final = """
local function know(from, count)
  if redis.call('HEXISTS', KEYS[2], 'agent') == 0 then
    for i = from, from + count - 1, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
  end
end
local function number(text) return tonumber(text or '0') end
local mine, ttl = tonumber(ARGV[1]), ARGV[2]
local epoch = number(redis.call('HGET', KEYS[2], 'epoch'))
"""
TOLD_CHARACTERS: Final = 200
"""Of what a server says of an error."""

_CLAIM: Final = (
    _KNOW
    + """
epoch = math.max(epoch + 1, mine)
redis.call('HSET', KEYS[2], 'epoch', string.format('%.0f', epoch))
know(4, number(ARGV[3]))
redis.call('EXPIRE', KEYS[1], ttl)
redis.call('EXPIRE', KEYS[2], ttl)
return {epoch, redis.call('LRANGE', KEYS[1], 0, -1)}
"""
)
_WRITE: Final = (
    _KNOW
    + """
local known, told, first = number(ARGV[3]), number(ARGV[4]), number(ARGV[5])
local last = redis.call('LLEN', KEYS[1])
if mine < epoch then return {'refused', epoch, last} end
if first > last + 1 then return {'behind', epoch, last} end
if mine > epoch and first <= last then
  if first == 1 then redis.call('DEL', KEYS[1])
  else redis.call('LTRIM', KEYS[1], 0, first - 2) end
  last = first - 1
end
redis.call('HSET', KEYS[2], 'epoch', ARGV[1])
know(6, known)
local rows = 6 + known + told
local new = rows + last - first + 1
if new <= #ARGV then
  for i = 6 + known, rows - 1, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
end
for i = new, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
redis.call('EXPIRE', KEYS[1], ttl)
redis.call('EXPIRE', KEYS[2], ttl)
return {'kept', mine, redis.call('LLEN', KEYS[1])}
"""
)


class RedisStore:
    """See the module and `JournalStore`."""

    def __init__(self, url: str) -> None:
        self.name = hide_url_password(url)
        pool: BlockingConnectionPool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=READ_SECONDS,
            socket_timeout=READ_SECONDS,
            socket_connect_timeout=CONNECT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
        self._redis: Any = Redis(connection_pool=pool)
        self._claim = self._redis.register_script(_CLAIM)
        self._write = self._redis.register_script(_WRITE)

    @classmethod
    def of(cls, settings: Settings) -> RedisStore:
        """The store of these settings."""
        assert settings.redis_url is not None
        return cls(settings.redis_url)

    def claim(self, call_id: str, epoch: int, about: About) -> Claimed:
        """See `JournalStore`."""
        known = _known(about)
        with self._using():
            arguments = [epoch, TTL_SECONDS, len(known), *known]
            held, texts = self._claim(_keys(call_id), arguments)
            if about.opened:
                self._redis.zadd(CALLS, {call_id: about.opened}, nx=True)
            return Claimed(int(held), [_row(call_id, text) for text in texts])

    def write(self, parts: Sequence[Part]) -> list[Written]:
        """See `JournalStore`; what an error leaves undone is done by writing again."""
        with self._using():
            pipeline = self._redis.pipeline(transaction=False)
            for part in parts:
                self._write(_keys(part.call_id), _arguments(part), client=pipeline)
            opened = {
                part.call_id: (part.about or About()).opened or part.rows[0].at
                for part in parts
                if part.rows[0].number == 1
            }
            if opened:
                pipeline.zadd(CALLS, opened, nx=True)
            answers = pipeline.execute()
        return [
            Written(part.call_id, outcome, int(epoch), int(last))
            for part, (outcome, epoch, last) in zip(parts, answers[: len(parts)], strict=True)
        ]

    def read(self, call_id: str) -> list[Row]:
        """See `JournalStore`."""
        with self._using():
            texts = self._redis.lrange(_keys(call_id)[0], 0, -1)
            return [_row(call_id, text) for text in texts]

    def find(self, wanted: Wanted, limit: int) -> list[CallRecord]:
        """See `JournalStore`; calls of the last hour, for no others are here."""
        found: list[CallRecord] = []
        with self._using():
            for page in self._pages(wanted):
                found += filter(wanted.has, page)
                if len(found) >= limit:
                    break
        return found[:limit]

    def forget(self, call_ids: Iterable[str]) -> int:
        """See `JournalStore`."""
        ids = list(call_ids)
        with self._using():
            pipeline = self._redis.pipeline()
            for call_id in ids:
                rows, head = _keys(call_id)
                pipeline.delete(head).delete(rows).zrem(CALLS, call_id)
            return sum(pipeline.execute()[::3])

    def sweep(self, now: float) -> int:
        """Take those that Redis has let go off the list; see `JournalStore`."""
        with self._using():
            old = self._redis.zrangebyscore(CALLS, "-inf", now - TTL_SECONDS, 0, PAGE)
            pipeline = self._redis.pipeline(transaction=False)
            for call_id in old:
                pipeline.exists(_keys(call_id)[1])
            gone = [one for one, there in zip(old, pipeline.execute(), strict=True) if not there]
            return int(self._redis.zrem(CALLS, *gone)) if gone else 0

    def close(self) -> None:
        """Close the connections; a later use opens new ones."""
        self._redis.connection_pool.disconnect()

    def _pages(self, wanted: Wanted) -> Iterator[list[CallRecord]]:
        most = "+inf" if wanted.until is None else f"({wanted.until!r}"
        least = "-inf" if wanted.since is None else repr(wanted.since)
        begin = 0
        while ids := self._redis.zrevrangebyscore(CALLS, most, least, begin, PAGE):
            pipeline = self._redis.pipeline(transaction=False)
            for call_id in ids:
                pipeline.hgetall(_keys(call_id)[1])
            heads = zip(ids, pipeline.execute(), strict=True)
            yield [_record(call_id, head) for call_id, head in heads if head]
            begin += PAGE

    @contextmanager
    def _using(self) -> Iterator[None]:
        try:
            yield
        except (RedisError, OSError, Unreadable) as error:
            leave_demoted(self._redis.connection_pool, error)
            told = str(error)[:TOLD_CHARACTERS] or type(error).__name__
            raise StoreError(f"{self.name}: {told}") from error
        except NO_REDIS as error:
            # Its text may hold what is kept there.
            told = f"what answers is no Redis ({type(error).__name__})"
            raise StoreError(f"{self.name}: {told}") from None


def _keys(call_id: str) -> list[str]:
    # What is in braces decides which server of a cluster has both.
    return [f"conv:{{{call_id}}}", f"conv:{{{call_id}}}:head"]


def _known(about: About | None) -> list[Any]:
    if about is None or not about.opened:
        return []
    return [text for pair in about._asdict().items() for text in pair]


def _arguments(part: Part) -> list[Any]:
    rows = part.rows
    told = told_by(rows)
    pairs: list[Any] = ["updated", told.updated]
    if told.outcome is not None:
        pairs += ["outcome", told.outcome]
    if told.turns is not None:
        pairs += ["turns", told.turns]
    known = _known(part.about)
    texts = [dumps([row.number, row.event, row.at, row.entry]) for row in rows]
    counts = (len(known), len(pairs), rows[0].number)
    return [part.epoch, TTL_SECONDS, *counts, *known, *pairs, *texts]


def _row(call_id: str, text: str) -> Row:
    try:
        match json.loads(text):
            case [int(number), int(event), at, entry]:
                known = entry if isinstance(entry, dict) else dict(NO_ENTRY)
                return Row(call_id, number, event, number_of(at), known)
    except (ValueError, RecursionError):
        pass
    raise Unreadable(f"a row of call {call_id} cannot be read")


def _record(call_id: str, head: dict[str, str]) -> CallRecord:
    opened = number_of(head.get("opened") or head.get("updated"))
    return CallRecord(
        call_id,
        head.get("caller", ""),
        head.get("agent", ""),
        head.get("tenant", ""),
        opened,
        max(number_of(head.get("updated")), opened),
        head.get("outcome", ""),
        int(number_of(head.get("turns"))),
        number_of(head.get("expires")),
    )
