"""Listening sockets: bound once by the node, lent to servers that come and go.

A server that is restarted stops accepting by `retire`: whom it has accepted it still serves,
everyone after them waits in the socket's backlog for the next server. So nobody is refused.

Errors: `OSError` says which address cannot be had, and why.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from typing import Protocol

from aybiza.actors.runtime import VM, Process

# Whoever was accepted has made the opening handshake by then, or never will.
RETIRE_SECONDS = 10.0

BACKLOG = 1024
"""Connections that wait for a server to accept them."""


class Socket(Protocol):
    """A socket by its file descriptor."""

    def fileno(self) -> int:
        """The descriptor."""


def bound(host: str, port: int) -> socket.socket:
    """A listening socket at the address."""
    try:
        return socket.create_server((host, port), backlog=BACKLOG)
    except OSError as error:
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from None


def retire(vm: VM, sockets: Iterable[Socket], close: Callable[[], object]) -> None:
    """Accept nothing more from `sockets` of an asyncio server, and `close` it a little later.

    An asyncio server that is closed drops the connections that it has accepted just now.
    """
    for listening in sockets:
        vm.loop.remove_reader(listening.fileno())

    async def wait(_: Process) -> None:
        try:
            await asyncio.sleep(RETIRE_SECONDS)
        finally:
            close()

    vm.spawn_process(wait, label="RetiredServer")
