"""One TLS context for all of Deepgram's sockets.

Left to itself each connection reads the machine's certificates anew: 15 ms in which the loop stands
still, twice a call. The SDK takes no context, so its connecting function is given one.

Errors: `ImportError` for an SDK that connects in another way.
Source: deepgram-sdk, `listen.v1.client` and `speak.v1.client`; websockets, `connect`.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from importlib import import_module
from typing import Any

_CLIENTS = (
    "deepgram.listen.v1.client",
    "deepgram.listen.v2.client",
    "deepgram.speak.v1.client",
)
_CONNECT = "websockets_client_connect"


class _SharedContext:
    """`connect` of websockets, with `context` where the address asks for TLS."""

    def __init__(self, connect: Callable[..., Any], context: ssl.SSLContext) -> None:
        self.connect = connect
        self.context = context

    def __call__(self, uri: str, **options: Any) -> Any:
        if uri.startswith("wss:"):
            options.setdefault("ssl", self.context)
        return self.connect(uri, **options)


def share_context() -> None:
    """Build a context and have the SDK's sockets use it; not for the loop, as it takes 15 ms."""
    context = ssl.create_default_context()
    for name in _CLIENTS:
        client = import_module(name)
        connect = getattr(client, _CONNECT, None)
        if connect is None:
            raise ImportError(
                f"this deepgram-sdk does not fit: {name} has no {_CONNECT};"
                " install the version that constraints.txt names"
            )
        if isinstance(connect, _SharedContext):
            connect = connect.connect
        setattr(client, _CONNECT, _SharedContext(connect, context))
