"""The crowd of the console's measures: its calls go on, and its bells say when they were rung."""

from __future__ import annotations

import time

import httpx

from aybiza.actors.runtime import sys
from aybiza.benchmarks.console_crowd import (
    BELL,
    BELLS,
    CALLS,
    PROCESSES,
    SHARE,
    crowd,
    ring,
    served,
    stir,
)
from aybiza.gateway.console.hub import hub


async def test_each_call_goes_on_once_in_so_many_ticks() -> None:
    async with crowd() as (vm, _):
        assert len(vm.processes()) == PROCESSES
        calls = vm.tables["calls"]
        before = [(await sys.get_state(vm, pid))["turn"] for pid in calls[:SHARE]]
        for _ in range(SHARE):
            stir(vm)
        after = [(await sys.get_state(vm, pid))["turn"] for pid in calls[:SHARE]]
        assert sum(after) - sum(before) in range(1, SHARE + 1)
        assert len(calls) == CALLS


async def test_the_page_is_served_and_what_happens_says_when_it_did() -> None:
    async with served() as (vm, url):
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{url}/console")
        assert answer.status_code == 200
        assert "console.js" in answer.text
        for number in range(len(BELLS)):
            await ring(vm, number)
        held = hub(vm)
        assert held is not None
        kind, _, at = held.heard.news[-1]["text"].removeprefix(BELL).partition("-")
        assert kind == "news"
        assert 0 <= time.time() * 1000 - int(at) < 60_000
        names = [vm.name_of(process) or "" for pid in vm.processes() if (process := vm.find(pid))]
        assert any(name.startswith(f"{BELL}process") for name in names)
        state = await sys.get_state(vm, vm.tables["calls"][2])
        assert state["caller"].startswith(f"{BELL}call")
