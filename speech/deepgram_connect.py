"""How Deepgram's sockets connect: with one TLS context and one set of headers, and by connections
that cost little.

The SDK connects with the older client of websockets. That reads the machine's certificates anew for
each connection (15 ms in which the loop stands still, twice a call), compresses each frame of
audio, which does not shrink by it, and takes a change of tasks for each message. The SDK takes
neither a context nor a client, so its connecting function is replaced. For its headers it reads its
own version from the disk each time, 1 ms: they are asked for once.

Errors: `ImportError` for an SDK that connects in another way.
Source: deepgram-sdk, `listen.v1.client` and `speak.v1.client`; websockets, `asyncio.client`.
"""

from __future__ import annotations

import ssl
from functools import partial
from importlib import import_module
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.protocol import Event

from aybiza.config import clocks
from aybiza.speech.websocket import Message, Together

_CLIENTS = (
    "deepgram.listen.v1.client",
    "deepgram.listen.v2.client",
    "deepgram.speak.v1.client",
)
_CONNECT = "websockets_client_connect"

MAX_MESSAGE_BYTES: Final = 2**20
FRAMES_A_SECOND: Final = 5_000
"""Deepgram tells what it hears ten times a second, and a sentence comes in some hundred pieces."""


class Connection(Together, ClientConnection):
    """A connection to Deepgram. Who answers in its place, and sends without end, is hung up on."""

    client = True
    in_a_turn = 50

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._came, self._second = 0, clocks.monotonic()

    def _hand_on(self, messages: list[Message]) -> None:
        self._count(len(messages))
        super()._hand_on(messages)

    def process_event(self, event: Event) -> None:
        """As websockets has it, of what is no whole message."""
        self._count(1)
        super().process_event(event)

    def _count(self, frames: int) -> None:
        """Beyond what speech ever has the connection ends."""
        self._came += frames
        if self._came > FRAMES_A_SECOND:
            now = clocks.monotonic()
            if now - self._second < 1.0:
                self.transport.abort()
            self._came, self._second = 0, now


def connected(context: ssl.SSLContext, uri: str, *, extra_headers: Any = None) -> connect:
    """The connection that is being opened, for `async with`; who opens it keeps the time limit."""
    secured: dict[str, Any] = {"ssl": context} if uri.startswith("wss:") else {}
    return connect(
        uri,
        additional_headers=extra_headers,
        create_connection=Connection,
        compression=None,
        max_size=MAX_MESSAGE_BYTES,
        open_timeout=None,
        # As the SDK has it: whatever the environment says of proxies.
        proxy=None,
        **secured,
    )


def keep_headers(client: Any) -> None:
    """Have the SDK's `client` ask for its headers no more; not for the loop, as it reads files."""
    wrapper: Any = getattr(client, "_client_wrapper", None)
    if hasattr(wrapper, "get_headers"):
        told = dict(wrapper.get_headers())
        wrapper.get_headers = lambda: dict(told)


def replace_connect() -> None:
    """Build a context and have the SDK connect with it; not for the loop, as it takes 15 ms."""
    ours = partial(connected, ssl.create_default_context())
    for name in _CLIENTS:
        client = import_module(name)
        if getattr(client, _CONNECT, None) is None:
            raise ImportError(
                f"this deepgram-sdk does not fit: {name} has no {_CONNECT};"
                " install the version that constraints.txt names"
            )
        setattr(client, _CONNECT, ours)
