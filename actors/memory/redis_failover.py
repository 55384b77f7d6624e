"""What to do when a Redis has become the copy of another one.

After a failover the name in REDIS_URL leads to another server, and connections that are open still
lead to the old one, which refuses to be written to for as long as they last. So they are closed.

    except RedisError as error:
        leave_demoted(pool, error)                      or: await leave_demoted_soon(pool, error)

`NO_REDIS` is what redis-py raises where what answers is no Redis, or does not speak as one: the
errors of its own reader, which knows no other word for it.

Contract: connections that somebody uses meet the error themselves. Other errors change nothing.
Errors: none.
Source: Redis, "Replication": READONLY.
"""

from __future__ import annotations

import contextlib
from typing import Any, Final

NO_REDIS: Final = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
_REFUSES: Final = "READONLY"


def is_demoted(error: BaseException) -> bool:
    """Whether a server has said that it may only be read.

    >>> is_demoted(OSError("READONLY You can't write against a read only replica."))
    True
    """
    # redis-py takes the code off where it knows it.
    return _REFUSES in str(error) or type(error).__name__ == "ReadOnlyError"


def leave_demoted(pool: Any, error: BaseException) -> None:
    """Close the connections of a pool that lead to a demoted server; for threads."""
    if is_demoted(error):
        pool.disconnect(inuse_connections=False)


async def leave_demoted_soon(pool: Any, error: BaseException) -> None:
    """The same for a pool of the loop's."""
    if is_demoted(error):
        with contextlib.suppress(OSError, TimeoutError):
            await pool.disconnect(inuse_connections=False)
