"""MediaServer: accepts Twilio's media websockets on the path `/media`.

Each connection becomes a `MediaStream` under StreamSupervisor. The listening socket belongs to the
node and is only borrowed, so a restart of this server refuses nobody, and running calls do not
notice it: their connections stay open.

Source: Twilio, Media Streams; websockets, asyncio server.
"""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from http import HTTPStatus
from typing import Any

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from actors.runtime import SHUTDOWN, VM, CallExit, Exit, GenServer, Pid, Stop, Task, is_orderly
from gateway.listening import retire
from gateway.media_stream import (
    CLOSE_GOING_AWAY,
    CLOSE_INTERNAL_ERROR,
    ContextOf,
    MediaStream,
)
from gateway.twilio_codec import MAX_FRAME_BYTES
from supervisors.child_spec import child
from supervisors.dynamic_supervisor import DynamicSupervisor
from supervisors.errors import SupervisorError

PATH = "/media"
STREAM_SUPERVISOR = "stream_supervisor"

# Longer than any call may last: the limit of the call itself comes first.
STREAM_SECONDS = 6 * 3600.0
STOP_SECONDS = 5.0
OPEN_SECONDS = 10.0

log = structlog.get_logger(__name__)


class MediaServer(GenServer):
    """See the module. `listening` is bound already; the server uses a duplicate of it."""

    traps_exits = True

    async def init(self, listening: socket.socket, context_of: ContextOf) -> None:
        self._listening = listening
        self._context_of = context_of
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
            await _carry(vm, connection, self._context_of)

        server: Server | None = None
        try:
            server = await serve(
                handle,
                sock=self._listening.dup(),
                process_request=_only_media,
                max_size=MAX_FRAME_BYTES,
                open_timeout=OPEN_SECONDS,
                # Speech does not shrink by it, and it costs each call memory and time.
                compression=None,
                # A carrier's media flows all the time; its silence is seen sooner by the call.
                ping_interval=None,
            )
            ready.set_result(None)
            await asyncio.Event().wait()
        finally:
            if server is not None:
                close = partial(server.close, close_connections=False)
                if self._closing:
                    close()
                else:
                    retire(vm, server.sockets, close)
            elif not ready.done():
                ready.set_exception(RuntimeError("the media server did not start"))


def _only_media(connection: ServerConnection, request: Request) -> Response | None:
    if request.path.split("?")[0] == PATH:
        return None
    return connection.respond(HTTPStatus.NOT_FOUND, f"Media streams connect to {PATH}.\n")


async def _carry(vm: VM, connection: ServerConnection, context_of: ContextOf) -> None:
    """Have a MediaStream carry the connection, for as long as it lives."""
    spec = child(MediaStream, connection, context_of, restart="temporary", shutdown=STOP_SECONDS)
    try:
        stream = await DynamicSupervisor.start_child(vm, STREAM_SUPERVISOR, spec)
        assert isinstance(stream, Pid)
        reason = await vm.join(stream, STREAM_SECONDS)
    except (SupervisorError, CallExit, TimeoutError) as error:
        log.error("media_stream_failed", reason=str(error))
        reason = error
    if reason == SHUTDOWN:
        await connection.close(CLOSE_GOING_AWAY, "the call goes on elsewhere")
    elif not is_orderly(reason):
        await connection.close(CLOSE_INTERNAL_ERROR, "the connection's process failed")
