"""Runs GenServer scenarios: scripted callbacks in a real server, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Any

from aybiza.actors.runtime import (
    IGNORE,
    NO_REPLY,
    NORMAL,
    VM,
    CallExit,
    Continue,
    Dest,
    Exit,
    ExitError,
    From,
    FunctionClause,
    GenServer,
    NoReply,
    Pid,
    Process,
    Reply,
    StartError,
    Stop,
    TimedOut,
    Timeout,
    Timer,
    reply,
    run_virtual,
)
from tests.conformance import puppet
from tests.conformance.kit import Options, Result, Runner, compare, shown
from tests.conformance.puppet import MOMENT, PATIENCE, STEP, Puppet

Command = Sequence[Any]
Log = list[list[Any]]

LABEL = "server"
CALL_MS = 5000


class Thrown(Exception):
    """A thrown value: OTP takes it for the value that the callback returns."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value


class Scripted(GenServer):
    """A server whose callbacks run the commands of a scenario."""

    async def init(self, script: Mapping[str, Any], log: Log) -> Any:
        self.script = script
        self.log = log
        self.state = self.draft = script.get("state")
        self.exit_reason: Any = None
        self.timers: dict[str, Timer] = {}
        self.froms: dict[str, From] = {}
        self.trap_exit(script.get("trap_exit", False))
        log.append(["init"])
        return await self.run(script.get("init") or [["return", "ok"]], _init)

    async def handle_call(self, request: Any, from_: From) -> Any:
        self.log.append(["handle_call", request])
        return await self.run(self.clause("call", request), _call, from_)

    async def handle_cast(self, request: Any) -> Any:
        self.log.append(["handle_cast", request])
        return await self.run(self.clause("cast", request), _other)

    async def handle_info(self, message: Any) -> Any:
        if type(message) is Exit:
            self.exit_reason = puppet.term(message.reason, str)
            message = "EXIT"
        elif type(message) is TimedOut:
            message = "timeout"
        self.log.append(["handle_info", message])
        if "info" in self.script:
            return await self.run(self.clause("info", message), _other)
        return None

    async def handle_continue(self, value: Any) -> Any:
        self.log.append(["handle_continue", value])
        return await self.run(self.clause("continue", value), _other)

    async def terminate(self, reason: Any) -> None:
        self.log.append(["terminate", puppet.term(reason, str)])
        await self.run(self.script.get("terminate") or [], lambda rest: None)

    def clause(self, callback: str, message: Any) -> Sequence[Command]:
        """The commands for `message`."""
        clauses = self.script.get(callback) or {}
        key = message if isinstance(message, str) else shown(message)
        if key not in clauses:
            raise FunctionClause(self, message)
        commands: Sequence[Command] = clauses[key]
        return commands

    async def run(
        self, commands: Sequence[Command], returned: Any, from_: From | None = None
    ) -> Any:
        """Do `commands`; the value of the last one, as the runtime wants it.

        They change a draft of the state, which counts when it is returned, as Erlang's does.
        """
        self.draft = self.state
        try:
            for name, *arguments in commands:
                if name == "return":
                    words = [self.value(each) for each in _words(arguments)]
                    if words != ["bad"]:
                        self.state = self.draft
                    return returned(words)
                act = getattr(self, f"do_{name}")
                done = act(*map(self.value, arguments), *([from_] if name in _OF_CALLS else []))
                if isinstance(done, Awaitable):
                    await done
        except Thrown as thrown:
            return returned(["bad", thrown.value])

    def value(self, json: Any) -> Any:
        """A value of a command: "$state" and "$exit_reason" stand for what they name."""
        if isinstance(json, list):
            return [self.value(each) for each in json]
        if isinstance(json, str):
            return {"$state": self.draft, "$exit_reason": self.exit_reason}.get(json, json)
        return json

    def do_log(self, value: Any) -> None:
        self.log.append(["log", value])

    def do_state(self, value: Any) -> None:
        self.draft = value

    def do_add(self, number: Any) -> None:
        self.draft += number

    def do_send_self(self, message: Any) -> None:
        self.vm.send(self.pid, message)

    def do_cast_self(self, message: Any) -> None:
        self.vm.cast(self.pid, message)

    def do_send_after(self, ms: float, message: Any, timer: str) -> None:
        self.timers[timer] = self.send_after(message, ms / 1000)

    def do_cancel_timer(self, timer: str) -> None:
        left = self.timers[timer].cancel() if timer in self.timers else None
        self.log.append(["cancel_timer", False if left is None else "remaining_ms"])

    def do_save_from(self, name: str, from_: From) -> None:
        self.froms[name] = from_

    def do_reply_to(self, name: str, value: Any) -> None:
        reply(self.froms[name], value)

    def do_reply_now(self, value: Any, from_: From) -> None:
        reply(from_, value)

    async def do_sleep(self, ms: float) -> None:
        await asyncio.sleep(ms / 1000)

    def do_raise(self, text: str) -> None:
        raise RuntimeError(text)

    def do_exit(self, reason: Any) -> None:
        raise ExitError(puppet.reason(reason))

    def do_throw(self, value: Any) -> None:
        raise Thrown(value)

    async def do_call_self(self, message: Any) -> None:
        await self.vm.call(self.pid, message)

    def do_spawn_link_exit(self, reason: Any) -> None:
        async def helper() -> None:
            raise ExitError(puppet.reason(reason))

        self.vm.spawn(helper, link=True)


