"""MediaStream: one media websocket of Twilio, and the call on it.

A process a websocket. It reads frames, writes frames, owns the call's line, and has a CallSession
run on it; what is said is not its business. It outlives the session: when one goes down before the
call has ended it asks for a new one on the same line, so the caller stays connected. When it ends
itself, the session sees the line go; the caller comes back by the `<Redirect>` of the call's
TwiML.

How it ends, and the websocket's close code:

    the conversation is over                      1000
    the caller hung up (`stop`) or the socket went  (closed by the other side)
    the node stops; a newer stream has the call   1001: Twilio goes on to the `<Redirect>`
    bad input                                     as `gateway.twilio_codec` says
    no capacity, the session keeps failing        1013, 1011: as 1001

Source: Twilio, "Media Streams: WebSocket messages"; RFC 6455, section 7.4.1.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from actors import names
from actors.call_context import CallContext
from actors.memory_actor import Forget
from actors.metrics_actor import count
from actors.registry_actor import names as registered
from actors.runtime import (
    KILL,
    NORMAL,
    SHUTDOWN,
    VM,
    CallExit,
    Exit,
    GenServer,
    Pid,
    Process,
    Stop,
    Task,
)
from dialogue.events import DigitPressed, Heard, HungUp
from gateway import twilio_codec as codec
from gateway.twilio_codec import Dtmf, Mark, Media, ProtocolError, Start, TwilioStream, Unknown
from speech.line import Line
from supervisors.call_session import call_session
from supervisors.dynamic_supervisor import DynamicSupervisor
from supervisors.errors import SupervisorError

CLOSE_NORMAL = 1000
CLOSE_GOING_AWAY = 1001
CLOSE_INTERNAL_ERROR = 1011
CLOSE_TRY_AGAIN_LATER = 1013

START_SECONDS = 10.0
WRITE_SECONDS = 5.0
CLOSE_SECONDS = 2.0
HANG_UP_SECONDS = 5.0
CALL_SUPERVISOR_SECONDS = 2.0
OLDER_STREAM_SECONDS = 1.0
SESSION_RETRY_SECONDS = 0.01

# A session that goes down more often than this within the time is not mended by another.
SESSION_RESTARTS = 5
SESSION_RESTART_SECONDS = 30.0

# Frames that wait for a peer which does not read; at 200 ms a frame far more than the lead.
WRITER_BACKLOG = 500

log = structlog.get_logger(__name__)

# Makes the context of a call from its line and what Twilio told of it.
ContextOf = Callable[[Line, Start], CallContext]


class MediaStream(GenServer):
    """See the module."""

    traps_exits = True

    async def init(self, socket: ServerConnection, context_of: ContextOf) -> None:
        self.call_id = ""
        self._socket = socket
        self._context_of = context_of
        self._context: CallContext | None = None
        self._session: Pid | None = None
        self._sessions_lost: deque[float] = deque()
        self._leaving = False
        self._writer = _Writer(self.vm, socket)
        self._reader = Task.start(self.vm, self._read)
        self.send_after("no_start", START_SECONDS)

    async def handle_info(self, message: Any) -> None:
        match message:
            case Start() if self._context is not None:
                await self._take_over()
                await self._begin()
            case Mark(name) if self._context is not None:
                sentence = self._context.line.ledger.marked(name)
                if sentence is not None:
                    self._context.line.post(Heard(*sentence))
            case Dtmf(digit) if self._context is not None:
                self._context.line.post(DigitPressed(digit))
            case codec.Stop():
                self._hang_up()
            case Unknown():
                log.warning("media_event_unknown", call_id=self.call_id, event_=str(message))
            case Exit(pid, reason) if pid == self._session:
                await self._session_gone(reason)
            # A caller who has hung up is no lost line: the session notes it and ends.
            case ProtocolError() if not self._leaving:
                await self._refuse(message)
            case Exit(pid, reason) if pid == self._reader.pid and not self._leaving:
                if reason != NORMAL:
                    await self._close(CLOSE_INTERNAL_ERROR, "the stream cannot be read")
                raise Stop(NORMAL)
            case Exit(pid, reason) if pid == self._writer.pid:
                log.warning("media_peer_stalled", call_id=self.call_id, reason=str(reason))
                raise Stop(SHUTDOWN)
            case "no_start" if self._context is None:
                await self._close(codec.CLOSE_POLICY_VIOLATION, "no start message came")
            case "session" if self._session is None:
                await self._begin()
            case "hung_up":
                raise Stop(SHUTDOWN)

    async def terminate(self, reason: Any) -> None:
        if self._session is not None:
            await self._end_session(self._session)
        self.vm.cast(names.MEMORY, Forget(self.call_id))
        self.vm.exit(self._reader.pid, KILL)
        self.vm.exit(self._writer.pid, KILL)

    # The socket

    async def _read(self) -> None:
        """Frames in, until the socket is gone or one is not to be taken."""
        try:
            await self._take_frames()
        except ProtocolError as error:
            self.vm.send(self.pid, error)
        except ConnectionClosed as end:
            if end.sent is not None and not end.rcvd_then_sent and not self._leaving:
                # A frame was refused by the websocket itself.
                self._note_refusal(int(end.sent.code), end.sent.reason)

    async def _take_frames(self) -> None:
        """Audio goes straight to the line, the rest to the process."""
        stream, owner = TwilioStream(), self.pid
        line: Line | None = None
        async for frame in self._socket:
            event = stream.receive(frame)
            if type(event) is Media:
                assert line is not None
                line.hear(event.payload)
                continue
            if type(event) is Start:
                self._writer.stream_sid = event.stream_sid
                line = Line(event.call_sid, self._writer, owner=owner)
                self.call_id = event.call_sid
                self._context = self._context_of(line, event)
            self.vm.send(owner, event)

    def _note_refusal(self, code: int, why: str) -> None:
        count(self.vm, "aybiza_errors_total", kind="media_protocol")
        log.warning("media_refused", call_id=self.call_id, code=code, why=why)

    async def _refuse(self, error: ProtocolError) -> None:
        self._note_refusal(error.close_code, error.reason)
        await self._close(error.close_code, error.reason)

    async def _close(self, code: int, why: str) -> None:
        """Close the websocket, and end."""
        log.info("media_closing", call_id=self.call_id, code=code, reason=why)
        self._leaving = True
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._writer.drained()
                await self._socket.close(code, why)
        except (TimeoutError, CallExit, ConnectionClosed):
            self._socket.transport.abort()
        raise Stop(NORMAL)

    def _hang_up(self) -> None:
        self._leaving = True
        if self._context is not None:
            self._context.line.post(HungUp())
        self.send_after("hung_up", HANG_UP_SECONDS)

    # The session

    async def _take_over(self) -> None:
        """A caller has one line: an older stream, whose end has gone unnoticed, ends now."""
        name = names.stream(self.call_id)
        while (older := self.vm.whereis(name)) is not None:
            log.info("older_stream_ends", call_id=self.call_id, stream=str(older))
            try:
                await self.vm.stop(older, SHUTDOWN, OLDER_STREAM_SECONDS)
            except CallExit:
                self.vm.exit(older, KILL)
                await self.vm.join(older, None)
        registered(self.vm).register(self._process, name.key)

    async def _begin(self) -> None:
        """Have a session run on the line; tried again while CallSupervisor is restarting."""
        assert self._context is not None
        context = self._context
        await self._end_old_session(context.call_id)
        until = self.vm.now() + CALL_SUPERVISOR_SECONDS
        start = partial(
            DynamicSupervisor.start_child,
            self.vm,
            names.CALL_SUPERVISOR,
            call_session(context),
            timeout=CALL_SUPERVISOR_SECONDS,
        )
        try:
            session = await names.patiently(self.vm, start, until)
        except SupervisorError as refusal:
            if refusal.term == "max_children":
                log.warning("call_refused", call_id=context.call_id, reason="node is full")
                count(self.vm, "aybiza_calls_total", outcome="refused")
                await self._close(CLOSE_TRY_AGAIN_LATER, "no capacity")
            await self._session_gone(refusal.term)
            return
        except CallExit as failure:
            await self._session_gone(failure.reason)
            return
        assert isinstance(session, Pid)
        self._session = session
        self.vm.link(session)
        log.info("call_connected", call_id=context.call_id, session=str(session))

    async def _end_old_session(self, call_id: str) -> None:
        """The caller may be back before the old line's session has noticed that they were gone."""
        old = self.vm.whereis(names.session(call_id))
        if old is not None:
            log.info("old_session_ends", call_id=call_id, session=str(old))
            await self._end_session(old)

    async def _end_session(self, session: Pid) -> None:
        try:
            await DynamicSupervisor.terminate_child(
                self.vm, names.CALL_SUPERVISOR, session, timeout=CALL_SUPERVISOR_SECONDS
            )
        except SupervisorError:
            # It was gone already.
            return
        except CallExit as failure:
            log.warning("session_lingers", call_id=self.call_id, reason=str(failure.reason))

    async def _session_gone(self, reason: Any) -> None:
        self._session = None
        assert self._context is not None
        line = self._context.line
        if line.ended is not None:
            await self._close(CLOSE_NORMAL, line.ended)
        now = self.vm.now()
        self._sessions_lost.append(now)
        while now - self._sessions_lost[0] > SESSION_RESTART_SECONDS:
            self._sessions_lost.popleft()
        log.warning("session_lost", call_id=self.call_id, reason=str(reason))
        if len(self._sessions_lost) > SESSION_RESTARTS:
            await self._close(CLOSE_INTERNAL_ERROR, "the call cannot be carried on here")
        self.send_after("session", SESSION_RETRY_SECONDS * (len(self._sessions_lost) - 1))


