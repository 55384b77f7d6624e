"""`GenStateMachine`: a process that is a state machine, as Erlang's `gen_statem`.

    class Switch(GenStateMachine):
        callback_mode = "state_functions"

        async def init(self) -> Begin:
            return Begin("off", data=0)

        async def off(self, type, content, data):
            match type, content:
                case "cast", "flip":
                    return NextState("on", data + 1, StateTimeout(60, "forgotten"))

        async def on(self, type, content, data):
            match type, content:
                case ("cast", "flip") | ("state_timeout", _):
                    return NextState("off")

It is started, called, supervised, looked into and stopped like any `GenServer`. `init` returns
`Begin(state, data, actions)`. Every event goes to `handle_event(type, content, state, data)`, or
with `callback_mode = "state_functions"` to the method that is called like the state, without the
state. `type` is `"cast"`, `"info"`, `"internal"`, `"state_timeout"`, `"timeout"`,
`("call", from_)` or `("timeout", name)`; with `state_enter = True` also `"enter"`, when a state
begins, with the state before as its content. What callbacks return is in `state_machine`: None to
stay as it is, `NextState`, `KeepState`, `RepeatState` or `StopMachine`, each with actions. They
may also `raise Stop(reason)`.

Data belong to the machine only when they are returned: a callback that crashes leaves those from
before for `terminate`, which finds them in `self.state` and `self.data`. An event without a clause
in a `match` is ignored; `raise FunctionClause(self, content)` for Erlang's `function_clause`.

Errors: what a callback returns without a meaning ends the machine with the reason that
`gen_statem` gives, such as `("bad_action_from_state_function", action)`; a state without a
function ends it with `UNDEF`.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Final, Literal, NamedTuple, NoReturn

from aybiza.actors.runtime.errors import UNSET, ExitError, Stop
from aybiza.actors.runtime.gen_server import (
    IGNORE,
    NO_REPLY,
    Continue,
    FunctionClause,
    GenServer,
)
from aybiza.actors.runtime.messages import From
from aybiza.actors.runtime.process import MESSAGES_A_SLICE
from aybiza.actors.runtime.state_machine import (
    Answer,
    Begin,
    CancelTimer,
    Event,
    EventType,
    Invoke,
    StartTimer,
    StateMachine,
    Steps,
    StopMachine,
)
from aybiza.actors.runtime.teaching import short
from aybiza.actors.runtime.timers import Timer

UNDEF: Final = "undef"


class _Begin(NamedTuple):
    actions: Any


class _Elapsed(NamedTuple):
    """A time-out is over, as a message of the machine to itself."""

    key: EventType
    number: int


_AWAITED: Final = {
    "init": None,
    "handle_event": ("type", "content", "state", "data"),
    "terminate": ("reason",),
}


class GenStateMachine(GenServer[Any, Any]):
    """See the module. Override `init`, and `handle_event` or a method for each state."""

    callback_mode: ClassVar[Literal["handle_event_function", "state_functions"]] = (
        "handle_event_function"
    )
    state_enter: ClassVar[bool] = False
    _awaited: ClassVar = _AWAITED
    _machine: StateMachine
    _timers: dict[EventType, Timer]

    async def init(self, *args: Any, **kwargs: Any) -> Begin | Any:
        """The first state, as a `Begin`; `IGNORE` or `StopMachine(reason)` for none at all.

        The starter waits for it.
        """
        return None

    async def handle_event(self, type: EventType, content: Any, state: Any, data: Any) -> Any:
        """An event, in the callback mode `"handle_event_function"`."""
        raise FunctionClause(self, content)

    @property
    def state(self) -> Any:
        """The state, in a callback that from before it."""
        return self._machine.state

    @property
    def data(self) -> Any:
        """The data that go with `state`."""
        return self._machine.data

    def get_state(self) -> Any:
        """`(state, data)`, as `sys.get_state` shows them; None while there is no state."""
        machine = getattr(self, "_machine", None)
        return None if machine is None else (machine.state, machine.data)

    def set_state(self, state: Any) -> None:
        """What `sys.replace_state` does: no transition, no enter call, time-outs run on."""
        if not isinstance(state, tuple) or len(state) != 2:
            raise TypeError(
                f"what {type(self).__name__} is in is a pair, (state, data): the function of "
                f"sys.replace_state returned {short(state)}"
            )
        self._machine.replace(*state)

    # How it is built on a server

    def _begun(self, result: Any) -> Any:
        if result is IGNORE:
            return result
        if type(result) is StopMachine:
            raise Stop(result.reason)
        if type(result) is not Begin:
            raise ExitError(("bad_return_from_init", result))
        self._timers = {}
        self._machine = StateMachine(result.state, result.data, enter_calls=self.state_enter)
        return Continue(_Begin(result.actions))

    async def handle_continue(self, value: Any) -> None:
        if self.callback_mode not in ("handle_event_function", "state_functions"):
            raise Stop(("bad_return_from_callback_mode", self.callback_mode))
        await self._carry_out(self._machine.begin(value.actions))
        await self._handle(None)

    async def handle_call(self, request: Any, from_: From) -> Any:
        await self._handle(Event(("call", from_), request))
        return NO_REPLY

    async def handle_cast(self, request: Any) -> None:
        await self._handle(Event("cast", request))

    async def handle_info(self, message: Any) -> None:
        if type(message) is _Elapsed:
            event = self._machine.expired(*message)
            if event is not None:
                del self._timers[message.key]
            await self._handle(event)
        else:
            await self._handle(Event("info", message))

    async def _handle(self, event: Event | None) -> None:
        """Handle `event`, and then all that comes before the next message."""
        slice_left = MESSAGES_A_SLICE
        event = event or self._machine.next_event()
        while event is not None:
            await self._carry_out(self._machine.handle(event))
            event = self._machine.next_event()
            slice_left -= 1
            if slice_left == 0:
                slice_left = MESSAGES_A_SLICE
                await asyncio.sleep(0)

    async def _carry_out(self, steps: Steps) -> None:
        result = None
        while True:
            try:
                command = steps.send(result)
            except StopIteration:
                return
            result = None
            match command:
                case Invoke(event, state, data):
                    result = await self._invoke(event, state, data)
                case Answer(from_, value):
                    from_.answer(value)
                case StartTimer(key, number, seconds):
                    self._timers[key] = self.send_after(_Elapsed(key, number), seconds)
                case CancelTimer(key):
                    self._timers.pop(key).cancel()

    async def _invoke(self, event: Event, state: Any, data: Any) -> Any:
        try:
            if self.callback_mode == "state_functions":
                return await self._function(state)(event.type, event.content, data)
            return await self.handle_event(event.type, event.content, state, data)
        except Stop as stop:
            match event.type:
                case ("call", From() as from_) if stop.reply is not UNSET:
                    from_.answer(stop.reply)
            raise

    def _function(self, state: Any) -> Any:
        function = getattr(self, state, None) if isinstance(state, str) else None
        if function is None or hasattr(GenStateMachine, state):
            self._undefined(state)
        return function

    def _undefined(self, state: Any) -> NoReturn:
        error = ExitError(UNDEF)
        error.add_note(f"{type(self).__name__} has no method for the state {state!r}")
        raise error
