"""A till that runs once in the cluster, on whichever node is there to run it."""

from counter import Counter

from aybiza.actors.node.context import NodeContext
from aybiza.actors.runtime import VM
from aybiza.console.member import member
from aybiza.supervisors import Supervisor, singleton


async def start(vm: VM) -> None:
    await vm.start(Supervisor, [singleton(Counter, "till", 0)], name="shop")


async def main(context: NodeContext) -> None:
    await member(context, start)
