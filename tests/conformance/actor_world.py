"""The common form of the files of processes, agents and tasks: actors that do one thing each.

A file's runner subclasses `World`, adds a `do_…` method for each operation of its own, and offers
`runner(itsWorld)` for its format. Time is virtual; what takes none settles after every step.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from aybiza.actors.runtime import (
    NORMAL,
    TIMEOUT,
    VM,
    CallExit,
    Down,
    Exit,
    ExitError,
    NameTaken,
    Pid,
    Process,
    Reason,
    StartError,
    UnknownName,
    observe,
    run_virtual,
)
from aybiza.actors.runtime.errors import UNSET
from tests.conformance import puppet
from tests.conformance.kit import Options, Result, Runner, compare, shown
from tests.conformance.puppet import MOMENT, PATIENCE

Act: TypeAlias = Callable[[], Any]

NODE = "nonode@nohost"
ATOMS = {"undefined": None, "nil": None, "true": True, "false": False}
CALL_MS = 1000

# What an operation raises is its result, unless the step wants it to end the actor.
_CAUGHT = (ExitError, StartError, NameTaken, UnknownName, TypeError, ValueError)


class Actor:
    """A process that does one operation at a time and leaves its mailbox alone."""

    def __init__(self, vm: VM, label: str, *, trap: bool = False, link: bool = False) -> None:
        self._wanted: asyncio.Queue[tuple[Act, asyncio.Future[Any]]] = asyncio.Queue()
        self._trap = trap
        self.idle = True
        self.process = vm.spawn_process(self._body, label=label, link=link)
        self.process.trap_exit = trap

    def do(self, act: Act) -> asyncio.Future[Any]:
        """Have this process run `act`; its value, or what it raised."""
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._wanted.put_nowait((act, done))
        return done

    async def _body(self, process: Process) -> None:
        while True:
            act, done = await self._wanted.get()
            self.idle = False
            try:
                value = act()
                if isinstance(value, Awaitable):
                    value = await value
            except _Uncaught as error:
                raise error.__cause__ from None  # type: ignore[misc]
            except Exception as error:
                await _survive(process)
                done.set_exception(error)
            else:
                await _survive(process)
                done.set_result(value)
            self.idle = True


async def _survive(process: Process) -> None:
    # Whoever has ended itself by an operation does not come to tell of it.
    if process.exiting is not UNSET:
        await asyncio.sleep(0)


class _Uncaught(Exception):
    """Wraps what is to end the actor."""


class World:
    """One case: its actors, whatever else has a label, and what has happened to them."""

    def __init__(self, vm: VM) -> None:
        self.vm = vm
        self.actors: dict[str, Actor] = {}
        self.pids: dict[str, Pid] = {}
        self.labels: dict[Pid, str] = {}
        self.refs: dict[int, str] = {}
        self._ended: dict[Pid, Reason] = {}
        self._untold: list[Pid] = []
        self._pending: dict[str, asyncio.Task[Any]] = {}
        vm.observers.append(self._down)

    async def step(self, do: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out a step and let it settle: what it returned, who died, what came."""
        fields = dict(do)
        keep, _ = fields.pop("keep", False), fields.pop("wait", True)
        later = fields.pop("as", None) if fields["op"] not in ("await", "pending") else None
        if later is None:
            answer = await self._operate(fields)
        else:
            self._pending[later] = asyncio.create_task(self._operate(fields))
            answer = "pending"
        await asyncio.sleep(MOMENT)
        seen = {"return": answer}
        if down := self._take_down():
            seen["down"] = down
        if not keep and (mail := self._take_mail()):
            seen["mail"] = mail
        return seen

    def know(self, label: str, pid: Pid) -> None:
        """From now on `label` means `pid`."""
        self.pids[label] = pid
        self.labels[pid] = label

    def where(self, to: str | None, to_name: str | None = None) -> Any:
        """The address of a label, or of a registered name."""
        if to_name is not None:
            return to_name
        return self.pids[str(to)]

    def term(self, thing: Any) -> Any:
        """A value of this runtime as the JSON term of the files."""
        match thing:
            case Exit(pid, why):
                return ["EXIT", self.term(pid), self.term(why)]
            case Down(ref, pid, why):
                return ["DOWN", self.refs.get(ref), "process", self.term(pid), self.term(why)]
            case (str(name), self.vm.node):
                return [name, NODE]
        return puppet.term(thing, lambda pid: self.labels.get(pid, "pid"))

    # How an operation is carried out

    async def _operate(self, fields: dict[str, Any]) -> Any:
        op, caught = fields.pop("op"), fields.pop("catch", True)
        act = getattr(self, f"do_{op}")
        who = fields.pop("who", None)
        if who is None:
            return self.term(await self._answer(_run(act, fields)))
        actor = self.actors[who]
        if not actor.process.alive:
            return "dead"
        if op in ("spawn", "server", "agent", "trap", "mailbox", "register", "exit"):
            fields["who"] = who
        outcome = actor.do(lambda: _run(act, fields) if caught else _uncaught(act, fields))
        end = asyncio.create_task(self.vm.join(actor.process.pid, None))
        await asyncio.wait((outcome, end), return_when=asyncio.FIRST_COMPLETED)
        if not outcome.done():
            return ["died", self.term(self._ended[actor.process.pid])]
        end.cancel()
        return self.term(await self._answer(outcome))

    async def _answer(self, value: Awaitable[Any]) -> Any:
        try:
            return await value
        except StartError as error:
            return "error", error.reason
        except NoProcess as error:
            return "raise", "ErlangError", error.reason
        except ExitError as error:
            return "exit", error.reason
        except TypeError:
            return "raise", "FunctionClauseError"
        except (NameTaken, UnknownName, ValueError):
            return "raise", "ArgumentError"

    async def started(self, who: str | None, label: str, link: bool, start: Act) -> Any:
        """What starting the process `label` returns; to be run by its starter.

        A linked start that fails tells its starter by the error alone; that the starter also gets
        the exit signal, as in OTP, is added here.
        """
        failure = None
        try:
            pid = await start()
        except StartError as error:
            failure, pid = error, None
        if pid is not None:
            self.know(label, pid)
            return "ok", pid
        reason = failure.reason if failure else NORMAL
        told = reason != TIMEOUT and not (isinstance(reason, tuple) and "already_started" in reason)
        if link and who and told:
            self.actors[who].process.signal(Pid("?", 0), reason)
        if failure is None:
            return "ignore"
        raise failure

    def _down(self, process: Process, reason: Reason) -> None:
        self._ended[process.pid] = reason
        self._untold.append(process.pid)

    def _take_down(self) -> list[Any]:
        told = [
            ["down", self.labels[pid], self.term(self._ended[pid])]
            for pid in self._untold
            if pid in self.labels
        ]
        self._untold.clear()
        return sorted(told, key=lambda each: str(each[1]))

    def _take_mail(self) -> dict[str, Any]:
        mail = {}
        for label, actor in self.actors.items():
            if actor.process.alive and actor.idle and (got := self._read(actor)):
                mail[label] = got
        return mail

    def _read(self, actor: Actor) -> list[Any]:
        messages = list(actor.process.mailbox)
        actor.process.discard(lambda _: True)
        return _notices_sorted([self.term(message) for message in messages])

    # Operations of every file

    def do_spawn(
        self,
        name: str,
        trap: bool = False,
        who: str | None = None,
        link: bool = False,
        monitor: str | None = None,
        exit: Any = None,
    ) -> str:
        actor = self.actors[name] = Actor(self.vm, name, trap=trap, link=link)
        self.know(name, actor.process.pid)
        if monitor is not None:
            self.do_monitor(monitor, name)
        if exit is not None:
            actor.do(lambda: self.do_exit(exit))
        return "ok"

    def do_link(self, to: str) -> bool:
        try:
            self.vm.link(self.where(to))
        except ExitError as error:
            raise NoProcess(error.reason) from None
        return True

    def do_unlink(self, to: str) -> bool:
        self.vm.unlink(self.where(to))
        return True

    def do_monitor(self, ref: str, to: str | None = None, to_name: str | None = None) -> str:
        self.refs[self.vm.monitor(self.where(to, to_name))] = ref
        return "ok"

    def do_demonitor(self, ref: str, flush: bool = False, info: bool = False) -> bool:
        (number,) = [each for each, name in list(self.refs.items())[::-1] if name == ref][:1]
        there = self.vm.demonitor(number, flush=flush)
        return there if info else True

    def do_signal(self, to: str, reason: Any) -> bool:
        self.vm.exit(self.where(to), puppet.reason(reason))
        return True

    def do_exit(self, reason: Any, who: str | None = None) -> None:
        raise _Uncaught from ExitError(puppet.reason(reason))

    def do_raise(self) -> None:
        raise _Uncaught from RuntimeError()

    def do_throw(self) -> None:
        raise _Uncaught from ExitError(("nocatch", "ball"))

    def do_trap(self, value: bool, who: str) -> bool:
        process = self.actors[who].process
        before, process.trap_exit = process.trap_exit, value
        return before

    def do_register(self, name: str, who: str, to: str | None = None) -> bool:
        try:
            self.vm.register(ATOMS.get(name, name), self.where(to or who))  # type: ignore[arg-type]
        except CallExit as error:
            raise ValueError("nobody lives there") from error
        return True

    def do_unregister(self, name: str) -> bool:
        self.vm.unregister(name)
        return True

    def do_whereis(self, name: str) -> Pid | None:
        return self.vm.whereis(name)

    def do_send(self, to: str, msg: Any) -> str:
        self.vm.send(self.where(to), msg)
        return "ok"

    def do_send_name(self, name: str, msg: Any) -> str:
        self.vm.send(name, msg)
        return "ok"

    def do_alive(self, to: str) -> Any:
        return self.vm.alive(self.pids[to]) if to in self.pids else "none"

    def do_links(self, to: str) -> Any:
        if not self.vm.alive(self.where(to)):
            return "dead"
        return sorted(self.labels.get(p, "pid") for p in observe(self.vm, self.where(to)).links)

    def do_monitors(self, to: str) -> Any:
        if not self.vm.alive(self.where(to)):
            return "dead"
        return sorted(self.labels.get(p, "pid") for p in observe(self.vm, self.where(to)).monitors)

    def do_mailbox(self, who: str) -> list[Any]:
        return self._read(self.actors[who])

    async def do_sleep(self, ms: float) -> str:
        await asyncio.sleep(ms / 1000)
        return "ok"

    async def do_await(self, **named: str) -> Any:
        return await self._pending[named["as"]]

    def do_pending(self, **named: str) -> bool:
        return not self._pending[named["as"]].done()


