"""Plays a supervisor scenario on real supervisors in a VM of its own, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aybiza.actors.runtime import (
    IGNORE,
    KILL,
    VM,
    CallExit,
    Exit,
    ExitError,
    GenServer,
    Pid,
    Process,
    StartError,
    Stop,
    sys,
)
from aybiza.supervisors import DynamicSupervisor, Supervisor, SupervisorError, check_childspecs
from tests.conformance import supervisor_terms as terms
from tests.conformance.supervisor_terms import Attempts, Observation

# As good as nothing to the scenarios, whose shortest time is 40 ms: waiting for it lets all
# that is ready run, since virtual time stands still until then.
MOMENT = 1e-6
# The grain of the waits for what takes virtual time, and how long they last at most.
STEP = 1e-2
PATIENCE = 300.0
# No scenario lasts this long: one that does is stuck.
LIMIT = 1000 * 3600.0


async def play(scenario: dict[str, Any]) -> list[Observation]:
    """What is observed after the start and after each step."""
    async with asyncio.timeout(LIMIT), VM("n", block_warning_ms=None) as vm:
        world = World(vm)
        observations = [await world.observe(await world.start(scenario["tree"]))]
        for step in scenario["steps"]:
            observations.append(await world.observe(await world.do(step["do"])))
        return observations


class World:
    """The processes of one scenario, seen from outside."""

    def __init__(self, vm: VM) -> None:
        self.vm = vm
        self.attempts = Attempts()
        self.events: list[Any] = []
        self._unordered: set[str] = set()
        self._labels: dict[Pid, str] = {}
        self._watched: set[Pid] = set()
        self._newest: dict[str, Pid] = {}
        self._parent: Pid | None = None
        vm.observers.append(self._down)

    # What processes tell

    def begin(self, attempt: Attempt, pid: Pid, *, watch: bool) -> None:
        """A start attempt has reached its init."""
        self._labels[pid] = attempt.label
        self.events.append(["start", attempt.label, attempt.outcome])
        if attempt.unordered:
            self._unordered.add(attempt.label)
        if watch:
            self._watched.add(pid)

    def terminating(self, pid: Pid, reason: Any) -> None:
        """A worker's terminate callback was called."""
        self.events.append(["terminate", self._labels[pid], self.term(reason)])

    def runs(self, id: str, pid: Pid) -> None:
        """A start attempt of `id` has succeeded."""
        self._newest[id] = pid

    def _down(self, process: Process, reason: Any) -> None:
        if process.pid in self._watched:
            self.events.append(["down", self._labels[process.pid], self.term(reason)])

    def term(self, value: Any) -> Any:
        """`value` as a term of the file."""
        return terms.term(value, self._label)

    def _label(self, pid: Pid) -> str:
        return self._labels.get(pid, str(pid))

    # What the file tells

    async def start(self, tree: dict[str, Any]) -> Any:
        """Start the root under its parent."""
        self._parent = parent = await self.vm.start(Parent)
        assert parent is not None
        return await self.vm.call(parent, StartChild(self, tree), timeout=None)

    async def observe(self, returned: Any) -> Observation:
        """What has happened, once every process is idle."""
        await self._settle()
        events, self.events = self.events, []
        live = sorted(self._labels[pid] for pid in self._watched if self.vm.alive(pid))
        return Observation(returned, events, live, self._unordered)

    async def _settle(self) -> None:
        await asyncio.sleep(MOMENT)
        limit = self.vm.now() + PATIENCE
        while not all(map(self._idle, self._watched)):
            if self.vm.now() > limit:
                raise TimeoutError("the processes do not come to rest")
            await asyncio.sleep(STEP)

    def _idle(self, pid: Pid) -> bool:
        process = self.vm.find(pid)
        return process is None or process.idle

    async def do(self, stimulus: Mapping[str, Any]) -> Any:
        """Apply one stimulus; its return."""
        return await getattr(self, f"_do_{stimulus['op']}")(stimulus)

    def _living(self, id: str) -> Pid | None:
        pid = self._newest.get(id)
        return pid if pid is not None and self.vm.alive(pid) else None

    async def _do_exit(self, stimulus: Mapping[str, Any]) -> Any:
        return self._send(stimulus["id"], Stop(terms.reason(stimulus["reason"])))

    async def _do_raise(self, stimulus: Mapping[str, Any]) -> Any:
        return self._send(stimulus["id"], RuntimeError("told to"))

    def _send(self, id: str, error: Exception) -> str:
        pid = self._living(id)
        if pid is None:
            return "no_process"
        self.vm.cast(pid, error)
        return "ok"

    async def _do_kill(self, stimulus: Mapping[str, Any]) -> Any:
        return self._signal(stimulus["id"], KILL)

    async def _do_signal(self, stimulus: Mapping[str, Any]) -> Any:
        return self._signal(stimulus["id"], terms.reason(stimulus["reason"]))

    def _signal(self, id: str, reason: Any) -> str:
        pid = self._living(id)
        if pid is None:
            return "no_process"
        self.vm.exit(pid, reason)
        return "ok"

    async def _do_parent_exit(self, stimulus: Mapping[str, Any]) -> Any:
        root = self._living("root")
        assert self._parent is not None
        if root is not None:
            reason = terms.reason(stimulus["reason"])
            await self.vm.call(self._parent, SignalChild(root, reason))
        return "ok"

    async def _do_stop(self, stimulus: Mapping[str, Any]) -> Any:
        pid = self._living(stimulus["id"])
        if pid is None:
            return "no_process"
        try:
            await self.vm.stop(pid, terms.reason(stimulus["reason"]), timeout=None)
        except CallExit as error:
            return ["exit", self.term(error.reason)]
        return "ok"

    async def _do_sleep(self, stimulus: Mapping[str, Any]) -> Any:
        await asyncio.sleep(stimulus["ms"] / 1000)
        return "ok"

    async def _do_burst(self, stimulus: Mapping[str, Any]) -> Any:
        supervisor = self._newest.get(stimulus["sup"], stimulus["sup"])
        try:
            await sys.suspend(self.vm, supervisor)
        except CallExit as error:
            return ["exit", self.term(error.reason)]
        returned = []
        for each in stimulus["do"]:
            pid = self._living(each["id"])
            returned.append(await self.do(each))
            if pid is not None:
                await self.vm.join(pid, None)
        await sys.resume(self.vm, supervisor)
        return returned

    async def _do_check_childspecs(self, stimulus: Mapping[str, Any]) -> Any:
        try:
            check_childspecs([self.spec(given) for given in stimulus["children"]])
        except SupervisorError as refusal:
            return ["error", self.term(refusal.term)]
        return "ok"

    async def _do_start_child(self, stimulus: Mapping[str, Any]) -> Any:
        fields, mode = stimulus["child"], stimulus.get("mode")
        if mode == "simple":
            return await self._ask(stimulus, Supervisor.start_child, [fields])
        if mode != "dynamic":
            return await self._ask(stimulus, Supervisor.start_child, self.spec(fields))
        spec = self.spec(fields, unordered=True)
        try:
            answer = await self._ask(stimulus, DynamicSupervisor.start_child, spec)
        except (TypeError, ValueError) as error:
            return ["raise", terms.RAISED[type(error)]]
        return "ignore" if answer == ["ok", "undefined"] else answer

    async def _do_restart_child(self, stimulus: Mapping[str, Any]) -> Any:
        return await self._ask(stimulus, Supervisor.restart_child, stimulus["id"])

    async def _do_delete_child(self, stimulus: Mapping[str, Any]) -> Any:
        return await self._ask(stimulus, Supervisor.delete_child, stimulus["id"])

    async def _do_terminate_child(self, stimulus: Mapping[str, Any]) -> Any:
        which = stimulus["id"]
        if stimulus.get("mode") in ("dynamic", "pid"):
            which = self._newest.get(which, self._parent)
        return await self._ask(stimulus, Supervisor.terminate_child, which)

    async def _do_which_children(self, stimulus: Mapping[str, Any]) -> Any:
        listed = await self._ask(stimulus, Supervisor.which_children)
        return sorted(listed) if stimulus.get("mode") and listed[:1] != ["exit"] else listed

    async def _do_count_children(self, stimulus: Mapping[str, Any]) -> Any:
        return await self._ask(stimulus, Supervisor.count_children)

    async def _do_get_childspec(self, stimulus: Mapping[str, Any]) -> Any:
        return await self._ask(stimulus, Supervisor.get_childspec, stimulus["id"])

    async def _ask(
        self, stimulus: Mapping[str, Any], operation: Callable[..., Any], *arguments: Any
    ) -> Any:
        id = stimulus["sup"]
        try:
            answer = await operation(self.vm, self._newest.get(id, id), *arguments, timeout=None)
        except SupervisorError as refusal:
            return ["error", self.term(refusal.term)]
        except CallExit as error:
            return ["exit", self.term(error.reason)]
        return terms.answer(operation.__name__, answer, self._label)

    def spec(self, given: Any, *, unordered: bool = False) -> Any:
        """The child specification that `given` describes; see `Attempt` for `unordered`."""
        return terms.spec(given, lambda fields: StartChild(self, fields, unordered))


