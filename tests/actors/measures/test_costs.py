"""What the calls of a node cost, and who is told when a quota is reached."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from aybiza.actors.measures import costs
from aybiza.actors.registry_actor import subscribe
from aybiza.actors.runtime import VM, GenServer, virtual_time
from aybiza.claude.billing import Cost
from aybiza.claude.ledger import QuotaReached, Quotas
from aybiza.claude.models import profile_of
from aybiza.claude.stream import Usage

HAIKU = profile_of("global.anthropic.claude-haiku-4-5-20251001-v1:0")
NOON = 1_795_262_400.0
THOUSAND = Usage(1_000)


def clock() -> float:
    return NOON


class Listener(GenServer):
    """Keeps what is published to the topic."""

    async def init(self) -> None:
        subscribe(self.vm, costs.TOPIC)
        self.heard: list[Any] = []

    async def handle_info(self, message: Any) -> None:
        self.heard.append(message)

    async def handle_call(self, request: Any, from_: Any) -> Any:
        return self.heard


@virtual_time
async def test_what_answers_cost_is_added_up_by_call_and_tenant() -> None:
    async with VM() as vm:
        cost = costs.charge(vm, HAIKU, THOUSAND, call_id="CA1", tenant_id="clinic", clock=clock)
        costs.charge(vm, HAIKU, Usage(0, 100), call_id="CA1", tenant_id="clinic", clock=clock)
        assert cost == Cost(1_000)
        totals = costs.ledger(vm).totals(NOON)
        assert (totals["today"], totals["tenants"]) == (1_500, {"clinic": 1_500})
        assert costs.close(vm, "CA1") == 1_500
        assert costs.close(vm, "CA1") == 0


@virtual_time
async def test_without_quotas_everything_may_be_asked() -> None:
    async with VM() as vm:
        costs.charge(vm, HAIKU, Usage(10**9), call_id="CA1", clock=clock)
        assert costs.verdict(vm, call_id="CA1", clock=clock).action == "allow"


@virtual_time
async def test_a_reached_quota_is_logged_published_and_holds() -> None:
    async with VM() as vm:
        costs.open_ledger(vm, Quotas(call=1_500, action="refuse"))
        listener = await vm.start(Listener)
        assert listener is not None
        with capture_logs() as logs:
            for _ in range(3):
                costs.charge(vm, HAIKU, THOUSAND, call_id="CA1", clock=clock)
        event = QuotaReached("call", "CA1", 2_000, 1_500, "refuse")
        assert await vm.call(listener, "heard") == [("quota_reached", event)]
        (entry,) = [entry for entry in logs if entry["event"] == "quota_reached"]
        assert (entry["scope"], entry["spent_usd"], entry["limit_usd"]) == ("call", 0.002, 0.0015)
        assert costs.verdict(vm, call_id="CA1", clock=clock).action == "refuse"
        assert costs.verdict(vm, call_id="CA2", clock=clock).action == "allow"


@virtual_time
async def test_a_cache_that_is_kept_an_hour_is_billed_so() -> None:
    async with VM() as vm:
        usage = Usage(cache_write_input_tokens=1_000)
        assert costs.charge(vm, HAIKU, usage, call_id="CA1", ttl="1h").total == 2_000


@virtual_time
async def test_a_model_without_a_price_is_named() -> None:
    async with VM() as vm:
        with capture_logs() as logs:
            costs.charge(vm, profile_of("us.a-model"), THOUSAND, call_id="CA1")
        assert [e["model"] for e in logs if e["event"] == "model_without_price"] == ["us.a-model"]


@virtual_time
async def test_a_ledger_goes_on_from_a_snapshot() -> None:
    async with VM() as vm:
        costs.charge(vm, HAIKU, THOUSAND, call_id="CA1", clock=clock)
        kept = costs.ledger(vm).snapshot()
    async with VM() as vm:
        costs.open_ledger(vm, Quotas(day=1_000), kept)
        assert costs.verdict(vm, call_id="CA2", clock=clock).action == "degrade"


@virtual_time
async def test_today_is_the_clocks() -> None:
    async with VM() as vm:
        costs.charge(vm, HAIKU, THOUSAND, call_id="CA1")
        (day,) = costs.ledger(vm).days
        assert day >= "2026-01-01"
        with pytest.raises(KeyError):
            costs.ledger(vm).days["1970-01-01"]
