"""TLS handshakes, some at a time: what a peer sends of one is read in its turn.

    secured = await handshake(transport, protocol, tls, turnstile, limit)

A handshake costs a server's processor a millisecond, and some hundred peers that send the beginning
of one at the same moment would hold the loop, and every call on it, for as long as all of them
together. So what comes before the end of a handshake goes through a turnstile, which lets a few
pass in a turn of the loop. A peer whose turn has not come is not read.

On the loop. Errors: `OSError` as `loop.start_tls` raises it; None for a connection that is gone.
Source: asyncio, `loop.start_tls`; RFC 8446, section 2.1 (a second ClientHello costs as much).
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, Final

from aybiza.gateway.admission.turnstile import Turnstile

IN_A_TURN: Final = 4
SHUTDOWN_SECONDS: Final = 2.0


async def handshake(
    transport: asyncio.Transport,
    protocol: asyncio.Protocol,
    tls: ssl.SSLContext,
    turnstile: Turnstile,
    limit: float,
) -> asyncio.Transport | None:
    """See the module. limit: seconds for all of it; `transport` is paused."""
    loop = asyncio.get_running_loop()
    gate = _Gate(transport, turnstile)
    # It comes between when the TLS stands behind the transport and nothing has been read.
    coming_between = loop.call_soon(gate.come_between, protocol)
    try:
        secured = await loop.start_tls(
            transport,
            protocol,
            tls,
            server_side=True,
            ssl_handshake_timeout=limit,
            ssl_shutdown_timeout=SHUTDOWN_SECONDS,
        )
    finally:
        coming_between.cancel()
    if not transport.is_closing():
        gate.leave()
    return secured


class _Gate(asyncio.Protocol):
    """Between the transport and its TLS, while a handshake goes on."""

    def __init__(self, transport: asyncio.Transport, turnstile: Turnstile) -> None:
        self._transport = transport
        self._inner: Any = None
        self._turnstile = turnstile
        self._unread = b""

    def come_between(self, outer: asyncio.Protocol) -> None:
        """See the class; `outer` is the protocol for which the TLS is."""
        inner = self._transport.get_protocol()
        if inner is not outer and not self._transport.is_closing():
            self._inner = inner
            self._transport.set_protocol(self)

    def leave(self) -> None:
        """The handshake is over: what is left of what was sent is the TLS's."""
        if self._inner is not None:
            # A loop looks at what its protocol is when it begins to read.
            self._transport.pause_reading()
            self._transport.set_protocol(self._inner)
            self._read()
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """What the peer sends; it is read in this turn, or it waits."""
        waited = bool(self._unread)
        self._unread += data
        if waited:
            return
        if self._turnstile.passes(self._read_later):
            self._read()
        else:
            self._transport.pause_reading()

    def _read_later(self) -> None:
        if self._unread and not self._transport.is_closing():
            self._transport.resume_reading()
            self._read()

    def _read(self) -> None:
        data, self._unread = self._unread, b""
        while data:
            buffer = self._inner.get_buffer(len(data))
            size = min(len(buffer), len(data))
            buffer[:size] = data[:size]
            self._inner.buffer_updated(size)
            data = data[size:]

    def eof_received(self) -> Any:
        """As the transport has it."""
        self._read()
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """As the transport has it."""
        self._unread = b""
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        """As the transport has it."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """As the transport has it."""
        self._inner.resume_writing()