class NoProcess(ExitError):
    """Erlang raises an error, not an exit, where a process links with one that is dead."""


async def _run(act: Callable[..., Any], fields: Mapping[str, Any]) -> Any:
    value = act(**fields)
    return await value if isinstance(value, Awaitable) else value


async def _uncaught(act: Callable[..., Any], fields: Mapping[str, Any]) -> Any:
    try:
        return await _run(act, fields)
    except _CAUGHT as error:
        raise _Uncaught from error


def _notices_sorted(messages: Sequence[Any]) -> list[Any]:
    """`messages`, in each run of EXIT and DOWN messages sorted: they have no order there."""
    ordered: list[Any] = []
    run: list[Any] = []
    for message in messages:
        if isinstance(message, list) and message and message[0] in ("EXIT", "DOWN"):
            run.append(message)
            continue
        ordered += [*sorted(run, key=shown), message]
        run = []
    return ordered + sorted(run, key=shown)


def seconds(ms: Any) -> float | None:
    """A time limit of the files, as this runtime's."""
    return None if ms == "infinity" else ms / 1000


async def play(world: type[World], case: Mapping[str, Any]) -> list[str]:
    """The differences between what the case records and what happens here."""
    async with asyncio.timeout(PATIENCE), VM("n", block_warning_ms=None) as vm:
        playing = world(vm)
        differences: list[str] = []
        for number, step in enumerate(case["steps"], 1):
            recorded = {key: value for key, value in step.items() if key != "do"}
            title = f"step {number} {shown(step['do'])}"
            differences += compare(title, recorded, await playing.step(step["do"]))
        return differences


def runner(world: type[World]) -> Runner:
    """Plays every case of a file in a `world` of its own."""

    def run(file: dict[str, Any], options: Options) -> Iterable[Result]:
        for case in file["cases"]:
            try:
                differences = run_virtual(play(world, case))
            except Exception as error:
                differences = [f"cannot be played: {error!r}"]
            yield Result(case["name"], differences)

    return run
