"""What a node of one's own, without phone agents, answers to the command-line tools."""

from __future__ import annotations

import pytest

from aybiza.actors.runtime import VM, GenServer, Registry, Via
from aybiza.console.control import control
from aybiza.supervisors import Supervisor, child


class Till(GenServer):
    async def init(self) -> None:
        pass


async def shop(vm: VM) -> None:
    children = [
        child(Registry, name="tills", keys="unique"),
        child(Registry, name="rows", keys="unique"),
        child(Till, name=Via("tills", ("front", 1)), id="front"),
        child(Till, name=Via("tills", "back"), id="back"),
        child(Till, name=Via("rows", "back"), id="row"),
    ]
    await vm.start(Supervisor, children, strategy="one_for_one")


@pytest.mark.parametrize("which", ["front:1", "tills/front:1"])
async def test_a_name_of_a_registry_is_taken_as_it_is_shown(which: str) -> None:
    async with VM() as vm:
        await shop(vm)
        rows = (await control(vm, {"op": "tree"}))["processes"]
        assert "front:1" in [row["name"] for row in rows]
        told = await control(vm, {"op": "observe", "process": which})
        assert (told["label"], told["names"]) == ("Till", ["tills/front:1"])
        killed = await control(vm, {"op": "kill", "process": which, "reason": "kill"})
        assert killed["back"] not in (None, killed["killed"])


async def test_a_name_that_two_registries_have_is_asked_for_by_its_pid() -> None:
    async with VM() as vm:
        await shop(vm)
        with pytest.raises(ValueError, match=r"'back' is the name of <.*>, <.*>: say which by its"):
            await control(vm, {"op": "kill", "process": "back", "reason": "kill"})
        told = await control(vm, {"op": "observe", "process": "rows/back"})
        assert told["names"] == ["rows/back"]


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"op": "performance", "period": "1h"}, "carries no calls"),
        ({"op": "faults", "do": "kinds"}, "aybiza run --allow-faults"),
        ({"op": "drain", "node": "nonode", "seconds": 1}, "nobody who drains it"),
        ({"op": "undrain", "node": "nonode"}, "nobody who drains it"),
    ],
)
async def test_what_is_about_calls_is_refused_in_words(
    request_: dict[str, object], told: str
) -> None:
    async with VM() as vm:
        with pytest.raises(ValueError, match=told):
            await control(vm, request_)
