"""A live trace of a process: what is kept of it, for whom, and when it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from aybiza.actors.runtime import VM, From, GenServer, Process
from aybiza.console import traces
from aybiza.console.traces import FORSAKEN_SECONDS, Live, trace, traced


class Counter(GenServer):
    """Counts what it is cast."""

    async def init(self) -> None:
        self.count = 0

    async def handle_cast(self, request: Any) -> None:
        self.count += 1

    async def handle_call(self, request: Any, from_: From) -> Any:
        return self.count


@pytest_asyncio.fixture
async def vm() -> AsyncIterator[VM]:
    async with VM() as made:
        yield made


async def started(vm: VM, name: str = "counter") -> Process:
    pid = await vm.start(Counter, name=name)
    assert pid is not None
    process = vm.find(pid)
    assert process is not None
    return process


async def test_messages_are_told_by_their_types_in_order(vm: VM) -> None:
    process = await started(vm)
    begun = await traced(vm, process, 0)
    vm.cast("counter", {"words": "a secret"})
    assert await vm.call("counter", "how many") == 1
    told = await traced(vm, process, begun["last"])
    assert [(row[2], row[3]) for row in told["rows"]] == [
        ("cast", "{<str of 5>: <str of 8>}"),
        ("call", "<str of 8>"),
        ("reply", "1"),
    ]
    assert [row[0] for row in told["rows"]] == [1, 2, 3] and told["lost"] == 0
    assert (await traced(vm, process, told["last"]))["rows"] == []
    assert (await traced(vm, process, "2"))["rows"] == told["rows"][2:]


async def test_a_number_that_is_none_is_taken_for_the_beginning(vm: VM) -> None:
    process = await started(vm)
    await traced(vm, process, None)
    vm.cast("counter", 1)
    await vm.call("counter", 1)
    for after in ("x", -1, None, "²", 10**9):
        told = await traced(vm, process, after)
        assert len(told["rows"]) == (0 if after == 10**9 else 3)


async def test_what_nobody_fetches_in_time_is_counted(
    vm: VM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "KEPT", 4)
    process = await started(vm)
    await traced(vm, process, 0)
    for number in range(10):
        vm.cast("counter", number)
    await vm.call("counter", 1)
    told = await traced(vm, process, 0)
    assert len(told["rows"]) == 4 and told["lost"] == 8


async def test_a_trace_that_nobody_looks_at_ends_by_itself(
    vm: VM, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = await started(vm)
    await traced(vm, process, 0)
    now = vm.now()
    monkeypatch.setattr(vm, "now", lambda: now + FORSAKEN_SECONDS + 0.1)
    assert await vm.call("counter", 1) == 0
    # The next thing that is done to it finds that nothing is watched.
    await trace(vm, process, False)
    assert process.pid.serial not in vm.debugged


async def test_several_look_at_one_trace_and_their_number_is_bounded(
    vm: VM, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await started(vm), await started(vm, "other")
    await traced(vm, first, 0)
    vm.cast("counter", 1)
    await vm.call("counter", 1)
    assert (await traced(vm, first, 0))["rows"] == (await traced(vm, first, 0))["rows"] != []
    monkeypatch.setattr(traces, "MOST_LIVE", 1)
    with pytest.raises(ValueError, match="1 processes are traced already"):
        await traced(vm, second, 0)
    vm.exit(first.pid, "kill")
    while vm.find(first.pid) is not None:
        await vm.call("other", 1)
    assert (await traced(vm, second, 0))["rows"] == []


async def test_a_trace_into_the_log_takes_the_place_of_a_live_one(vm: VM) -> None:
    process = await started(vm)
    await traced(vm, process, 0)
    assert await trace(vm, process, True) == {"traced": repr(process.pid), "on": True}
    assert not any(isinstance(live, Live) for live in vm.tables[traces.TABLE].values())
    await trace(vm, process, False)