_OF_CALLS = ("save_from", "reply_now")


def _words(arguments: Sequence[Any]) -> Sequence[Any]:
    """What "return" is to return; a thrown return value counts as returned."""
    match arguments:
        case ["throw", [*words]] | ["throw", *words]:
            return words
    return arguments


def _then(words: Sequence[Any]) -> Any:
    match words:
        case []:
            return None
        case ["continue", value]:
            return Continue(value)
        case ["timeout", int() | float() as ms]:
            return Timeout(ms / 1000)
        case ["timeout", "infinity"] | ["hibernate"]:
            return None
    raise ValueError(f"no return value is known as {words}")


def _init(words: Sequence[Any]) -> Any:
    match words:
        case ["ok", *rest]:
            return _then(rest)
        case ["stop", why]:
            raise Stop(puppet.reason(why))
        case ["ignore"]:
            return IGNORE
    return _bad(words)


def _call(words: Sequence[Any]) -> Any:
    match words:
        case ["reply", value]:
            return value
        case ["reply", value, *rest]:
            return Reply(value, _then(rest))
        case ["noreply"]:
            return NO_REPLY
        case ["noreply", *rest]:
            return NoReply(_then(rest))
        case ["stop", why]:
            raise Stop(puppet.reason(why))
        case ["stop", why, value]:
            raise Stop(puppet.reason(why), reply=value)
    return NoReply(_bad(words))


def _other(words: Sequence[Any]) -> Any:
    match words:
        case ["noreply", *rest]:
            return _then(rest)
        case ["stop", why]:
            raise Stop(puppet.reason(why))
    return _bad(words)


def _bad(words: Sequence[Any]) -> Any:
    return words[1] if len(words) > 1 else "bad_value"


