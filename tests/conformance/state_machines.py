"""Runs state machines that are given as data, in virtual time, and compares their traces."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aybiza.actors.runtime import (
    HIBERNATE,
    IGNORE,
    VM,
    Begin,
    CallExit,
    EventTimeout,
    Exit,
    ExitError,
    From,
    FunctionClause,
    GenStateMachine,
    KeepState,
    NamedTimeout,
    NextEvent,
    NextState,
    Pid,
    Postpone,
    Process,
    Reason,
    RepeatState,
    ReplyTo,
    StartError,
    StateTimeout,
    Stop,
    StopMachine,
    run_virtual,
    sys,
)
from aybiza.actors.runtime.errors import UNSET
from aybiza.actors.runtime.messages import Call
from tests.conformance import puppet
from tests.conformance.kit import Options, Result, Runner, compare
from tests.conformance.puppet import PATIENCE, Puppet

Trace = list[list[Any]]

NOTHING = object()


class Scripted(GenStateMachine):
    """A machine whose callbacks look up what they do in the clauses of a case."""

    async def init(self, world: World) -> Any:
        self.world = world
        self.script: Mapping[str, Any] = world.machine
        self.saved: dict[str, From] = {}
        self.trap_exit(self.script.get("trap_exit", False))
        begin = self.script["init"]
        match begin.get("r"):
            case "stop":
                raise Stop(puppet.reason(begin["reason"]))
            case "ignore":
                return IGNORE
            case "bad":
                return begin["value"]
            case "raise":
                raise RuntimeError
            case "exit":
                raise ExitError(puppet.reason(begin["reason"]))
        values = {"state": begin["state"], "data": begin.get("data", [])}
        return Begin(**values, actions=self.actions(begin.get("actions", []), values))

    async def handle_event(self, type: Any, content: Any, state: Any, data: Any) -> Any:
        shown = self.world.term(content)
        if type == "enter":
            self.world.tell("enter", state, shown)
        else:
            self.world.tell("event", state, self.world.type_term(type), shown)
        for clause in self.script["clauses"]:
            if self.fits(clause, type, shown, state, data):
                return await self.do(clause["do"], type, shown, state, data)
        raise FunctionClause(self, content)

    def fits(self, clause: Mapping[str, Any], type: Any, shown: Any, state: Any, data: Any) -> bool:
        kind = "call" if type[0] == "call" else self.world.type_term(type)
        wanted = clause["type"]
        return (
            clause["state"] in ("*", state)
            and (wanted == kind or (wanted == "*" and kind != "enter"))
            and clause["content"] in ("*", shown)
            and clause.get("if_len", len(data)) == len(data)
            and clause.get("if_data", data) == data
        )

    async def do(self, do: Mapping[str, Any], type: Any, shown: Any, state: Any, data: Any) -> Any:
        """What a clause does and returns."""
        from_ = type[1] if type[0] == "call" else None
        if from_ is not None and "save" in do:
            self.saved[do["save"]] = from_
        if "sleep" in do:
            await asyncio.sleep(do["sleep"] / 1000)
        values = {"content": shown, "state": state, "data": data}
        new: Any = UNSET
        match do.get("data"):
            case ["push", value]:
                new = [*data, _value(value, values)]
            case ["set", list(items)]:
                new = [_value(item, values) for item in items]
        values["data"] = data if new is UNSET else new
        actions = self.actions(do.get("actions", []), values, from_)
        match do["r"]:
            case "next_state":
                return NextState(do["to"], values["data"], actions)
            case "keep_state" | "keep_state_and_data":
                return KeepState(new, actions)
            case "repeat_state" | "repeat_state_and_data":
                return RepeatState(new, actions)
            case "stop":
                return StopMachine(puppet.reason(do.get("reason", "normal")), new)
            case "stop_and_reply":
                return StopMachine(puppet.reason(do["reason"]), new, actions)
            case "bad":
                return do["value"]
            case "raise":
                raise RuntimeError
            case "exit" | "erlang_error":
                raise ExitError(puppet.reason(do["reason"]))
        raise ValueError(f"no result is known as {do['r']!r}")

    def actions(
        self, actions: Sequence[Any], values: Mapping[str, Any], from_: From | None = None
    ) -> list[Any]:
        """Actions of a clause as this runtime's."""
        known = {"$from": from_, **self.saved}
        made: list[Any] = []
        for action in actions:
            match action:
                case ["reply", who, value]:
                    caller = known.get(who)
                    if caller is not None:
                        made.append(ReplyTo(caller, _value(value, values)))
                case ["postpone", *on]:
                    made.append(Postpone(*on))
                case ["next_event", kind, content]:
                    made.append(NextEvent(puppet.value(kind), _value(content, values)))
                case ["state_timeout", *rest]:
                    made.append(StateTimeout(*_timeout(rest, values)))
                case ["timeout", *rest]:
                    made.append(EventTimeout(*_timeout(rest, values)))
                case ["generic", name, *rest]:
                    made.append(NamedTimeout(puppet.value(name), *_timeout(rest, values)))
                case ["hibernate"]:
                    made.append(HIBERNATE)
                case ["bad", int(ms)] if ms >= 0:
                    # Not bad at all: Erlang's short form of an event time-out.
                    made.append(EventTimeout(ms / 1000, ms))
                case ["bad", ["state_timeout", int(ms), content]]:
                    made.append(StateTimeout(ms / 1000, content))
                case ["bad", ["next_event", kind, content]]:
                    made.append(NextEvent(puppet.value(kind), content))
                case ["bad", what]:
                    made.append(what)
                case _:
                    raise ValueError(f"no action is known as {action}")
        return made

    @property
    def begun(self) -> bool:
        """Whether the start has succeeded; one that has not leaves no trace."""
        return hasattr(self, "_machine")

    async def terminate(self, reason: Reason) -> None:
        self.world.tell("terminate", self.world.term(reason), self.state, self.data)
        match self.script.get("terminate"):
            case ["raise"]:
                raise RuntimeError
            case ["exit", why]:
                raise ExitError(puppet.reason(why))


