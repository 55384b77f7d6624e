"""`aybiza observe`: what a node tells about one of its processes, and how it is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aybiza.actors import names
from aybiza.actors.registry_actor import RegistryActor
from aybiza.actors.runtime import VM, GenServer, sys, virtual_time
from aybiza.console.control import control
from aybiza.console.operate import observed_lines
from aybiza.supervisors import Supervisor, child


class Part(GenServer):
    """A call's part."""

    async def handle_cast(self, request: Any) -> None:
        raise RuntimeError(request)


async def observed(vm: VM, which: str) -> dict[str, Any]:
    answer: dict[str, Any] = await control(vm, {"op": "observe", "process": which})
    decoded: dict[str, Any] = json.loads(json.dumps(answer))
    return decoded


@virtual_time
async def test_a_process_is_told_with_its_tree_names_and_work() -> None:
    async with VM("node") as vm:
        await vm.start(RegistryActor, name="registry")
        parts = [child(Part, name=names.call("CA1")), child(Part, name=names.speaker("CA1"))]
        top = await vm.start(Supervisor, parts, name="top")
        seen = await observed(vm, "call:CA1")
        assert seen["parent"] == str(top)
        assert seen["links"] == [str(top)]
        assert seen["names"] == ["registry/call:CA1"]
        assert (seen["label"], seen["status"], seen["statistics"]) == ("Part", "waiting", None)
        assert seen["memory"] > 1000


@virtual_time
async def test_supervisors_and_registries_are_told_with_their_statistics() -> None:
    async with VM("node") as vm:
        await vm.start(RegistryActor, name="registry")
        await vm.start(Supervisor, [child(Part, name=names.call("CA1"))], name="top")
        vm.cast(names.call("CA1"), "fails")
        await sys.get_state(vm, "top")
        seen = await observed(vm, "top")
        assert seen["statistics"] == {
            "children": 1,
            "running": 1,
            "restarting": 0,
            "stopped": 0,
            "restarts": 1,
            "restarts_left": 2,
            "max_restarts": 3,
            "max_seconds": 5,
        }
        seen = await observed(vm, "registry")
        assert seen["statistics"]["registry"]["entries"] == 1
        assert seen["statistics"]["pubsub"]["entries"] == 0


@virtual_time
async def test_a_supervisor_that_does_not_answer_is_told_without_statistics() -> None:
    async with VM("node") as vm:
        top = await vm.start(Supervisor, [], name="top")
        assert top is not None
        await sys.suspend(vm, top)
        seen = await observed(vm, "top")
        assert (seen["status"], seen["statistics"]) == ("suspended", None)


@virtual_time
async def test_nobody_is_refused_in_words() -> None:
    async with VM("node") as vm:
        with pytest.raises(ValueError, match="no process is called 'nobody'"):
            await observed(vm, "nobody")


def test_each_fact_has_a_line_and_what_is_not_has_none() -> None:
    lines = observed_lines(
        {
            "pid": "<node.7>",
            "parent": None,
            "names": [],
            "traps_exits": True,
            "links": [f"<node.{number}>" for number in range(12)],
            "memory": 12_345,
            "statistics": {"restarts": 2, "registry": {"keys": 3, "entries": 4}},
        }
    )
    assert lines == [
        "pid              <node.7>",
        "traps exits      yes",
        f"links            {', '.join(f'<node.{number}>' for number in range(10))} and 2 more",
        "memory           12,345 bytes",
        "restarts         2",
        "registry         keys 3, entries 4",
    ]
