"""Strikes at what is around the actors: providers, the carrier's line, the machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from aybiza.actors import names
from aybiza.actors.placement.drain_actor import Begin
from aybiza.emulators.deepgram import faults as deepgram
from aybiza.faults.acts import Planned
from aybiza.faults.fault import Fault, provider_fault
from aybiza.faults.pipe import End
from aybiza.faults.placed_call import PlacedCall

if TYPE_CHECKING:
    from aybiza.faults.world import World
    from aybiza.faults.world_loop import WorldLoop

SLOW_SECONDS = 10.0


def strike(world: World, loop: WorldLoop, fault: Fault) -> None:
    """Have `fault` come about in `world` now."""
    match fault.kind.group:
        case "bedrock":
            world.bedrock.faults.add(provider_fault(fault))
        case "openai":
            world.chat.faults.add(provider_fault(fault))
        case "elevenlabs":
            world.eleven.faults.add(provider_fault(fault))
        case "listen" | "flux" | "speak":
            _deepgram(world, loop, fault)
        case "line":
            for call in world.calls:
                if fnmatchcase(call.call_id, fault.call):
                    _LINE[fault.what](call, loop, fault)
        case _:
            _NODE[fault.what](world, loop, fault)


def _deepgram(world: World, loop: WorldLoop, fault: Fault) -> None:
    """A fault of a socket strikes those that are open; what is left of it waits for the next."""
    door, _, kind = fault.what.partition(".")
    left = fault.times
    act = _OPEN.get(kind)
    if act is not None:
        for at, session, end in list(world.deepgram.ends):
            if at == door and fnmatchcase(session, fault.call) and (left or not fault.times):
                loop.call_later(fault.into, Planned(act, end, fault))
                left -= bool(fault.times)
        if kind == "deaf" or (fault.times and not left):
            return
    world.deepgram.faults.add(provider_fault(replace(fault, times=left)))


_OPEN: dict[str, Callable[[End, Fault], None]] = {
    "close": lambda end, fault: end.end(int(fault.code or deepgram.CLOSE_CODE), "on demand"),
    "abort": lambda end, fault: end.transport.abort(),
    "stall": lambda end, fault: end.hush(),
    "deaf": lambda end, fault: end.hold(),
}


def _drop(call: PlacedCall, loop: WorldLoop, fault: Fault) -> None:
    if (line := call.phone.line) is not None:
        line.transport.abort()


def _deaf(call: PlacedCall, loop: WorldLoop, fault: Fault) -> None:
    if (line := call.phone.line) is not None:
        line.hold()
        loop.call_later(fault.seconds, Planned(line.hold, False))


def _mute(call: PlacedCall, loop: WorldLoop, fault: Fault) -> None:
    call.phone.mute_until = loop.time() + fault.seconds


def _no_marks(call: PlacedCall, loop: WorldLoop, fault: Fault) -> None:
    call.phone.markless_until = loop.time() + fault.seconds


_LINE: dict[str, Callable[[PlacedCall, WorldLoop, Fault], None]] = {
    "line.drop": _drop,
    "line.deaf": _deaf,
    "line.mute": _mute,
    "line.no_marks": _no_marks,
}


def _full(world: World, loop: WorldLoop, fault: Fault) -> None:
    world.store.full = True
    loop.call_later(fault.seconds, Planned(setattr, world.store, "full", False))


def _slow(world: World, loop: WorldLoop, fault: Fault) -> None:
    world.store.seconds = fault.seconds
    loop.call_later(SLOW_SECONDS, Planned(setattr, world.store, "seconds", 0.0))


def _redis_gone(world: World, loop: WorldLoop, fault: Fault) -> None:
    world.redis.gone = True
    loop.call_later(fault.seconds, Planned(setattr, world.redis, "gone", False))


def _redis_slow(world: World, loop: WorldLoop, fault: Fault) -> None:
    world.redis.seconds = fault.seconds
    loop.call_later(SLOW_SECONDS, Planned(setattr, world.redis, "seconds", 0.0))


def _redis_empty(world: World, loop: WorldLoop, fault: Fault) -> None:
    world.redis.lose_all()


def _jump(world: World, loop: WorldLoop, fault: Fault) -> None:
    loop.wall_offset += fault.seconds


def _freeze(world: World, loop: WorldLoop, fault: Fault) -> None:
    if len(world.nodes) == 1:
        # Nobody is there who could see it: all the node's time is lost at once.
        loop.stand_still(fault.seconds)
        return
    for node in world.named(fault.node):
        node.freeze(fault.seconds)


def _lose(world: World, loop: WorldLoop, fault: Fault) -> None:
    for node in world.named(fault.node):
        node.lose()


def _part(world: World, loop: WorldLoop, fault: Fault) -> None:
    side = [node.name for node in world.named(fault.node)]
    world.network.part(side, [node.name for node in world.nodes if node.name not in side])
    loop.call_later(fault.seconds, Planned(world.network.heal))


def _drain(world: World, loop: WorldLoop, fault: Fault) -> None:
    for node in world.named(fault.node):
        node.vm.spawn(node.vm.call, names.DRAIN, Begin(fault.seconds))


_NODE: dict[str, Callable[[World, WorldLoop, Fault], None]] = {
    "disk.full": _full,
    "disk.slow": _slow,
    "redis.gone": _redis_gone,
    "redis.slow": _redis_slow,
    "redis.empty": _redis_empty,
    "clock.jump": _jump,
    "node.freeze": _freeze,
    "node.lost": _lose,
    "node.part": _part,
    "node.drain": _drain,
}
