"""HttpServer: the process in which uvicorn serves the HTTP door.

The listening socket belongs to the node and is only borrowed: while this server restarts, requests
wait in its backlog instead of being refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from functools import partial
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from aybiza.actors.runtime import Exit, GenServer, Stop, Task
from aybiza.config.ports import BACKLOG
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.entrance import ACCEPT_BATCH, MAX_HEADER_BYTES, HttpConnection
from aybiza.gateway.listening import retire
from aybiza.gateway.shared_door import SharedDoor

START_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 5
GRACE_SECONDS = 2
MAX_MESSAGE_BYTES = 4096
PING_SECONDS = 10.0


_TO_A_PEER = frozenset(("websocket.send", "websocket.close"))


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: asyncio.Future[None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set_result(None)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the node's business."""
        yield


class _Socket(WebSocketsSansIOProtocol):
    """A websocket whose refusal counts as an answer.

    uvicorn takes a handshake that was refused in words for one that was forgotten, and writes an
    error into the log: a line for each that a stranger sends. What is sent to a peer who has just
    said goodbye it takes for a fault, too.
    """

    def data_received(self, data: bytes) -> None:
        if self.handshake_initiated and not self.handshake_complete:
            # No client may send ahead of the answer; what breaks the protocol then is an assertion.
            self.transport.abort()
            return
        super().data_received(data)

    async def send(self, message: Any) -> None:
        if self.close_sent and message["type"] in _TO_A_PEER:
            raise ClientDisconnected
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True


class HttpServer(GenServer):
    """See the module. `listening` is bound already; the server uses a duplicate of it. `shared`:
    a socket that all nodes of the machine accept from."""

    traps_exits = True

    async def init(
        self,
        listening: socket.socket,
        app: Starlette,
        admission: Admission | None = None,
        shared: socket.socket | None = None,
    ) -> None:
        config = uvicorn.Config(
            app,
            lifespan="off",
            loop="none",
            # The console's page; what it sends are a few words.
            ws=_Socket,
            ws_max_size=MAX_MESSAGE_BYTES,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
            ws_per_message_deflate=False,
            # Made for each connection, as a class would be.
            http=cast(Any, partial(HttpConnection, admission or Admission())),
            h11_max_incomplete_event_size=MAX_HEADER_BYTES,
            backlog=ACCEPT_BATCH,
            # Whom to believe is decided by `aybiza.gateway.admission.callers`, for both doors.
            proxy_headers=False,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        self._shared: SharedDoor | None = None
        ready: asyncio.Future[None] = self.vm.loop.create_future()
        self._server = _Uvicorn(config, ready)
        self._serving = Task.start(self.vm, self._serve, listening.dup(), ready)
        async with asyncio.timeout(START_SECONDS):
            await ready
        # asyncio takes one number for both, how many wait and how many are accepted at a time.
        listening.listen(BACKLOG)
        if shared is not None:
            state = self._server.server_state
            # As the server makes those of its own socket.
            connection = partial(
                cast(Any, config.http_protocol_class),
                config=config,
                server_state=state,
                app_state={},
            )
            self._shared = SharedDoor(self.vm, shared, connection)

    async def handle_info(self, message: Any) -> None:
        match message:
            case Exit(pid, reason) if pid == self._serving.pid:
                raise Stop(reason)

    async def terminate(self, reason: Any) -> None:
        self._leave_shared()
        self._server.should_exit = True
        with contextlib.suppress(TimeoutError):
            await self.vm.join(self._serving.pid, GRACE_SECONDS + 1.0)

    def _leave_shared(self) -> None:
        if self._shared is not None:
            self._shared.close()

    async def _serve(self, listening: socket.socket, ready: asyncio.Future[None]) -> None:
        try:
            await self._server.serve(sockets=[listening])
        finally:
            self._leave_shared()
            if not ready.done():
                ready.set_exception(RuntimeError("the HTTP server did not start"))
                listening.close()
            for server in self._server.servers if self._server.started else ():
                if server.is_serving():
                    retire(self.vm, server.sockets, server.close)