@dataclass(frozen=True)
class Attempt:
    """A start of the process that `fields` describes, and its scripted outcome.

    Children that end all at once are `unordered`: their ends have no order among each other.
    """

    fields: Mapping[str, Any]
    label: str
    outcome: Any
    unordered: bool


@dataclass(frozen=True)
class StartChild:
    """The start function of a child, or the request to start the root."""

    world: World
    fields: Mapping[str, Any]
    unordered: bool = False

    async def __call__(self, vm: VM, *more: Mapping[str, Any]) -> Any:
        fields = {**self.fields, **(more[0] if more else {})}
        label, outcome = self.world.attempts.next(fields)
        attempt = Attempt(fields, label, outcome, self.unordered)
        server: type[GenServer] = Worker
        if fields.get("type") == "supervisor" or fields["id"] == "root":
            server = Dynamic if fields.get("kind") == "dynamic" else Static
        pid = await vm.start(server, self.world, attempt, link=True, timeout=None)
        if pid is None:
            return None
        self.world.runs(fields["id"], pid)
        return (pid, outcome[1]) if terms.kind(outcome) == "ok_extra" else pid


@dataclass(frozen=True)
class SignalChild:
    """The request to send an exit signal to the root."""

    root: Pid
    reason: Any


class Parent(GenServer):
    """The root's parent: traps exits and never reacts."""

    traps_exits = True

    async def handle_call(self, request: Any, from_: Any) -> Any:
        if isinstance(request, SignalChild):
            self.vm.exit(request.root, request.reason)
            return "ok"
        try:
            pid = await request(self.vm)
        except StartError as error:
            return ["error", request.world.term(error.reason)]
        return "ignore" if pid is None else ["ok", request.world.term(pid)]

    async def handle_info(self, message: Any) -> None:
        """Its child's end is nothing to it."""


