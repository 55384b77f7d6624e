"""A node main in three lines: processes of one's own on the nodes of a cluster.

    async def start(vm: VM) -> None:
        await vm.start(Supervisor, [child(Counter, 0, name="counter")])

    async def main(context: NodeContext) -> None:
        await member(context, start)

    aybiza run --node-main shop:main --name shop --nodes 2

`aybiza tree`, `observe`, `kill`, `stop` and `node list` serve such nodes as they serve those that
take calls.

Errors: what `start` raises ends the node, and so does the loss of its name to an older node of the
same name (`NodeNameTaken`); the keeper then starts it anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aybiza.actors.cluster.distribution import Distribution
from aybiza.actors.node.context import NodeContext
from aybiza.actors.runtime import VM
from aybiza.console.control import control
from aybiza.supervisors.spawn import SPAWN_SUPERVISOR, SpawnSupervisor


async def member(context: NodeContext, start: Callable[[VM], Awaitable[None]]) -> None:
    """Open a VM in the node's cluster, let `start` start what it is for, and keep it until the
    node is told to stop."""
    carrier = context.carrier
    if carrier is None:
        raise ValueError("this node has no carrier: start it with `aybiza run --node-main`")
    card = carrier.card
    async with (
        VM(card.name, creation=card.incarnation) as vm,
        Distribution(vm, carrier) as cluster,
    ):
        await cluster.join()
        await vm.start(SpawnSupervisor, name=SPAWN_SUPERVISOR)
        await start(vm)
        context.serve(lambda request: control(vm, request))
        context.ready({"node": card.name})
        stop = asyncio.ensure_future(context.stop.wait())
        await asyncio.wait((stop, cluster.lost), return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if cluster.lost.done():
            cluster.lost.result()
