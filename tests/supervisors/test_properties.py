"""What holds for every tree, whatever happens to it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aybiza.actors.runtime import (
    KILL,
    NORMAL,
    VM,
    CallExit,
    GenServer,
    Pid,
    Process,
    Stop,
    run_virtual,
    sys,
)
from aybiza.supervisors import BRUTAL_KILL, INFINITY, ChildSpec, Supervisor, SupervisorError, child
from aybiza.supervisors.intensity import Intensity
from aybiza.supervisors.plan import Failed, Report, Retry, Start, Started, Verdict
from aybiza.supervisors.plan import Stop as StopChildren
from aybiza.supervisors.strategy import COVERS, Strategy
from tests.supervisors.crew import rest
from tests.supervisors.hand import Hand, spec

RESTARTS = ("permanent", "transient", "temporary")
STRATEGIES = tuple(COVERS)
MAX_SECONDS = 5

# The decisions alone

IDS = "abcde"
happenings = st.lists(
    st.tuples(
        st.sampled_from(["exit", "finish", "retry", "terminate", "restart", "delete", "start"]),
        st.sampled_from(IDS),
        st.floats(0, 3),
    ),
    max_size=30,
)
scripts = st.dictionaries(
    st.sampled_from(IDS),
    st.lists(st.sampled_from(["ok", "ok", "no", "ignore"]), max_size=8),
)


@dataclass
class Course:
    """A supervisor's decisions over time, and what must hold of each."""

    children: Strategy
    hand: Hand
    max_restarts: int
    order: list[str]
    running: dict[str, Pid] = field(default_factory=dict)
    retries: list[Any] = field(default_factory=list)
    restarts: list[int] = field(default_factory=list)

    def follow(self) -> None:
        """Check the commands of one decision, in their order."""
        before = self.order.index
        stopped: list[str] = []
        started: list[str] = []
        failed = False
        for command, result in zip(self.hand.commands, self.hand.results, strict=True):
            match command:
                case StopChildren(((pid, target),)):
                    assert failed or not started, "all are stopped before one is started"
                    assert self.running.pop(str(target.id)) == pid
                    stopped.append(str(target.id))
                case Start(target):
                    assert not failed, "nothing is started behind a failure"
                    assert target.id not in self.running, "its predecessor still runs"
                    started.append(str(target.id))
                    failed = isinstance(result, Failed)
                    if isinstance(result, Started):
                        self.running[str(target.id)] = result.pid
                case Retry(key):
                    self.retries.append(key)
        self.hand.forget()
        assert started == sorted(started, key=before)
        assert stopped == sorted(stopped, key=before, reverse=True)

    def end(self, id: str, reason: Any, now: float) -> Verdict:
        """The process of `id` ends by itself."""
        pid = self.running.pop(id)
        self.hand.dead.add(pid)
        return self._count(self.hand.carry_out(self.children.child_exited(pid, reason, now)), now)

    def retry(self, now: float) -> Verdict:
        """The first retry that waits is delivered."""
        plan = self.children.retry(self.retries.pop(0), now)
        return self._count(self.hand.carry_out(plan), now)

    def _count(self, verdict: Verdict, now: float) -> Verdict:
        commands = self.hand.commands
        if any(isinstance(each, Start) for each in commands):
            self.restarts.append(int(now))
            recent = [time for time in self.restarts if time >= int(now) - MAX_SECONDS]
            assert len(recent) <= self.max_restarts, "the intensity is exceeded"
        if verdict is Verdict.SHUT_DOWN:
            assert any(isinstance(each, Report) and each.event == "shutdown" for each in commands)
        return verdict


@settings(max_examples=300, deadline=None)
@given(
    strategy=st.sampled_from(STRATEGIES),
    restarts=st.lists(st.sampled_from(RESTARTS), min_size=1, max_size=4),
    max_restarts=st.integers(0, 6),
    script=scripts,
    happenings=happenings,
)
def test_decisions_keep_order_and_limits(
    strategy: str,
    restarts: list[Any],
    max_restarts: int,
    script: dict[str, list[Any]],
    happenings: list[tuple[str, str, float]],
) -> None:
    hand = Hand()
    hand.outcomes = {id: list(outcomes) for id, outcomes in script.items()}
    specs = [spec(id, restart=restart) for id, restart in zip(IDS, restarts, strict=False)]
    intensity = Intensity(max_restarts, MAX_SECONDS)
    children = Strategy(specs, strategy, intensity, "never", hand.alive)
    course = Course(children, hand, max_restarts, [str(each.id) for each in specs])
    failed = hand.carry_out(children.start_all())
    course.follow()
    if failed is not None:
        assert not course.running, "a failed start leaves nothing behind"
        return
    now = 0.0
    verdict = Verdict.GO_ON
    for happening, id, gap in happenings:
        now += gap
        listed = [str(info.id) for info in reversed(children.which_children())]
        course.order = listed + [each for each in IDS if each not in listed]
        try:
            match happening:
                case "exit" | "finish" if id in course.running:
                    verdict = course.end(id, "boom" if happening == "exit" else NORMAL, now)
                case "retry" if course.retries:
                    verdict = course.retry(now)
                case "terminate":
                    hand.carry_out(children.terminate_child(id))
                case "restart":
                    hand.carry_out(children.restart_child(id))
                case "delete":
                    children.delete_child(id)
                case "start":
                    hand.carry_out(children.start_child(spec(id)))
        except SupervisorError:
            pass
        course.follow()
        assert course.running == {
            info.id: info.pid for info in children.which_children() if isinstance(info.pid, Pid)
        }
        if verdict is Verdict.SHUT_DOWN:
            break
    hand.carry_out(children.stop_all())
    course.follow()
    assert not course.running, "nothing is left"