def _value(value: Any, values: Mapping[str, Any]) -> Any:
    if value == "$len":
        return len(values["data"])
    return values.get(value[1:], value) if isinstance(value, str) and value[:1] == "$" else value


def _timeout(rest: Sequence[Any], values: Mapping[str, Any]) -> tuple[Any, Any]:
    time, content = rest if len(rest) == 2 else (rest[0], None)
    return time / 1000 if isinstance(time, int | float) else time, _value(content, values)


def machine_class(script: Mapping[str, Any]) -> type[Scripted]:
    """The class of a case: its callback mode, and with state functions one method a state."""
    body: dict[str, Any] = {
        "callback_mode": script.get("bad_mode", script["mode"]),
        "state_enter": script["state_enter"],
    }
    if script["mode"] == "state_functions":
        results = [clause["do"] for clause in script["clauses"]]
        states = {script["init"].get("state"), *(result.get("to") for result in results)}
        for state in states - {None, *script.get("no_function", [])}:
            body[str(state)] = _state_function(str(state))
    return type("Machine", (Scripted,), body)


def _state_function(state: str) -> Any:
    async def function(self: Scripted, type: Any, content: Any, data: Any) -> Any:
        return await self.handle_event(type, content, state, data)

    return function


class World:
    """One case: the machine, its parent, its callers, and what is told of them."""

    def __init__(self, vm: VM, case: Mapping[str, Any]) -> None:
        self.vm = vm
        self.machine: Mapping[str, Any] = case["machine"]
        self.trace: Trace = []
        self.waiting: dict[str, None] = {}
        self.callers: dict[Any, str] = {}
        self.pid: Pid | None = None
        self.parent = Puppet(vm, "parent", trap_exit=True)
        self.stranger = Puppet(vm, "stranger")
        self.tasks: list[asyncio.Task[Any]] = []
        vm.observers.append(self._down)

    def tell(self, *entry: Any) -> None:
        """Add an entry to the trace, with the time."""
        self.trace.append([round(self.vm.now() * 1000), *entry])

    async def start(self) -> Any:
        """Start the machine; what that returned."""
        link = self.machine.get("link", False)
        server = machine_class(self.machine)

        async def start() -> Any:
            self.pid = await self.vm.start(server, self, link=link)
            return self.pid

        try:
            pid = await self.parent.do(start)
        except StartError as error:
            return ["error", self.term(error.reason)]
        return "ignore" if pid is None else ["ok"]

    def do(self, op: str, **fields: Any) -> None:
        """A stimulus; all of a burst are in the mailbox before the machine runs."""
        if op == "burst":
            for step in fields["do"]:
                self.do(**step)
        else:
            act = getattr(self, f"do_{op}")(**fields)
            self.tasks.append(asyncio.create_task(act))

    async def do_call(self, id: str, msg: Any) -> None:
        self.waiting[id] = None

        def envelope(pid: Any, future: Any, request: Any) -> Call:
            call = Call(pid, _Told(self, id, future), request)  # type: ignore[arg-type]
            self.callers[call] = id
            return call

        try:
            await self.vm.request(self.pid or "nobody", msg, envelope, None)
        except CallExit as error:
            if self.waiting.pop(id, NOTHING) is None:
                self.tell("caller_exit", id, self.term(error.reason))

    async def do_cast(self, msg: Any) -> None:
        self.vm.cast(self.pid or "nobody", msg)

    async def do_info(self, msg: Any) -> None:
        if self.pid:
            self.vm.send(self.pid, msg)

    async def do_stop(self, reason: Any) -> None:
        try:
            await self.vm.stop(self.pid or "nobody", puppet.reason(reason), None)
        except CallExit:
            return

    async def do_signal(self, reason: Any) -> None:
        await self._signal(self.stranger, reason)

    async def do_parent_signal(self, reason: Any) -> None:
        await self._signal(self.parent, reason)

    async def _signal(self, source: Puppet, reason: Any) -> None:
        await source.do(lambda: self.vm.exit(self.pid or "nobody", puppet.reason(reason)))

    async def final(self) -> Any:
        """What is left of the machine at the end."""
        if self.pid is None or not self.vm.alive(self.pid):
            return {"alive": False}
        state, data = await sys.get_state(self.vm, self.pid)
        unanswered = sorted(self.waiting, key=_natural)
        return {"alive": True, "state": state, "data": data, "unanswered": unanswered}

    def term(self, thing: Any) -> Any:
        """A value of this runtime as the JSON term of the files."""
        match thing:
            case Exit(_, why):
                return ["EXIT", self.term(why)]
            case Postpone():
                return "postpone"
            case NextEvent(kind, content):
                return ["next_event", self.term(kind), content]
            case NextState(to, data):
                return ["next_state", to, data]
            case StateTimeout(int() | float() as seconds, content):
                return ["state_timeout", round(seconds * 1000), content]
            case (str(why), what):
                return [why, self.term(what)]
        return puppet.term(thing, str)

    def type_term(self, type: Any) -> Any:
        """An event type as the files have it."""
        match type:
            case ("call", from_):
                return ["call", self.callers[from_]]
            case (kind, name):
                return [kind, name]
        return type

    def _down(self, process: Process, reason: Reason) -> None:
        server = process.server
        if isinstance(server, Scripted) and server.begun:
            why = self.term(reason)
            self.tell("down", why)
            for id in sorted(self.waiting, key=_natural):
                self.tell("caller_exit", id, why)
            self.waiting.clear()
            if self.machine.get("link") and self.parent.process.alive:
                self.tell("parent_exit", why)


