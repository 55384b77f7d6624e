"""Wire: a call's socket at a speech service, kept open; what both speech actors have in common.

The actor hands each of its messages to `take`, which gives what has happened on the wire, in order:
`Up`, an event of the session, `Down(reason)`, `Troubled` (the caller has waited long enough to be
told something), `Lost(reason)` (no further socket is opened). It says by `wants` whether something
is to come, and by `worked` that it has. When sockets are opened, replaced and given up is decided
by `aybiza.speech.reconnect`.

A task opens and reads each socket, so the actor never waits for it. A socket that is dropped
closes by itself; what it still says is not taken.

Errors: none reach the actor; `send` answers False when the socket has not taken what was sent.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

import structlog

from aybiza.actors.call.across_lines import openings_of
from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.runtime import KILL, Exit, GenServer, Pid, Shutdown, Stop, Task, Timer, telemetry
from aybiza.speech.deepgram_socket import DeepgramSocket
from aybiza.speech.errors import SpeechClosed, SpeechRefused
from aybiza.speech.reconnect import (
    Begun,
    Closed,
    Command,
    Event,
    GiveUp,
    Limits,
    Opened,
    OpenIn,
    Reconnect,
    Refused,
    Renewed,
    Replace,
    SpeakUp,
    Tick,
    TimedOut,
    Unwanted,
    Waiting,
    Wanted,
    Worked,
)

CONNECT_SECONDS = 5.0
SEND_SECONDS = 1.0
TOLD_SECONDS = 0.5
"""Between two events that say that a socket works, which it does with each piece of audio."""

_ERRORS: Final[dict[type[Event], str]] = {
    Refused: "refused",
    Closed: "closed",
    TimedOut: "timed_out",
}

log = structlog.get_logger(__name__)


class Session(Protocol):
    """An open socket: its events, and its end."""

    def __aiter__(self) -> AsyncIterator[Any]: ...

    async def close(self) -> None: ...


S = TypeVar("S", bound=Session)


@dataclass(frozen=True, slots=True)
class Up:
    """A socket is open."""


@dataclass(frozen=True, slots=True)
class Down:
    """The open socket is gone, or none could be had. `refused`: its service said no, whatever was
    to be said. `fault`: it is its provider's. `wait`: seconds for which that asks to be left
    alone."""

    reason: str
    refused: bool = False
    fault: bool = True
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Troubled:
    """See the module."""


@dataclass(frozen=True, slots=True)
class Lost:
    """See the module."""

    reason: str


Happening: TypeAlias = Up | Down | Troubled | Lost | Any


class _Refusal(str):
    """Why a session ended that was refused what it asked for, and for how long it is to wait."""

    wait = 0.0

    @classmethod
    def of(cls, error: SpeechRefused) -> _Refusal:
        made = cls(error)
        made.wait = error.wait
        return made


@dataclass(frozen=True, slots=True)
class _Opened:
    reader: Pid
    session: Any


@dataclass(frozen=True, slots=True)
class _Said:
    reader: Pid
    event: Any


@dataclass(frozen=True, slots=True)
class _Clock:
    """`opens`: it is time for the next socket."""

    opens: bool


class Wire(Generic[S]):
    """See the module. `name` is the actor's, for the log; `dial` opens a session within the seconds
    that it is given. `waiting` outlives the actor: what the caller waits for by this socket."""

    def __init__(
        self,
        server: GenServer,
        name: str,
        call_id: str,
        limits: Limits,
        dial: Callable[[float], Awaitable[S]],
        waiting: Waiting | None = None,
    ) -> None:
        self._server = server
        self._vm = server.vm
        self._name = name
        self._call_id = call_id
        self._dial = dial
        openings = openings_of(server.vm, call_id, name, limits.sockets)
        self._policy = Reconnect(limits, random.random, openings, waiting)
        self._reader: Pid | None = None
        self._timer: Timer | None = None
        self._timer_at = 0.0
        self._reason = "nothing has come"
        self._failures = 0
        self._tells_at = 0.0
        self._happened: deque[Happening] = deque()
        self.session: S | None = None
        self.provider = "deepgram"
        """Whose socket it is, for figures."""

    @property
    def failing(self) -> bool:
        """Whether something has failed since it last worked."""
        return self._policy.failing

    @property
    def over(self) -> bool:
        """Whether no further socket is opened."""
        return self._policy.over

    @property
    def wanting(self) -> bool:
        """What `wants` was told last."""
        return self._policy.wanted_since is not None

    def waited(self) -> float:
        """For how long what is wanted has not come."""
        since = self._policy.wanted_since
        return self._vm.now() - since if since is not None else 0.0

    def start(self) -> None:
        """Open the first socket."""
        self._tell(Begun())

    def stop(self) -> None:
        """The actor ends: so does the socket."""
        if self._reader is not None:
            self._vm.exit(self._reader, KILL)

    def wants(self, something: bool) -> None:
        """Whether something is to come through the socket."""
        if something != self.wanting:
            self._tell(Wanted() if something else Unwanted())

    def worked(self) -> None:
        """What was wanted has come, or a part of it."""
        now = self._vm.now()
        if self._failures or now >= self._tells_at:
            self._tells_at = now + TOLD_SECONDS
            self._tell_provider(events.PROVIDER_WORKED)
        if self._failures:
            log.info(f"{self._name}_back", call_id=self._call_id, failures=self._failures)
            self._failures = 0
        if self.wanting or self.failing:
            self._tell(Worked())

    def drop(self, why: str, *, fault: bool = True) -> None:
        """The socket is no good: go on with another one. `fault`: that is its provider's."""
        if self._reader is not None:
            self._vm.exit(self._reader, Shutdown(why))
            self._gone(why, TimedOut(), fault=fault)

    def renew(self, why: str) -> None:
        """Go on with another socket, by nobody's fault; one that waits to be opened will do."""
        if self._reader is None:
            return
        self._vm.exit(self._reader, Shutdown(why))
        told = {"socket": self._name, "call_id": self._call_id, "reason": why}
        if self.session is not None:
            emit(self._vm, events.SOCKET_CLOSED, **told)
        self._reader, self.session = None, None
        log.info(f"{self._name}_renewed", call_id=self._call_id, reason=why)
        self._happened.append(Down(why, fault=False))
        self._tell(Renewed())

    async def send(self, action: Awaitable[None]) -> bool:
        """Await what is sent on the session, within a limit; False if that cost the socket."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await action
        except (SpeechClosed, TimeoutError) as error:
            self.drop(str(error) or "the socket takes nothing")
            return False
        return True

    def take(self, message: Any) -> Iterator[Happening]:
        """What has happened on the wire by `message`, or since the last one."""
        match message:
            case _Said(reader, event) if reader == self._reader:
                self._happened.append(event)
            case _Opened(reader, session) if reader == self._reader:
                self.session = session
                emit(self._vm, events.SOCKET_OPENED, socket=self._name, call_id=self._call_id)
                self._happened.append(Up())
                self._tell(Opened())
            case Exit(pid, reason) if pid == self._reader:
                why = reason.detail if isinstance(reason, Shutdown) else reason
                refused = isinstance(why, _Refusal) or self.session is None
                wait = why.wait if isinstance(why, _Refusal) else 0.0
                self._gone(str(why), Refused(wait) if refused else Closed(), refused=refused)
            case _Clock(opens=True) if not self._policy.over:
                self._reader = Task.start(self._vm, self._carry).pid
            case _Clock(opens=False):
                self._timer = None
                self._tell(Tick())
        return self._news()

    def _news(self) -> Iterator[Happening]:
        # What is done about one of them may make another one happen.
        while self._happened:
            yield self._happened.popleft()

    async def _carry(self) -> None:
        """Open a socket and read it to its end."""
        vm, to = self._vm, self._server.pid
        me = vm.self()
        assert me is not None
        try:
            session = await self._dial(CONNECT_SECONDS)
            vm.send(to, _Opened(me, session))
            if isinstance(session, DeepgramSocket):
                session.divert(lambda event: vm.send(to, _Said(me, event)))
            try:
                async for event in session:
                    vm.send(to, _Said(me, event))
            finally:
                await session.close()
        except SpeechRefused as error:
            raise Stop(Shutdown(_Refusal.of(error))) from None
        except (SpeechClosed, OSError, TimeoutError) as error:
            raise Stop(Shutdown(str(error) or "no answer in time")) from None
        raise Stop(Shutdown("the service ended the stream"))

    def _gone(self, reason: str, how: Event, *, fault: bool = True, refused: bool = False) -> None:
        how_told = events.SOCKET_FAILED if self.session is None else events.SOCKET_CLOSED
        told = {"socket": self._name, "call_id": self._call_id, "reason": reason}
        emit(self._vm, how_told, **told)
        if fault and (kind := _ERRORS.get(type(how))):
            self._tell_provider(events.PROVIDER_ERROR, kind=kind, model="", region="")
        self._reader, self.session, self._reason = None, None, reason
        self._failures += 1
        log.warning(f"{self._name}_down", call_id=self._call_id, reason=reason)
        wait = how.wait if isinstance(how, Refused) else 0.0
        self._happened.append(Down(reason, refused, fault, wait))
        self._tell(how)

    def _tell_provider(self, event: telemetry.Event, **more: str) -> None:
        emit(self._vm, event, provider=self.provider, call_id=self._call_id, **more)

    def _tell(self, event: Event) -> None:
        for command in self._policy.handle(event, self._vm.now()):
            self._obey(command)
        self._watch()

    def _obey(self, command: Command) -> None:
        match command:
            case OpenIn(seconds):
                self._server.send_after(_Clock(opens=True), seconds)
            case Replace():
                self.drop("stalled")
            case SpeakUp():
                self._happened.append(Troubled())
            case GiveUp():
                log.error(f"{self._name}_gave_up", call_id=self._call_id, reason=self._reason)
                self.stop()
                self._reader = self.session = None
                self._happened.append(Lost(self._reason))

    def _watch(self) -> None:
        """Come back when the policy wants to look at the time."""
        due = self._policy.due
        if due is None or (self._timer is not None and self._timer_at <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = due
        self._timer = self._server.send_at(_Clock(opens=False), due)
