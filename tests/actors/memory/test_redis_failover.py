"""Connections that lead to a demoted Redis are closed, and no others."""

from __future__ import annotations

from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import ReadOnlyError, ResponseError

from aybiza.actors.memory.redis_failover import leave_demoted, leave_demoted_soon
from tests.cases import each

WORDS = "You can't write against a read only replica. script: 91, on @user_script:20."
ERRORS = {
    "a command": (ReadOnlyError(WORDS), True),
    "a script of an older server": (
        ResponseError(f"Error running script: -READONLY {WORDS}"),
        True,
    ),
    "no connection": (NotConnected("refused"), False),
    "silence": (TimeoutError(), False),
}


class Pool:
    def __init__(self) -> None:
        self.closed: list[bool] = []

    def disconnect(self, inuse_connections: bool) -> None:
        self.closed.append(inuse_connections)


class PoolOfALoop(Pool):
    async def disconnect(self, inuse_connections: bool) -> None:  # type: ignore[override]
        self.closed.append(inuse_connections)
        raise OSError("it is gone already")


@each(ERRORS.values())
def test_a_thread_leaves_a_demoted_server(error: BaseException, demoted: bool) -> None:
    pool = Pool()
    leave_demoted(pool, error)
    assert pool.closed == [False] * demoted


async def test_a_loop_leaves_a_demoted_server() -> None:
    for error, demoted in ERRORS.values():
        pool = PoolOfALoop()
        await leave_demoted_soon(pool, error)
        assert pool.closed == [False] * demoted
