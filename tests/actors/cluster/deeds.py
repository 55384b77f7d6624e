"""What can be done to a `World`: one function each, in `OPS`. The numbers choose to whom."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aybiza.actors.cluster import signals
from aybiza.actors.runtime import KILL, CallExit, NameTaken, Pid, Process, RemoteBusy, Via
from aybiza.supervisors import SupervisorError, TaskSupervisor
from tests.actors.cluster.world import (
    CALL_SECONDS,
    GROUPS,
    MAX_BYTES,
    NAMES,
    NODES,
    TASKS,
    Node,
    Unreadable,
    UnreadableSoon,
    inside,
)

if TYPE_CHECKING:
    from tests.actors.cluster.world import World


def pick(world: World, a: int, b: int) -> tuple[Node, Process, Pid] | None:
    """A player, and the pid of one of another node, which may be dead."""
    node = world.node(a)
    if node is None or node.frozen:
        return None
    targets = [pid for pid in world.ledger.known if pid.node != node.card.name]
    if not targets:
        return None
    recent = targets[-12:]
    return node, node.process(a // 3), recent[b % len(recent)]


async def link_(world: World, a: int, b: int, _c: int) -> None:
    if found := pick(world, a, b):
        _, process, target = found
        world.ledger.linked(process.pid, target)
        inside(process, process.vm.link, target)


async def unlink(world: World, a: int, b: int, _c: int) -> None:
    if found := pick(world, a, b):
        _, process, target = found
        world.ledger.unlinked(process.pid, target)
        inside(process, process.vm.unlink, target)


async def relink(world: World, a: int, b: int, _c: int) -> None:
    """Link, unlink and link at both ends at once: they cross on the wire."""
    if found := pick(world, a, b):
        _, process, target = found
        there = world.nodes.get(target.node)
        other = there.vm.find(target) if there is not None and not there.frozen else None
        for act in ("unlink", "link"):
            if other is not None and act == "unlink":
                world.ledger.unlinked(target, process.pid)
                inside(other, other.vm.unlink, process.pid)
            getattr(world.ledger, f"{act}ed")(process.pid, target)
            inside(process, getattr(process.vm, act), target)


async def monitor(world: World, a: int, b: int, c: int) -> None:
    if found := pick(world, a, b):
        _, process, target = found
        for _ in range(1 + c % 3):
            ref = inside(process, process.vm.monitor, target)
            world.ledger.watched(process.pid, ref, target)


async def demonitor(world: World, a: int, b: int, c: int) -> None:
    node = world.node(a)
    if node is None or node.frozen:
        return
    process = node.process(b)
    refs = world.ledger.refs(process.pid)
    ref = refs[c % len(refs)] if refs and c % 4 else 1_000_000 + c
    inside(process, process.vm.demonitor, ref)
    world.ledger.unwatched(process.pid, ref)


async def send(world: World, a: int, b: int, c: int) -> None:
    if found := pick(world, a, b):
        _, process, target = found
        for _ in range(1 + c % 5):
            number = world.ledger.next_number(process.pid, target)
            with suppress(RemoteBusy):
                inside(process, process.vm.send, target, ("number", process.pid, number))
                world.ledger.sent(process.pid, target, number)


async def flood(world: World, a: int, b: int, c: int) -> None:
    """Send until the node is busy, and, for some, use the reserve up too."""
    if found := pick(world, a, b):
        _, process, target = found
        with suppress(RemoteBusy):
            for _ in range(200):
                inside(process, process.vm.send, target, ("noise",))
        if c % 2:
            for _ in range(12):
                ref = inside(process, process.vm.monitor, target)
                world.ledger.watched(process.pid, ref, target)


async def call(world: World, a: int, b: int, c: int) -> None:
    if found := pick(world, a, b):
        node, process, target = found
        kinds: list[Any] = [("echo", c), ("never",)]
        others = [pid for pid in world.pids() if pid.node != target.node]
        if others:
            kinds.append(("delegate", others[c % len(others)], c))
        request = kinds[c % len(kinds)]
        record = world.ledger.called(process.pid, target, request)

        async def ask() -> None:
            try:
                record.outcome = ("reply", await node.vm.call(target, request, CALL_SECONDS))
            except CallExit as exit_:
                record.outcome = ("exit", exit_.reason)
            except RemoteBusy:
                record.outcome = ("exit", "busy")
            world.ledger.ended(record)

        world.task(ask(), process)


async def work(seconds: float) -> float:
    """What a task does; some fail."""
    await asyncio.sleep(seconds)
    if seconds == 1.0:
        raise ValueError("asked to fail")
    return seconds


async def task(world: World, a: int, b: int, c: int) -> None:
    """Have a task run on another node; its owner is told its value and its end."""
    if found := pick(world, a, b):
        node, process, target = found
        start = (TaskSupervisor.async_nolink, TaskSupervisor.async_)[c % 2]
        seconds = (0.0, 0.5, 1.0, 500.0)[b % 4]

        async def run() -> None:
            try:
                begun = await start(node.vm, (TASKS, target.node), work, seconds)
            except (CallExit, RemoteBusy, SupervisorError):
                return
            world.ledger.owes(process.pid, begun.debt.ref, begun.pid)

        world.task(run(), process)


async def kill_player(world: World, a: int, b: int, c: int) -> None:
    """A player ends, for reasons of all kinds; another takes its place."""
    node = world.node(a)
    if node is None or node.frozen:
        return
    process = node.process(b)
    reasons: list[Any] = ["boom", KILL, ("long", b"x" * (MAX_BYTES + 1)), UnreadableSoon()]
    reasons += [lambda: None, "normal"]
    node.players.remove(process.pid)
    process.trap_exit = False
    reason = reasons[c % len(reasons)]
    node.vm.exit(process.pid, KILL if reason == "normal" else reason)
    await asyncio.sleep(0)
    await node.play()


async def bad_message(world: World, a: int, b: int, c: int) -> None:
    """What cannot be read, or delivered, or is no message; in the midst of good ones."""
    if (found := pick(world, a, b)) is None:
        return
    node, process, target = found
    await send(world, a, b, 1)
    with suppress(RemoteBusy):
        match c % 6:
            case 0:
                inside(process, node.vm.send, target, Unreadable())
            case 1:
                inside(process, node.vm.send, (Via("topics", "t"), target.node), "hello")
            case 2:
                node.cluster._members.put(target.node, b"no signal")
            case 3:
                data = pickle.dumps(signals.Forget(1)).replace(b"Forget", b"Forgot")
                node.cluster._members.put(target.node, data)
            case 4:
                node.cluster._members.put(target.node, bytes(MAX_BYTES + 100))
            case 5:
                inside(process, node.vm.monitor, (Via("topics", "t"), target.node))
    await send(world, a, b, 1)


async def name_(world: World, a: int, b: int, c: int) -> None:
    node = world.node(a)
    if node is None or node.frozen:
        return
    process, name = node.process(b), NAMES[c % len(NAMES)]
    if c % 5 == 0:
        owner = node.cluster.whereis(name)
        if owner is not None and owner.node == node.card.name:
            world.ledger.disowned(name, owner)
            node.cluster.unregister(name)
        return

    async def take() -> None:
        try:
            await node.cluster.register(name, process.pid)
        except (NameTaken, TimeoutError, CallExit, RemoteBusy):
            return
        world.ledger.owned(name, process.pid)

    world.task(take())


async def group(world: World, a: int, b: int, c: int) -> None:
    node = world.node(a)
    if node is None or node.frozen:
        return
    process, name = node.process(b), GROUPS[c % len(GROUPS)]
    if c % 3:
        node.cluster.join_group(name, process.pid)
        world.ledger.grouped(name, process.pid, 1)
    else:
        node.cluster.leave_group(name, process.pid)
        world.ledger.grouped(name, process.pid, -1)


async def advance(world: World, a: int, b: int, _c: int) -> None:
    await asyncio.sleep((0.0, 0.001, 0.01, 0.1, 0.3, 1.0, 2.0, 3.0)[(a + b) % 8])


async def cut(world: World, a: int, b: int, _c: int) -> None:
    one, other = NODES[a % 3], NODES[(a + 1 + b % 2) % 3]
    world.network.cut.add(frozenset((one, other)))
    await asyncio.sleep(0.01)


async def heal(world: World, _a: int, _b: int, _c: int) -> None:
    world.network.heal()
    for node in world.nodes.values():
        if node.frozen:
            node.thaw()


async def fate(world: World, a: int, b: int, c: int) -> None:
    one, other = NODES[a % 3], NODES[(a + 1 + b % 2) % 3]
    kind = "lose" if c % 2 else "repeat"
    world.network.fate.setdefault((one, other), []).extend([kind] * (1 + c % 3))


async def weather(world: World, a: int, _b: int, _c: int) -> None:
    dice = world.dice
    slow = (0.0, 0.05, 0.3, 1.0)[a % 4]
    world.network.delay = (lambda: 0.0005 + dice.random() * slow) if slow else (lambda: 0.0005)


async def freeze(world: World, a: int, _b: int, _c: int) -> None:
    node = world.node(a)
    if node is not None and not node.frozen:
        node.carrier.held = []


async def restart(world: World, a: int, b: int, c: int) -> None:
    name = NODES[a % 3]
    if name in world.nodes:
        await world.kill(name, orderly=b % 2 == 0, seen=c % 2 == 0)
    if b % 3:
        await world.start(name)


Op = Callable[["World", int, int, int], Coroutine[Any, Any, None]]

OPS: dict[str, Op] = {
    "link": link_,
    "unlink": unlink,
    "relink": relink,
    "monitor": monitor,
    "demonitor": demonitor,
    "send": send,
    "flood": flood,
    "call": call,
    "task": task,
    "kill_player": kill_player,
    "bad_message": bad_message,
    "name": name_,
    "group": group,
    "advance": advance,
    "cut": cut,
    "heal": heal,
    "fate": fate,
    "weather": weather,
    "freeze": freeze,
    "restart": restart,
}
WEIGHTS = {"advance": 6, "send": 4, "monitor": 3, "link": 3, "call": 3, "kill_player": 2, "heal": 2}
CHOICES = [op for op in OPS for _ in range(WEIGHTS.get(op, 1))]


def step(world: World, op: str, a: int, b: int, c: int) -> None:
    """Do one thing to the world; raises `Broken`."""
    world.step(f"{op} {a} {b} {c}", OPS[op](world, a, b, c))
