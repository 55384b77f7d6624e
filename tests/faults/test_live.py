"""A plan on a running node: it strikes, tells, and leaves nothing, however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from aybiza.actors.measures.metrics_actor import MetricsActor, render
from aybiza.actors.runtime import KILL, VM, GenServer
from aybiza.emulators.bedrock import BedrockEmulator
from aybiza.emulators.deepgram import DeepgramEmulator
from aybiza.faults import live
from aybiza.faults.live_strikes import Emulators
from aybiza.faults.plan import PlanError
from aybiza.supervisors import Supervisor
from aybiza.supervisors.child_spec import child
from tests.faults.test_hooks import is_untouched

pytestmark = pytest.mark.asyncio

Logs = list[MutableMapping[str, Any]]


class Clerk(GenServer):
    """What plans strike here."""

    async def handle_call(self, request: Any, from_: Any) -> str:
        return "here"


async def desk(vm: VM) -> None:
    """A clerk who is kept, and what counts."""
    await vm.start(Supervisor, [child(Clerk, name="clerk"), child(MetricsActor, name="metrics")])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SETTLE_SECONDS", 0.2)
    monkeypatch.setattr(live, "LEASE_SECONDS", 0.6)
    monkeypatch.setattr(live, "_TICK_SECONDS", 0.02)


@pytest.fixture
def logs() -> Iterator[Logs]:
    with capture_logs() as found:
        yield found


def plan(*faults: str) -> Any:
    text = "".join(f"[[fault]]\n{fault}\n" for fault in faults)
    return live.read(f'title = "t"\n{text}', "t.toml", None)


KILLS = 'what = "kill"\nwhere = "Clerk"\nat = 0.05'
WAITS = 'what = "kill"\nwhere = "Clerk"\nat = 1000'


async def ended(vm: VM) -> dict[str, Any]:
    """The report, once the plan has ended."""
    async with asyncio.timeout(10.0):
        while (report := await live.told(vm, "report"))["running"]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return report


async def test_what_struck_and_what_supervisors_did_is_told_logged_and_counted(logs: Logs) -> None:
    async with VM("a") as vm:
        await desk(vm)
        await live.begin(vm, plan(KILLS), "ann@desk", 30.0, None)
        report = await ended(vm)
        metrics = await render(vm)
        assert is_untouched(vm)
    assert report["ended"] == "all has struck"
    (strike,) = report["strikes"]
    assert strike["whom"].startswith("Clerk#") and strike["fault"].startswith("kill where='Clerk'")
    assert [row["what"] for row in report["exits"]] == ["killed"]
    assert [row["who"].partition("#")[0] for row in report["restarts"]] == ["Clerk"]
    assert 'aybiza_faults_injected_total{by="ann@desk",what="kill"} 1.0' in metrics
    (logged,) = [entry for entry in logs if entry["event"] == "fault_struck"]
    assert (logged["what"], logged["by"], logged["whom"]) == ("kill", "ann@desk", strike["whom"])
    told = [entry["event"] for entry in logs if entry["event"].startswith("fault_plan")]
    assert told == ["fault_plan_began", "fault_plan_ended"]


async def test_a_plan_ends_with_its_time_by_order_and_when_nobody_asks() -> None:
    async with VM("a") as vm:
        await desk(vm)
        await live.begin(vm, plan(WAITS), "ann", 0.2, None)
        assert (await ended(vm))["ended"] == "its time is over"
        await live.begin(vm, plan(WAITS), "ann", 30.0, None)
        assert (await live.told(vm, "stop"))["ended"] == "stopped"
        assert is_untouched(vm)
        await live.begin(vm, plan(WAITS), "ann", 30.0, None)
        assert not is_untouched(vm)
        await asyncio.sleep(live.LEASE_SECONDS * 1.5)
        assert is_untouched(vm)
        await asyncio.sleep(live.LEASE_SECONDS)
        assert vm.whereis(live.NAME) is None


async def test_a_killed_plan_leaves_nothing(logs: Logs) -> None:
    async with VM("a") as vm:
        await desk(vm)
        await live.begin(vm, plan(WAITS), "ann", 30.0, None)
        vm.exit(live.NAME, KILL)
        await asyncio.sleep(0.05)
        assert is_untouched(vm)
        assert await vm.call("clerk", "hello") == "here"
    assert logs[-1]["why"] == "its process was killed"


async def test_a_second_plan_is_refused_while_one_runs_and_the_first_goes_on() -> None:
    async with VM("a") as vm:
        await desk(vm)
        await live.begin(vm, plan(WAITS), "ann", 30.0, None)
        with pytest.raises(ValueError, match="a plan runs on this node; end it: aybiza faults run"):
            await live.begin(vm, plan(KILLS), "bob", 30.0, None)
        assert (await live.told(vm, "report"))["by"] == "ann"


async def test_what_has_no_target_is_told(logs: Logs) -> None:
    async with VM("a") as vm:
        gone = 'what = "kill"\nwhere = "MemoryActor"\nat = 0.0'
        await live.begin(vm, plan(gone), "ann", 30.0, None)
        report = await ended(vm)
    assert report["strikes"] == []
    assert report["undone"] == ["kill: there is no MemoryActor now"]
    assert [entry["where"] for entry in logs if entry["event"] == "fault_without_target"]


async def test_a_fault_is_for_the_nodes_that_it_names_and_never_for_the_plan_itself() -> None:
    async with VM("a") as vm:
        await desk(vm)
        others = f'{KILLS}\nnode = "b*"'
        everybody = 'what = "kill"\nwhere = "*"\nprobability = 1.0\ntimes = 3'
        await live.begin(vm, plan(others, everybody), "ann", 1.0, None)
        for _ in range(20):
            vm.send(live.NAME, "nothing")
        report = await live.told(vm, "report")
        assert report["running"] and report["faults"] == ["kill"]


async def test_a_plan_without_faults_and_a_time_without_end_are_refused() -> None:
    with pytest.raises(PlanError, match="nothing breaks"):
        plan()
    async with VM("a") as vm:
        with pytest.raises(ValueError, match="at most 3600 s"):
            await live.begin(vm, plan(WAITS), "ann", 1e6, None)
        with pytest.raises(ValueError, match="no plan runs"):
            await live.told(vm, "report")


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_faults_of_providers_wait_with_the_emulators_until_the_plan_ends(how: str) -> None:
    async with VM("a") as vm, BedrockEmulator() as bedrock, DeepgramEmulator() as deepgram:
        emulators = Emulators.at(bedrock.url, deepgram.url)
        text = "".join(
            f'[[fault]]\nwhat = "{what}"\nat = 0.0\n' for what in ("bedrock.stall", "speak.close")
        )
        read = live.read(text, "t.toml", emulators)
        await live.begin(vm, read, "ann", 30.0, emulators)
        async with asyncio.timeout(5.0):
            while not (bedrock.faults.waiting() and deepgram.faults.waiting()):
                await asyncio.sleep(0.01)
                await live.told(vm, "report")
        if how == "stop":
            await live.told(vm, "stop")
        else:
            vm.exit(live.NAME, KILL)
        async with asyncio.timeout(5.0):
            while bedrock.faults.waiting() or deepgram.faults.waiting():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
