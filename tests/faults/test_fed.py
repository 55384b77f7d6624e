"""Which metrics a node has fed."""

from aybiza.actors.measures.metrics_actor import METRICS
from aybiza.faults.caller import hangs_up, says
from aybiza.faults.fed import fed, unfed
from aybiza.faults.world import World, in_world


def test_a_call_feeds_the_metrics_of_calls_and_an_idle_node_none_of_them() -> None:
    async def talk(world: World) -> tuple[set[str], set[str]]:
        before = fed(world.vm)
        async with world.call(says("Hello."), hangs_up()) as call:
            await call.over()
        return before, fed(world.vm)

    before, after = in_world(talk)
    assert not before & {"aybiza_calls_total", "aybiza_turn_response_seconds"}
    assert {"aybiza_calls_total", "aybiza_turn_response_seconds"} <= after


def test_what_nothing_feeds_is_named_and_what_is_looked_up_is_not() -> None:
    assert "aybiza_calls_total" in unfed(())
    assert "aybiza_calls_active" not in unfed(())
    assert unfed(METRICS) == []
