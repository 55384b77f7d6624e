"""The node main of the cluster's tests: a VM in its cluster that does what a test asks of it."""

import asyncio
import time
from typing import Any

from aybiza.actors.cluster.distribution import Distribution
from aybiza.actors.cluster.shared import CLUSTER
from aybiza.actors.measures.metrics_sink import MetricsSink
from aybiza.actors.measures.records import NAME, Records
from aybiza.actors.node import refusals
from aybiza.actors.node.context import NodeContext
from aybiza.actors.runtime import (
    VM,
    CallExit,
    Down,
    GenServer,
    NameTaken,
    NodeDown,
    NodeUp,
    RemoteBusy,
    Via,
)
from aybiza.config.settings import load
from aybiza.console.control import control
from aybiza.console.member import member as console_member
from aybiza.supervisors import Supervisor, singleton
from aybiza.supervisors.spawn import SPAWN_SUPERVISOR, SpawnSupervisor


class Witness(GenServer):
    """Notes the nodes that come and go and the messages it gets, with the wall clock."""

    traps_exits = True

    async def init(self) -> None:
        self.seen: list[list[Any]] = []
        self.numbers: list[int] = []
        self.vm.monitor_nodes()

    async def handle_call(self, request: Any, _from: Any) -> Any:
        match request:
            case ("monitor", name, node):
                return self.vm.monitor((name, node))
        return ["echo", request]

    async def handle_cast(self, request: Any) -> None:
        self.numbers.append(request)

    async def handle_info(self, message: Any) -> None:
        match message:
            case NodeUp(node):
                self.seen.append([time.time(), "up", node])
            case NodeDown(node):
                self.seen.append([time.time(), "down", node])
            case Down(reason=reason):
                self.seen.append([time.time(), "died", str(reason)])
            case _:
                self.seen.append([time.time(), "other", repr(message)])


class Single(GenServer):
    """Runs once in the cluster; notes when it was started."""

    async def init(self) -> None:
        self.started = time.time()

    async def handle_call(self, request: Any, _from: Any) -> Any:
        return [self.vm.node, self.started]


async def operated(context: NodeContext) -> None:
    """A member that answers the operators' commands as a real node does."""
    await member(context, operators=True)


async def keeping(context: NodeContext) -> None:
    """A member that keeps records beside its memory, as a node with calls does."""
    settings = load(context.settings)

    async def start(vm: VM) -> None:
        path = settings.memory_path.with_name(NAME)
        await vm.start(MetricsSink, Records(path, node=settings.node_name, days=90))

    await console_member(context, start)


async def member(context: NodeContext, *, operators: bool = False) -> None:
    """Runs until it is told to stop, or until its name is lost."""
    settings = load(context.settings)
    carrier = context.carrier
    assert carrier is not None
    async with (
        VM(settings.node_name, creation=carrier.card.incarnation) as vm,
        Distribution(vm, carrier) as cluster,
    ):
        witness = await vm.start(Witness, name="witness")
        assert witness is not None
        await cluster.join()
        if operators:
            await vm.start(SpawnSupervisor, name=SPAWN_SUPERVISOR)
            context.serve(lambda request: control(vm, request))
        else:
            context.serve(lambda request: _serve(cluster, request))
        context.ready({"node": settings.node_name})
        stop = asyncio.ensure_future(context.stop.wait())
        await asyncio.wait((stop, cluster.lost), return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if cluster.lost.done():
            cluster.lost.result()


async def _serve(cluster: Distribution, request: dict[str, Any]) -> dict[str, Any]:
    vm = cluster.vm
    found = vm.find("witness")
    assert found is not None
    witness = found.server
    match request:
        case {"op": "nodes"}:
            return {"nodes": sorted(vm.nodes())}
        case {"op": "members"}:
            return {"members": cluster.members()}
        case {"op": "refused"}:
            return {"counts": dict(refusals.counts())}
        case {"op": "seen"}:
            return {"seen": witness.seen, "numbers": witness.numbers}
        case {"op": "call", "node": node, "request": value}:
            try:
                dest = Via(CLUSTER, "single") if node == "single" else ("witness", node)
                return {"reply": await vm.call(dest, value, 10.0)}
            except CallExit as failure:
                return {"failed": str(failure.reason)}
        case {"op": "measure", "nodes": nodes, "count": count}:
            return {"seconds": await _measure(vm, nodes, count)}
        case {"op": "cast", "node": node, "numbers": [first, last]}:
            busy = 0
            for number in range(first, last):
                try:
                    vm.cast(("witness", node), number)
                except RemoteBusy:
                    busy += 1
                if number % 50 == 0:
                    await asyncio.sleep(0)
            return {"busy": busy}
        case {"op": "monitor", "node": node}:
            return {"ref": await vm.call("witness", ("monitor", "witness", node))}
        case {"op": "register", "name": name}:
            try:
                await cluster.register(name, "witness")
            except NameTaken as taken:
                return {"owner": taken.pid.node}
            return {"owner": vm.node}
        case {"op": "singleton"}:
            await vm.start(Supervisor, [singleton(Single, "single")])
            return {}
        case {"op": "whereis", "name": name}:
            pid = cluster.whereis(name)
            return {"owner": pid.node if pid else None}
    raise ValueError(f"unknown: {request}")


async def _measure(vm: VM, nodes: list[str], count: int) -> list[float]:
    taken = []
    for number in range(count):
        began = time.perf_counter()
        await vm.call(("witness", nodes[number % len(nodes)]), "ping", 10.0)
        taken.append(time.perf_counter() - began)
    return sorted(taken)