class _Writer:
    """Frames out, in order, by a process of its own: the call never waits for the peer."""

    def __init__(self, vm: VM, socket: ServerConnection) -> None:
        self._vm = vm
        self._socket = socket
        self._process = vm.spawn_process(self._write, label="MediaWriter", link=True)
        self.stream_sid = ""

    @property
    def pid(self) -> Pid:
        return self._process.pid

    def media(self, mulaw: bytes) -> None:
        self._put(codec.media(self.stream_sid, mulaw))

    def mark(self, name: str) -> None:
        self._put(codec.mark(self.stream_sid, name))

    def clear(self) -> None:
        # What has not left yet is dropped here: the clear must not wait behind it.
        self._process.discard(lambda frame: isinstance(frame, str) and _is_media(frame))
        self._put(codec.clear(self.stream_sid))

    async def drained(self) -> None:
        """Return when everything given so far has been written."""
        done: asyncio.Future[None] = self._vm.loop.create_future()
        self._process.deliver(done)
        if self._process.alive:
            await done

    def _put(self, frame: str) -> None:
        if len(self._process.mailbox) >= WRITER_BACKLOG:
            self._vm.exit(self.pid, "peer_does_not_read")
        else:
            self._vm.send(self.pid, frame)

    async def _write(self, process: Process) -> None:
        while True:
            item = await process.receive()
            if isinstance(item, asyncio.Future):
                if not item.done():
                    item.set_result(None)
                continue
            try:
                async with asyncio.timeout(WRITE_SECONDS):
                    await self._socket.send(item)
            except ConnectionClosed:
                # The reader sees the same end and decides what it means.
                continue


def _is_media(frame: str) -> bool:
    return frame.startswith('{"event":"media"')