# Whole trees of real processes


@dataclass(frozen=True)
class Leaf:
    """A worker that the tree is made of."""

    restart: Any
    shutdown: Any
    trap: bool
    outcomes: tuple[str, ...]


@dataclass(frozen=True)
class Branch:
    """A supervisor that the tree is made of."""

    restart: Any
    strategy: str
    max_restarts: int
    children: tuple[Any, ...]


leaves = st.builds(
    Leaf,
    restart=st.sampled_from(RESTARTS),
    shutdown=st.sampled_from([1.0, BRUTAL_KILL, INFINITY]),
    trap=st.booleans(),
    outcomes=st.lists(st.sampled_from(["ok", "ok", "ok", "no", "ignore"]), max_size=5).map(tuple),
)
trees = st.recursive(
    leaves,
    lambda below: st.builds(
        Branch,
        restart=st.sampled_from(RESTARTS),
        strategy=st.sampled_from(STRATEGIES),
        max_restarts=st.integers(0, 4),
        children=st.lists(below, max_size=4).map(tuple),
    ),
    max_leaves=10,
)
roots = st.builds(
    Branch,
    restart=st.just("permanent"),
    strategy=st.sampled_from(STRATEGIES),
    max_restarts=st.integers(0, 6),
    children=st.lists(trees, min_size=1, max_size=4).map(tuple),
)
blows = st.lists(
    st.tuples(
        st.sampled_from(["crash", "finish", "kill", "terminate", "restart", "burst"]),
        st.integers(0, 30),
    ),
    max_size=12,
)


class Forest:
    """A tree of real processes, and a protocol of who lives when."""

    def __init__(self, vm: VM) -> None:
        self.vm = vm
        self.attempts: Counter[str] = Counter()
        self.living: dict[str, Pid] = {}
        self.started: list[str] = []
        self.ended: list[str] = []
        self.parents: dict[str, str] = {}
        self.overlaps: list[str] = []
        vm.observers.append(self._down)

    def begin(self, label: str, pid: Pid) -> None:
        """A process of `label` starts to live."""
        if label in self.living:
            self.overlaps.append(label)
        self.living[label] = pid
        self.started.append(label)

    def _down(self, process: Process, _: Any) -> None:
        for label, pid in list(self.living.items()):
            if pid == process.pid:
                del self.living[label]
                self.ended.append(label)

    def spec(self, part: Leaf | Branch, label: str, parent: str) -> ChildSpec:
        """The child specification of a part of the tree; labels tell the way to it."""
        self.parents[label] = parent
        if isinstance(part, Leaf):
            return child(
                LeafServer,
                self,
                part,
                label,
                id=label,
                restart=part.restart,
                shutdown=part.shutdown,
            )
        return child(BranchServer, self, part, label, id=label, restart=part.restart)

    def siblings(self, labels: list[str]) -> dict[str, list[str]]:
        """`labels` by their parents, in order."""
        by_parent: dict[str, list[str]] = {}
        for label in labels:
            by_parent.setdefault(self.parents[label], []).append(label)
        return by_parent


class LeafServer(GenServer):
    async def init(self, forest: Forest, leaf: Leaf, label: str) -> Any:
        number = forest.attempts[label]
        forest.attempts[label] += 1
        outcome = leaf.outcomes[number] if number < len(leaf.outcomes) else "ok"
        if outcome == "no":
            raise Stop("no")
        self.trap_exit(leaf.trap)
        forest.begin(label, self.pid)
        return None

    async def handle_cast(self, request: Any) -> None:
        raise Stop(request)

    async def terminate(self, reason: Any) -> None:
        await asyncio.sleep(0.01)