class _Told:
    """A caller's future that tells of the answer at the moment when it is given."""

    def __init__(self, world: World, id: str, future: asyncio.Future[Any]) -> None:
        self._world, self._id, self._future = world, id, future

    def done(self) -> bool:
        return self._future.done()

    def set_result(self, value: Any) -> None:
        self._world.waiting.pop(self._id, None)
        self._world.tell("reply", self._id, value)
        self._future.set_result(value)

    def set_exception(self, error: BaseException) -> None:
        self._future.set_exception(error)


def _natural(id: str) -> tuple[str, int]:
    letters, digits = re.fullmatch(r"(\D*)(\d*)", id).groups()  # type: ignore[union-attr]
    return letters, int(digits or 0)


async def play(case: Mapping[str, Any]) -> list[str]:
    """The differences between what the case records and what happens here."""
    async with asyncio.timeout(PATIENCE), VM("n", block_warning_ms=None) as vm:
        world = World(vm, case)
        differences = compare("start", case["start"], await world.start())
        for step in case["steps"]:
            fields = dict(step)
            await asyncio.sleep(max(0.0, fields.pop("at") / 1000 - vm.now()))
            world.do(**fields)
        await asyncio.sleep(case["end_at"] / 1000 - vm.now())
        trace, final = list(world.trace), await world.final()
        for number, recorded in enumerate(case["trace"], 1):
            got = trace[number - 1] if number <= len(trace) else None
            differences += compare(f"trace entry {number}", recorded, got)
        extra = trace[len(case["trace"]) :]
        differences += compare("behind the trace", [], extra)
        differences += compare("final", case["final"], final)
        for task in world.tasks:
            task.cancel()
        return differences


def run(file: dict[str, Any], options: Options) -> Iterable[Result]:
    """Play every case of `file`."""
    for case in file["cases"]:
        try:
            differences = run_virtual(play(case))
        except Exception as error:
            differences = [f"cannot be played: {error!r}"]
        yield Result(case["name"], differences)


FORMATS: dict[str, Runner] = {"gen-statem-cases/1": run}
