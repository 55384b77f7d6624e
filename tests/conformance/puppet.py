"""Puppets: processes that do what a scenario tells them, and the terms they speak in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aybiza.actors.runtime import (
    VM,
    BadReturnValue,
    CallFailed,
    Crashed,
    ExitError,
    Pid,
    Process,
    Shutdown,
)

# Virtual time that is as good as nothing: waiting for it lets all that is ready run.
MOMENT = 1e-6
# The grain of the waits for what takes virtual time, and the limit of a whole scenario.
STEP = 1e-3
PATIENCE = 100 * 3600.0


class Puppet:
    """A process that does one thing after the other, in its own name, and nothing else."""

    def __init__(self, vm: VM, label: str, *, trap_exit: bool = False) -> None:
        self._vm = vm
        self.strays = 0
        self.process = vm.spawn_process(self._body, label=label)
        self._trap_exit = trap_exit

    @property
    def pid(self) -> Pid:
        """The process."""
        return self.process.pid

    async def do(self, act: Callable[[], Awaitable[Any] | Any]) -> Any:
        """What `act` returns when this process runs it; raises what it raises.

        A dead process does nothing: None.
        """
        if not self.process.alive:
            return None
        done: asyncio.Future[Any] = self._vm.loop.create_future()
        self._vm.send(self.pid, _Do(act, done))
        return await done

    def exit(self, reason: Any) -> None:
        """Let the process end by itself with `reason`."""
        self._vm.send(self.pid, _Leave(reason))

    def other(self, message: Any) -> None:
        """A message that no step has sent."""
        self.strays += 1

    async def _body(self, process: Process) -> None:
        process.trap_exit = self._trap_exit
        while True:
            message = await process.receive()
            if type(message) is _Leave:
                raise ExitError(message.reason)
            if type(message) is _Do:
                await message.carry_out()
            else:
                self.other(message)


class _Leave:
    def __init__(self, reason: Any) -> None:
        self.reason = reason


class _Do:
    def __init__(self, act: Callable[[], Any], done: asyncio.Future[Any]) -> None:
        self._act = act
        self._done = done

    async def carry_out(self) -> None:
        try:
            value = self._act()
            if isinstance(value, Awaitable):
                value = await value
        except Exception as error:
            self._done.set_exception(error)
        else:
            self._done.set_result(value)


def reason(term: Any) -> Any:
    """A JSON exit reason as this runtime's."""
    if isinstance(term, list):
        if len(term) == 2 and term[0] == "shutdown":
            return Shutdown(value(term[1]))
        return value(term)
    return term


def value(json: Any) -> Any:
    """A JSON value as one that hashes: lists become tuples."""
    return tuple(map(value, json)) if isinstance(json, list) else json


def term(thing: Any, label: Callable[[Pid], str]) -> Any:
    """A value of this runtime as the JSON term of the files."""
    match thing:
        case Pid():
            return label(thing)
        case Shutdown(detail):
            return ["shutdown", term(detail, label)]
        case Crashed(exception):
            return ["raise", type(exception).__name__]
        case CallFailed(why):
            return term(why, label)
        case BadReturnValue(returned):
            return ["bad_return_value", term(returned, label)]
        case tuple() | list():
            return [term(each, label) for each in thing]
    return thing


def order(json: Any) -> Any:
    """A key that sorts JSON terms as Erlang sorts what they stand for."""
    match json:
        case None | bool():
            return (1, str(json))
        case int() | float():
            return (0, json)
        case list() | tuple():
            return (2, len(json), [order(each) for each in json])
    return (3, str(json))
