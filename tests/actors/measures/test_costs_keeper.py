"""What the calls have cost, over the end of a node and the death of who keeps it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from aybiza.actors.measures import costs, costs_keeper
from aybiza.actors.measures.costs_keeper import CostsFile, CostsKeeper, restore
from aybiza.actors.runtime import KILL, VM
from aybiza.claude.ledger import Quotas
from aybiza.supervisors import Supervisor, child

NOON = 1_795_262_400.0
DAY = "2026-11-21"
NAME = "costs_keeper"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs_keeper, "SAVE_SECONDS", 0.01)
    monkeypatch.setattr(costs_keeper, "RETRY_SECONDS", 0.01)


@asynccontextmanager
async def node(path: Path, quotas: Quotas | None = None) -> AsyncIterator[VM]:
    file = CostsFile(path)
    async with VM() as vm:
        await restore(vm, quotas or Quotas(), file)
        children = [child(CostsKeeper, file, name=NAME)]
        await vm.start(Supervisor, children, max_restarts=10, name="root")
        yield vm
        if vm.whereis("root"):
            await vm.stop("root")


def charge(vm: VM, amount: int) -> None:
    costs.ledger(vm).charge(amount, call_id="CA1", tenant_id="clinic", now=NOON)


def spent(path: Path) -> int | None:
    try:
        days: dict[str, int] = json.loads(path.read_text())["days"]
    except FileNotFoundError:
        return None
    return days[DAY]


async def until_kept(path: Path, amount: int) -> None:
    async with asyncio.timeout(60):
        while spent(path) != amount:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.002)


async def test_the_totals_are_there_again_after_an_orderly_end(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "costs.json"
    async with node(path) as vm:
        assert costs.ledger(vm).days == {}
        charge(vm, 70)
    assert spent(path) == 70
    async with node(path, Quotas(tenant_day=70)) as vm:
        ledger = costs.ledger(vm)
        assert (ledger.days, ledger.calls) == ({DAY: 70}, {"CA1": 70})
        assert costs.verdict(vm, call_id="CA2", tenant_id="clinic", clock=lambda: NOON).action == (
            "degrade"
        )
    assert [p.name for p in path.parent.iterdir()] == ["costs.json"]


async def test_a_node_that_is_killed_has_kept_what_it_had_a_moment_before(tmp_path: Path) -> None:
    path = tmp_path / "costs.json"
    async with node(path) as vm:
        charge(vm, 5)
        await until_kept(path, 5)
        charge(vm, 6)
        vm.exit("root", KILL)
        await vm.join("root")
    async with node(path) as vm:
        assert costs.ledger(vm).days[DAY] in (5, 11)


async def test_who_keeps_them_may_die_at_any_time(tmp_path: Path) -> None:
    path = tmp_path / "costs.json"
    async with node(path) as vm:
        for amount in (1, 1, 1):
            charge(vm, amount)
            vm.exit(NAME, KILL)
            await vm.join(NAME)
            async with asyncio.timeout(60):
                while vm.whereis(NAME) is None:  # noqa: ASYNC110 - no event tells
                    await asyncio.sleep(0)
        await until_kept(path, 3)


async def test_nothing_is_written_where_nothing_was_spent(tmp_path: Path) -> None:
    path = tmp_path / "costs.json"
    async with node(path):
        await asyncio.sleep(0.05)
    assert spent(path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"calls": {}, "days": 5}', "\xff"])
async def test_a_damaged_file_is_put_aside_and_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "costs.json"
    path.write_text(text, encoding="latin-1")
    with capture_logs() as logs:
        async with node(path) as vm:
            assert costs.ledger(vm).days == {}
            charge(vm, 1)
    assert [entry["path"] for entry in logs if entry["event"] == "costs_not_restored"] == [
        str(path)
    ]
    assert spent(path) == 1
    assert path.with_name("costs.json.damaged").read_text(encoding="latin-1") == text


async def test_a_file_that_cannot_be_written_is_told_and_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "costs.json"
    hindrance = tmp_path / "costs.json.new"
    hindrance.mkdir()
    async with node(path) as vm:
        keeper = vm.whereis(NAME)
        with capture_logs() as logs:
            charge(vm, 4)
            async with asyncio.timeout(60):
                while not logs:  # noqa: ASYNC110 - no event tells
                    await asyncio.sleep(0.002)
        assert {entry["event"] for entry in logs} == {"costs_not_kept"}
        hindrance.rmdir()
        await until_kept(path, 4)
        assert vm.whereis(NAME) == keeper


async def test_an_older_state_never_takes_the_place_of_a_later_one(tmp_path: Path) -> None:
    file = CostsFile(tmp_path / "costs.json")
    async with VM() as vm:
        charge(vm, 1)
        older = costs.ledger(vm).copy()
        charge(vm, 1)
        file.write(costs.ledger(vm).copy())
        file.write(older)
    assert spent(file.path) == 2


def test_two_nodes_of_one_name_keep_their_costs_apart(tmp_path: Path) -> None:
    path = tmp_path / "costs-vm.json"
    one, other = CostsFile(path), CostsFile(path)
    try:
        one.take()
        with capture_logs() as logs:
            other.take()
        assert (one.path, other.path) == (path, tmp_path / "costs-vm-2.json")
        assert [entry["event"] for entry in logs] == ["costs_kept_apart"]
        one.let_go()
        one.let_go()
        again = CostsFile(path)
        again.take()
        assert again.path == path
        again.let_go()
    finally:
        one.let_go()
        other.let_go()


def test_too_many_nodes_of_one_name_are_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costs_keeper, "MOST_OF_A_NAME", 1)
    one, other = CostsFile(tmp_path / "costs-vm.json"), CostsFile(tmp_path / "costs-vm.json")
    one.take()
    try:
        with pytest.raises(OSError, match="give each its own"):
            other.take()
    finally:
        one.let_go()
