"""The node main of a chaos run with real processes: a node that talks, and can be cut off."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aybiza.actors.cluster.carrier import Carrier
from aybiza.actors.cluster.distribution import Distribution
from aybiza.actors.cluster.membership import Address, Farewell, Letter, Refusal
from aybiza.actors.cluster.shared import CLUSTER
from aybiza.actors.node.context import NodeContext
from aybiza.actors.runtime import VM, GenServer, Pid, Via
from aybiza.config.settings import load
from aybiza.supervisors import Supervisor, singleton
from tests.chaos.traffic import GROUP, NAMES, WITNESS, Traffic, Witness

FROZEN_SECONDS = 10.0
"""A node that was frozen itself ends its calls by so much later, at most."""
SINGLE = Via(CLUSTER, "single")


class Single(GenServer):
    """Runs once in the cluster."""


class Cuttable:
    """The node's carrier, which loses what goes to and comes from the nodes in `cut`."""

    def __init__(self, carrier: Carrier) -> None:
        self.cut: set[str] = set()
        self.known: Callable[[], dict[str, str]] = dict
        """Names of the known nodes by "host:port"."""
        self._carrier = carrier
        self.card, self.seeds = carrier.card, carrier.seeds
        self.hello, self.tell, self.is_actor = carrier.hello, carrier.tell, carrier.is_actor

    def attach(self, receive: Callable[[Any, Any], None]) -> None:
        def take(message: Any, sender: Any) -> None:
            if isinstance(message, Letter | Farewell) and message.card.name in self.cut:
                return
            if isinstance(message, Refusal) and self.cut:
                return
            receive(message, sender)

        self._carrier.attach(take)

    def post(self, address: Address, message: Any) -> None:
        if not self.cut or self.known().get("{}:{}".format(*address)) not in self.cut:
            self._carrier.post(address, message)


@asynccontextmanager
async def _joined(context: NodeContext, carrier: Any) -> AsyncIterator[tuple[Any, dict[str, str]]]:
    """The Distribution of this node, and its doors; with CHAOS_CALLS a whole node is around it."""
    settings = load(context.settings)
    if os.environ.get("CHAOS_CALLS"):
        from aybiza.console.node import Node

        async with Node(settings, carrier=carrier) as node:
            yield node.cluster, {"media": node.media_url}
    else:
        async with (
            VM(settings.node_name, creation=carrier.card.incarnation) as vm,
            Distribution(vm, carrier) as cluster,
        ):
            await cluster.join()
            yield cluster, {}


async def member(context: NodeContext) -> None:
    """Talks until it is told to stop, or until its name is lost."""
    assert context.carrier is not None
    carrier = Cuttable(context.carrier)
    async with _joined(context, carrier) as (cluster, doors):
        vm = cluster.vm
        carrier.known = lambda: {each["address"]: each["node"] for each in cluster.members()}
        await vm.start(Witness, time.time, name=WITNESS)
        spec = singleton(Single, "single", timeout=20.0)
        await vm.start(Supervisor, [spec], name="singletons", timeout=None)
        seed = f"{os.environ['CHAOS_SEED']} {vm.node} {vm.creation}"
        traffic = Traffic(cluster, seed, late_seconds=FROZEN_SECONDS)
        talk = asyncio.create_task(traffic.run())
        context.serve(lambda request: _serve(cluster, traffic, carrier, request))
        context.ready({**doors, "node": vm.node})
        stop = asyncio.ensure_future(context.stop.wait())
        # Bounded by the life of the node.
        await asyncio.wait((stop, cluster.lost), return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        talk.cancel()
        if cluster.lost.done():
            cluster.lost.result()


async def _serve(
    cluster: Distribution, traffic: Traffic, carrier: Cuttable, request: dict[str, Any]
) -> dict[str, Any]:
    match request:
        case {"op": "cut", "nodes": nodes}:
            carrier.cut |= set(nodes)
        case {"op": "heal"}:
            carrier.cut.clear()
        case {"op": "rest"}:
            traffic.rest()
        case {"op": "talk"}:
            traffic.resting = False
        case {"op": "report"}:
            return await _report(cluster, traffic)
    return {}


async def _report(cluster: Distribution, traffic: Traffic) -> dict[str, Any]:
    vm = cluster.vm
    found = vm.find(WITNESS)
    assert found is not None
    witness: Any = found.server
    watched = await vm.call(WITNESS, ("watched",))
    singles = [
        _text(pid)
        for pid in vm.processes()
        if (process := vm.find(pid)) is not None and process.label == "Single"
    ]
    return {
        "nodes": sorted(vm.nodes()),
        "faults": witness.faults + traffic.faults,
        "seen": witness.seen,
        "received": witness.received,
        "counts": traffic.counts,
        "busy": traffic.busy,
        "waiting": watched["waiting"],
        "held": {name: _text(pid) for name, pid in traffic.held().items()},
        "owners": {name: _text(cluster.whereis(name)) for name in NAMES},
        "grouped": sorted(map(_text, traffic.grouped())),
        "members": sorted(map(_text, cluster.groups.members(GROUP))),
        "singles": singles,
        "single": _text(cluster.whereis(SINGLE.key)),
    }


def _text(pid: Pid | None) -> str:
    return "nobody" if pid is None else f"{pid}:{pid.creation}"
