"""MediaServer: accepts the carriers' media websockets, each on its path
(`aybiza.gateway.carriers.paths`).

Each connection becomes a `MediaStream` under StreamSupervisor. The listening socket belongs to the
node and is only borrowed, so a restart of this server refuses nobody, and running calls do not
notice it: their connections stay open.

Source: Twilio, Media Streams; websockets, asyncio server.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, cast

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from aybiza.actors.runtime import (
    SHUTDOWN,
    VM,
    CallExit,
    Exit,
    GenServer,
    Pid,
    Stop,
    Task,
    is_orderly,
)
from aybiza.config.ports import BACKLOG
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.entrance import ACCEPT_BATCH, MediaConnection
from aybiza.gateway.carriers.codec import MAX_FRAME_BYTES, Codec
from aybiza.gateway.carriers.paths import TWILIO, Carrier
from aybiza.gateway.control.control import NO_CONTROLS, Control
from aybiza.gateway.leaving import Leaving, TransfersOf, to_nobody
from aybiza.gateway.listening import retire
from aybiza.gateway.media_stream import (
    AS_THE_CARRIER_HAS_IT,
    CLOSE_GOING_AWAY,
    CLOSE_INTERNAL_ERROR,
    ELSEWHERE,
    Admit,
    Connection,
    ContextOf,
    MediaStream,
)
from aybiza.gateway.shared_door import SharedDoor
from aybiza.supervisors.child_spec import child
from aybiza.supervisors.dynamic_supervisor import DynamicSupervisor
from aybiza.supervisors.errors import SupervisorError

PATH = TWILIO[0].path
STREAM_SUPERVISOR = "stream_supervisor"

# Longer than any call may last: the limit of the call itself comes first.
STREAM_SECONDS = 6 * 3600.0
STOP_SECONDS = 5.0
OPEN_SECONDS = 10.0

log = structlog.get_logger(__name__)


class MediaServer(GenServer):
    """See the module. `listening` is bound already; the server uses a duplicate of it. `shared`:
    a socket that all nodes of the machine accept from."""

    traps_exits = True

    async def init(
        self,
        listening: socket.socket,
        context_of: ContextOf,
        carriers: Sequence[Carrier] = TWILIO,
        admission: Admission | None = None,
        controls: Mapping[str, Control] = NO_CONTROLS,
        transfers_of: TransfersOf = to_nobody,
        shared: socket.socket | None = None,
    ) -> None:
        self._admission = admission or Admission()
        self._listening = listening
        self._shared = shared
        self._leaving = {
            carrier.name: Leaving(controls.get(carrier.name), transfers_of, bool(carrier.webhook))
            for carrier in carriers
        }
        self._context_of = context_of
        self._carriers = {carrier.path: carrier for carrier in carriers}
        self._closing = False
        ready: asyncio.Future[None] = self.vm.loop.create_future()
        self._listener = Task.start(self.vm, self._listen, ready)
        await ready

    async def handle_info(self, message: Any) -> None:
        match message:
            case Exit(pid, reason) if pid == self._listener.pid:
                raise Stop(reason)

    async def terminate(self, reason: Any) -> None:
        self._closing = is_orderly(reason)

    async def _listen(self, ready: asyncio.Future[None]) -> None:
        vm = self.vm

        async def handle(connection: ServerConnection) -> None:
            assert connection.request is not None
            assert isinstance(connection, MediaConnection)
            connection.answered()
            carrier = self._carriers[_path(connection.request)]
            caller = self._admission.caller(connection.knock(connection.request))
            told: dict[str, Any] = {"carrier": carrier.name, "hidden": caller.hidden}
            visit = self._admission.visit(caller.address, connection.owes_nothing, **told)
            try:
                leaving = self._leaving[carrier.name]
                codec = carrier.codec()
                await carry(vm, connection, codec, self._context_of, visit.start, leaving)
            finally:
                visit.over()

        server: Server | None = None
        door: SharedDoor | None = None
        try:
            server = await serve(
                handle,
                sock=self._listening.dup(),
                process_request=self._ask,
                create_connection=cast(Any, partial(MediaConnection, self._admission)),
                backlog=ACCEPT_BATCH,
                server_header=None,
                select_subprotocol=self._subprotocol,
                max_size=MAX_FRAME_BYTES,
                open_timeout=OPEN_SECONDS,
                # Speech does not shrink by it, and it costs each call memory and time.
                compression=None,
                # A carrier's media flows all the time; its silence is seen sooner by the call.
                ping_interval=None,
            )
            # asyncio takes one number for both, how many wait and how many are accepted at a time.
            self._listening.listen(BACKLOG)
            if self._shared is not None:
                door = SharedDoor(vm, self._shared, partial(self._connection, server))
            ready.set_result(None)
            await asyncio.Event().wait()
        finally:
            if door is not None:
                door.close()
            if server is not None:
                close = partial(server.close, close_connections=False)
                if self._closing:
                    close()
                else:
                    retire(vm, server.sockets, close)
            elif not ready.done():
                ready.set_exception(RuntimeError("the media server did not start"))

    def _connection(self, server: Server) -> MediaConnection:
        """A connection of that server which it has not accepted itself."""

        def chosen(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
            return self._subprotocol(connection, offered)

        protocol = ServerProtocol(select_subprotocol=chosen, max_size=MAX_FRAME_BYTES)
        connection = MediaConnection(self._admission, protocol, server, ping_interval=None)
        return connection

    async def _ask(self, connection: ServerConnection, request: Request) -> Response | None:
        """None for a handshake that may come in, or the answer."""
        assert isinstance(connection, MediaConnection)
        refusal = await self._admission.handshake(connection.knock(request))
        if refusal is not None:
            response = connection.respond(refusal.status, refusal.text)
            response.headers.update(refusal.headers)
            return response
        if _path(request) in self._carriers:
            return None
        paths = ", ".join(self._carriers)
        return connection.respond(HTTPStatus.NOT_FOUND, f"Media streams connect to {paths}.\n")

    def _subprotocol(
        self, connection: ServerConnection, offered: Sequence[Subprotocol]
    ) -> Subprotocol | None:
        known = {carrier.subprotocol for carrier in self._carriers.values()}
        return next((name for name in offered if name in known), None)


def _path(request: Request) -> str:
    return request.path.split("?")[0]


async def carry(
    vm: VM,
    connection: Connection,
    codec: Codec,
    context_of: ContextOf,
    admit: Admit = lambda start: start,
    leaving: Leaving = AS_THE_CARRIER_HAS_IT,
) -> None:
    """Have a MediaStream carry the connection, for as long as it lives."""
    stream = (connection, codec, context_of, admit, leaving)
    spec = child(MediaStream, *stream, restart="temporary", shutdown=STOP_SECONDS)
    try:
        pid = await DynamicSupervisor.start_child(vm, STREAM_SUPERVISOR, spec)
        assert isinstance(pid, Pid)
        reason = await vm.join(pid, STREAM_SECONDS)
    except (SupervisorError, CallExit, TimeoutError) as error:
        log.error("media_stream_failed", reason=str(error))
        reason = error
    if reason == SHUTDOWN:
        await connection.close(CLOSE_GOING_AWAY, ELSEWHERE)
    elif not is_orderly(reason):
        await connection.close(CLOSE_INTERNAL_ERROR, "the connection's process failed")
