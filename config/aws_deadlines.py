"""A limit for all of one operation of an AWS client, however slowly its service answers.

    cuts = Cuts(); cuts.watch(client)          before the client's first request
    with cuts.within(60.0) as limit: client.put_object(…)
    limit.over                                 it was ended, for its time was up

boto3's limits hold for each reading and writing of a socket: who sends a byte of a header every
twenty seconds keeps a thread for weeks. When its time is up the connection of the operation is shut
down, which wakes the thread. Operations of other threads go on.

Contract: for threads; one timer an operation. Where botocore keeps its connections elsewhere, which
is an attribute of its own, the log says so and nothing is cut. Errors: what botocore makes of a
connection that is shut down, a `BotoCoreError`; or none, where what has come looks like an answer:
`over` is to be looked at in any case.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Limit:
    """One operation's; see the module."""

    def __init__(self) -> None:
        self.over = False


class Cuts:
    """See the module."""

    def __init__(self) -> None:
        self._used: dict[int, Any] = {}

    def watch(self, client: Any) -> None:
        """See the module."""
        try:
            manager = client._endpoint.http_session._manager
            pools = dict(manager.pool_classes_by_scheme)
            manager.pool_classes_by_scheme = {
                scheme: type(pool.__name__, (pool,), {"ConnectionCls": self._noted(pool)})
                for scheme, pool in pools.items()
            }
        except AttributeError:
            log.warning("aws_operations_unlimited", effect="a service that drips keeps a thread")

    @contextmanager
    def within(self, seconds: float) -> Iterator[Limit]:
        """See the module."""
        limit, thread = Limit(), threading.get_ident()
        timer = threading.Timer(seconds, self._cut, (limit, thread))
        timer.daemon = True
        timer.start()
        try:
            yield limit
        finally:
            timer.cancel()
            self._used.pop(thread, None)

    def _noted(self, pool: Any) -> Any:
        """The connections of a pool, which tell who uses them."""
        used, kind = self._used, pool.ConnectionCls

        class Noted(kind):  # type: ignore[misc, valid-type]
            def connect(self) -> Any:
                used[threading.get_ident()] = self
                return super().connect()

            def request(self, *args: Any, **options: Any) -> Any:
                used[threading.get_ident()] = self
                return super().request(*args, **options)

        return Noted

    def _cut(self, limit: Limit, thread: int) -> None:
        limit.over = True
        held = getattr(self._used.get(thread), "sock", None)
        if held is not None:
            with contextlib.suppress(OSError):  # it has ended by itself
                held.shutdown(socket.SHUT_RDWR)
