"""SharedDoor: a listening socket that all nodes of a machine accept from.

Whoever knocks wakes them all. The node with the most room takes them at once; the others leave them
to it for as long as `Board.patience` says, and look then whether they still wait. So a call goes
where there is room, and nobody waits longer than that for a node that hangs, drains or is dead.

Contract: the socket outlives the door; nobody who waits there is lost when a door closes or a node
dies. What is accepted is carried by `protocol`, as a server's own connections are.
Errors: none; a connection that cannot be accepted is logged.
Source: accept(2), epoll(7); asyncio, `loop.connect_accepted_socket`.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import structlog

from aybiza.actors.placement.placement_actor import board
from aybiza.actors.runtime import VM

BATCH = 16
"""Connections that are accepted in one step of the loop; calls go on in between."""
REST_SECONDS = 1.0
"""After a connection that could not be accepted, for want of descriptors: as asyncio rests."""

log = structlog.get_logger(__name__)


class SharedDoor:
    """See the module. Belongs to the loop; accepts from when it is made until `close`."""

    def __init__(
        self, vm: VM, listening: socket.socket, protocol: Callable[[], asyncio.Protocol]
    ) -> None:
        self._vm = vm
        self._listening = listening.dup()
        self._listening.setblocking(False)
        self._protocol = protocol
        self._timer: asyncio.TimerHandle | None = None
        self._entering: set[asyncio.Task[None]] = set()
        self._listen()

    def close(self) -> None:
        """Accept nobody any more. Who has been accepted stays."""
        self._rest()
        if self._timer is not None:
            self._timer.cancel()
        self._listening.close()

    def _listen(self) -> None:
        self._vm.loop.add_reader(self._listening.fileno(), self._knocked)

    def _rest(self) -> None:
        if self._listening.fileno() >= 0:
            self._vm.loop.remove_reader(self._listening.fileno())

    def _knocked(self) -> None:
        patience = board(self._vm).patience(self._vm.now())
        if patience:
            self._later(patience)
        else:
            self._take(1)

    def _later(self, seconds: float) -> None:
        self._rest()
        self._timer = self._vm.loop.call_later(seconds, self._look_again)

    def _look_again(self) -> None:
        self._listen()
        self._take(BATCH)

    def _take(self, most: int) -> None:
        for _ in range(most):
            try:
                connection, _address = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                log.error("connection_not_accepted", error=str(error))
                self._later(REST_SECONDS)
                return
            connection.setblocking(False)
            task = self._vm.loop.create_task(self._enter(connection))
            self._entering.add(task)
            task.add_done_callback(self._entering.discard)

    async def _enter(self, connection: socket.socket) -> None:
        try:
            await self._vm.loop.connect_accepted_socket(self._protocol, connection)
        except OSError as error:
            # Gone before it was taken.
            log.debug("connection_not_taken", error=str(error))
            connection.close()
