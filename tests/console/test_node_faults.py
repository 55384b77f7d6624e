"""A node takes faults only if it was started for it, and answers what has come of them."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from aybiza.actors.runtime import VM
from aybiza.config.settings import load
from aybiza.console.control import control
from aybiza.console.node_faults import TABLE, Allowed, allow

pytestmark = pytest.mark.asyncio

PLAN = 'title = "t"\n[[fault]]\nwhat = "kill"\nwhere = "MemoryActor"\nat = 1000\n'
ALLOWED = {"AYBIZA_ALLOW_FAULTS": "true"}
EMULATED = {
    **ALLOWED,
    "AYBIZA_EMULATED": "true",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "http://127.0.0.1:9",
    "DEEPGRAM_URL": "ws://127.0.0.1:8",
}


async def ask(vm: VM, do: str, **more: Any) -> dict[str, Any]:
    return await control(vm, {"op": "faults", "do": do, **more})


@pytest.mark.parametrize("do", ["check", "begin", "report", "stop"])
async def test_a_node_that_is_not_meant_for_it_refuses_everything(do: str) -> None:
    async with VM("a") as vm:
        allow(vm, load({}))
        with pytest.raises(ValueError, match="aybiza run --allow-faults"):
            await ask(vm, do, plan=PLAN, name="t.toml", who="ann", seconds=5)
        assert vm.processes() == []


async def test_a_plan_begins_tells_of_itself_and_stops() -> None:
    async with VM("a") as vm:
        allow(vm, load(ALLOWED))
        assert await ask(vm, "check", plan=PLAN, name="t.toml") == {"wrong": "", "faults": 1}
        begun = await ask(vm, "begin", plan=PLAN, name="t.toml", who="ann", seconds=5)
        assert begun["running"] and begun["by"] == "ann"
        assert (await ask(vm, "report", node="a"))["running"]
        assert (await ask(vm, "stop"))["ended"] == "stopped"


async def test_a_plan_that_is_wrong_is_told_and_another_node_is_unknown() -> None:
    async with VM("a") as vm:
        allow(vm, load(ALLOWED))
        wrong = PLAN.replace('"kill"', '"kil"')
        told = await ask(vm, "check", plan=wrong, name="t.toml")
        assert told["wrong"].startswith("t.toml, fault 1, what: there is no fault 'kil'")
        with pytest.raises(ValueError, match="knows no node b"):
            await ask(vm, "check", plan=PLAN, name="t.toml", node="b")
        with pytest.raises(ValueError, match="does not understand"):
            await ask(vm, "begin", plan=PLAN, name="t.toml")


async def test_providers_are_the_nodes_own_only_if_they_are_emulators_of_this_machine() -> None:
    async with VM("a") as vm:
        allow(vm, load(EMULATED))
        assert vm.tables[TABLE] == Allowed("http://127.0.0.1:9", "ws://127.0.0.1:8")
        far = {**EMULATED, "DEEPGRAM_URL": "wss://api.deepgram.com"}
        for environment in (far, {**EMULATED, "AYBIZA_EMULATED": "false"}):
            allow(vm, load(environment))
            assert vm.tables[TABLE] == Allowed()
            plan = '[[fault]]\nwhat = "bedrock.stall"\nat = 0\n'
            with pytest.raises(ValueError, match=r"bedrock\.stall cannot be done"):
                await ask(vm, "check", plan=plan, name="t.toml")


async def test_providers_that_another_node_breaks_are_left_alone() -> None:
    async with VM("a") as vm:
        allow(vm, load(EMULATED))
        plan = '[[fault]]\nwhat = "bedrock.stall"\nat = 1000\n' + PLAN.partition("\n")[2]
        options = {"plan": plan, "name": "t.toml", "who": "ann", "seconds": 5}
        report = await ask(vm, "begin", providers=False, **options)
        assert report["faults"] == ["kill"]
        vm.exit("faults", "kill")
        await asyncio.sleep(0)


async def test_a_node_that_nobody_breaks_has_loaded_nothing_of_it() -> None:
    told = (
        "import sys, aybiza.console.node;"
        " print([name for name in sys.modules if name.startswith('aybiza.faults')])"
    )
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", told, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await child.communicate()
    assert out.decode().strip() == "[]"
