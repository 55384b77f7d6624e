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

from aybiza.speech.websocket import Together

_CLIENTS = (
    "deepgram.listen.v1.client",
    "deepgram.listen.v2.client",
    "deepgram.speak.v1.client",
)
_CONNECT = "websockets_client_connect"

MAX_MESSAGE_BYTES: Final = 2**20


class Connection(Together, ClientConnection):
    """A connection to Deepgram."""

    client = True


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
