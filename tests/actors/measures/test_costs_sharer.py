"""Quotas of a cluster: what nodes tell each other of their costs over Redis."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio as redis
from structlog.testing import capture_logs

from aybiza.actors.measures import costs, costs_sharer, events
from aybiza.actors.measures.costs_sharer import CostsSharer, share
from aybiza.actors.runtime import VM
from aybiza.claude.ledger import Ledger, Limits, Quotas
from tests.actors.memory.kit import until
from tests.actors.memory.servers import demoted, lead_to, redis_server

NOW = 1_800_000_000.0
QUOTAS = Quotas(
    day=5_000, tenants={"Desk": Limits(tenant_day=1_000, action="refuse")}, day_action="degrade"
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture
async def server(url: str) -> AsyncIterator[redis.Redis]:
    client = redis.Redis.from_url(url, decode_responses=True)
    await client.flushall()
    yield client
    await client.aclose()


async def test_what_a_tenant_spends_on_two_nodes_reaches_one_quota(server: redis.Redis) -> None:
    one, two = Ledger(QUOTAS), Ledger(QUOTAS)
    one.charge(700, call_id="CA1", tenant_id="Desk", now=NOW)
    two.charge(400, call_id="CA2", tenant_id="Desk", now=NOW)
    for ledger in (one, two):
        assert ledger.verdict(call_id="CA3", tenant_id="Desk", now=NOW).action == "allow"
    for _ in range(2):
        await share(server, one, "vm-1", NOW)
        await share(server, two, "vm-2", NOW)
    for ledger in (one, two):
        verdict = ledger.verdict(call_id="CA3", tenant_id="Desk", now=NOW)
        assert verdict.action == "refuse"
        assert verdict.reached is not None and verdict.reached.spent == 1_100
        assert ledger.verdict(call_id="CA4", tenant_id="Other", now=NOW).action == "allow"


async def test_the_quota_of_a_day_is_that_of_all_nodes(server: redis.Redis) -> None:
    one, two = Ledger(QUOTAS), Ledger(QUOTAS)
    one.charge(3_000, call_id="CA1", tenant_id="A", now=NOW)
    await share(server, one, "vm-1", NOW)
    await share(server, two, "vm-2", NOW)
    (reached,) = two.charge(2_000, call_id="CA2", tenant_id="B", now=NOW)
    assert (reached.scope, reached.spent) == ("day", 5_000)


async def test_a_node_that_starts_anew_and_a_redis_that_lost_all_count_nothing_twice(
    server: redis.Redis,
) -> None:
    one, two = Ledger(QUOTAS), Ledger(QUOTAS)
    one.charge(600, call_id="CA1", tenant_id="Desk", now=NOW)
    await share(server, one, "vm-1", NOW)
    again = Ledger.restored(QUOTAS, one.snapshot())
    for _ in range(3):
        await share(server, again, "vm-1", NOW)
    await share(server, two, "vm-2", NOW)
    assert sum(two.elsewhere.values()) == 600
    await server.flushall()
    await share(server, two, "vm-2", NOW)
    assert two.elsewhere == {}
    await share(server, again, "vm-1", NOW)
    await share(server, two, "vm-2", NOW)
    assert sum(two.elsewhere.values()) == 600


async def test_a_new_day_begins_with_nothing_and_odd_fields_are_passed_over(
    server: redis.Redis,
) -> None:
    one, two = Ledger(QUOTAS), Ledger(QUOTAS)
    one.charge(600, call_id="CA1", tenant_id="Desk", now=NOW)
    await share(server, one, "vm-1", NOW)
    await server.hset("aybiza:spent:2027-01-15", mapping={"odd": "1", "vm-3\nDesk": "much"})
    await share(server, two, "vm-2", NOW)
    assert sum(two.elsewhere.values()) == 600
    await share(server, two, "vm-2", NOW + 86_400)
    assert two.elsewhere == {}
    assert 0 < await server.ttl("aybiza:spent:2027-01-15") <= 3 * 86_400


async def test_nodes_share_by_themselves(url: str, server: redis.Redis) -> None:
    async with VM("vm-1") as one, VM("vm-2") as two:
        costs.lay(one, Ledger(QUOTAS)).charge(900, call_id="CA1", tenant_id="Desk", now=time.time())
        sharers = [await vm.start(CostsSharer, url) for vm in (one, two)]
        async with asyncio.timeout(60):
            while sum(costs.ledger(two).elsewhere.values()) != 900:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        for vm, sharer in zip((one, two), sharers, strict=True):
            assert sharer is not None
            await vm.stop(sharer)


async def test_while_redis_is_away_the_last_figures_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs_sharer, "SHARE_SECONDS", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    told: list[Any] = []
    with capture_logs() as logs:
        async with VM("vm-1") as vm:
            vm.telemetry.attach(
                "test", events.STORE_FAILED, lambda _, __, about, ___: told.append(about["store"])
            )
            kept = costs.lay(vm, Ledger(QUOTAS))
            kept.hear("2027-01-15", {"Desk": 2_000})
            sharer = await vm.start(CostsSharer, f"redis://127.0.0.1:{port}/0")
            assert sharer is not None
            async with asyncio.timeout(60):
                while len(told) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert kept.verdict(call_id="CA1", tenant_id="Desk", now=NOW).action == "refuse"
            await vm.stop(sharer)
    (once,) = [entry for entry in logs if entry["event"] == "costs_not_shared"]
    assert "Shutdown" not in once["reason"]
    assert set(told) == {"REDIS_URL"}


async def test_a_server_that_is_no_longer_the_first_is_left_for_the_one_that_its_name_leads_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aybiza.actors.measures.costs_sharer.SHARE_SECONDS", 0.02)
    folders = [tmp_path / name for name in ("old", "new")]
    for folder in folders:
        folder.mkdir()
    with redis_server(folders[0]) as old, redis_server(folders[1]) as new:
        async with VM("vm-1") as vm:
            costs.lay(vm, Ledger(QUOTAS)).charge(
                900, call_id="CA1", tenant_id="Desk", now=time.time()
            )
            pid = await vm.start(CostsSharer, old.url)
            assert pid is not None
            await until(lambda: bool(old.client.keys("aybiza:spent:*")))
            process = vm.find(pid)
            assert process is not None
            lead_to(process.server._redis.connection_pool, new.port)
            with demoted(old, new.port):
                await until(lambda: bool(new.client.keys("aybiza:spent:*")))
            await vm.stop(pid)
