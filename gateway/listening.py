"""Listening sockets: bound once by the node, lent to servers that come and go.

A server that is restarted stops accepting by `retire`: whom it has accepted it still serves,
everyone after them waits in the socket's backlog for the next server. So nobody is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from aybiza.actors.runtime import VM, Process

# Whoever was accepted has made the opening handshake by then, or never will.
RETIRE_SECONDS = 10.0


class Socket(Protocol):
    """A socket by its file descriptor."""

    def fileno(self) -> int:
        """The descriptor."""


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
