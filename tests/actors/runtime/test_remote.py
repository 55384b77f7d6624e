"""A VM that is alone, and one with a `Remote`."""

import pytest

from aybiza.actors.cluster.distribution import Distribution
from aybiza.actors.runtime import NOPROC, VM, CallExit, GenServer, Pid
from aybiza.actors.runtime.remote import Remote
from tests.actors.cluster.kit import LoopCarrier, Network, card


class Nodes(GenServer):
    """Asks to be told of nodes."""

    async def init(self) -> None:
        self.vm.monitor_nodes()
        self.vm.monitor_nodes(False)


async def test_a_vm_alone_knows_no_other_nodes() -> None:
    async with VM("a") as vm:
        assert vm.nodes() == []
        assert await vm.start(Nodes) is not None
        for dest in (Pid("b", 1), ("name", "b"), ("name", "a")):
            vm.send(dest, "dropped")
            with pytest.raises(CallExit) as failure:
                await vm.call(dest, 1)
            assert failure.value.reason == NOPROC
            assert await vm.join(dest) == NOPROC


async def test_a_distribution_is_the_remote_of_its_vm_while_it_is_open() -> None:
    async with VM("a") as vm:
        async with Distribution(vm, LoopCarrier(Network(), card(1, "a"))) as joined:
            remote: Remote = joined
            assert vm.remote is remote
        assert vm.remote is None
