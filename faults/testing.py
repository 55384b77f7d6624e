"""Tests of phone agents under faults: what the fixtures of the pytest plugin give, and helpers.

    from aybiza.faults.testing import assert_heard, assert_no_orphans, assert_restarted, says

    def test_the_caller_hears_every_sentence(node, call, faults):
        faults("kill", where="SpeakerActor", after="SentenceHeard(turn=1, seq=1)")
        call(says("What are your hours?"), hangs_up())
        assert_heard(["We are open from nine to five.", "On Saturdays we close at noon."])
        assert_no_orphans()

Everything happens in virtual time; a test is an ordinary function. The helpers are about the node
of the test that runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from aybiza.actors.runtime import Pid
from aybiza.emulators.phone import Report
from aybiza.faults.caller import (
    Step,
    breaks_off,
    hangs_up,
    interrupts,
    mumbles,
    presses,
    says,
    stays,
)
from aybiza.faults.fault import fault_of
from aybiza.faults.injector import Injector, Strike
from aybiza.faults.level import Level
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.sequence import sequence
from aybiza.faults.virtual_time import VirtualTime
from aybiza.faults.world import World

__all__ = [
    "Caller",
    "Faults",
    "Node",
    "VirtualTime",
    "assert_heard",
    "assert_no_orphans",
    "assert_restarted",
    "breaks_off",
    "eventually",
    "hangs_up",
    "interrupts",
    "mumbles",
    "presses",
    "says",
    "stays",
]

ORPHAN_SECONDS = 40.0


class Node:
    """A whole node in virtual time; `world` is all of it, `vm` its processes."""

    def __init__(self, time: VirtualTime, world: World, injector: Injector) -> None:
        self.time = time
        self.world = world
        self.vm = world.vm
        self.injector = injector
        self.level: Level = time.run(_level(world))

    def find(self, name: Any) -> Pid:
        """The process of a name, or the first of an actor class."""
        pid = self.vm.whereis(name) if not isinstance(name, str) else None
        for each in [] if pid else self.vm.processes():
            process = self.vm.find(each)
            if process is not None and name in (process.label, self.vm.name_of(process)):
                pid = each
                break
        assert pid is not None, f"there is no {name!r}; there are: {', '.join(self.world.labels())}"
        return pid

    def kill(self, name: Any) -> Pid:
        """Kill a process; returns who it was."""
        pid = self.find(name)
        self.vm.exit(pid, "kill")
        return pid

    def crash(self, name: Any) -> Pid:
        """Have a process crash by itself, in a callback; returns who it was."""
        pid = self.find(name)
        self.vm.cast(pid, "no clause fits this")
        return pid

    def sequence(self) -> list[str]:
        """What has happened, for people."""
        return sequence(self.world.trace)


class Faults:
    """Call it with a fault's fields (`aybiza.faults.fault`) to have it come about in the test."""

    def __init__(self, injector: Injector) -> None:
        self._injector = injector

    def __call__(self, what: str, **fields: Any) -> None:
        self._injector.add(fault_of({"what": what, **fields}))

    @property
    def strikes(self) -> list[Strike]:
        """What has struck, in order."""
        return self._injector.strikes


class Caller:
    """Call it with steps to have a call placed and carried to its end; `last` is the call then.

    `placed` starts one and leaves it under way; `until` lets it go on until something holds, `over`
    to its end.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._contexts: list[Any] = []
        self.last: PlacedCall | None = None

    def __call__(self, *steps: Step, within: float = 1000.0) -> PlacedCall:
        call = self.placed(*steps)
        self.over(call, within)
        return call

    def placed(self, *steps: Step) -> PlacedCall:
        """A call that is under way."""
        node = self._node
        if not self._contexts:
            node.time.run(_begun(node))
        context = node.world.call(*steps)
        self._contexts.append(context)
        self.last = node.time.run(context.__aenter__())
        return self.last

    def over(self, call: PlacedCall, within: float = 1000.0) -> Report:
        """Carry a call that is under way to its end; its report."""
        return self._node.time.run(call.over(within))

    def until(self, condition: Callable[[], Any], within: float = 120.0) -> None:
        """Let the calls go on until `condition` holds."""
        assert self._node.time.until(condition, within), f"waited {within:g} s in vain"

    def close(self) -> None:
        """Break off what is still under way."""
        for context in self._contexts:
            self._node.time.run(context.__aexit__(None, None, None))


_nodes: list[Node] = []


def enter(node: Node) -> None:
    """For the plugin: the helpers are about this node from now on."""
    _nodes.append(node)


def leave(node: Node) -> None:
    """For the plugin: the node of the test is gone."""
    _nodes.remove(node)


def current() -> Node:
    """The node of the test that runs."""
    assert _nodes, "no node: have the test take the fixture `node`, or one that needs it"
    return _nodes[-1]


def eventually(condition: Callable[[], Any], within: float = 5.0) -> None:
    """`condition` holds within so many seconds of virtual time."""
    node = current()
    assert node.time.until(condition, within), f"it did not hold within {within:g} s"


def assert_restarted(pid: Pid, within: float = 1.0) -> Pid:
    """The process has ended, and its supervisor has started another in its place within so many
    seconds; returns the successor."""
    node = current()
    vm = node.vm
    process = vm.find(pid)
    labels = {told.who.partition("#")[2]: told.who.partition("#")[0] for told in node.world.trace}
    label = process.label if process else labels.get(str(pid.serial), "")

    def successor() -> Pid | None:
        ended = [
            told.at for told in node.world.trace.of("exit") if told.who == f"{label}#{pid.serial}"
        ]
        if not ended:
            return None
        for at, new in vm.replaced:
            found = vm.find(new)
            if found is not None and found.label == label and ended[0] <= at <= ended[0] + within:
                return new
        return None

    held = node.time.until(successor, within)
    assert held, f"{label} {pid} was not restarted within {within:g} s"
    found = successor()
    assert found is not None
    return found


def assert_heard(sentences: Sequence[str], call: PlacedCall | None = None) -> None:
    """The caller has heard these sentences, in this order, each once."""
    placed = call or current().world.calls[-1]
    heard = " ".join(placed.heard.split())
    at = 0
    for sentence in sentences:
        wanted = " ".join(sentence.split())
        found = heard.find(wanted, at)
        assert found >= 0, f"not heard (in its place): {sentence!r}; heard: {placed.heard!r}"
        assert heard.count(wanted) == sentences.count(sentence), (
            f"heard {heard.count(wanted)} times: {sentence!r}; heard: {placed.heard!r}"
        )
        at = found + len(wanted)


def assert_no_orphans(within: float = ORPHAN_SECONDS) -> None:
    """Nothing of the calls is left: no process, task, timer, socket, journal or stream."""
    node = current()

    left: list[str] = []

    def nothing() -> bool:
        left[:] = node.level.left(node.world)
        return not left

    assert node.time.until(nothing, within), f"still there: {', '.join(left)}"


async def _level(world: World) -> Level:
    return Level(world)


async def _begun(node: Node) -> None:
    node.injector.begin(node.world)