class World:
    """One scenario: the server, its parent, and the client who acts on it."""

    def __init__(self, vm: VM, scenario: Mapping[str, Any]) -> None:
        self.vm = vm
        self.log: Log = []
        self.options: Mapping[str, Any] = scenario.get("start_opts", {})
        self.script: Mapping[str, Any] = scenario["server"]
        self.parent = Puppet(vm, "parent", trap_exit=True)
        self.client = Puppet(vm, "client")
        self.callers: dict[str, asyncio.Task[Any]] = {}
        self.server: Process | None = None
        self.pid: Pid | None = None
        self._ended: dict[Pid, Any] = {}
        vm.observers.append(self._down)

    async def start(self) -> Any:
        """Start the server and wait until it is idle; what the start returned."""
        answer = await self._start(self.log, self.options.get("name"))
        if answer[0] == "ok":
            self.pid = answer[1]
            self.server = self.vm.find(answer[1])
            if answer[1] in self._ended:
                self.log.append(["down", self.term(self._ended[answer[1]])])
        await self._idle()
        return self.term(answer)

    async def do(self, stimulus: Mapping[str, Any]) -> Any:
        """Apply a stimulus and wait until the server is idle; what the stimulus returned."""
        act = getattr(self, f"do_{stimulus['op']}")
        answer = act(**{key: each for key, each in stimulus.items() if key not in ("op", "wait")})
        if isinstance(answer, Awaitable):
            answer = await answer
        if stimulus.get("wait", True):
            await self._idle()
        else:
            await asyncio.sleep(MOMENT)
        return self.term(answer)

    def take_log(self) -> Log:
        """What happened since the last time."""
        happened, self.log[:] = list(self.log), []
        return happened

    def term(self, thing: Any) -> Any:
        """A value of this runtime as the JSON term of the files."""
        return puppet.term(thing, lambda pid: LABEL if pid == self.pid else str(pid))

    # Stimuli

    async def do_call(self, msg: Any, timeout: Any = CALL_MS, to: str | None = None) -> Any:
        return await self._call(self.client, msg, timeout, to)

    def do_cast(self, msg: Any, to: str | None = None) -> str:
        self.vm.cast(self._dest(to), msg)
        return "ok"

    def do_send(self, msg: Any, to: str | None = None) -> str:
        self.vm.send(self._dest(to), msg)
        return "ok"

    def do_async_call(
        self, msg: Any, timeout: Any = CALL_MS, to: str | None = None, **named: str
    ) -> str:
        label = named["as"]
        caller = Puppet(self.vm, label)
        self.callers[label] = asyncio.create_task(self._call(caller, msg, timeout, to))
        return "ok"

    async def do_await(self, **named: str) -> Any:
        return await self.callers[named["as"]]

    def do_pending(self, **named: str) -> bool:
        return not self.callers[named["as"]].done()

    async def do_stop(
        self, reason: Any = NORMAL, timeout: Any = "infinity", to: str | None = None
    ) -> Any:
        why, limit = puppet.reason(reason), _seconds(timeout)
        return await self._answer(
            self.client.do(lambda: self.vm.stop(self._dest(to), why, limit)), "ok"
        )

    async def do_signal(self, reason: Any) -> str:
        await self.client.do(lambda: self.vm.exit(self._dest(), puppet.reason(reason)))
        return "ok"

    async def do_parent_signal(self, reason: Any) -> str:
        await self.parent.do(lambda: self.vm.exit(self._dest(), puppet.reason(reason)))
        return "ok"

    def do_parent_dies(self, reason: Any) -> str:
        self.parent.exit(puppet.reason(reason))
        return "ok"

    def do_alive(self, name: str | None = None) -> bool:
        return self.vm.alive(self._dest(name))

    def do_whereis(self, name: str) -> Any:
        return self.vm.whereis(name)

    async def do_start_again(self, name: str | None = None) -> Any:
        return await self._start([], name)

    def do_stray_messages(self) -> int:
        return self.client.strays

    async def do_sleep(self, ms: float) -> str:
        await asyncio.sleep(ms / 1000)
        return "ok"

    # Means

    async def _start(self, log: Log, name: str | None) -> Any:
        limit = _seconds(self.options.get("init_timeout", "infinity"))
        link = self.options.get("link", False)
        try:
            pid = await self.parent.do(
                lambda: self.vm.start(
                    Scripted, self.script, log, name=name, link=link, timeout=limit
                )
            )
        except StartError as error:
            return "error", error.reason
        return "ignore" if pid is None else ("ok", pid)

    async def _call(self, caller: Puppet, msg: Any, timeout: Any, to: str | None) -> Any:
        call = caller.do(lambda: self.vm.call(self._dest(to), msg, timeout=_seconds(timeout)))
        return await self._answer(call)

    async def _answer(self, awaited: Awaitable[Any], instead: Any = None) -> Any:
        try:
            value = await awaited
        except CallExit as error:
            return "exit", error.reason
        return value if instead is None else instead

    async def _idle(self) -> None:
        await asyncio.sleep(MOMENT)
        while True:
            server = self.server
            if server is None or not server.alive or (server.idle and not server.mailbox):
                return
            await asyncio.sleep(STEP)

    def _dest(self, name: str | None = None) -> Dest:
        return name or self.pid or "no server"

    def _down(self, process: Process, reason: Any) -> None:
        self._ended[process.pid] = reason
        if process.pid == self.pid:
            self.log.append(["down", self.term(reason)])


def _seconds(ms: Any) -> float | None:
    return None if ms == "infinity" else ms / 1000


async def play(scenario: Mapping[str, Any]) -> list[str]:
    """The differences between what the scenario records and what happens here."""
    async with asyncio.timeout(PATIENCE), VM("n", block_warning_ms=None) as vm:
        world = World(vm, scenario)
        recorded = scenario["start"]
        differences = compare("start: return", recorded["return"], await world.start())
        differences += compare("start: log", recorded["log"], world.take_log())
        for number, step in enumerate(scenario["steps"], 1):
            title = f"step {number} {shown(step['do'])}"
            differences += compare(f"{title}: return", step["return"], await world.do(step["do"]))
            differences += compare(f"{title}: log", step["log"], world.take_log())
        return differences


def run(file: dict[str, Any], options: Options) -> Iterable[Result]:
    """Play every scenario of `file`."""
    for scenario in file["scenarios"]:
        try:
            differences = run_virtual(play(scenario))
        except Exception as error:
            differences = [f"cannot be played: {error!r}"]
        yield Result(scenario["name"], differences)


FORMATS: dict[str, Runner] = {"gen-server-scenarios/1": run}