class Worker(GenServer):
    """Does what the scenario says."""

    async def init(self, world: World, attempt: Attempt) -> Any:
        self._world = world
        self._fields = fields = attempt.fields
        self.trap_exit(fields.get("trap_exit", False))
        if fields.get("unlink"):
            parent = self._process.parent
            assert parent is not None
            self.vm.unlink(parent)
        runs = terms.gives_process(attempt.outcome)
        world.begin(attempt, self.pid, watch=runs)
        return None if runs else _fail(attempt.outcome)

    async def handle_cast(self, request: Any) -> None:
        raise request

    async def handle_info(self, message: Any) -> None:
        assert isinstance(message, Exit)

    async def terminate(self, reason: Any) -> None:
        self._world.terminating(self.pid, reason)
        match self._fields.get("on_terminate"):
            case "hang":
                await self.vm.loop.create_future()
            case ["exit", reason]:
                raise ExitError(terms.reason(reason))


class Static(Supervisor):
    """A supervisor of the scenario."""

    async def init(self, world: World, attempt: Attempt) -> Any:  # type: ignore[override]
        world.begin(attempt, self.pid, watch=terms.gives_process(attempt.outcome))
        if not terms.gives_process(attempt.outcome):
            return _fail(attempt.outcome)
        tree = attempt.fields
        simple = tree.get("strategy") == "simple_one_for_one"
        children = [world.spec(given, unordered=simple) for given in tree.get("children", ())]
        return await super().init(children, **terms.flags(tree))


class Dynamic(DynamicSupervisor):
    """A dynamic supervisor of the scenario."""

    async def init(self, world: World, attempt: Attempt) -> Any:  # type: ignore[override]
        world.begin(attempt, self.pid, watch=terms.gives_process(attempt.outcome))
        if not terms.gives_process(attempt.outcome):
            return _fail(attempt.outcome)
        return await super().init(**terms.flags(attempt.fields))


def _fail(outcome: Any) -> Any:
    match outcome:
        case "ignore":
            return IGNORE
        case ["stop", reason]:
            raise Stop(terms.reason(reason))
        case ["exit", reason]:
            raise ExitError(terms.reason(reason))
        case ["raise", text]:
            raise RuntimeError(text)
        case ["return", value]:
            return value
    raise ValueError(f"an outcome of init that has no meaning: {outcome!r}")
