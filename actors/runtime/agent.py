"""`Agent`: a process that keeps a value, as Elixir's `Agent`.

    counter = await Agent.start(vm, lambda: 0, name="counter", link=True)
    await Agent.update(vm, counter, lambda count, by: count + by, 2)
    await Agent.get(vm, counter, lambda count: count)                   # 2
    await Agent.get_and_update(vm, counter, lambda count: (count, 0))   # 2, and 0 from now on
    Agent.cast(vm, counter, lambda count: count + 1)

`child(Agent, function, name="counter")` is its child spec. The functions run in the agent, one
after the other, plain ones or coroutine functions; what they raise ends it. Who waits gets
`CallExit` as from `VM.call`; a `TIMEOUT` does not keep the agent from doing the work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from aybiza.actors.runtime.errors import ExitError
from aybiza.actors.runtime.gen_server import GenServer, Reply
from aybiza.actors.runtime.messages import From
from aybiza.actors.runtime.messaging import CALL_TIMEOUT
from aybiza.actors.runtime.pid import Dest, Pid, Via
from aybiza.actors.runtime.reasons import NORMAL, BadReturnValue, Reason
from aybiza.actors.runtime.vm import INIT_TIMEOUT, VM

Function = Callable[..., Any]


class _Get(NamedTuple):
    function: Function
    arguments: tuple[Any, ...]


class _Update(NamedTuple):
    function: Function
    arguments: tuple[Any, ...]


class _GetAndUpdate(NamedTuple):
    function: Function
    arguments: tuple[Any, ...]


class Agent(GenServer[Any, Any]):
    """See the module."""

    async def init(self, function: Function, *arguments: Any) -> None:
        self._value = await _result(function, *arguments)

    async def handle_call(self, request: Any, from_: From) -> Any:
        result = await _result(request.function, self._value, *request.arguments)
        match request:
            case _Get():
                # What is kept may be of any kind, a marker of the runtime's too.
                return Reply(result)
            case _Update():
                self._value = result
                return "ok"
        if not isinstance(result, tuple) or len(result) != 2:
            raise ExitError(BadReturnValue(result))
        returned, self._value = result
        return Reply(returned)

    async def handle_cast(self, request: _Update) -> None:
        self._value = await _result(request.function, self._value, *request.arguments)

    def get_state(self) -> Any:
        """The value."""
        return self._value

    def set_state(self, state: Any) -> None:
        self._value = state

    # What callers use

    @staticmethod
    async def start(
        vm: VM,
        function: Function,
        *arguments: Any,
        name: str | Via | None = None,
        link: bool = False,
        timeout: float | None = INIT_TIMEOUT,
    ) -> Pid:
        """Start an agent that keeps what `function(*arguments)` returns; raises `StartError`."""
        pid = await vm.start(Agent, function, *arguments, name=name, link=link, timeout=timeout)
        assert pid is not None
        return pid

    @staticmethod
    async def get(
        vm: VM,
        agent: Dest,
        function: Function,
        *arguments: Any,
        timeout: float | None = CALL_TIMEOUT,
    ) -> Any:
        """What `function(value, *arguments)` returns."""
        return await vm.call(agent, _Get(function, arguments), timeout)

    @staticmethod
    async def update(
        vm: VM,
        agent: Dest,
        function: Function,
        *arguments: Any,
        timeout: float | None = CALL_TIMEOUT,
    ) -> None:
        """Make what `function(value, *arguments)` returns the value."""
        await vm.call(agent, _Update(function, arguments), timeout)

    @staticmethod
    async def get_and_update(
        vm: VM,
        agent: Dest,
        function: Function,
        *arguments: Any,
        timeout: float | None = CALL_TIMEOUT,
    ) -> Any:
        """`function(value, *arguments)` returns a pair: what this returns, and the new value.

        Anything but a tuple of two ends the agent with `BadReturnValue`.
        """
        return await vm.call(agent, _GetAndUpdate(function, arguments), timeout)

    @staticmethod
    def cast(vm: VM, agent: Dest, function: Function, *arguments: Any) -> None:
        """`update` without waiting; to a dead agent nothing happens."""
        vm.cast(agent, _Update(function, arguments))

    @staticmethod
    async def stop(
        vm: VM, agent: Dest, reason: Reason = NORMAL, timeout: float | None = None
    ) -> None:
        """End the agent after what it has been asked for before, and wait until it has ended."""
        await vm.stop(agent, reason, timeout)


async def _result(function: Function, *arguments: Any) -> Any:
    result = function(*arguments)
    return await result if asyncio.iscoroutine(result) else result
