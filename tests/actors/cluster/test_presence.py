"""Which nodes are up, and who hears of it."""

from __future__ import annotations

from aybiza.actors.cluster.presence import Presence
from aybiza.actors.runtime import VM, NodeDown, NodeUp, virtual_time
from tests.actors.cluster.kit import Probe


@virtual_time
async def test_who_asked_hears_of_each_node_once_up_and_once_down() -> None:
    presence = Presence()
    async with VM("a") as vm:
        pid = await vm.start(Probe)
        assert pid is not None
        process = vm.find(pid)
        assert process is not None
        presence.up("early")
        presence.monitor_nodes(process, True)
        for _ in range(2):
            presence.up("b")
        assert presence.nodes() == ["early", "b"]
        assert "b" in presence
        for _ in range(2):
            presence.down("b", "cut")
        presence.down("stranger", "cut")
        assert presence.nodes() == ["early"]
        presence.monitor_nodes(process, False)
        presence.down("early", "cut")
        presence.monitor_nodes(process, True)
        presence.ended(process)
        presence.up("late")
        await vm.call(pid, "settled")
        assert process.server.got == [NodeUp("b"), NodeDown("b", "cut")]