class BranchServer(Supervisor):
    async def init(  # type: ignore[override]
        self, forest: Forest, branch: Branch, label: str
    ) -> Any:
        forest.begin(label, self.pid)
        await super().init(
            [
                forest.spec(part, f"{label}.{number}", label)
                for number, part in enumerate(branch.children)
            ],
            strategy=branch.strategy,
            max_restarts=branch.max_restarts,
            max_seconds=3600,
        )


async def strike(forest: Forest, blow: str, number: int, *, supervisors_too: bool) -> None:
    """Do something to the tree."""
    vm = forest.vm
    labels = sorted(forest.parents)
    label = labels[number % len(labels)]
    parent, pid = forest.living.get(forest.parents[label]), forest.living.get(label)
    leaf = pid is not None and type(vm.find(pid).server) is LeafServer  # type: ignore[union-attr]
    try:
        match blow:
            case "crash" if leaf and pid:
                vm.cast(pid, "boom")
            case "finish" if leaf and pid:
                vm.cast(pid, NORMAL)
            case "kill" if pid and (leaf or supervisors_too):
                vm.exit(pid, KILL)
            case "terminate" if parent:
                await Supervisor.terminate_child(vm, parent, label)
            case "restart" if parent:
                await Supervisor.restart_child(vm, parent, label)
            case "burst" if parent:
                await sys.suspend(vm, parent)
                for victim, its_parent in forest.parents.items():
                    if its_parent == forest.parents[label] and victim in forest.living:
                        died = forest.living[victim]
                        if type(vm.find(died).server) is LeafServer:  # type: ignore[union-attr]
                            vm.exit(died, KILL)
                            await vm.join(died)
                await sys.resume(vm, parent)
    except (SupervisorError, CallExit):
        pass


async def grow(root: Branch, blows: list[tuple[str, int]], *, supervisors_too: bool) -> None:
    async with VM(block_warning_ms=None) as vm:
        forest = Forest(vm)
        try:
            top = await vm.start(BranchServer, forest, root, "r", timeout=None)
        except Exception:
            await asyncio.sleep(5.0)
            assert vm.processes() == [], "a failed start leaves nothing behind"
            return
        assert top
        for siblings in forest.siblings([each for each in forest.started if each != "r"]).values():
            # A child that failed took its siblings down, whose parent may have been tried again.
            first = siblings[: len(set(siblings))]
            assert first == sorted(first), "children start in the order of their specs"
        for blow, number in blows:
            await strike(forest, blow, number, supervisors_too=supervisors_too)
            await asyncio.sleep(5.0)
            assert set(vm.processes()) == set(forest.living.values())
            for label in forest.living:
                assert label == "r" or forest.parents[label] in forest.living, "an orphan"
        if not supervisors_too:
            assert forest.overlaps == [], "an incarnation overlaps its predecessor"
        forest.ended.clear()
        if vm.alive(top):
            await vm.stop(top, timeout=None)
        for siblings in forest.siblings([each for each in forest.ended if each != "r"]).values():
            assert siblings == sorted(siblings, reverse=True), "they end in reverse order"
        await rest()
        assert vm.processes() == [], "an orphan"


@settings(max_examples=120, deadline=None)
@given(root=roots, blows=blows)
def test_trees_keep_order_and_leave_no_orphan(root: Branch, blows: list[tuple[str, int]]) -> None:
    run_virtual(grow(root, blows, supervisors_too=False))


@settings(max_examples=80, deadline=None)
@given(root=roots, blows=blows)
def test_trees_leave_no_orphan_even_when_supervisors_are_killed(
    root: Branch, blows: list[tuple[str, int]]
) -> None:
    run_virtual(grow(root, blows, supervisors_too=True))


@settings(max_examples=60, deadline=None)
@given(
    max_restarts=st.integers(0, 5),
    gaps=st.lists(st.floats(0.0, 4.0), min_size=1, max_size=25),
)
def test_a_supervisor_lives_exactly_as_long_as_its_intensity_allows(
    max_restarts: int, gaps: list[float]
) -> None:
    async def crash() -> None:
        async with VM(block_warning_ms=None) as vm:
            forest = Forest(vm)
            leaf = Leaf("permanent", 1.0, False, ())
            specs = [forest.spec(leaf, "a", "top")]
            top = await vm.start(
                Supervisor, specs, max_restarts=max_restarts, max_seconds=MAX_SECONDS
            )
            assert top
            crashes: list[int] = []
            for gap in gaps:
                await asyncio.sleep(gap)
                vm.exit(forest.living["a"], KILL)
                crashes.append(int(vm.now()))
                await asyncio.sleep(1e-6)
                recent = [time for time in crashes if time >= crashes[-1] - MAX_SECONDS]
                assert vm.alive(top) is (len(recent) <= max_restarts)
                if not vm.alive(top):
                    return

    run_virtual(crash())
