"""Cutting a blocked request off from outside its thread.

Purpose: a barge-in must free the thread that waits for Bedrock at once, whether it is connecting,
waits for the answer's header, or reads the stream. Closing the response from another thread would
block until the read timeout; shutting its socket down wakes the reader within a millisecond.
Contract: `track_connections(client)` makes a boto3 client's connections known to the `Exchange`
that the calling thread has entered; `Exchange.sever()` shuts down the socket of that exchange and
of no other, even though connections are pooled and handed on.
Errors: `Severed` in the thread of an exchange that was severed before it had a socket. Where
botocore does not let its connections be tracked, `sever` reaches as far as urllib3's
`HTTPResponse.shutdown`.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from typing import Any

import structlog
from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)

log = structlog.get_logger(__name__)

# Guards who owns which connection. Held for microseconds, never while anything blocks.
_ownership = threading.Lock()
_current = threading.local()


class Severed(CancelledError):
    """The exchange was severed. botocore passes this class through unchanged."""


class Exchange:
    """One request and its answer, seen from the thread that runs it and the one that may end it."""

    def __init__(self) -> None:
        self._severed = False
        self._connection: _Tracked | None = None
        self._response: Any = None

    def check(self) -> None:
        """Raise Severed if `sever` has been called."""
        if self._severed:
            raise Severed

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """The calling thread's requests belong to this exchange while the context lasts."""
        _current.exchange = self
        try:
            yield
        finally:
            _current.exchange = None
            with _ownership:
                if self._connection is not None and self._connection.owner is self:
                    self._connection.owner = None
                self._connection = None
                self._response = None

    def reading(self, event_stream: object) -> None:
        """The answer's header has come, and this is boto3's event stream of its body."""
        with _ownership:
            self._response = getattr(event_stream, "_raw_stream", None)
        self.check()

    def sever(self) -> None:
        """End the exchange from any thread; idempotent, never blocks.

        Its thread wakes up at once, unless it is where nothing can reach it (a name look-up, a
        connect): then it ends when that is over, and makes no request.
        """
        with _ownership:
            self._severed = True
            response = self._response
            if self._connection is not None:
                if self._connection.owner is self:
                    self._connection.shut_down()
                return
        if response is not None:
            # Untracked: urllib3 refuses, and rightly so, if the connection is back in its pool.
            with contextlib.suppress(AttributeError, OSError, RuntimeError, ValueError):
                response.shutdown()

    def claim(self, connection: _Tracked) -> None:
        """Own `connection`; the caller holds the lock. Raises Severed."""
        self.check()
        self._connection = connection
        connection.owner = self


class _Tracked:
    """Mixin for botocore's connections: who uses this one now, and can it still be used."""

    owner: Exchange | None = None
    sock: Any
    _shut = False

    def connect(self) -> None:
        self._claim()
        super().connect()  # type: ignore[misc]
        # A cancellation may have come while there was no socket to shut down yet.
        self._claim()

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self._claim():
            # Shut down by its last user in the moment it went back to the pool: connect anew.
            self.close()
        super().request(*args, **kwargs)  # type: ignore[misc]

    def close(self) -> None:
        super().close()  # type: ignore[misc]
        with _ownership:
            self._shut = False

    def shut_down(self) -> None:
        """Wake whoever reads or writes; the caller holds the lock."""
        sock = self.sock
        if sock is not None:
            self._shut = True
            # The plain socket's method: SSLSocket's would pull the TLS state from under the reader.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _claim(self) -> bool:
        """Belong to the calling thread's exchange from now on; was the socket shut down before?"""
        exchange: Exchange | None = getattr(_current, "exchange", None)
        with _ownership:
            shut = self._shut
            if exchange is not None:
                exchange.claim(self)
            return shut


class _TrackedHTTPConnection(_Tracked, AWSHTTPConnection):  # type: ignore[misc]
    pass


class _TrackedHTTPSConnection(_Tracked, AWSHTTPSConnection):  # type: ignore[misc]
    pass


class _TrackedHTTPConnectionPool(AWSHTTPConnectionPool):
    ConnectionCls = _TrackedHTTPConnection


class _TrackedHTTPSConnectionPool(AWSHTTPSConnectionPool):
    ConnectionCls = _TrackedHTTPSConnection


def track_connections(client: object) -> bool:
    """Have `client` (a boto3 client that has made no request yet) use tracked connections.

    Returns whether botocore allowed it; its attributes that lead there are private.
    """
    try:
        classes = client._endpoint.http_session._pool_classes_by_scheme  # type: ignore[attr-defined]
        classes["http"] = _TrackedHTTPConnectionPool
        classes["https"] = _TrackedHTTPSConnectionPool
    except (AttributeError, TypeError):
        log.warning("bedrock_connections_untracked", effect="a cancelled request may hold a thread")
        return False
    return True
