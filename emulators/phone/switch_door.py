"""A switch's control port: what `event_socket` and `manager` share, one connection a task.

Contract: a subclass greets and takes what comes, block by block, in a `Session`; a door that is
`deaf` reads and answers nothing. The port is open within `async with`, whose end ends every
connection.
Errors: entering raises `OSError` when no port is to be had.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Final, Self

from aybiza.emulators.phone.switch import Switch, SwitchCall

MOST_BYTES: Final = 16 * 1024
"""The longest block that is taken."""


class Session(ABC):
    """One connection; over when it is no longer `open`."""

    def __init__(self, switch: Switch, writer: asyncio.StreamWriter) -> None:
        self.switch = switch
        self.writer = writer
        self.let_in = False
        self.open = True

    @abstractmethod
    def greet(self) -> None:
        """Say what the switch says to whoever connects."""

    @abstractmethod
    def take(self, block: str) -> None:
        """One block of the other side, without what ends it."""

    @abstractmethod
    def happened(self, what: str, call: SwitchCall) -> None:
        """Something has happened on the switch."""


class SwitchDoor(ABC):
    """See the module. `end`: what ends a block."""

    end: bytes

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.deaf = False
        self.address = ""
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @abstractmethod
    def session(self, writer: asyncio.StreamWriter) -> Session:
        """What serves a new connection."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=MOST_BYTES)
        self.address = "127.0.0.1:{1}".format(*self._server.sockets[0].getsockname())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._connections.values():
            writer.transport.abort()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await asyncio.sleep(0)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        session = self.session(writer)
        try:
            session.greet()
            while session.open:
                block = (await reader.readuntil(self.end)).decode()
                if not self.deaf:
                    session.take(block.removesuffix(self.end.decode()))
        except (OSError, EOFError, asyncio.LimitOverrunError):
            pass
        finally:
            del self._connections[task]
            self.switch.listeners.discard(session.happened)
            writer.close()
