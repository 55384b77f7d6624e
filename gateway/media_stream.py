"""MediaStream: one media connection of a carrier, and the call on it.

A process a connection, which its codec reads and writes. It owns the call's line, and has a
CallSession run on it; what is said is not its business. It outlives the session: when one goes down
before the call has ended it asks for a new one on the same line, so the caller stays connected.
When it ends itself, the session sees the line go; the caller comes back by the `<Redirect>` of the
call's TwiML.

How it ends, and the websocket's close code:

    the conversation is over                      1000
    the caller hung up (`stop`) or the socket went  (closed by the other side)
    the node stops; a newer stream has the call;  1001: Twilio goes on to the `<Redirect>`
    the call is handed over to another node
    bad input                                     as `aybiza.gateway.carriers.codec` says
    no capacity; a fault of the line, the         1013; 1011: as 1001
    session keeps failing

Source: Twilio, "Media Streams: WebSocket messages"; RFC 6455, section 7.4.1.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import structlog
from websockets.exceptions import ConnectionClosed

from aybiza.actors import names
from aybiza.actors.call.call_actor import HANDED_OVER
from aybiza.actors.call.call_analysis import line_over
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.memory.journals import keep_private
from aybiza.actors.memory.memory_actor import Forget
from aybiza.actors.placement.drain_actor import Left, adopt, end_stream
from aybiza.actors.placement.placement_actor import arrived
from aybiza.actors.registry_actor import names as registered
from aybiza.actors.runtime import (
    KILL,
    NORMAL,
    SHUTDOWN,
    VM,
    CallExit,
    Exit,
    ExitError,
    GenServer,
    Pid,
    Process,
    Stop,
    Task,
)
from aybiza.dialogue.events import DigitPressed, Heard, HungUp
from aybiza.dialogue.journal import FAULT
from aybiza.gateway.carriers.codec import (
    CLOSE_POLICY_VIOLATION,
    CLOSE_TRY_AGAIN_LATER,
    Codec,
    Connected,
    Dtmf,
    Frame,
    Ignored,
    Mark,
    Media,
    OrderedCodec,
    ProtocolError,
    Start,
    Unknown,
)
from aybiza.gateway.carriers.codec import Stop as StreamStopped
from aybiza.gateway.carriers.frames import Frames
from aybiza.gateway.leaving import Leaving
from aybiza.gateway.limited_log import told
from aybiza.gateway.quick_audio import divert
from aybiza.speech.line import Line
from aybiza.speech.websocket import Together
from aybiza.supervisors.call_session import call_session
from aybiza.supervisors.dynamic_supervisor import DynamicSupervisor
from aybiza.supervisors.errors import SupervisorError

CLOSE_NORMAL = 1000
CLOSE_GOING_AWAY = 1001
CLOSE_INTERNAL_ERROR = 1011

START_SECONDS = 10.0
WRITE_SECONDS = 5.0
CLOSE_SECONDS = 2.0
HANG_UP_SECONDS = 5.0
CALL_SUPERVISOR_SECONDS = 2.0
# Sessions are begun one after the other: whoever asks again gives up their place.
SESSION_SECONDS = 10.0
SESSION_RETRY_SECONDS = 0.01

# A session that goes down more often than this within the time is not mended by another.
SESSION_RESTARTS = 5
SESSION_RESTART_SECONDS = 30.0

# Frames that wait for a peer which does not read; at 200 ms a frame far more than the lead.
WRITER_BACKLOG = 500

# How the writer ends behind such a peer.
UNREAD = "peer_does_not_read"

ELSEWHERE = "the call goes on elsewhere"

# Parameters of the stream that the webhook has given: unix time at which the call began, the node
# that has its journal, whether it was handed over at a seam.
SINCE = "Since"
NODE = "Node"
SEAM = "Seam"

MAX_SINCE_DIGITS = 12

log = structlog.get_logger(__name__)

UNKNOWN = "media_event_unknown"

# Makes the context of a call from its line and what the carrier told of it.
ContextOf = Callable[[Line, Start], CallContext]

# Lets a stream in, as what is returned, or raises ProtocolError
# (`aybiza.gateway.admission.admission`).
Admit = Callable[[Start], Start]


AS_THE_CARRIER_HAS_IT = Leaving()

# What says nothing to the call.
_OF_NO_USE = frozenset((Connected, Ignored, Unknown))


class Connection(Protocol):
    """A carrier's connection, as websockets has it; `ConnectionClosed` says that it is gone."""

    @property
    def transport(self) -> asyncio.WriteTransport:
        """What is under it; `abort` ends it at once."""

    def __aiter__(self) -> AsyncIterator[Frame]:
        """The frames that come, to the end."""

    async def send(self, message: Frame, /) -> None:
        """Send a frame."""

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End it in order."""


class MediaStream(GenServer):
    """See the module."""

    traps_exits = True

    async def init(
        self,
        socket: Connection,
        codec: Codec,
        context_of: ContextOf,
        admit: Admit = lambda start: start,
        leaving: Leaving = AS_THE_CARRIER_HAS_IT,
    ) -> None:
        self.call_id = ""
        self._way_out = leaving
        self._start: Start | None = None
        self._through: Task[str] | None = None
        self._admit = admit
        self._socket = socket
        self._codec = codec
        self._context_of = context_of
        self._context: CallContext | None = None
        self._session: Pid | None = None
        self._sessions_lost: deque[float] = deque()
        self._leaving = self._comes_back = False
        self._writer = _Writer(self.vm, socket, codec)
        self._reader = Task.start(self.vm, self._read)
        self.send_after("no_start", START_SECONDS)

    async def handle_info(self, message: Any) -> None:
        match message:
            case Start(custom_parameters=parameters) if self._context is not None:
                self._start = message
                self._comes_back = self._context.line.returns = SINCE in parameters
                if self._context.agent.health_data:
                    keep_private(self.vm, self.call_id)
                    self.vm.hide_values()
                await self._take_over()
                await self._fetch(parameters.get(NODE, ""))
                await self._way_out.settle(self.vm, self.call_id)
                await self._begin()
            case Mark(name) if self._context is not None:
                sentence = self._context.line.ledger.marked(name)
                if sentence is not None:
                    self._context.line.post(Heard(*sentence))
            case Dtmf(digit) if self._context is not None:
                self._context.line.post(DigitPressed(digit))
            case StreamStopped() if self._through is None:
                self._hang_up()
            case Exit(pid, reason) if self._through is not None and pid == self._through.pid:
                await self._put_through(reason)
            # A switch that puts the caller through takes them off the stream.
            case Exit(pid) if self._through is not None and pid == self._reader.pid:
                return
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
                await self._close(CLOSE_POLICY_VIOLATION, "no start message came")
            # Who has not come by a webhook, from a switch of one's own, would not come back.
            case "leave" | "stay" if self._context is not None and self._comes_back:
                self._context.line.leaving = message == "leave"
            case "leave now" if self._comes_back and not self._leaving:
                self.vm.cast(names.DRAIN, Left(self.call_id, at_seam=False))
                raise Stop(SHUTDOWN)
            # As `aybiza.actors.memory.memory_actor.TAKEN`.
            case "taken elsewhere" if self._context is not None:
                await self._close(CLOSE_GOING_AWAY, ELSEWHERE)
            case "session" if self._session is None:
                await self._begin()
            case "hung_up":
                raise Stop(SHUTDOWN)

    async def terminate(self, reason: Any) -> None:
        if self._session is not None:
            await self._end_session(self._session)
        if self._context is not None:
            line_over(self.vm, self._context.line)
        if isinstance(self._codec, OrderedCodec):
            for how, count in self._codec.mended.items():
                emit(self.vm, events.FRAMES_MENDED, count=count, call_id=self.call_id, how=how)
        self.vm.cast(names.MEMORY, Forget(self.call_id))
        self.vm.exit(self._reader.pid, KILL)
        self.vm.exit(self._writer.pid, KILL)
        if self._through is not None:
            self.vm.exit(self._through.pid, KILL)

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
        owner = self.pid
        line: Line | None = None
        frames = Frames(self.vm.now)
        async for frame in self._socket:
            for came in self._codec.decode(frame):
                if type(came) is Media:
                    assert line is not None
                    line.hear(came.payload, None if came.lasts_ms else came.timestamp_ms)
                    continue
                frames.count(came, started=line is not None)
                if type(came) in _OF_NO_USE:
                    if type(came) is Unknown:
                        told(self.vm, UNKNOWN, call_id=self.call_id, event_=str(came))
                    continue
                event = self._admit(came) if type(came) is Start else came
                if type(event) is Start:
                    line = Line(event.call_sid, self._writer, owner=owner, clock=self.vm.now)
                    self.call_id = event.call_sid
                    context = self._context_of(line, event)
                    self._context = replace(context, carrier=self._codec.carrier)
                    divert(self._socket, self._codec, line)
                self.vm.send(owner, event)

    def _note_refusal(self, code: int, why: str) -> None:
        about = {"kind": "media_protocol", "call_id": self.call_id, "model": "", "region": ""}
        emit(self.vm, events.PROVIDER_ERROR, provider="carrier", **about)
        told(self.vm, "media_refused", call_id=self.call_id, code=code, why=why)

    async def _refuse(self, error: ProtocolError) -> None:
        self._note_refusal(error.close_code, error.reason)
        await self._close(error.close_code, error.reason)

    async def _close(self, code: int, why: str) -> None:
        """Close the connection, and end."""
        told(self.vm, "media_closing", "info", call_id=self.call_id, code=code, reason=why)
        self._leaving = True
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                if code == CLOSE_NORMAL:
                    self._writer.farewell()
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
        await end_stream(self.vm, self.call_id)
        registered(self.vm).register(self._process, names.stream(self.call_id).key)
        arrived(self.vm, self.call_id)

    async def _fetch(self, node: str) -> None:
        """The caller may have come by the webhook of one node to the media door of another."""
        taken = await adopt(self.vm, self.call_id, node) if node else None
        if taken is not None and taken.at_seam and self._context is not None:
            self._context = replace(self._context, at_seam=True)

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
            timeout=SESSION_SECONDS,
        )
        try:
            session = await names.patiently(self.vm, start, until)
        except SupervisorError as refusal:
            if refusal.term == "max_children":
                log.warning("call_refused", call_id=context.call_id, reason="node is full")
                emit(self.vm, events.CALL_REFUSED, call_id=context.call_id, outcome="refused")
                await self._close(CLOSE_TRY_AGAIN_LATER, "no capacity")
            await self._session_gone(refusal.term)
            return
        except CallExit as failure:
            await self._session_gone(failure.reason)
            return
        assert isinstance(session, Pid)
        self._session = session
        self.vm.link(session)
        about = {"tenant": context.tenant, "country": context.country, "carrier": context.carrier}
        emit(self.vm, events.CALL_START, call_id=context.call_id, agent=context.agent.name, **about)
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
        if line.ended == HANDED_OVER:
            self.vm.cast(names.DRAIN, Left(self.call_id, at_seam=True))
            await self._close(CLOSE_GOING_AWAY, ELSEWHERE)
        if line.ended is not None:
            await self._over(line.ended)
            return
        await self._try_again(reason)

    async def _over(self, ended: str) -> None:
        """The conversation is over, or the line is."""
        assert self._start is not None
        if self._way_out.puts_through(ended):
            self._through = Task.start(self.vm, self._way_out.put_through, self.vm, self._start)
            return
        # On a line without a word the call was over before: its end is owed nothing more.
        if self._writer.spoke and not self._leaving:
            await self._way_out.hang_up(self._start, ended)
        await self._close(CLOSE_INTERNAL_ERROR if ended == FAULT else CLOSE_NORMAL, ended)

    async def _put_through(self, reason: Any) -> None:
        """It is known what has come of the transfer. Who is on this stream still has not left it:
        the switch did not take the order, so its end brings them back."""
        log.info("put_through_over", call_id=self.call_id, reason=str(reason))
        await self._close(CLOSE_GOING_AWAY, ELSEWHERE)

    async def _try_again(self, reason: Any) -> None:
        assert self._context is not None
        now = self.vm.now()
        self._sessions_lost.append(now)
        while now - self._sessions_lost[0] > SESSION_RESTART_SECONDS:
            self._sessions_lost.popleft()
        log.warning("session_lost", call_id=self.call_id, reason=str(reason))
        if len(self._sessions_lost) > SESSION_RESTARTS:
            await self._close(CLOSE_INTERNAL_ERROR, "the call cannot be carried on here")
        self.send_after("session", SESSION_RETRY_SECONDS * (len(self._sessions_lost) - 1))


def running_for(start: Start, now: float) -> float:
    """How long the call has been running at unix time `now`, in seconds, on whichever nodes."""
    since = start.custom_parameters.get(SINCE, "")
    sound = since.isascii() and since.isdecimal() and len(since) <= MAX_SINCE_DIGITS
    return max(0.0, now - int(since)) if sound else 0.0


# What a connection is told, encoded when it is its turn: audio, or an encoder that makes frames.
Command = bytes | Callable[[], Sequence[Frame]]


class _Writer:
    """Frames out, in order, at once where nothing waits, else by a process of its own: the call
    never waits for the peer."""

    def __init__(self, vm: VM, socket: Connection, codec: Codec) -> None:
        self._vm = vm
        self._socket = socket
        self._codec = codec
        self.spoke = False
        self._process = vm.spawn_process(self._write, label="MediaWriter", link=True)

    @property
    def pid(self) -> Pid:
        return self._process.pid

    def media(self, mulaw: bytes) -> None:
        self.spoke = True
        self._put(mulaw)

    def mark(self, name: str) -> None:
        self._put(partial(self._codec.mark, name))

    def clear(self) -> None:
        # What has not left yet is dropped here: the clear must not wait behind it.
        self._process.discard(lambda command: isinstance(command, bytes))
        self._put(self._codec.clear)

    def farewell(self) -> None:
        """The conversation is over, should the carrier have to be told."""
        self._put(self._codec.farewell)

    async def drained(self) -> None:
        """Return when everything given so far has been written."""
        done: asyncio.Future[None] = self._vm.loop.create_future()
        self._process.deliver(done)
        if self._process.alive:
            await done

    def _put(self, command: Command) -> None:
        if self._process.idle and self._process.alive and isinstance(self._socket, Together):
            rest = self._socket.take_all(self._frames(command))
            if rest:
                self._vm.send(self.pid, partial(tuple, rest))
        elif self._process.mailbox_length >= WRITER_BACKLOG:
            self._vm.exit(self.pid, UNREAD)
        else:
            self._vm.send(self.pid, command)

    def _frames(self, command: Command) -> Sequence[Frame]:
        return self._codec.media(command) if isinstance(command, bytes) else command()

    async def _write(self, process: Process) -> None:
        while True:
            item = await process.receive()
            if isinstance(item, asyncio.Future):
                if not item.done():
                    item.set_result(None)
                continue
            try:
                async with asyncio.timeout(WRITE_SECONDS):
                    for frame in self._frames(item):
                        await self._socket.send(frame)
            except ConnectionClosed:
                # The reader sees the same end and decides what it means.
                continue
            except TimeoutError:
                raise ExitError(UNREAD) from None
